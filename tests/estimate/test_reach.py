"""Tables of reach, quantiles and expected shortfall, by distance in sigmas and recent move."""

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import halfnorm, norm

from liqfeature import ConfigError
from liqfeature.estimate.reach import (
    FARTHEST,
    MOST_TILT,
    N_TILTS,
    STEPS_PER_SIGMA,
    STEPS_PER_TILT,
    ReachRule,
    reached_within,
)

ONE_NODE: dict[str, Any] = {"nodes": (1.0,), "node_weights": (1.0,), "skew": (0.0, 0.0)}
STEADY = N_TILTS // 2
"""Row of a price that came from neither side."""

SIGMAS = np.arange(FARTHEST * STEPS_PER_SIGMA + 1) / STEPS_PER_SIGMA


def test_reach_is_twice_the_chance_of_ending_beyond() -> None:
    """The reflection principle, for a Brownian path of known variance."""
    reach = ReachRule(**ONE_NODE).reach()
    assert reach.shape == (N_TILTS, SIGMAS.size)
    for row in reach:
        np.testing.assert_allclose(row, 2 * norm.sf(SIGMAS), rtol=1e-10, atol=0)


def test_simulated_paths_reach_as_often_as_the_table_says() -> None:
    rng = np.random.default_rng(0)
    steps, rule = 500, ReachRule()
    sigma = rng.choice(rule.nodes, 20_000, p=rule.node_weights)
    highest = np.array([rng.normal(0, s / math.sqrt(steps), steps).cumsum().max() for s in sigma])
    highest += (
        0.5826 * sigma / math.sqrt(steps)
    )  # a path looked at now and then misses its maximum by so much
    for sigmas in (0.3, 1.0, 2.0):
        said = rule.reach()[STEADY, round(sigmas * STEPS_PER_SIGMA)]
        assert (highest >= sigmas).mean() == pytest.approx(said, abs=0.012)


def test_reach_falls_from_one() -> None:
    reach = ReachRule().reach()
    np.testing.assert_allclose(reach[:, 0], 1, atol=1e-15)
    assert (np.diff(reach, axis=1) < 0).all()
    assert (reach[:, -1] > 0).all()
    assert (reach[:, -1] < 2e-5).all()


def test_wider_nodes_move_probability_outwards() -> None:
    narrow = ReachRule(**ONE_NODE).reach()
    wide = ReachRule(nodes=(0.6, 1.0, 1.5), node_weights=(0.2, 0.7, 0.1), skew=(0.0, 0.0)).reach()
    assert (wide[:, 50] < narrow[:, 50]).all()
    assert (wide[:, 300] > narrow[:, 300]).all()


def test_the_side_that_price_came_away_from_is_reached_less_often_and_hardly_ever_far() -> None:
    """The last row belongs to the side that price left, the first to the one that it moved towards."""
    reach = ReachRule().reach()
    for sigmas in (1, 3, 5):
        assert (np.diff(reach[:, sigmas * STEPS_PER_SIGMA]) < 0).all()
    towards, away = reach[0], reach[-1]
    assert away[5 * STEPS_PER_SIGMA] < 0.25 * towards[5 * STEPS_PER_SIGMA]


def test_odds_of_the_outer_nodes_by_hand() -> None:
    """One sigma away: the first node counts e times as much, the last one e^-2 times; one towards: 1 / e."""
    shares = ReachRule(nodes=(0.5, 1.0, 2.0), node_weights=(0.25, 0.5, 0.25), skew=(1.0, 2.0)).node_shares()
    np.testing.assert_allclose(np.sum(shares, axis=1), 1, rtol=1e-14)
    step = STEPS_PER_TILT
    for row, first, last in (
        (STEADY, 1, 1),
        (STEADY + step, math.e, math.exp(-2)),
        (STEADY - step, 1 / math.e, 1),
    ):
        weight = np.array([0.25 * first, 0.5, 0.25 * last])
        np.testing.assert_allclose(shares[row], weight / weight.sum(), rtol=1e-14)
    assert round(MOST_TILT * STEPS_PER_TILT) == STEADY


def test_without_skew_sides_are_alike() -> None:
    reach = ReachRule(skew=(0.0, 0.0)).reach()
    np.testing.assert_array_equal(reach, reach[:1].repeat(N_TILTS, axis=0))
    np.testing.assert_array_equal(reach[0], ReachRule().reach()[STEADY])


@given(st.floats(0.01, 0.999))
def test_a_quantile_is_passed_as_often_as_it_says(probability: float) -> None:
    rule = ReachRule()
    quantile = rule.quantile(probability)
    passed = reached_within(rule.reach(), np.arange(N_TILTS), quantile)
    np.testing.assert_allclose(passed, 1 - probability, atol=2e-5)  # of lines between hundredths of a sigma


def test_quantiles_and_shortfall_of_one_node_are_those_of_half_a_bell() -> None:
    rule = ReachRule(**ONE_NODE)
    for probability in (0.5, 0.8, 0.95, 0.99):
        want = halfnorm.ppf(probability)
        np.testing.assert_allclose(rule.quantile(probability), want, rtol=1e-12)
        mean = halfnorm.expect(lambda x: x, lb=want, conditional=True)
        np.testing.assert_allclose(rule.shortfall(probability), mean, rtol=1e-8)


def test_shortfall_is_the_mean_of_the_quantiles_beyond() -> None:
    rule = ReachRule()
    levels = 0.95 + 0.05 * (np.arange(400) + 0.5) / 400
    mean = np.mean([rule.quantile(float(level)) for level in levels], axis=0)
    np.testing.assert_allclose(rule.shortfall(0.95), mean, rtol=0.005)


def test_quantiles_that_are_none_are_refused() -> None:
    for probability in (0.0, 1.0, math.nan):
        with pytest.raises(ConfigError, match=r"^probability must be between 0 and 1, received "):
            ReachRule().quantile(probability)


def test_reach_between_hundredths_of_a_sigma_is_on_a_line_and_none_beyond_the_table() -> None:
    reach = ReachRule().reach()
    middle = 0.5 * (reach[3, 70] + reach[3, 71])
    sigmas = np.array([0.705, 0.0, FARTHEST - 1e-9, FARTHEST, 1e9, math.inf, math.nan])
    got = reached_within(reach, np.full(sigmas.size, 3), sigmas)
    np.testing.assert_allclose(got, [middle, 1, reach[3, -1], 0, 0, 0, math.nan], rtol=1e-9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"windows": ()}, "windows must be at least 1 candle each, received ()"),
        ({"windows": (0, 1, 2, 3)}, "windows must be at least 1 candle each, received (0, 1, 2, 3)"),
        ({"windows": (1.5, 2, 3, 4)}, "windows must be "),
        ({"weights": (0.5, 0.5)}, "weights must be one share per window, with sum 1, received (0.5, 0.5)"),
        (
            {"weights": (0.5, 0.6, -0.2, 0.1)},
            "weights must be one share per window, with sum 1, received (0.5, 0.6, -0.2, 0.1)",
        ),
        ({"weights": (0.5, 0.3, 0.3, 0.1)}, "weights must be one share per window, with sum 1, received "),
        ({"wildest": 0.9}, "wildest must be at least 1, received 0.9"),
        ({"wildest": math.nan}, "wildest must be at least 1, received nan"),
        ({"hours": (1.0,) * 23}, "hours must be 24 numbers above 0, received (1.0, "),
        ({"hours": (1.0,) * 23 + (0.0,)}, "hours must be 24 numbers above 0, received (1.0, "),
        ({"weekend": 0.0}, "weekend must be above 0, received 0.0"),
        ({"scale": 0.0}, "scale must be above 0, received 0.0"),
        ({"nodes": (0.0, 1.0, 2.0)}, "nodes must be above 0 each, ascending, received (0.0, 1.0, 2.0)"),
        ({"nodes": (1.0, 0.5, 2.0)}, "nodes must be above 0 each, ascending, received (1.0, 0.5, 2.0)"),
        ({"node_weights": (1.0,)}, "node_weights must be one share per node, with sum 1, received (1.0,)"),
        ({"skew": (0.1,)}, "skew must be 2 numbers, at least 0, received (0.1,)"),
        ({"skew": (0.1, -0.1)}, "skew must be 2 numbers, at least 0, received (0.1, -0.1)"),
        ({"skew_span": 0}, "skew_span must be at least 1, received 0"),
    ],
)
def test_parameters_that_break_their_rule_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}"):
        ReachRule(**changes)
