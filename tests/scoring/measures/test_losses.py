"""Expected shortfall: worked examples, a naive twin, and what scaling and pairing must do."""

import numpy as np
import pytest

from builders.places import ends, is_undefined
from liqfeature import ConfigError
from liqfeature.scoring.measures.bootstrap import day_weights
from liqfeature.scoring.measures.losses import deepest_fall, expected_shortfall, shortfall_ratio

RNG = np.random.default_rng(4)
DAY = np.arange(1200) // 24
RETURNS = RNG.standard_t(3, 1200) * np.repeat(RNG.lognormal(0, 0.5, 50), 24)


def naive(returns: np.ndarray, share: float) -> float:
    """Mean of the worst rows, the last of them in part."""
    wanted, counted, total = share * returns.size, 0.0, 0.0
    for value in np.sort(returns):
        part = min(1.0, wanted - counted)
        total += part * value
        counted += part
        if counted >= wanted:
            break
    return -total / wanted


def test_a_worked_example_takes_a_part_of_the_last_row() -> None:
    returns = np.array([5.0, -4.0, 1.0, -2.0, 0.0])
    assert expected_shortfall(returns, 0.2, np.arange(5)).value == pytest.approx(4)
    assert expected_shortfall(returns, 0.3, np.arange(5)).value == pytest.approx((4 + 0.5 * 2) / 1.5)
    assert np.isnan(ends(expected_shortfall(returns, 0.2, np.arange(5)))).all()  # too few days


@pytest.mark.parametrize("share", [0.01, 0.05, 0.333])
def test_value_and_interval_are_those_of_a_naive_twin(share: float) -> None:
    found = expected_shortfall(RETURNS, share, DAY)
    assert found.value == pytest.approx(naive(RETURNS, share))
    drawn = [naive(RETURNS.repeat(counts[DAY]), share) for counts in day_weights(DAY).astype(int)]
    np.testing.assert_allclose(ends(found), np.percentile(drawn, [2.5, 97.5]))


def test_a_ratio_of_returns_to_themselves_in_another_size_is_sure() -> None:
    ratio = shortfall_ratio(0.8 * RETURNS, RETURNS, 0.05, DAY)
    assert [ratio.value, ratio.low, ratio.high] == pytest.approx([0.8, 0.8, 0.8])


def test_the_order_of_rows_does_not_matter() -> None:
    order = RNG.permutation(1200)
    ours = shortfall_ratio(RETURNS[::-1], np.abs(RETURNS) - 1, 0.05, DAY[::-1])
    theirs = shortfall_ratio(RETURNS[order], (np.abs(RETURNS[::-1]) - 1)[order], 0.05, DAY[order])
    assert ours.value == pytest.approx(theirs.value)
    found, moved = (
        expected_shortfall(RETURNS, 0.05, DAY),
        expected_shortfall(RETURNS[order], 0.05, DAY[order]),
    )
    assert [found.value, *ends(found)] == pytest.approx([moved.value, *ends(moved)])


def test_nothing_is_undefined_and_shares_and_days_have_rules() -> None:
    assert is_undefined(expected_shortfall(np.zeros(0), 0.05, np.zeros(0, dtype=np.int64)))
    assert is_undefined(shortfall_ratio(RETURNS, np.ones(1200), 0.05, DAY))  # never a loss
    with pytest.raises(ConfigError, match="share must be between 0 and 1, received 1"):
        expected_shortfall(RETURNS, 1, DAY)
    with pytest.raises(ConfigError, match="day must be one for each of 1200 rows"):
        expected_shortfall(RETURNS, 0.05, DAY[1:])


def test_the_deepest_fall_begins_at_nothing_and_at_any_high() -> None:
    assert deepest_fall(np.array([-1.0, 3.0, -2.0, -1.5, 4.0])) == pytest.approx(3.5)
    assert deepest_fall(np.array([-1.0, -1.0])) == pytest.approx(2)
    assert deepest_fall(np.array([1.0, 1.0])) == 0
