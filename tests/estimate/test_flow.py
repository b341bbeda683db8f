import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from builders.naive import trailing_sums
from liqfeature import ConfigError
from liqfeature.estimate.flow import Flow, FlowRule, belongs_to, open_and_close
from liqfeature.estimate.kernels.exposure import HELD, SCALPS
from liqfeature.market.rolling import trailing_sum

RULE = FlowRule(levered_share=0.5, churn=0.25, scalp_churn=4.0)


def flow_of(volume: list[float], open_interest: list[float], rule: FlowRule = RULE) -> Flow:
    traded = np.array(volume)
    return open_and_close(traded, trailing_sum(traded, 4) * 2.0, np.array(open_interest), rule)


@given(
    arrays(np.float64, st.integers(0, 80), elements=st.floats(0, 1e9)),
    st.sampled_from([1, 2, 3, 12, 13, 27, 64]),
)
def test_trailing_sums_are_the_plain_sums(values: np.ndarray, window: int) -> None:
    np.testing.assert_allclose(trailing_sum(values, window), trailing_sums(values, window), rtol=1e-13)


@pytest.mark.parametrize("window", [1, 12, 27, 288])
def test_trailing_sums_are_the_same_to_the_last_bit_wherever_the_array_begins(window: int) -> None:
    values = np.random.default_rng(window).lognormal(0, 3, 1000)
    whole = trailing_sum(values, window)
    for begin in (1, 2, 3, 100, 500):
        np.testing.assert_array_equal(
            trailing_sum(values[begin:], window)[window - 1 :], whole[begin + window - 1 :]
        )


@pytest.mark.parametrize("window", [12, 288, 1728])
def test_trailing_sums_of_arrays_shorter_than_the_window_are_cumulated_sums(window: int) -> None:
    ones = np.ones(window + 5)
    for n in range(window + 5):
        np.testing.assert_array_equal(trailing_sum(ones[:n], window), np.minimum(np.arange(1, n + 1), window))


def test_trailing_sums_leave_their_input_alone() -> None:
    values = np.arange(50.0)
    trailing_sum(values, 12)
    np.testing.assert_array_equal(values, np.arange(50.0))


def test_a_candle_opens_the_churned_share_of_its_volume() -> None:
    flow = flow_of([100.0] * 4, [1000.0] * 4)
    np.testing.assert_array_equal(flow.real, True)
    np.testing.assert_allclose(flow.kept[HELD], 1 - 0.25 * 100 / 1000)
    np.testing.assert_allclose(flow.opened[HELD], 0.5 * 25)
    np.testing.assert_allclose(flow.kept[SCALPS], 1 - 4.0 * 100 / 1000)
    np.testing.assert_allclose(flow.opened[SCALPS], 0.5 * 400)
    np.testing.assert_array_equal(flow.carried, 1)
    np.testing.assert_array_equal(flow.late, 0)


def test_at_most_half_is_closed_in_one_candle() -> None:
    flow = flow_of([5000.0] * 4, [1000.0] * 4)
    np.testing.assert_array_equal(flow.kept, 0.5)
    np.testing.assert_allclose(flow.opened, 0.5 * 500)
    flow = flow_of([130.0] * 4, [1000.0] * 4, replace(RULE, most_closed=0.3))
    np.testing.assert_allclose(flow.kept[HELD], 1 - 0.25 * 0.13)
    np.testing.assert_allclose(flow.kept[SCALPS], 0.7)


@given(st.floats(0.01, 1), st.lists(st.integers(0, 10_000), min_size=4, max_size=12))
def test_what_is_held_and_what_is_scalped_differ_in_their_churn_alone(
    churn: float, volume: list[float]
) -> None:
    slow = flow_of(volume, [1000.0] * len(volume), replace(RULE, churn=churn))
    fast = flow_of(volume, [1000.0] * len(volume), replace(RULE, scalp_churn=churn))
    usual = flow_of(volume, [1000.0] * len(volume))
    for turnover in ("kept", "opened"):
        one, other, neither = (getattr(flow, turnover) for flow in (slow, fast, usual))
        np.testing.assert_array_equal(one[HELD], other[SCALPS])
        np.testing.assert_array_equal(other[HELD], neither[HELD])
        np.testing.assert_array_equal(one[SCALPS], neither[SCALPS])


def test_a_rise_opens_late_and_a_fall_shrinks() -> None:
    flow = flow_of([100.0] * 4, [1000.0, 1200.0, 900.0, 900.0])
    np.testing.assert_allclose(flow.late, [0, 0.5 * 200, 0, 0])
    np.testing.assert_allclose(flow.carried, [1, 1, 0.75, 1])


def test_a_leap_beyond_twofold_is_a_change_of_unit_and_opens_nothing() -> None:
    flow = flow_of([100.0] * 4, [500.0, 1000.0, 2001.0, 100.0])
    np.testing.assert_allclose(flow.late, [0, 250, 0, 0])
    np.testing.assert_allclose(flow.carried, [1, 1, 2.001, 100 / 2001])


def test_without_open_interest_it_is_guessed_from_volume_and_nothing_is_late() -> None:
    flow = flow_of([100.0, 100.0, 100.0, 100.0, 300.0], [math.nan] * 5)
    np.testing.assert_array_equal(flow.real, False)
    np.testing.assert_allclose(flow.open_interest, np.array([200, 400, 600, 800, 1200]) * 0.25)
    np.testing.assert_array_equal(flow.late, 0)
    np.testing.assert_allclose(flow.carried, [1, 2, 1.5, 4 / 3, 1.5])


def test_between_a_guess_and_a_reported_row_the_map_is_rescaled_and_nothing_is_opened() -> None:
    flow = flow_of([100.0] * 4, [math.nan, 150.0, math.nan, 160.0])
    np.testing.assert_array_equal(flow.real, [False, True, False, True])
    np.testing.assert_array_equal(flow.late, 0)
    np.testing.assert_allclose(flow.carried, [1, 150 / 50, 150 / 150, 160 / 150])


def test_both_sides_counted_are_halved() -> None:
    once = flow_of([100.0] * 3, [800.0, 1000.0, 700.0])
    twice = flow_of([100.0] * 3, [1600.0, 2000.0, 1400.0], replace(RULE, open_interest_sides=2))
    for name in Flow.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(once, name), getattr(twice, name))


def test_open_interest_of_another_scale_is_not_believed() -> None:
    daily = np.full(6, 200.0)
    scales = np.array([0.99, 1.0, 100.0, 10_000.0, 10_001.0, math.nan])
    np.testing.assert_array_equal(belongs_to(scales, daily), [False, True, True, True, False, False])


def test_no_volume_closes_and_opens_nothing() -> None:
    flow = flow_of([100.0, 0.0, 0.0, 0.0, 0.0, 0.0], [1000.0] * 4 + [math.nan] * 2)
    np.testing.assert_array_equal(flow.opened[:, 1:], 0)
    np.testing.assert_array_equal(flow.kept[:, 1:], 1)
    assert flow.open_interest[-1] == 0
    assert flow.carried[-1] == 0
    assert all(np.isfinite(getattr(flow, name)).all() for name in Flow.__dataclass_fields__)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"levered_share": 0.0}, "levered_share must be above 0 and at most 1, received 0.0"),
        ({"levered_share": 1.1}, "levered_share must be above 0 and at most 1, received 1.1"),
        ({"churn": 0.0}, "churn must be above 0 and at most 1, received 0.0"),
        ({"churn": math.nan}, "churn must be above 0 and at most 1, received nan"),
        ({"churn": 1.01}, "churn must be above 0 and at most 1, received 1.01"),
        ({"scalp_churn": 0.0}, "scalp_churn must be above 0 and at most 100, received 0.0"),
        ({"scalp_churn": -1.0}, "scalp_churn must be above 0 and at most 100, received -1.0"),
        ({"scalp_churn": 100.5}, "scalp_churn must be above 0 and at most 100, received 100.5"),
        ({"scalp_churn": math.nan}, "scalp_churn must be above 0 and at most 100, received nan"),
        ({"scalp_churn": "5"}, "scalp_churn must be a number, received '5'"),
        ({"most_closed": 1.0}, "most_closed must be between 0 and 1, received 1.0"),
        ({"most_closed": 0.0}, "most_closed must be between 0 and 1, received 0.0"),
        ({"open_interest_sides": 3}, "open_interest_sides must be 1 or 2, received 3"),
        ({"opens": "nothing"}, "opens must be volume or path, received 'nothing'"),
        ({"open_interest_days": 0.0}, "open_interest_days must be above 0, received 0.0"),
    ],
)
def test_parameters_that_break_their_rule_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        FlowRule(**changes)
