"""Intervals from resampled days: twins by hand, coverage, and what is undefined."""

import numpy as np
import pytest

from builders.places import ends, is_undefined
from liqfeature import ConfigError
from liqfeature.scoring.measures.bootstrap import (
    LEAST_DAYS,
    bootstrap,
    day_sums,
    day_weights,
    mean_of_rows,
    ratio_of_sums,
)
from liqfeature.types import FloatArray, IntArray


def of_rows(sums: FloatArray) -> FloatArray:
    """A mean: first column the sum, second the number of rows."""
    return sums[:, 0] / sums[:, 1]


def clustered(rng: np.random.Generator, n_days: int, per_day: int) -> tuple[FloatArray, IntArray]:
    """Rows with mean 0 of which half the variance is common to a day."""
    day = np.repeat(np.arange(n_days), per_day)
    return rng.normal(size=n_days)[day] + rng.normal(size=day.size), day


def test_every_draw_has_as_many_days_as_there_are() -> None:
    weights = day_weights(np.array([7, 7, 3, 9, 9, 9]), draws=50)
    assert weights.shape == (50, 3)
    assert (weights.sum(axis=1) == 3).all()
    assert (weights >= 0).all()


def test_days_are_drawn_as_a_multinomial_with_equal_chances() -> None:
    n_days = 20
    weights = day_weights(np.arange(n_days), draws=10_000)
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=0.04)
    covariance = np.eye(n_days) - 1 / n_days
    np.testing.assert_allclose(np.cov(weights.T, bias=True), covariance, atol=0.05)


def test_draws_depend_on_the_seed_and_the_number_of_days_alone() -> None:
    first = day_weights(np.arange(12))
    assert first.shape == (1000, 12)
    np.testing.assert_array_equal(first, day_weights(np.arange(12)[::-1].repeat(3) * 5))
    assert (first != day_weights(np.arange(12), seed=2)).any()


def test_day_sums_are_those_of_a_loop_over_the_rows() -> None:
    rng = np.random.default_rng(0)
    values, day = rng.normal(size=(40, 3)), rng.integers(5, 11, 40)
    naive = [sum(row for row, d in zip(values, day, strict=True) if d == one) for one in sorted(set(day))]
    np.testing.assert_allclose(day_sums(values, day), naive, atol=1e-14)


def test_an_interval_is_that_of_rows_repeated_as_often_as_their_day_is_drawn() -> None:
    rng = np.random.default_rng(1)
    values, day = rng.exponential(size=(60, 2)), rng.integers(0, 12, 60)
    days = np.unique(day).tolist()
    drawn = []
    for counts in day_weights(day, 200, 5):
        rows = np.concatenate(
            [np.flatnonzero(day == d).repeat(int(c)) for d, c in zip(days, counts, strict=True)]
        )
        drawn.append(values[rows, 0].sum() / values[rows, 1].sum())
    interval = bootstrap(of_rows, values, day, draws=200, seed=5)
    assert interval.value == pytest.approx(values[:, 0].sum() / values[:, 1].sum())
    np.testing.assert_allclose(ends(interval), np.percentile(drawn, [2.5, 97.5]))


def test_the_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    values, day = rng.exponential(size=(90, 2)), rng.integers(0, 15, 90)
    mixed = rng.permutation(90)
    one, other = bootstrap(of_rows, values, day), bootstrap(of_rows, values[mixed], day[mixed])
    np.testing.assert_allclose(ends(one), ends(other), rtol=1e-12)


def test_an_interval_covers_the_truth_about_as_often_as_it_says_although_days_are_alike_within() -> None:
    rng = np.random.default_rng(3)
    covered = []
    for _ in range(300):
        x, day = clustered(rng, n_days=40, per_day=12)
        interval = bootstrap(of_rows, np.stack([x, np.ones_like(x)], axis=1), day, draws=300)
        covered.append(interval.low <= 0 <= interval.high)
    assert 0.90 <= np.mean(covered) <= 0.975


def test_rows_that_are_alike_within_a_day_widen_the_interval_as_theory_says() -> None:
    rng = np.random.default_rng(4)
    x, day = clustered(rng, n_days=200, per_day=24)
    rows = np.stack([x, np.ones_like(x)], axis=1)
    by_day, singly = (bootstrap(of_rows, rows, d, draws=500) for d in (day, np.arange(x.size)))
    assert by_day.value == pytest.approx(singly.value)
    wider = (by_day.high - by_day.low) / (singly.high - singly.low)
    assert wider == pytest.approx(np.sqrt((1 + 1 / 24) / (2 / 24)), rel=0.12)


def test_too_few_days_have_a_value_and_no_interval() -> None:
    for n_days in (1, LEAST_DAYS - 1, LEAST_DAYS):
        interval = ratio_of_sums(np.arange(40.0), np.ones(40), np.arange(40) % n_days)
        assert interval.value == pytest.approx(19.5)
        assert np.isnan(ends(interval)).all() == (n_days < LEAST_DAYS)


def test_a_ratio_that_is_the_same_on_every_day_is_certain() -> None:
    below = np.arange(1.0, 31)
    interval = ratio_of_sums(below / 2, below, np.arange(30))
    np.testing.assert_allclose([interval.value, *ends(interval)], 0.5)


def test_a_ratio_weighs_rows_by_the_denominator() -> None:
    interval = ratio_of_sums(np.array([1.0, 2.0]), np.array([1.0, 7.0]), np.array([0, 1]))
    assert interval.value == 3 / 8


def test_a_ratio_without_rows_or_denominator_is_undefined() -> None:
    nothing = np.zeros(0)
    assert is_undefined(ratio_of_sums(nothing, nothing, nothing.astype(np.int64)))
    assert is_undefined(ratio_of_sums(np.ones(20), np.zeros(20), np.arange(20)))


def test_draws_on_which_a_statistic_is_undefined_are_left_out() -> None:
    only_one_day = np.where(np.arange(10) == 4, 2.0, 0.0)
    interval = ratio_of_sums(3 * only_one_day, only_one_day, np.arange(10))
    np.testing.assert_allclose([interval.value, *ends(interval)], 3)


def test_days_that_do_not_fit_the_rows_are_an_error() -> None:
    with pytest.raises(ConfigError, match=r"day must be one for each of 5 rows, received \(4,\)"):
        ratio_of_sums(np.ones(5), np.ones(5), np.arange(4))


def test_the_mean_of_rows_is_that_of_the_known_ones_and_its_draws_may_be_more() -> None:
    values, day = np.array([1.0, np.nan, 4.0, 7.0]), np.arange(4)
    assert mean_of_rows(values, day).value == 4
    rng = np.random.default_rng(6)
    values, day = rng.normal(1.0, 2.0, 60), np.arange(60)
    drawn = values[np.random.default_rng(1).integers(0, 60, (2000, 60))].mean(axis=1)
    found = mean_of_rows(values, day, draws=2000)
    np.testing.assert_allclose(ends(found), np.quantile(drawn, [0.025, 0.975]))
    assert is_undefined(mean_of_rows(np.array([np.nan]), np.zeros(1, dtype=np.int64)))
