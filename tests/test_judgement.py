"""Judgement: worked examples, what luck alone yields, and that the loss punishes what it says."""

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from liqfeature.errors import ConfigError
from liqfeature.judgement import (
    backtest_overfitting,
    bootstrap_interval,
    concentration,
    deflated_sharpe,
    luckiest_sharpe,
    search_loss,
    sharpe_ratio,
)


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


def test_sharpe_is_mean_over_deviation_and_nan_without_any():
    assert sharpe_ratio(np.array([1.0, 3.0])) == pytest.approx(2 / math.sqrt(2))
    assert math.isnan(sharpe_ratio(np.array([1.0, 1.0])))
    assert math.isnan(sharpe_ratio(np.array([1.0])))


def test_the_luckiest_sharpe_is_the_mean_maximum_of_normal_numbers():
    rng = np.random.default_rng(3)
    for n_trials in (10, 100):
        drawn = np.mean(np.max(rng.normal(0, 0.2, (20_000, n_trials)), axis=1))
        assert luckiest_sharpe(0.2, n_trials) == pytest.approx(drawn, rel=0.03)


def test_the_deflated_sharpe_is_that_of_the_published_example():
    """Bailey and Lopez de Prado: 2.5 a year on 1,250 days, 100 trials, skew -3, kurtosis 10: 0.9004."""
    per_day, variance_of_trials = 2.5 / math.sqrt(250), 0.5 / 250
    threshold = luckiest_sharpe(math.sqrt(variance_of_trials), 100)
    assert threshold == pytest.approx(0.1132, abs=5e-5)
    uncertainty = 1 + 3 * per_day + 9 / 4 * per_day**2
    surplus = (per_day - threshold) * math.sqrt(1249) / math.sqrt(uncertainty)
    assert stats.norm.cdf(surplus) == pytest.approx(0.9004, abs=5e-5)


def test_the_deflated_sharpe_takes_skew_and_tails_from_the_returns():
    rng = np.random.default_rng(8)
    returns, trials = rng.exponential(1.0, 200) - 0.8, rng.normal(0, 0.05, 40)
    sharpe = sharpe_ratio(returns)
    skew, kurtosis = stats.skew(returns), stats.kurtosis(returns, fisher=False)
    surplus = sharpe - luckiest_sharpe(float(np.std(trials, ddof=1)), 40)
    uncertainty = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2
    expected = stats.norm.cdf(surplus * math.sqrt(199 / uncertainty))
    assert deflated_sharpe(returns, trials) == pytest.approx(expected)
    assert 0.01 < expected < 0.999


def test_the_best_of_many_that_know_nothing_is_deflated_to_a_toss():
    rng = np.random.default_rng(5)
    found = []
    for _ in range(200):
        returns = rng.normal(0, 1, (250, 30))
        sharpes = np.array([sharpe_ratio(column) for column in returns.T])
        found.append(deflated_sharpe(returns[:, np.argmax(sharpes)], sharpes))
    assert 0.4 < np.mean(found) < 0.6
    assert np.mean(np.array(found) > 0.95) < 0.1


@pytest.mark.parametrize(
    ("returns", "trials"),
    [([0.1, 0.2], [0.1, 0.2]), ([0.1, 0.2, 0.3], [0.1]), ([0.1, 0.1, 0.1], [0.1, 0.2])],
)
def test_too_little_to_judge_is_nan(returns, trials):
    assert math.isnan(deflated_sharpe(np.array(returns), np.array(trials)))


def test_choosing_among_strategies_that_know_nothing_is_a_toss():
    rng = np.random.default_rng(2)
    found = [backtest_overfitting(rng.normal(0, 1, (160, 20)), 8) for _ in range(40)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.08)


def test_a_strategy_that_is_better_everywhere_is_not_overfitted():
    rng = np.random.default_rng(2)
    returns = rng.normal(0, 1, (160, 20))
    returns[:, 7] += 2.0
    assert backtest_overfitting(returns, 8) == 0.0


def test_strategies_that_won_in_one_half_only_are_overfitted():
    """Two of them, each good where the other is bad: the best inside is the worst outside."""
    rng = np.random.default_rng(4)
    side = np.repeat([1.0, -1.0], 50)
    returns = np.column_stack([side, -side]) + rng.normal(0, 0.1, (100, 2))
    assert backtest_overfitting(returns, 2) == 1.0


def test_overfitting_is_that_of_a_plain_count():
    returns, blocks = np.random.default_rng(9).normal(0.02, 1, (36, 5)), 6
    parts, failures = np.split(np.arange(36), blocks), []
    for chosen in combinations(range(blocks), 3):
        inside = [t for i in chosen for t in parts[i]]
        outside = [t for t in range(36) if t not in inside]
        good, later = (returns[rows].mean(0) / returns[rows].std(0) for rows in (inside, outside))
        rank = sorted(later).index(later[good.argmax()]) + 1
        failures.append({True: 1.0, False: 0.0}[rank < 3] if rank != 3 else 0.5)
    assert backtest_overfitting(returns, blocks) == pytest.approx(np.mean(failures))


@pytest.mark.parametrize(("shape", "blocks"), [((20, 1), 4), ((20, 3), 3), ((20, 3), 0), ((3, 3), 4)])
def test_overfitting_of_too_little_is_refused(shape, blocks):
    with pytest.raises(ConfigError):
        backtest_overfitting(np.ones(shape), blocks)


def test_an_interval_holds_the_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(6)
    inside = 0
    for _ in range(200):
        low, high = bootstrap_interval(rng.normal(1.0, 2.0, 60), level=0.9, draws=400)
        inside += low < 1.0 < high
    assert 0.83 < inside / 200 < 0.96
    assert all(math.isnan(end) for end in bootstrap_interval(np.zeros(0)))
