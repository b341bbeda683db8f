"""Sweep and reclaim, and the open air before the next cluster, read from the columns alone."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from builders.frames import SEEDED, Frames, markets, small_config, small_configs
from builders.naive import levels_of
from builders.scans import TENFOLD, aligned, quiet, reading, scanned, steady_open_interest
from liqfeature import HeatmapConfig, liquidation_features
from liqfeature.estimate.clusters import ClusterRule
from liqfeature.estimate.flow import FlowRule
from liqfeature.estimate.prepare import prepare_scan
from liqfeature.estimate.scan import Scan
from liqfeature.sides import LONG, SHORT

CONFIG = small_config(
    leverage=TENFOLD, flow=FlowRule(levered_share=0.5, churn=0.2), band=0.2, clusters=ClusterRule(ratio=1.1)
)
"""Remembers sweeps for three candles. A position opened at 100 is liquidated at 90 or 110."""

CALM = (100.0, 100.0, 100.0)


def scan_of(prices: list[tuple[float, float, float]], volume: list[float]) -> Scan:
    volume = volume + [0.0] * (len(prices) - len(volume))
    candles = quiet(prices, volume)
    return scanned(Frames(candles, steady_open_interest(candles, 1000.0)), CONFIG)


@pytest.mark.parametrize(
    ("side", "wick", "level"), [(LONG, (100, 89, 99), 90), (SHORT, (111, 100, 101), 110)]
)
def test_a_wick_through_a_cluster_clears_it_and_the_close_reclaims_it(side, wick, level) -> None:
    scan = scan_of([CALM, wick, CALM, CALM, CALM], [100.0])
    assert reading(scan, "cleared", side).tolist() == [0, 1, 1, 1, 0]
    near = reading(scan, "near", side)[0]
    assert near == pytest.approx(level, rel=0.005)
    np.testing.assert_array_equal(reading(scan, "pierced", side), [np.nan, near, near, near, np.nan])
    reclaimed = wick[2] > near if side == LONG else wick[2] < near
    assert reclaimed
    assert not reading(scan, "cleared", SHORT if side == LONG else LONG).any()


def test_a_cluster_swept_in_two_steps_is_cleared_in_two_steps() -> None:
    """Longs at 90.36 and 90 make one cluster; the first fall meets only the upper ones."""
    opened = (100.4, 100.4, 100.4)
    prices = [opened, CALM, (100, 90.2, 100), CALM, (100, 89.9, 89.95), CALM, CALM]
    candles = quiet(prices, [100.0, 100.0, *[0.0] * 5])
    market = Frames(candles, steady_open_interest(candles, 1000.0))
    scan = prepare_scan(aligned(market, CONFIG), CONFIG)
    scan.run(0, 2)
    low, high = sorted(b for s, b in levels_of(scan) if s == LONG)
    assert math.exp(low * CONFIG.grid.width) == pytest.approx(90, rel=0.002)
    upper = levels_of(scan)[LONG, high] / (levels_of(scan)[LONG, low] + levels_of(scan)[LONG, high])
    scan.run(2, 7)
    assert reading(scan, "cleared", LONG) == pytest.approx([0, 0, upper, upper, 1, 1, 1])
    # The first step is forgotten after three candles; the edge of the second lies lower.
    pierced = reading(scan, "pierced", LONG)
    assert pierced[2] == pierced[3] == pierced[4] > pierced[5] == pierced[6]


def test_where_a_cluster_was_cleared_lies_open_air() -> None:
    """Longs at 81, opened when price was 90, and at 90: once those are swept nothing stands before 81."""
    before, after = (
        scan_of([(90, 90, 90), CALM, CALM, wick, CALM, CALM], [100.0, 100.0])
        for wick in (CALM, (100, 89, 100))
    )
    assert reading(before, "pierced", LONG)[-1:].tolist() == pytest.approx([np.nan], nan_ok=True)
    assert reading(after, "near", LONG)[-1] == pytest.approx(81, rel=0.006)
    assert reading(after, "vacuum", LONG)[-1] == 0


@settings(SEEDED, max_examples=15)
@given(markets(n=150), small_configs())
def test_what_is_cleared_was_met_by_price(market: Frames, config: HeatmapConfig) -> None:
    features = liquidation_features(market.candles, config, **market.inputs()).iloc[config.warmup :]
    candles = market.candles.iloc[config.warmup :]
    for where, swept, sign, extreme in (("below", "long", 1, "low"), ("above", "short", -1, "high")):
        cleared, pierced = features[f"liq_cleared_{where}"], features[f"liq_pierced_{where}"]
        assert ((cleared > 0) == pierced.notna()).all()
        rolled = (sign * candles[extreme]).rolling(config.horizon, min_periods=config.horizon).min()
        known = (cleared > 0) & rolled.notna()
        assert (sign * pierced >= rolled * (1 - sign * 1e-9))[known].all()
        any_swept = features[f"liq_swept_{swept}"].rolling(config.horizon).sum() > 0
        assert any_swept[known].all()


def test_a_share_is_of_what_the_cluster_held_at_the_close_before() -> None:
    rng = np.random.default_rng(5)
    path = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 1500)))
    candles = quiet([(p * 1.01, p * 0.99, p) for p in path], [50.0] * 1500)
    config = small_config(horizon=1, max_age=4096)  # nothing is forgotten
    scan = scanned(Frames(candles, steady_open_interest(candles, 1000.0)), config)
    for side, reached in ((LONG, candles["low"]), (SHORT, candles["high"])):
        near, far = (pd.Series(reading(scan, what, side)).shift() for what in ("near", "far"))
        cleared = reading(scan, "cleared", side)
        through = (reached < far * (1 - 1e-9)) if side == LONG else (reached > far * (1 + 1e-9))
        missed = (reached > near * (1 + 0.002)) if side == LONG else (reached < near * (1 - 0.002))
        assert through.sum() > 10
        assert missed.sum() > 20
        np.testing.assert_allclose(cleared[through], 1.0, rtol=1e-9)
        assert not cleared[missed].any()
