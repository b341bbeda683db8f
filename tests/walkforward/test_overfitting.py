"""Overfitting: worked examples from the papers, and what luck alone yields."""

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from liqfeature.errors import ConfigError
from liqfeature.walkforward.overfitting import (
    backtest_overfitting,
    deflated_sharpe,
    luckiest_sharpe,
    sharpe_ratio,
)


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
