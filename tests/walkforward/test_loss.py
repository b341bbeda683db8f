"""The loss of a search punishes what it says, in examples doable in the head."""

import numpy as np
import pytest

from liqfeature.errors import ConfigError
from liqfeature.walkforward.loss import concentration, search_loss


@pytest.mark.parametrize(
    ("profits", "groups", "expected"),
    [
        ([3.0, 1.0], ["a", "b"], 0.75),
        ([3.0, 1.0], ["a", "a"], 1.0),
        ([1.0, 1.0, 1.0, 1.0], ["a", "b", "c", "d"], 0.25),
        ([3.0, 1.0, -9.0], ["a", "b", "c"], 0.75),
        ([3.0, -2.0, 1.0], ["a", "a", "b"], 0.5),
        ([-1.0, -2.0], ["a", "b"], 1.0),
        ([], [], 1.0),
    ],
)
def test_concentration_is_the_best_groups_share_of_what_was_won(profits, groups, expected):
    assert concentration(np.array(profits), np.array(groups)) == pytest.approx(expected)


def loss(profits, days=None, pairs=None, **change):
    profits = np.array(profits, dtype=float)
    days = np.arange(len(profits)) if days is None else np.array(days)
    pairs = np.arange(len(profits)) % 2 if pairs is None else np.array(pairs)
    return search_loss(profits, days, pairs, **{"drawdown": 0.0, "wanted_trades": 4} | change)


def test_losses_doable_in_the_head():
    even = [0.01] * 4
    assert loss(even) == pytest.approx(-0.04)
    assert loss(even, drawdown=0.03) == pytest.approx(-0.04 + 0.06)
    assert loss(even, wanted_trades=8) == pytest.approx(-0.04 + 0.25)
    assert loss(even, days=[1] * 4) == pytest.approx(-0.02)
    assert loss(even, pairs=["a"] * 4) == pytest.approx(-0.02)
    assert loss(even, days=[1] * 4, concentration_weight=1.0) == pytest.approx(0.0)
    # Three quarters on one of two pairs: halfway between even and all.
    assert loss(even, pairs=["a", "a", "a", "b"]) == pytest.approx(-0.04 * (1 - 0.5 * 0.5))
    assert loss([]) == pytest.approx(1.0)


def test_a_loss_is_not_softened_by_being_concentrated():
    assert loss([-0.01] * 4, days=[1] * 4) == pytest.approx(0.04)


@pytest.mark.parametrize(
    "change", [{"wanted_trades": 0}, {"concentration_weight": 1.1}, {"drawdown_weight": -1.0}]
)
def test_a_loss_with_a_parameter_that_makes_no_sense_is_refused(change):
    with pytest.raises(ConfigError, match=next(iter(change))):
        loss([0.01], **change)
