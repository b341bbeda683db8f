"""Volatility from recent ranges: its horizon, hours, wicks, and the side that price came from."""

import dataclasses
import math
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import halfnorm, norm

import liqfeature
from builders.frames import CANDLE, SEEDED, Frames, markets, random_candles, small_config, small_configs
from builders.naive_outlook import NaiveOutlook
from builders.scans import aligned
from liqfeature import ConfigError
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.estimate.kernels.median import trailing_median
from liqfeature.estimate.outlook import Outlook, Where, without_wicks
from liqfeature.estimate.prepare import outlook_of
from liqfeature.estimate.reach import MOST_TILT, STEPS_PER_TILT, ReachRule
from liqfeature.market.market import Market
from liqfeature.sides import LONG, SHORT, SIDE_AT

TIMELESS: dict[str, Any] = {"hours": (1.0,) * 24, "weekend": 1.0, "wildest": 1e9, "scale": 1.0}
MIDDLE = round(MOST_TILT * STEPS_PER_TILT)


def outlook(
    rule: ReachRule,
    ranges: np.ndarray,
    begin: int = 0,
    *,
    close: np.ndarray | None = None,
    lookback: int = 288,
) -> Outlook:
    """Of five-minute candles, the first of which opens n candles after a Monday of 2024 began."""
    monday = int(pd.Timestamp("2024-01-01", tz="UTC").timestamp() * 1000) // CANDLE
    low = np.zeros(ranges.size)
    return Outlook.of(
        low + ranges,
        low,
        low if close is None else close,
        tick=monday + begin + np.arange(ranges.size),
        interval=CANDLE,
        rule=rule,
        lookback=lookback,
        longest=10**9,
    )


def sigma(rule: ReachRule, ranges: np.ndarray, horizon: int) -> np.ndarray:
    return outlook(rule, ranges).sigma(horizon)


def brownian_ranges(n: int, steps: int = 400) -> np.ndarray:
    """Ranges of paths of variance 1e-4, looked at now and then; corrected for what lies between the looks."""
    paths = np.random.default_rng(1).normal(0, 0.01 / math.sqrt(steps), (n, steps)).cumsum(axis=1)
    high, low = np.maximum(paths.max(axis=1), 0), np.minimum(paths.min(axis=1), 0)
    return high - low + 2 * 0.5826 * 0.01 / math.sqrt(steps)


def test_sigma_is_that_of_brownian_paths() -> None:
    """A path's variance grows with time; every hour is alike."""
    ranges = brownian_ranges(4000)
    rule = ReachRule(windows=(4000,), weights=(1.0,), **TIMELESS)
    for horizon in (1, 12, 48):
        got = sigma(rule, ranges, horizon)[-1]
        assert got == pytest.approx(0.01 * math.sqrt(horizon), rel=0.02)


def test_volatility_is_shared_among_windows() -> None:
    ranges = np.random.default_rng(2).exponential(1, 300)
    rule = ReachRule(windows=(2, 50), weights=(0.25, 0.75), **TIMELESS)
    fast, slow = (math.sqrt(np.mean(ranges[-k:] ** 2) / (4 * math.log(2))) for k in (2, 50))
    one, other = 0.25 * 2 / 3, 0.75 * 50 / 51  # at a horizon of one candle
    want = (one * fast + other * slow) / (one + other)
    assert sigma(rule, ranges, 1)[-1] == pytest.approx(want, rel=1e-12)


def test_a_window_counts_half_at_a_horizon_of_its_own_length() -> None:
    rule = ReachRule(windows=(12, 10**9), weights=(0.5, 0.5))
    np.testing.assert_allclose(rule.shares(12, rule.windows), [1 / 3, 2 / 3], rtol=1e-6)
    np.testing.assert_allclose(rule.shares(36, rule.windows), [1 / 5, 4 / 5], rtol=1e-6)
    windows = ReachRule().windows
    assert ReachRule().shares(1, windows) == pytest.approx((0.6, 0.17, 0.13, 0.1), abs=0.05)
    for earlier, later in pairwise(ReachRule().shares(h, windows) for h in (1, 12, 48, 288)):
        assert earlier[0] > later[0]
        assert earlier[-1] < later[-1]
        assert later.sum() == pytest.approx(1)


def test_one_wild_candle_counts_less_than_in_a_mean_of_variances() -> None:
    """A hundredfold range among 36: their mean variance is 279 times the usual."""
    ranges = np.ones(288)
    ranges[-20] = 100.0
    rule = ReachRule(windows=(4, 36), weights=(0.75, 0.25), **TIMELESS)
    times = (sigma(rule, ranges, 1)[-1] / sigma(rule, np.ones(288), 1)[-1]) ** 2
    fast, slow = rule.shares(1, rule.windows)
    assert times == pytest.approx((fast + slow * math.sqrt((35 + 100**2) / 36)) ** 2)
    assert times < 0.5 * (fast + slow * 279)


def test_the_same_ranges_reach_farther_before_a_busy_hour() -> None:
    """Ranges as wide as usual at each hour: the coming hour alone makes the difference."""
    hours = (1.0,) * 13 + (4.0,) + (1.0,) * 10
    rule = ReachRule(windows=(12,), weights=(1.0,), hours=hours, weekend=1.0)
    ranges = np.where(np.arange(288) // 12 == 13, 2.0, 1.0)  # as busy as that hour is
    after = sigma(rule, ranges, 12)[11::12]  # at the close of each hour
    np.testing.assert_allclose(after / after[0], [1.0] * 12 + [2.0] + [1.0] * 11, rtol=1e-12)
    # Of twelve candles from half past twelve on, six are busy: (6 * 1 + 6 * 4) / 12.
    assert sigma(rule, ranges, 12)[12 * 12 + 5] == pytest.approx(after[0] * math.sqrt(2.5), rel=1e-12)


def test_weekends_are_calm() -> None:
    rule = ReachRule(windows=(4, 288), weights=(0.5, 0.5), hours=(1.0,) * 24, weekend=0.25)
    ranges = np.ones(7 * 288)
    ranges[5 * 288 :] = 0.5  # Saturday and Sunday, as calm as usual
    got = sigma(rule, ranges, 288)
    friday, saturday, sunday = (got[d * 288 - 1] for d in (4, 5, 7))  # at the close of the day before
    assert friday == pytest.approx(2 * saturday, rel=1e-12)
    assert sunday == pytest.approx(friday, rel=1e-12)


def test_only_ratios_of_hours_matter() -> None:
    ranges = np.random.default_rng(3).exponential(1, 600)
    plain = ReachRule()
    scaled = ReachRule(hours=tuple(7 * h for h in plain.hours))
    np.testing.assert_allclose(sigma(scaled, ranges, 12), sigma(plain, ranges, 12), rtol=1e-12)


def test_sigma_grows_with_scale() -> None:
    ranges = np.random.default_rng(4).exponential(1, 600)
    one, two = (sigma(ReachRule(scale=s), ranges, 12) for s in (1.0, 2.0))
    np.testing.assert_array_equal(two, 2 * one)


def test_a_window_longer_than_the_memory_counts_as_the_memory() -> None:
    candles = random_candles(400, 3)
    long, whole = (
        outlook_of(aligned(Frames(candles), config), config)
        for config in (
            small_config(reach=ReachRule(windows=(2, 5, 12, 10**6))),
            small_config(reach=ReachRule(windows=(2, 5, 12, 32))),
        )
    )
    np.testing.assert_array_equal(long.sigma(3), whole.sigma(3))
    assert long.windows == (2, 5, 12, 32)


# --- wicks -----------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from([0.0, 0.0, 1.0, 2.0, 3.0, 8.0]), max_size=60), st.integers(1, 20))
def test_the_trailing_median_is_that_of_a_sorted_list(values: list[float], window: int) -> None:
    got = np.full(len(values), -1.0)
    trailing_median(np.array(values), np.empty(window), got)
    for t in range(len(values)):
        moved = [v for v in values[max(0, t - window) : t] if v > 0]
        want = np.median(moved) if moved else math.nan
        np.testing.assert_array_equal(got[t], want)


def test_ranges_are_bounded_by_a_multiple_of_the_median_before_them() -> None:
    """Medians of 1, then of 1 and 30, then of 1, 30 and 2; nothing to compare the first one with."""
    got = without_wicks(np.array([1.0, 30.0, 2.0, 500.0, 0.0]), 3, 8.0)
    np.testing.assert_array_equal(got, [1.0, 8.0, 2.0, 16.0, 0.0])


def test_candles_that_stand_still_bound_nothing() -> None:
    ranges = np.zeros(600)
    ranges[[0, 590]] = 5.0
    np.testing.assert_array_equal(without_wicks(ranges, 288, 8.0), ranges)


@pytest.mark.parametrize("wick", [20.0, 1e3, 1e6])
def test_one_wick_changes_sigma_by_no_more_than_a_bounded_range(wick: float) -> None:
    """Of the four windows, those that hold it grow as if the candle had been eight times as wide as usual."""
    ranges = np.ones(2000)
    ranges[-5] = wick
    bounded = ranges.copy()
    bounded[-5] = 8.0
    rule = ReachRule(hours=(1.0,) * 24, weekend=1.0)
    np.testing.assert_array_equal(sigma(rule, ranges, 12), sigma(rule, bounded, 12))
    later = np.ones(2000)
    later[-201] = wick
    assert sigma(rule, later, 12)[-1] == pytest.approx(sigma(rule, np.ones(2000), 12)[-1], rel=0.03)


# --- where price came from -------------------------------------------------------------------------------


def test_a_rise_tilts_the_tables_away_from_what_lies_below() -> None:
    """Ranges of 2 root(ln 2) are of sigma 1 a candle: over 16 candles, 6 up are one and a half sigmas."""
    rule = ReachRule(windows=(300,), weights=(1.0,), skew_span=16, **TIMELESS)
    close = np.zeros(400)
    close[-1] = 6.0
    ranges = np.full(400, 2 * math.sqrt(math.log(2)))
    for horizon in (4, 64):
        seen = outlook(rule, ranges, close=close)
        tilts = seen.tilts(seen.sigma(horizon), horizon)
        np.testing.assert_array_equal(tilts[:, -1], [MIDDLE + 15, MIDDLE - 15])
        np.testing.assert_array_equal(tilts[:, :-1], MIDDLE)
        down = outlook(rule, ranges, close=-close)
        np.testing.assert_array_equal(down.tilts(down.sigma(horizon), horizon), tilts[::-1])


def test_large_moves_count_as_the_largest_and_none_where_price_stands_still() -> None:
    rule = ReachRule(windows=(300,), weights=(1.0,), skew_span=16, **TIMELESS)
    close = np.linspace(0, 1e6, 400)
    seen = outlook(rule, np.ones(400), close=close)
    tilts = seen.tilts(seen.sigma(12), 12)
    np.testing.assert_array_equal(tilts[LONG, 16:], 2 * MIDDLE)
    np.testing.assert_array_equal(tilts[SHORT, 16:], 0)
    still = outlook(rule, np.zeros(400))
    np.testing.assert_array_equal(still.tilts(still.sigma(12), 12), MIDDLE)


# --- the twin --------------------------------------------------------------------------------------------


def naive_twin(market: Market, config: HeatmapConfig) -> NaiveOutlook:
    bins = [config.grid.in_bins(np.log(price)).tolist() for price in (market.high, market.low, market.close)]
    return NaiveOutlook(market, config, (bins[0], bins[1], bins[2]))


@settings(SEEDED, max_examples=15)
@given(markets(n=90, plain=True), small_configs(), st.sampled_from([1, 3, 30]))
def test_volatility_and_reach_are_those_of_the_naive_twin(
    market: Frames, config: HeatmapConfig, horizon: int
) -> None:
    candles = aligned(market, config)
    seen = dataclasses.replace(outlook_of(candles, config), n_unknown=0)
    twin = naive_twin(candles, config)
    got = seen.sigma(horizon)
    want = [twin.sigma(t, horizon) * config.grid.width for t in range(got.size)]
    np.testing.assert_allclose(got, want, rtol=1e-9)
    tilts, shares = seen.tilts(got / seen.unit, horizon), config.reach.node_shares()
    for side in (LONG, SHORT):
        sums = [twin.node_shares(t, side, horizon) for t in range(got.size)]
        np.testing.assert_allclose(shares[tilts[side]], sums, rtol=1e-9)


@settings(SEEDED, max_examples=15)
@given(
    markets(n=90, plain=True),
    small_configs(),
    st.sampled_from([1, 3, 30]),
    st.sampled_from([0.5, 0.8, 0.95, 0.99]),
    st.sampled_from(["above", "below"]),
)
def test_a_quantile_is_exceeded_with_what_is_left_of_its_probability(
    market: Frames, config: HeatmapConfig, horizon: int, probability: float, where: Where
) -> None:
    candles = aligned(market, config)
    seen = dataclasses.replace(outlook_of(candles, config), n_unknown=0)
    twin, sign = naive_twin(candles, config), 1 if where == "above" else -1
    got = seen.quantile(where, probability, horizon)
    stop = seen.stop_distance(where, 1 - probability, horizon)
    np.testing.assert_allclose(stop, got, rtol=1e-9)
    beyond = seen.shortfall(where, probability, horizon)
    for t in np.flatnonzero(seen.sigma(horizon)):
        bins = sign * math.log(1 + sign * got[t]) / config.grid.width
        assert twin.reach(bins, t, SIDE_AT[where], horizon) == pytest.approx(1 - probability, abs=2e-4)
        assert got[t] < beyond[t] < 1


# --- the public call -------------------------------------------------------------------------------------

ONE_NODE = ReachRule(nodes=(1.0,), node_weights=(1.0,), skew=(0.0, 0.0))


def test_excursions_are_fractions_of_the_close() -> None:
    """Of one node: twice a normal's tail, which 1.96 sigmas leave 5 %; price falls less far than it rises."""
    config = small_config(reach=ONE_NODE)
    seen = liqfeature.outlook(random_candles(400, 4), config)
    moved = halfnorm.ppf(0.95) * seen.sigma(7)[config.warmup :]
    above, below = (seen.quantile(where, 0.95, 7)[config.warmup :] for where in ("above", "below"))
    np.testing.assert_allclose(above, np.exp(moved) - 1, rtol=1e-9)
    np.testing.assert_allclose(below, 1 - np.exp(-moved), rtol=1e-9)
    mean = norm.pdf(halfnorm.ppf(0.95)) * 2 / 0.05 * seen.sigma(7)[config.warmup :]
    np.testing.assert_allclose(seen.shortfall("above", 0.95, 7)[config.warmup :], np.exp(mean) - 1, rtol=1e-9)


def test_rows_that_too_few_candles_precede_are_not_known() -> None:
    config = small_config()
    seen = liqfeature.outlook(random_candles(400, 4), config)
    for values in (seen.sigma(3), seen.quantile("below", 0.8, 3), seen.shortfall("above", 0.95, 3)):
        np.testing.assert_array_equal(np.isnan(values), np.arange(400) < config.warmup - 1)


@pytest.mark.parametrize("where", ["above", "below"])
def test_what_a_bot_sees_of_the_last_candles_is_what_a_backtest_sees(where: Where) -> None:
    candles, config = random_candles(500, 5), small_config()
    whole = liqfeature.outlook(candles, config)
    for stop in (config.warmup, 433, 500):
        part = candles.iloc[stop - config.warmup : stop].reset_index(drop=True)
        live = liqfeature.outlook(part, config)
        assert live.sigma(5)[-1] == whole.sigma(5)[stop - 1]
        assert live.quantile(where, 0.99, 50)[-1] == whole.quantile(where, 0.99, 50)[stop - 1]
        assert live.shortfall(where, 0.9, 50)[-1] == whole.shortfall(where, 0.9, 50)[stop - 1]


def test_what_cannot_be_asked_for_is_refused() -> None:
    seen = liqfeature.outlook(random_candles(300, 4), small_config())
    with pytest.raises(ConfigError, match="horizon must be at least 1, received 0"):
        seen.sigma(0)
    with pytest.raises(ConfigError, match="probability must be between 0 and 1, received 20"):
        seen.stop_distance("below", 20, 12)
    with pytest.raises(ConfigError, match="where must be above or below, received 'long'"):
        seen.quantile("long", 0.5, 12)  # type: ignore[arg-type]
