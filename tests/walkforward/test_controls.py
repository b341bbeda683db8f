"""Controls: each takes away what it claims to take away, keeps the rest, and looks ahead at nothing."""

import math

import numpy as np
import pandas as pd
import pytest

from builders.frames import random_candles, random_funding, random_open_interest, small_config
from liqfeature import liquidation_features
from liqfeature.errors import ConfigError
from liqfeature.walkforward.controls import of_earlier, permuted, usual_edges

N, CANDLES = 400, 30


@pytest.fixture(scope="module")
def candles():
    return random_candles(N, seed=11)


@pytest.fixture(scope="module")
def features(candles):
    interest = random_open_interest(candles, 12)
    return liquidation_features(candles, small_config(), open_interest=interest)


REPLACED = {"earlier": of_earlier, "usual": usual_edges}
replaced = pytest.mark.parametrize("replace", REPLACED.values(), ids=REPLACED)


@replaced
def test_row_t_knows_rows_up_to_t_only(candles, features, replace):
    whole = replace(features, candles["close"], candles=CANDLES)
    assert whole.notna().to_numpy().sum() > N
    for n in (100, 250):
        part = replace(features[:n], candles["close"][:n], candles=CANDLES)
        pd.testing.assert_frame_equal(part, whole[:n], check_exact=True)


@replaced
def test_the_span_must_be_at_least_a_row(candles, features, replace):
    with pytest.raises(ConfigError, match="candles must be at least 1, received 0"):
        replace(features, candles["close"], candles=0)


def test_columns_of_earlier_keep_amounts_and_distances_from_todays_price(candles, features):
    found, close = of_earlier(features, candles["close"], candles=CANDLES), candles["close"]
    assert list(found) == list(features)
    assert found[:CANDLES].isna().all(axis=None)
    for name in ("liq_distance_above", "liq_notional_below", "liq_cleared_above", "liq_imbalance"):
        np.testing.assert_array_equal(found[name][CANDLES:], features[name][:-CANDLES])
    for name in ("near_above", "peak_below", "far_below", "pierced_below"):
        before = (features[f"liq_{name}"] / close)[:-CANDLES].to_numpy()
        np.testing.assert_allclose((found[f"liq_{name}"] / close)[CANDLES:], before)
        assert np.isfinite(before).any()


def test_usual_edges_are_their_defining_mean(candles, features):
    found, close = usual_edges(features, candles["close"], candles=CANDLES), candles["close"]
    assert sorted(found) == sorted(
        f"liq_{edge}_{side}" for edge in ("near", "peak", "far") for side in ("above", "below")
    )
    seen = 0
    for name in found:
        for t in range(0, N, 7):
            rows = slice(max(t - CANDLES + 1, 0), t + 1)
            logs = [math.log(p / c) for p, c in zip(features[name][rows], close[rows], strict=True) if p == p]
            expected = close[t] * math.exp(sum(logs) / len(logs)) if logs else math.nan
            assert found[name][t] == pytest.approx(expected, nan_ok=True)
            seen += bool(logs) and math.isnan(features[name][t])
    assert seen > 0  # where the map has no cluster now, the usual place stands


def test_usual_edges_lie_in_the_order_of_a_cluster(candles, features):
    found = usual_edges(features, candles["close"], candles=CANDLES).dropna()
    close = candles["close"][found.index]
    assert len(found) > N / 2
    assert (close < found["liq_near_above"]).all()
    assert (found["liq_near_above"] < found["liq_peak_above"]).all()
    assert (found["liq_peak_above"] < found["liq_far_above"]).all()
    assert (found["liq_near_below"] > found["liq_peak_below"]).all()
    assert (found["liq_peak_below"] > found["liq_far_below"]).all()


def test_the_map_of_the_path_alone_is_that_of_candles_that_trade_one_unit(candles):
    """Volume, open interest and recordings count for nothing, but for candles without any trade."""
    idle = candles.assign(volume=np.where(np.arange(N) % 10, candles["volume"], 0.0))
    interest, funding = random_open_interest(candles, 12), random_funding(candles, 13)
    recorded = pd.DataFrame({"date": candles["date"], "long": candles["volume"], "short": 1.0})
    inputs = {"open_interest": interest, "funding_rate": funding, "liquidations": recorded}
    config = small_config().changed({"flow.opens": "path"})
    one_unit = idle.assign(volume=(idle["volume"] > 0).astype(float))
    expected = liquidation_features(one_unit, small_config(), funding_rate=funding)
    pd.testing.assert_frame_equal(liquidation_features(idle, config, **inputs), expected)
    assert not liquidation_features(idle, small_config(), funding_rate=funding).equals(expected)


@pytest.fixture
def rows():
    rng = np.random.default_rng(1)
    tags = {"enter_long": [0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0], "enter_tag": list("....a.b..c..")}
    return pd.DataFrame({"close": rng.uniform(90, 110, 12)} | tags)


def test_the_first_row_that_is_warm_takes_part_in_the_shuffle(rows):
    drawn = [permuted(rows, ["enter_long"], 4, np.random.default_rng(seed)) for seed in range(30)]
    assert any(found["enter_long"][3] for found in drawn)


def test_random_entries_are_as_many_and_keep_their_tags(rows):
    found = permuted(rows, ["enter_long", "enter_tag"], 4, np.random.default_rng(2))
    assert found["enter_long"].tolist() != rows["enter_long"].tolist()
    assert found["enter_long"].sum() == 3
    assert sorted(found.loc[found["enter_long"] == 1, "enter_tag"]) == ["a", "b", "c"]
    pd.testing.assert_frame_equal(found[:3], rows[:3])
    pd.testing.assert_series_equal(found["close"], rows["close"])
