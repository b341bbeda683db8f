import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from liqfeature import ConfigError
from liqfeature.estimate.leverage import LADDER, LeveragePrior
from liqfeature.sides import LONG, SHORT

priors = st.builds(
    LeveragePrior,
    median=st.floats(1.1, 60),
    sigma=st.floats(0.1, 2),
    flat=st.floats(0, 1),
    scalp_leverage=st.floats(1.1, 200),
    scalp_share=st.floats(0, 1),
    max_leverage=st.sampled_from([2.0, 3.0, 20.0, 75.0, 125.0, 150.0]),
    maintenance_margin_rate=st.sampled_from([0.0, 0.004, 0.01, 0.1, 0.3]),
)


@given(priors)
def test_shares_are_a_distribution_over_permitted_levels(prior: LeveragePrior) -> None:
    levels, shares = prior.levels(), prior.shares()
    assert levels.shape == shares.shape
    assert levels.size
    assert set(levels) <= set(LADDER)
    assert levels.max() <= prior.max_leverage
    assert shares.min() >= 0
    assert shares.sum() == pytest.approx(1, abs=1e-12)


@given(priors)
def test_at_the_liquidation_price_the_margin_left_is_the_maintenance_margin(prior: LeveragePrior) -> None:
    offset, weight = prior.mixture(0.001)
    assert offset.shape == weight.shape == (2, prior.levels().size)
    assert offset[LONG].max() < 0 < offset[SHORT].min()
    for side, sign in ((LONG, 1), (SHORT, -1)):
        price = np.exp(offset[side] * 0.001)  # entry at 1, one contract
        left = 1 / prior.levels() + sign * (price - 1)
        np.testing.assert_allclose(left, prior.maintenance_margin_rate * price, atol=1e-12)
        np.testing.assert_array_equal(weight[side], prior.shares())


def test_the_flat_part_is_even_and_the_rest_is_log_normal() -> None:
    np.testing.assert_allclose(LeveragePrior(flat=1).shares(), 1 / 14, rtol=1e-12)
    prior = LeveragePrior(flat=0, median=8, sigma=1)
    assert prior.levels()[-1] == 125
    cut = math.sqrt(10 * 14)  # half-way, in logarithm, between two levels
    up_to_ten = prior.shares()[prior.levels() <= 10].sum()
    assert up_to_ten == pytest.approx(norm.cdf(math.log(cut / 8)), abs=1e-12)
    half = LeveragePrior(flat=0.5).shares()
    np.testing.assert_allclose(half, (prior.shares() + 1 / 14) / 2, rtol=1e-12)


def test_levels_beyond_the_pairs_maximum_do_not_occur() -> None:
    np.testing.assert_array_equal(LeveragePrior(max_leverage=20).levels(), LADDER[:8])
    np.testing.assert_array_equal(LeveragePrior(max_leverage=2).shares(), [1.0])


def test_levels_liquidated_close_to_entry_do_not_occur() -> None:
    assert LeveragePrior(maintenance_margin_rate=0.03, max_leverage=150).levels().max() == 20  # 1/20 > 0.045


def test_a_larger_median_means_more_leverage() -> None:
    mean = [LeveragePrior(median=m).shares() @ LeveragePrior(median=m).levels() for m in (3, 8, 20)]
    assert mean == sorted(mean)
    assert mean[0] < mean[-1]


@given(priors)
def test_the_same_share_is_scalped_from_its_leverage_on_and_none_below(prior: LeveragePrior) -> None:
    assert prior.scalped().shape == prior.levels().shape
    for leverage, scalped in zip(prior.levels(), prior.scalped(), strict=True):
        assert scalped == (prior.scalp_share if leverage >= prior.scalp_leverage else 0)


def test_half_of_what_is_open_at_fifty_or_more_is_scalps() -> None:
    assert LADDER[-4:] == (50, 75, 100, 125)
    np.testing.assert_array_equal(LeveragePrior().scalped(), [0] * 10 + [0.5] * 4)


def test_the_shares_of_open_interest_know_nothing_of_scalps() -> None:
    for changes in ({"scalp_share": 0.0}, {"scalp_share": 1.0}, {"scalp_leverage": 5.0}):
        np.testing.assert_array_equal(LeveragePrior(**changes).shares(), LeveragePrior().shares())
        np.testing.assert_array_equal(LeveragePrior(**changes).mixture(0.1), LeveragePrior().mixture(0.1))


def test_no_leverage_above_a_hundred_and_twenty_five_is_used_whatever_is_allowed() -> None:
    np.testing.assert_array_equal(LeveragePrior(max_leverage=150).shares(), LeveragePrior().shares())


def test_calibrated_weights_replace_the_prior() -> None:
    np.testing.assert_array_equal(LeveragePrior(max_leverage=3, weight=(0.25, 0.75)).shares(), [0.25, 0.75])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"median": 1.0}, "median must be above 1, received 1.0"),
        ({"sigma": 0.0}, "sigma must be above 0, received 0.0"),
        ({"flat": 1.1}, "flat must be between 0 and 1, received 1.1"),
        ({"flat": -0.1}, "flat must be between 0 and 1, received -0.1"),
        ({"scalp_leverage": 1.0}, "scalp_leverage must be above 1, received 1.0"),
        ({"scalp_leverage": math.nan}, "scalp_leverage must be above 1, received nan"),
        ({"scalp_share": 1.01}, "scalp_share must be between 0 and 1, received 1.01"),
        ({"scalp_share": -0.01}, "scalp_share must be between 0 and 1, received -0.01"),
        ({"scalp_share": math.nan}, "scalp_share must be between 0 and 1, received nan"),
        ({"scalp_share": None}, "scalp_share must be a number, received None"),
        ({"max_leverage": 1.5}, "max_leverage must be at least 2, received 1.5"),
        ({"median": math.nan}, "median must be above 1, received nan"),
        (
            {"maintenance_margin_rate": -0.1},
            "maintenance_margin_rate must be between 0 and 0.5, received -0.1",
        ),
        (
            {"maintenance_margin_rate": 0.4},
            "maintenance_margin_rate must be lower, for any leverage, received 0.4",
        ),
        (
            {"weight": (1.5, -0.5), "max_leverage": 3},
            "weight must be 2 shares that sum to 1, received (1.5, -0.5)",
        ),
        (
            {"weight": (0.5, 0.5), "max_leverage": 4},
            "weight must be 3 shares that sum to 1, received (0.5, 0.5)",
        ),
        (
            {"weight": (0.5, 0.4), "max_leverage": 3},
            "weight must be 2 shares that sum to 1, received (0.5, 0.4)",
        ),
    ],
)
def test_parameters_that_break_their_rule_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        LeveragePrior(**changes)


def test_whole_numbers_will_do() -> None:
    whole, fraction = (
        LeveragePrior(maintenance_margin_rate=0, median=9),
        LeveragePrior(maintenance_margin_rate=0.0, median=9.0),
    )
    np.testing.assert_array_equal(whole.mixture(0.001), fraction.mixture(0.001))
