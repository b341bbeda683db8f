"""Columns of risk: the outlook at the horizon, first touch, untraded prices, and what a touch does."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

import liqfeature
from builders.frames import SEEDED, Frames, markets, random_candles, small_config, small_configs
from liqfeature import HeatmapConfig, liquidation_features
from liqfeature.columns.outlook import OUTLOOK_COLUMNS, QUANTILES
from liqfeature.columns.untraded import AGES, RANGES, UNTRADED_COLUMNS, VOLUMES
from liqfeature.estimate.kernels.untraded import last_traded
from liqfeature.estimate.reach import ReachRule
from liqfeature.scoring.measures.first_touch import driftless

CONFIG = small_config()
WARM = CONFIG.warmup - 1
SIDED = (("above", 1.0), ("below", -1.0))


def features_of(market: Frames, config: HeatmapConfig = CONFIG) -> pd.DataFrame:
    return liquidation_features(market.candles, config, **market.inputs())


@settings(SEEDED, max_examples=10)
@given(markets(n=180, plain=True), small_configs())
def test_at_the_horizon_the_columns_are_the_outlook(market: Frames, config: HeatmapConfig) -> None:
    found, seen = features_of(market, config), liqfeature.outlook(market.candles, config)
    want = {"liq_sigma": seen.sigma(config.horizon)}
    for where in ("above", "below"):
        for q in QUANTILES:
            want[f"liq_excursion_{q}_{where}"] = seen.quantile(where, q / 100, config.horizon)
        want[f"liq_shortfall_{where}"] = seen.shortfall(where, 0.95, config.horizon)
    assert sorted(want) == sorted(OUTLOOK_COLUMNS)
    traded = found["liq_sigma"].notna()
    for name, values in want.items():
        np.testing.assert_array_equal(found[name][traded], values[traded], err_msg=name)


def walking_candles(n: int, step: float, steps: int = 100) -> pd.DataFrame:
    """Candles of a random walk, n steps each."""
    path = np.exp(np.random.default_rng(3).normal(0, step, (n, steps)).cumsum().reshape(n, steps))
    date = pd.date_range("2026-01-01", periods=n, freq="5min", tz="UTC")
    prices = {"open": path[:, 0], "high": path.max(1), "low": path.min(1), "close": path[:, -1]}
    return pd.DataFrame({"date": date, **prices, "volume": 1.0})


def test_sigma_is_as_large_as_what_follows() -> None:
    """Of a walk by .004 a candle: .012 within 9; `scale` adds 8 % for what real ranges miss."""
    config = small_config(horizon=9, reach=dataclasses.replace(ReachRule(), skew_span=5))
    found = liquidation_features(walking_candles(4000, 0.0004), config)["liq_sigma"]
    assert math.sqrt((found**2).mean()) == pytest.approx(0.012 * 1.08, rel=0.08)


def test_excursions_grow_with_their_probability() -> None:
    found = features_of(Frames(random_candles(400, 2)))[WARM:]
    for where in ("above", "below"):
        names = [f"liq_excursion_{q}_{where}" for q in QUANTILES]
        path = found[[*names[:3], f"liq_shortfall_{where}"]].to_numpy()
        assert (np.diff(path, axis=1) > 0).all()
        assert (found[names[3]] > found[names[2]]).all()
        assert (found[names[0]] > 0).all()


def naive_ages(candles: pd.DataFrame, t: int, price: float, sign: float, *, beyond: bool) -> float:
    """Candles since a price above (or by sign below) was traded, or since it was itself."""
    high = sign * candles["high" if sign > 0 else "low"].to_numpy()
    for u in range(t, -1, -1):
        if high[u] > sign * price or (high[u] == sign * price and not beyond):
            return t - u
    return math.inf


@settings(SEEDED, max_examples=20)
@given(markets(n=180), small_configs())
def test_untraded_prices_and_touches_are_those_of_the_naive_twin(
    market: Frames, config: HeatmapConfig
) -> None:
    found, candles = features_of(market, config), market.candles
    for where, sign in SIDED:
        wick = candles["high" if sign > 0 else "low"].to_numpy()
        rows = {
            what: found[f"liq_{what}_{where}"].to_numpy() for what in ("untraded", "untraded_age", "near")
        }
        touch = {what: found[f"liq_touch_{what}_{where}"].to_numpy() for what in ("range", "volume")}
        for t in np.flatnonzero(~np.isnan(rows["untraded"])):
            recent = sign * wick[t + 1 - config.lookback : t + 1]
            extreme = sign * recent.max()
            assert rows["untraded"][t] == abs(extreme / candles["close"].iloc[t] - 1)
            age = naive_ages(candles, t, extreme, sign, beyond=True)
            assert rows["untraded_age"][t] == min(age, config.max_age)
            assert rows["untraded_age"][t] >= min(config.lookback, config.max_age)
            if math.isnan(rows["near"][t]):
                assert math.isnan(touch["range"][t])
                assert math.isnan(touch["volume"][t])
            else:
                since = min(naive_ages(candles, t, rows["near"][t], sign, beyond=False), config.max_age)
                assert touch["range"][t] == np.interp(since, AGES, RANGES)
                assert touch["volume"][t] == np.interp(since, AGES, VOLUMES)


@settings(SEEDED, max_examples=20)
@given(markets(n=180), small_configs())
def test_of_two_edges_the_nearer_is_touched_first_as_a_walk_without_drift_does(
    market: Frames, config: HeatmapConfig
) -> None:
    found, close = features_of(market, config), market.candles["close"].to_numpy()
    above, below = found["liq_near_above"].to_numpy(), found["liq_near_below"].to_numpy()
    away = np.abs(above / close - 1) + np.abs(below / close - 1) > 1e-6  # not both at the price itself
    with np.errstate(invalid="ignore", divide="ignore"):
        want = driftless(close, above, below)
    got = found["liq_first_touch_above"].to_numpy()
    np.testing.assert_array_equal(np.isnan(got), np.isnan(above) | np.isnan(below))
    np.testing.assert_allclose(got[away], want[away], atol=1e-2)
    far = (np.minimum(np.abs(above / close - 1), np.abs(below / close - 1)) > 1e-5) & ~np.isnan(got)
    np.testing.assert_allclose(got[far], want[far], rtol=1e-4)


def test_an_old_peak_by_hand() -> None:
    """While the later peak lies in the lookback, the price beyond it was last traded at the older one."""
    config = small_config(lookback=24)
    later = config.warmup + 10
    price = np.full(later + 1, 100.0)
    price[later - 30], price[later - 10] = 200.0, 150.0
    date = pd.date_range("2026-01-01", periods=price.size, freq="5min", tz="UTC")
    prices = dict.fromkeys(("open", "high", "low", "close"), price)
    row = liquidation_features(pd.DataFrame({"date": date, **prices, "volume": 1.0}), config).iloc[-1]
    assert row["liq_untraded_above"] == 0.5
    assert row["liq_untraded_age_above"] == 30
    assert row["liq_untraded_below"] == 0
    assert row["liq_untraded_age_below"] == config.max_age


def test_a_price_counts_as_traded_at_the_very_high_of_a_candle() -> None:
    """Highs of 3, 2, 1, 1: an edge of 2 was traded two candles ago, one of 2.5 three ago, one of 4 never."""
    high, table = np.array([3.0, 2.0, 1.0, 1.0]), np.full((8, 4), np.nan)
    ages = np.stack([np.arange(11.0), -np.arange(11.0)])
    for edge, age in ((2.0, 2.0), (2.5, 3.0), (4.0, 10.0)):
        room, seen = np.empty(4, dtype=np.int64), table[::2]
        last_traded(high, np.full(4, edge), np.ones(4), 2, ages, 3, room, seen)
        np.testing.assert_array_equal(seen[:, 3], [0, 2, age, -age])


def test_a_touch_of_a_price_of_yesterday_is_half_again_as_wide_and_busier() -> None:
    """Over ages of the study: a touch widens more, the longer ago the price was traded."""
    assert np.interp(288, AGES, RANGES) == pytest.approx(1.9, abs=0.1)
    assert np.interp(288, AGES, VOLUMES) == pytest.approx(4, abs=0.2)
    for values in (RANGES, VOLUMES):
        assert list(values) == sorted(values)
        assert values[0] > 1


def test_no_column_of_risk_is_known_before_the_warm_up() -> None:
    found = features_of(Frames(random_candles(300, 3)))
    names = [*OUTLOOK_COLUMNS, *UNTRADED_COLUMNS]
    assert found[names][:WARM].isna().all(axis=None)
    always = [name for name in names if "touch" not in name]
    assert found[always][WARM:].notna().all(axis=None)
