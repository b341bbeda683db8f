import math
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from builders.frames import Frames, random_candles, random_open_interest, small_config
from builders.scans import TENFOLD, quiet, reading, scanned, steady_open_interest
from liqfeature import ConfigError
from liqfeature.estimate.clusters import ClusterRule
from liqfeature.estimate.flow import FlowRule
from liqfeature.estimate.grid import PriceGrid
from liqfeature.estimate.kernels.read import READINGS
from liqfeature.sides import LONG, SHORT

FLOW = FlowRule(levered_share=0.5, churn=0.2)


def test_one_level_is_a_cluster_as_wide_as_the_smoothing() -> None:
    candles = quiet([(100, 100, 100)] * 3, [100.0, 0.0, 0.0])
    config = small_config(leverage=TENFOLD, flow=FLOW, band=0.2)  # smoothing over one bin to either side
    scan = scanned(Frames(candles, steady_open_interest(candles, 1000.0)), config)
    for side, price in ((LONG, 90), (SHORT, 110)):
        edge = math.floor(math.log(price) / 0.002) * 0.002  # of the level's bin
        near, far = (edge + 0.004, edge - 0.002) if side == LONG else (edge - 0.002, edge + 0.004)
        near, far = math.exp(near), math.exp(far)
        row = {what: reading(scan, what, side)[0] for what in READINGS}
        assert row["near"] == pytest.approx(near)
        assert row["far"] == pytest.approx(far)
        assert row["peak"] == pytest.approx(math.exp(edge + 0.001))
        assert row["distance"] == pytest.approx(abs(near / 100 - 1))
        assert row["notional"] == row["total"] == pytest.approx(10 * price, rel=0.002)
        assert row["density"] == pytest.approx(10 / 1000 / abs(far - near))  # price is 100, so this is 1 %


def test_the_nearest_cluster_counts_though_another_holds_more() -> None:
    # Much is opened at 100, little at 95: longs lie at 90 and, nearer to a price of 95, at 85.5.
    candles = quiet([(100, 100, 100), (95, 95, 95), (93, 93, 93)], [30.0, 300.0, 0.0])
    config = small_config(leverage=TENFOLD, flow=FLOW, band=0.2, clusters=ClusterRule(least_share=1e-4))
    scan = scanned(Frames(candles, steady_open_interest(candles, 10_000.0)), config)
    assert reading(scan, "peak", LONG)[2] == pytest.approx(90, rel=0.002)


def test_what_holds_too_little_is_no_cluster() -> None:
    candles = quiet([(100, 100, 100)] * 2, [100.0, 0.0])
    rows = steady_open_interest(candles, 1000.0)  # of which 1 % are opened
    for least, found in ((0.0099, True), (0.0101, False)):
        config = small_config(leverage=TENFOLD, flow=FLOW, band=0.2, clusters=ClusterRule(least_share=least))
        assert np.isfinite(reading(scanned(Frames(candles, rows), config), "near", LONG)[1]) == found


def test_what_is_usual_is_no_cluster() -> None:
    n = 40 * 12
    candles = quiet([(100, 100, 100)] * n, [100.0] * n)
    rows = steady_open_interest(candles, 1000.0)
    # Longs and shorts lie at different distances, so usual, sides pooled, is half of each.
    for ratio, share_found in ((2.1, 0.0), (1.9, 1.0)):
        config = small_config(leverage=TENFOLD, flow=FLOW, band=0.2, clusters=ClusterRule(ratio=ratio))
        near = reading(scanned(Frames(candles, rows), config), "near", LONG)
        assert np.isfinite(near[-60:]).mean() == share_found


def test_a_cluster_ends_where_it_falls_under_half_its_peak() -> None:
    config = small_config(
        leverage=TENFOLD,
        flow=FLOW,
        band=0.2,
        grid=PriceGrid(width=0.002, smoothing=0),
        clusters=ClusterRule(ratio=0.1, least_share=0.0),
    )
    step = math.exp(0.002)
    prices = [100 * step**k for k in range(5)]
    volumes = [1.0, 0.4, 1.0, 0.6, 0.4]  # the last is the nearest to price
    candles = quiet([(p, p, p) for p in prices], volumes)
    rows = steady_open_interest(candles, 100.0)
    scan = scanned(Frames(candles, rows), config)
    level = math.floor(math.log(90) / 0.002)
    # From price: 0.4 is under half of the peak of 1.0, 0.6 is not, and the next 0.4 ends it.
    assert reading(scan, "near", LONG)[4] == pytest.approx(math.exp((level + 4) * 0.002))
    assert reading(scan, "far", LONG)[4] == pytest.approx(math.exp((level + 2) * 0.002))


@pytest.mark.parametrize("smoothing", [0, 3, 8])
def test_a_cluster_holds_something_even_where_no_least_share_is_asked(smoothing: int) -> None:
    candles = random_candles(1500, smoothing, volatility=0.004)
    rows = random_open_interest(candles, 1)
    config = small_config(
        grid=PriceGrid(width=0.001, smoothing=smoothing), clusters=ClusterRule(least_share=0.0)
    )
    scan = scanned(Frames(candles, rows), config)
    for side in (LONG, SHORT):
        found = np.isfinite(reading(scan, "near", side))
        assert found.any()
        assert (reading(scan, "notional", side)[found] > 0).all()


def test_frames_in_these_tests_are_what_they_say() -> None:
    candles = quiet([(3, 1, 2)], [5.0])
    assert candles.iloc[0].drop("date").to_dict() == {"open": 2, "high": 3, "low": 1, "close": 2, "volume": 5}
    assert candles["date"].iloc[0] == pd.Timestamp("2026-01-01", tz="UTC")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ratio": 0.0}, "ratio must be above 0, received 0.0"),
        ({"ratio": math.nan}, "ratio must be above 0, received nan"),
        ({"least_share": -0.1}, "least_share must be at least 0 and below 1, received -0.1"),
        ({"least_share": 1.0}, "least_share must be at least 0 and below 1, received 1.0"),
    ],
)
def test_parameters_that_break_their_rule_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        ClusterRule(**changes)
