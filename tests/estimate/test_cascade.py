import math
import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.frames import (
    SEEDED,
    Frames,
    markets,
    random_candles,
    random_open_interest,
    small_config,
)
from builders.naive import levels_of
from builders.scans import aligned, reading, scanned
from liqfeature import ConfigError
from liqfeature.estimate.cascade import CascadeRule
from liqfeature.estimate.flow import FlowRule
from liqfeature.estimate.grid import PriceGrid
from liqfeature.estimate.kernels.cascade import cascade_probability, fuel
from liqfeature.estimate.leverage import LeveragePrior
from liqfeature.estimate.prepare import prepare_scan
from liqfeature.estimate.reach import N_TILTS, STEPS_PER_SIGMA, ReachRule
from liqfeature.sides import LONG, SHORT

NOTHING_NEAR = LeveragePrior(max_leverage=5, median=2, scalp_leverage=5, scalp_share=0.0)
REACH = ReachRule().reach()[N_TILTS // 2]


def walking_market(n: int = 600, seed: int = 3) -> Frames:
    candles = random_candles(n, seed, volatility=0.004)
    return Frames(candles, random_open_interest(candles, seed))


# --- fuel and impact -------------------------------------------------------------------------------------


@pytest.mark.parametrize("sigma", [0.0, 1e-6, 0.08, 0.099, 0.104, 0.51, 3.01, 100.0])
@pytest.mark.parametrize("offset", [0.5, 0.75, 1.0, 1.5])
def test_fuel_is_each_bin_times_its_reach_and_nothing_beyond_the_table(offset: float, sigma: float) -> None:
    notional, reach = np.array([3.0, 0.0, 5.0, 7.0]), REACH
    want = 0.0
    for i, amount in enumerate(notional):
        position = (offset + i) / sigma * STEPS_PER_SIGMA if sigma else math.inf
        if position < reach.size - 1:
            want += amount * np.interp(position, np.arange(reach.size), reach)
    got = fuel(notional, offset, sigma, reach, float(STEPS_PER_SIGMA))
    assert got == pytest.approx(want, rel=1e-12, abs=0)


def test_a_map_beyond_reach_gives_no_fuel_and_never_less_than_none() -> None:
    reach = REACH
    for sigma in (1e-3, 0.04, 0.06, 0.062):  # the nearest bin lies a whole bin away, more than sixteen sigmas
        assert fuel(np.ones(3), 1.0, sigma, reach, float(STEPS_PER_SIGMA)) == 0


def test_a_usual_candle_forced_through_a_third_of_usual_depth_moves_price_by_root_three_sigma() -> None:
    rule = CascadeRule(impact=1.0, depth_share=1 / 3, forced_share=1.0)
    per_notional = rule.impact_per_notional(np.array([4.0]), np.array([1000.0]))[0]
    assert math.sqrt(per_notional * 1000) == pytest.approx(2 * math.sqrt(3))
    assert math.sqrt(
        CascadeRule(depth_share=1 / 3, impact=2.0, forced_share=1.0).impact_per_notional(4.0, 1000.0) * 1000
    ) == pytest.approx(4 * math.sqrt(3))
    quarter = CascadeRule(impact=1.0, depth_share=1 / 3, forced_share=0.25)  # of what rests moves half as far
    assert math.sqrt(quarter.impact_per_notional(4.0, 1000.0) * 1000) == pytest.approx(math.sqrt(3))
    assert np.isinf(rule.impact_per_notional(np.array([4.0]), np.array([0.0])))


# --- the columns -----------------------------------------------------------------------------------------


@settings(SEEDED, max_examples=10)
@given(markets(n=80))
def test_amplification_solves_its_equation_and_is_the_smallest_solution(market: Frames) -> None:
    config = small_config(cascade=CascadeRule(depth_share=0.02))
    scan = prepare_scan(aligned(market, config), config)
    n_window = config.grid.n_window(config.band)
    for t in range(len(market.candles)):
        scan.run(t, t + 1)
        sigma = scan.reading.sigma[t]
        close = scan.candles.close[t] + scan.origin
        for side in (LONG, SHORT):
            ratio, impact = reading(scan, "amplification", side)[t], scan.reading.impact[side, t]
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
    base = {"depth_share": 0.1}
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
    low, high = (scanned(market, small_config(cascade=CascadeRule(level=level))) for level in (0.5, 0.95))
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
    candles["volume"] = 1e-100  # some, so that columns are known; what opens is next to nothing
    scan = scanned(Frames(candles, None), small_config(leverage=NOTHING_NEAR))
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
    scan = scanned(market, small_config(cascade=CascadeRule(odds=(0.0, 1.0, 0.0, 0.0))))
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
    alike = ReachRule(skew=(0.0, 0.0))
    scan = scanned(market, small_config(grid=PriceGrid(width=0.0005, smoothing=2), reach=alike))
    for side in (LONG, SHORT):
        near = np.log(reading(scan, "near", side) / market.candles["close"].to_numpy())
        sigmas = np.abs(near) / (scan.reading.sigma * scan.config.grid.width)
        hit = reading(scan, "hit", side)
        found = np.isfinite(hit)
        assert found.sum() > 100
        order = np.argsort(sigmas[found])
        assert (np.diff(hit[found][order]) <= 1e-6).all()
        rule = scan.config.reach
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
    rule = ReachRule(windows=(5,), weights=(1.0,), hours=(1.0,) * 24, weekend=1.0, skew=(0.0, 0.0))
    short, long = (scanned(market, small_config(horizon=h, reach=rule)) for h in (1, 4))
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
        ({"impact": 0.0}, "impact must be above 0, received 0.0"),
        ({"depth_share": 0.0}, "depth_share must be above 0 and at most 1, received 0.0"),
        ({"depth_share": 1.5}, "depth_share must be above 0 and at most 1, received 1.5"),
        ({"forced_share": 0.0}, "forced_share must be above 0 and at most 1, received 0.0"),
        ({"forced_share": 1.5}, "forced_share must be above 0 and at most 1, received 1.5"),
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
