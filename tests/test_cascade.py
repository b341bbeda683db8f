import math
import re
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from frames import CANDLE, SEEDED, Market, markets, random_candles, random_open_interest, small_config
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import levels_of
from scipy.stats import norm
from test_clusters import reading
from test_scan import aligned, scanned

from liqfeature import ConfigError
from liqfeature.cascade import FARTHEST, STEPS_PER_SIGMA, CascadeRule
from liqfeature.flow import FlowRule
from liqfeature.grid import PriceGrid
from liqfeature.heatmap import prepare_scan
from liqfeature.kernels.cascade import cascade_probability, fuel
from liqfeature.leverage import LeveragePrior
from liqfeature.types import LONG, SHORT

ONE_NODE = {"nodes": (1.0,), "node_weights": (1.0,)}
NOTHING_NEAR = LeveragePrior(max_leverage=5, median=2, scalp_leverage=5, scalp_share=0.0)
TIMELESS: dict[str, Any] = {"hours": (1.0,) * 24, "weekend": 1.0}


def walking_market(n: int = 600, seed: int = 3) -> Market:
    candles = random_candles(n, seed, volatility=0.004)
    return Market(candles, random_open_interest(candles, seed))


# --- reach -----------------------------------------------------------------------------------------------


def test_reach_is_twice_the_chance_of_ending_beyond() -> None:
    """The reflection principle, for a Brownian path of known variance."""
    reach = CascadeRule(**ONE_NODE).reach()
    sigmas = np.arange(reach.size) / STEPS_PER_SIGMA
    assert sigmas[-1] == FARTHEST
    np.testing.assert_allclose(reach, 2 * norm.sf(sigmas), rtol=1e-10, atol=0)


def test_simulated_paths_reach_as_often_as_the_table_says() -> None:
    rng = np.random.default_rng(0)
    steps, rule = 500, CascadeRule()
    sigma = rng.choice(rule.nodes, 20_000, p=rule.node_weights)
    highest = np.array([rng.normal(0, s / math.sqrt(steps), steps).cumsum().max() for s in sigma])
    highest += (
        0.5826 * sigma / math.sqrt(steps)
    )  # a path looked at now and then misses its maximum by so much
    for sigmas in (0.3, 1.0, 2.0):
        said = rule.reach()[round(sigmas * STEPS_PER_SIGMA)]
        assert (highest >= sigmas).mean() == pytest.approx(said, abs=0.012)


def test_reach_falls_from_one() -> None:
    reach = CascadeRule().reach()
    assert reach[0] == pytest.approx(1, abs=1e-15)
    assert (np.diff(reach) < 0).all()
    assert 0 < reach[-1] < 2e-5


@pytest.mark.parametrize("sigma", [0.0, 1e-6, 0.08, 0.099, 0.104, 0.51, 3.01, 100.0])
@pytest.mark.parametrize("offset", [0.5, 0.75, 1.0, 1.5])
def test_fuel_is_each_bin_times_its_reach_and_nothing_from_ten_sigmas_on(offset: float, sigma: float) -> None:
    notional, reach = np.array([3.0, 0.0, 5.0, 7.0]), CascadeRule().reach()
    want = 0.0
    for i, amount in enumerate(notional):
        position = (offset + i) / sigma * STEPS_PER_SIGMA if sigma else math.inf
        if position < reach.size - 1:
            want += amount * np.interp(position, np.arange(reach.size), reach)
    got = fuel(notional, offset, sigma, reach, float(STEPS_PER_SIGMA))
    assert got == pytest.approx(want, rel=1e-12, abs=0)


def test_a_map_beyond_reach_gives_no_fuel_and_never_less_than_none() -> None:
    reach = CascadeRule().reach()
    for sigma in (1e-3, 0.04, 0.08, 0.099):  # the nearest bin lies a whole bin away, more than ten sigmas
        assert fuel(np.ones(3), 1.0, sigma, reach, float(STEPS_PER_SIGMA)) == 0


def test_wider_nodes_move_probability_outwards() -> None:
    narrow, wide = CascadeRule(**ONE_NODE).reach(), CascadeRule(nodes=(0.6, 1.0, 1.5)).reach()
    assert wide[50] < narrow[50]
    assert wide[300] > narrow[300]


# --- variance and impact ---------------------------------------------------------------------------------


def sigma(rule: CascadeRule, ranges: np.ndarray, horizon: int, begin: int = 0) -> np.ndarray:
    """Of five-minute candles, the first of which opens so many candles after a Monday of 2024 began."""
    monday = int(pd.Timestamp("2024-01-01", tz="UTC").timestamp() * 1000) // CANDLE
    return rule.sigma(ranges, monday + begin + np.arange(ranges.size), CANDLE, horizon)


def brownian_ranges(n: int, steps: int = 400) -> np.ndarray:
    """Ranges of paths of variance 1e-4, looked at now and then; corrected for what lies between the looks."""
    paths = np.random.default_rng(1).normal(0, 0.01 / math.sqrt(steps), (n, steps)).cumsum(axis=1)
    high, low = np.maximum(paths.max(axis=1), 0), np.minimum(paths.min(axis=1), 0)
    return high - low + 2 * 0.5826 * 0.01 / math.sqrt(steps)


def test_sigma_is_that_of_brownian_paths() -> None:
    """A path's variance grows with time; every hour is alike."""
    ranges = brownian_ranges(4000)
    rule = CascadeRule(windows=(4000,), weights=(1.0,), **TIMELESS)
    for horizon in (1, 12, 48):
        got = sigma(rule, ranges, horizon)[-1]
        assert got == pytest.approx(0.01 * math.sqrt(horizon), rel=0.02)


def test_volatility_is_shared_among_windows() -> None:
    ranges = np.random.default_rng(2).exponential(1, 300)
    rule = CascadeRule(windows=(2, 50), weights=(0.25, 0.75), **TIMELESS)
    fast, slow = (math.sqrt(np.mean(ranges[-k:] ** 2) / (4 * math.log(2))) for k in (2, 50))
    one, other = 0.25 * 2 / 3, 0.75 * 50 / 51  # at a horizon of one candle
    want = (one * fast + other * slow) / (one + other)
    assert sigma(rule, ranges, 1)[-1] == pytest.approx(want, rel=1e-12)


def test_a_window_counts_half_at_a_horizon_of_its_own_length() -> None:
    rule = CascadeRule(windows=(12, 10**9), weights=(0.5, 0.5))
    np.testing.assert_allclose(rule.shares(12), [1 / 3, 2 / 3], rtol=1e-6)
    np.testing.assert_allclose(rule.shares(36), [1 / 5, 4 / 5], rtol=1e-6)
    assert CascadeRule().shares(1) == pytest.approx((0.6, 0.25, 0.15), abs=0.1)
    for earlier, later in pairwise(CascadeRule().shares(h) for h in (1, 12, 48, 288)):
        assert earlier[0] > later[0]
        assert earlier[-1] < later[-1]
        assert later.sum() == pytest.approx(1)


def test_one_wild_candle_counts_less_than_in_a_mean_of_variances() -> None:
    """A hundredfold range among 36: their mean variance is 279 times the usual."""
    ranges = np.ones(288)
    ranges[-20] = 100.0
    rule = CascadeRule(windows=(4, 36), weights=(0.75, 0.25), **TIMELESS)
    times = (sigma(rule, ranges, 1)[-1] / sigma(rule, np.ones(288), 1)[-1]) ** 2
    fast, slow = rule.shares(1)
    assert times == pytest.approx((fast + slow * math.sqrt((35 + 100**2) / 36)) ** 2)
    assert times < 0.5 * (fast + slow * 279)


def test_the_same_ranges_reach_farther_before_a_busy_hour() -> None:
    """Ranges as wide as usual at each hour: the coming hour alone makes the difference."""
    hours = (1.0,) * 13 + (4.0,) + (1.0,) * 10
    rule = CascadeRule(windows=(12,), weights=(1.0,), hours=hours, weekend=1.0)
    ranges = np.where(np.arange(288) // 12 == 13, 2.0, 1.0)  # as busy as that hour is
    after = sigma(rule, ranges, 12)[11::12]  # at the close of each hour
    np.testing.assert_allclose(after / after[0], [1.0] * 12 + [2.0] + [1.0] * 11, rtol=1e-12)
    # Of twelve candles from half past twelve on, six are busy: (6 * 1 + 6 * 4) / 12.
    assert sigma(rule, ranges, 12)[12 * 12 + 5] == pytest.approx(after[0] * math.sqrt(2.5), rel=1e-12)


def test_weekends_are_calm() -> None:
    rule = CascadeRule(hours=(1.0,) * 24, weekend=0.25)
    ranges = np.ones(7 * 288)
    ranges[5 * 288 :] = 0.5  # Saturday and Sunday, as calm as usual
    got = sigma(rule, ranges, 288)
    friday, saturday, sunday = (got[d * 288 - 1] for d in (4, 5, 7))  # at the close of the day before
    assert friday == pytest.approx(2 * saturday, rel=1e-12)
    assert sunday == pytest.approx(friday, rel=1e-12)


def test_only_ratios_of_hours_matter() -> None:
    ranges = np.random.default_rng(3).exponential(1, 600)
    plain = CascadeRule()
    scaled = CascadeRule(hours=tuple(7 * h for h in plain.hours))
    np.testing.assert_allclose(sigma(scaled, ranges, 12), sigma(plain, ranges, 12), rtol=1e-12)


def test_a_usual_candle_forced_through_a_third_of_usual_depth_moves_price_by_root_three_sigma() -> None:
    rule = CascadeRule(impact=1.0, depth_share=1 / 3)
    per_notional = rule.impact_per_notional(np.array([4.0]), np.array([1000.0]))[0]
    assert math.sqrt(per_notional * 1000) == pytest.approx(2 * math.sqrt(3))
    assert math.sqrt(
        CascadeRule(depth_share=1 / 3, impact=2.0).impact_per_notional(4.0, 1000.0) * 1000
    ) == pytest.approx(4 * math.sqrt(3))
    assert np.isinf(rule.impact_per_notional(np.array([4.0]), np.array([0.0])))


# --- the columns -----------------------------------------------------------------------------------------


@settings(SEEDED, max_examples=10)
@given(markets(n=80))
def test_amplification_solves_its_equation_and_is_the_smallest_solution(market: Market) -> None:
    config = small_config(cascade=CascadeRule(windows=(2, 5, 12), depth_share=0.02))
    scan = prepare_scan(aligned(market, config), config)
    n_window = config.grid.n_window(config.band)
    for t in range(len(market.candles)):
        scan.run(t, t + 1)
        sigma, impact = scan.reading.sigma[t], scan.reading.impact[t]
        close = scan.tape.close[t] + scan.origin
        for side in (LONG, SHORT):
            ratio = reading(scan, "amplification", side)[t]
            if not (sigma > 0 and math.isfinite(impact)):
                assert math.isnan(ratio)
                continue
            met = [
                (abs(b + 0.5 - close), amount * math.exp((b + 0.5) * config.grid.width))
                for (s, b), amount in levels_of(scan).items()
                if s == side and abs(b - math.floor(close)) <= n_window
            ]
            end = ratio * sigma
            forced = math.fsum(notional for distance, notional in met if distance <= end)
            assert end**2 == pytest.approx(sigma**2 + impact * forced, rel=1e-9)
            for place, _ in met:  # no bin before the end stops the move
                if sigma < place < end:
                    before = math.fsum(notional for distance, notional in met if distance < place)
                    assert place**2 <= sigma**2 + impact * before


def test_more_notional_forces_more() -> None:
    market = walking_market()
    scans = [
        scanned(market, small_config(flow=FlowRule(churn=0.5, levered_share=share)))
        for share in (0.25, 0.5, 1.0)
    ]
    for less, more in pairwise(scans):
        for side in (LONG, SHORT):
            np.testing.assert_array_equal(reading(more, "fuel", side), 2 * reading(less, "fuel", side))
            assert (reading(more, "amplification", side) >= reading(less, "amplification", side)).all()
            assert (reading(more, "amplification", side) > reading(less, "amplification", side)).any()
            assert (reading(less, "amplification", side) >= 1).all()


def test_impact_amplifies_and_depth_dampens() -> None:
    market = walking_market()
    base = {"windows": (2, 5, 12), "depth_share": 0.1}
    plain, strong, deep = (
        scanned(market, small_config(cascade=CascadeRule(**(base | changes))))
        for changes in ({}, {"impact": 2.0}, {"depth_share": 0.5})
    )
    for side in (LONG, SHORT):
        lower, middle, upper = (reading(s, "amplification", side) for s in (deep, plain, strong))
        assert (lower <= middle).all()
        assert (middle <= upper).all()
        assert lower.mean() < middle.mean() < upper.mean()


def test_a_higher_level_is_exceeded_less_often() -> None:
    market = walking_market()
    low, high = (
        scanned(market, small_config(cascade=CascadeRule(windows=(2, 5, 12), level=level)))
        for level in (0.5, 0.95)
    )
    for side in (LONG, SHORT):
        one, other = reading(low, "cascade", side)[11:], reading(high, "cascade", side)[11:]
        assert (other <= one).all()
        assert other.mean() < one.mean()


def test_odds_of_a_cascade_by_hand() -> None:
    """Even odds of reach, and fuel for three levels: 0.25 * 1^0.4 * (3/4)^0.5 to one."""
    odds = np.array([math.log(0.25), 0.4, 0.5])
    want = 0.25 * math.sqrt(3 / 4)
    assert cascade_probability(0.5, 30.0, 10.0, odds) == pytest.approx(want / (1 + want), rel=1e-12)
    assert cascade_probability(0.5, 1e-9, 0.0, odds) == pytest.approx(0.2, rel=1e-12)
    four = want * 4**0.4  # to one, where reach has odds of four
    assert cascade_probability(0.8, 30.0, 10.0, odds) == pytest.approx(four / (1 + four), rel=1e-12)
    assert cascade_probability(0.0, 30.0, 10.0, odds) == 0
    assert cascade_probability(0.5, 0.0, 10.0, odds) == 0
    assert cascade_probability(1.0, 30.0, 10.0, odds) == 1


@given(
    st.floats(1e-6, 1 - 1e-6),
    st.floats(1e-9, 1e9),
    st.floats(0, 1e9),
    st.floats(1, 10),
    st.floats(-3, 3),
)
def test_more_reach_or_fuel_never_lowers_a_cascade(
    reached: float, notional: float, level: float, times: float, constant: float
) -> None:
    odds = np.array([constant, 0.424, 0.695])
    stated = cascade_probability(reached, notional, level, odds)
    assert 0 <= stated <= 1
    assert cascade_probability(reached, notional * times, level, odds) >= stated * (1 - 1e-15)
    assert cascade_probability(min(reached * times, 1.0), notional, level, odds) >= stated * (1 - 1e-15)
    assert cascade_probability(reached, notional, level * times, odds) <= stated * (1 + 1e-15)


def test_a_cascade_is_more_probable_the_more_of_the_lookback_the_horizon_takes() -> None:
    rule = CascadeRule(odds=(0.5, 0.4, 0.7, 0.2))
    np.testing.assert_allclose(rule.log_odds(1 / 24), [0.5 - 0.2 * math.log(24), 0.4, 0.7])
    assert rule.log_odds(1 / 6)[0] > rule.log_odds(1 / 24)[0]


def test_without_notional_nothing_is_amplified_and_nothing_cascades() -> None:
    """Without volume nothing opens: every level is empty."""
    candles = random_candles(120, 5, volatility=0.004)
    candles["volume"] = 1e-300  # some, so that columns are known; what opens is next to nothing
    scan = scanned(Market(candles, None), small_config(leverage=NOTHING_NEAR))
    known = np.isfinite(reading(scan, "cascade", LONG))
    assert known.any()
    for side in (LONG, SHORT):
        assert (reading(scan, "total", side) == 0).all()
        assert (reading(scan, "cascade", side)[known] == 0).all()
        ratio = reading(scan, "amplification", side)
        assert (ratio[np.isfinite(ratio)] == 1).all()
        assert np.isfinite(ratio).any()


def test_a_cascade_is_as_probable_as_reaching_more_than_the_usual_sweep() -> None:
    """By odds of reach alone. Where nothing was ever swept, the first level on the way decides."""
    market = walking_market()
    scan = scanned(market, small_config(cascade=CascadeRule(windows=(2, 5, 12), odds=(0.0, 1.0, 0.0, 0.0))))
    none_swept = np.array([not scan.swept[1, LONG, max(0, t - 13) : t + 1].any() for t in range(600)])
    nearest = reading(scan, "cascade", LONG)
    assert none_swept[20:].any()
    # Fuel counts each level once, by its reach: it is at most everything, times the reach of the nearest.
    bound = reading(scan, "total", LONG) * nearest
    assert (
        reading(scan, "fuel", LONG)[none_swept & np.isfinite(nearest)]
        <= bound[none_swept & np.isfinite(nearest)] * (1 + 1e-12)
    ).all()


def test_hits_are_rarer_the_farther_the_edge_in_sigmas() -> None:
    market = walking_market(2000)
    scan = scanned(market, small_config(grid=PriceGrid(width=0.0005, smoothing=2)))
    for side in (LONG, SHORT):
        near = np.log(reading(scan, "near", side) / market.candles["close"].to_numpy())
        sigmas = np.abs(near) / (scan.reading.sigma * scan.config.grid.width)
        hit = reading(scan, "hit", side)
        found = np.isfinite(hit)
        assert found.sum() > 100
        order = np.argsort(sigmas[found])
        assert (np.diff(hit[found][order]) <= 1e-6).all()
        rule = scan.config.cascade
        want = np.array(
            [
                sum(
                    w * math.erfc(u / (n * math.sqrt(2)))
                    for n, w in zip(rule.nodes, rule.node_weights, strict=True)
                )
                for u in sigmas[found]
            ]
        )
        np.testing.assert_allclose(hit[found], want, atol=3e-5)


def test_a_longer_horizon_reaches_farther() -> None:
    market = walking_market()
    rule = CascadeRule(windows=(5,), weights=(1.0,), **TIMELESS)
    short, long = (scanned(market, small_config(horizon=h, cascade=rule)) for h in (1, 4))
    np.testing.assert_allclose(long.reading.sigma, 2 * short.reading.sigma, rtol=1e-12)
    for side in (LONG, SHORT):
        one, other = reading(short, "hit", side), reading(long, "hit", side)
        both = np.isfinite(one)
        np.testing.assert_array_equal(both, np.isfinite(other))
        assert (other[both] >= one[both]).all()
        assert (reading(long, "fuel", side) >= reading(short, "fuel", side)).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"windows": ()}, "windows must be at least 1 candle each, received ()"),
        ({"windows": (0, 1, 2)}, "windows must be at least 1 candle each, received (0, 1, 2)"),
        ({"windows": (1.5, 2, 3)}, "windows must be "),
        ({"weights": (0.5, 0.5)}, "weights must be one share per window, with sum 1, received (0.5, 0.5)"),
        (
            {"weights": (0.5, 0.7, -0.2)},
            "weights must be one share per window, with sum 1, received (0.5, 0.7, -0.2)",
        ),
        (
            {"weights": (0.5, 0.3, 0.3)},
            "weights must be one share per window, with sum 1, received (0.5, 0.3, 0.3)",
        ),
        ({"hours": (1.0,) * 23}, "hours must be 24 numbers above 0, received (1.0, "),
        ({"hours": (1.0,) * 23 + (0.0,)}, "hours must be 24 numbers above 0, received (1.0, "),
        ({"weekend": 0.0}, "weekend must be above 0, received 0.0"),
        ({"nodes": (0.0, 1.0, 2.0)}, "nodes must be above 0 each, received (0.0, 1.0, 2.0)"),
        ({"node_weights": (1.0,)}, "node_weights must be one share per node, with sum 1, received (1.0,)"),
        ({"impact": 0.0}, "impact must be above 0, received 0.0"),
        ({"depth_share": 0.0}, "depth_share must be above 0 and at most 1, received 0.0"),
        ({"depth_share": 1.5}, "depth_share must be above 0 and at most 1, received 1.5"),
        ({"level": 1.0}, "level must be between 0 and 1, received 1.0"),
        ({"level": math.nan}, "level must be between 0 and 1, received nan"),
        (
            {"odds": (0.0, 1.0, 1.0)},
            "odds must be 4 numbers, the second and third at least 0, received (0.0, 1.",
        ),
        (
            {"odds": (0.0, -0.1, 1.0, 0.0)},
            "odds must be 4 numbers, the second and third at least 0, received",
        ),
        (
            {"odds": (0.0, 0.1, -1.0, 0.0)},
            "odds must be 4 numbers, the second and third at least 0, received",
        ),
        ({"odds": (math.nan, 0.1, 1.0, 0.0)}, "odds must be 4 numbers, the second and third at least 0"),
    ],
)
def test_parameters_that_break_their_rule_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}"):
        CascadeRule(**changes)
