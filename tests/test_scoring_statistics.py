"""Intervals from resampled days, rank correlations and the amplitude."""

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from liqfeature import ConfigError
from liqfeature.scoring.days import (
    LEAST_DAYS,
    Interval,
    bootstrap,
    day_sums,
    day_weights,
    ratio_of_sums,
)
from liqfeature.scoring.ranks import LEAST_ROWS, amplitude, average_ranks, rank_correlation
from liqfeature.types import FloatArray, IntArray


def is_undefined(interval: Interval) -> bool:
    return bool(np.isnan([interval.value, interval.low, interval.high]).all())


def ends(interval: Interval) -> FloatArray:
    return np.array([interval.low, interval.high])


def of_rows(sums: FloatArray) -> FloatArray:
    """A mean: first column the sum, second the number of rows."""
    return sums[:, 0] / sums[:, 1]


def clustered(rng: np.random.Generator, n_days: int, per_day: int) -> tuple[FloatArray, IntArray]:
    """Rows with mean 0 of which half the variance is common to a day."""
    day = np.repeat(np.arange(n_days), per_day)
    return rng.normal(size=n_days)[day] + rng.normal(size=day.size), day


# --- days ------------------------------------------------------------------------------------------------


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


# --- rank correlation ------------------------------------------------------------------------------------


def sample(n: int = 300, seed: int = 0, n_controls: int = 2) -> tuple[FloatArray, ...]:
    """Variables that depend on each other and have ties, and controls that both depend on."""
    rng = np.random.default_rng(seed)
    controls = rng.normal(size=(n_controls, n))
    x = np.round(controls.sum(axis=0) + rng.normal(size=n), 1)
    y = np.round(np.exp(0.6 * x + 0.5 * controls[0] + rng.normal(size=n)), 1)
    return x, y, *controls


DAY = np.arange(300) // 10


def test_ranks_are_those_of_scipy() -> None:
    x = sample()[0]
    assert np.unique(x).size < x.size
    np.testing.assert_array_equal(average_ranks(x), rankdata(x))


def test_rank_correlation_is_that_of_scipy() -> None:
    x, y, *_ = sample()
    interval = rank_correlation(x, y, DAY)
    assert interval.value == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)
    assert interval.low < interval.value < interval.high


def test_the_interval_is_that_of_ranks_repeated_as_often_as_their_day_is_drawn() -> None:
    x, y, *_ = sample()
    ranks = np.stack([rankdata(x), rankdata(y)])
    drawn = [np.corrcoef(ranks.repeat(w.astype(int)[DAY], axis=1))[0, 1] for w in day_weights(DAY)]
    np.testing.assert_allclose(
        ends(rank_correlation(x, y, DAY)), np.percentile(drawn, [2.5, 97.5]), atol=1e-10
    )


def residual(target: FloatArray, given: list[FloatArray]) -> FloatArray:
    design = np.stack([np.ones_like(target), *given], axis=1)
    return target - design @ np.linalg.lstsq(design, target, rcond=None)[0]


@pytest.mark.parametrize("n_controls", [1, 2, 3])
def test_partial_rank_correlation_is_that_of_residuals_of_regressed_ranks(n_controls: int) -> None:
    x, y, *controls = sample(n_controls=n_controls)
    given = [rankdata(c) for c in controls]
    left = [residual(rankdata(v), given) for v in (x, y)]
    value = rank_correlation(x, y, DAY, controls).value
    assert value == pytest.approx(np.corrcoef(left)[0, 1], abs=1e-10)
    inverse = np.linalg.inv(np.corrcoef([rankdata(v) for v in (x, y, *controls)]))
    assert value == pytest.approx(-inverse[0, 1] / np.sqrt(inverse[0, 0] * inverse[1, 1]), abs=1e-10)


def test_what_a_common_cause_explains_is_no_partial_correlation() -> None:
    rng = np.random.default_rng(5)
    cause = rng.normal(size=6000)
    x, y = cause + rng.normal(size=6000), cause + rng.normal(size=6000)
    day = np.arange(6000) // 24
    assert rank_correlation(x, y, day).value > 0.45
    partial = rank_correlation(x, y, day, [cause])
    assert abs(partial.value) < 0.05
    assert partial.low < 0.01 < partial.high + 0.03


def test_only_the_order_of_the_values_counts() -> None:
    x, y, *controls = sample()
    interval = rank_correlation(x, y, DAY, controls)
    assert rank_correlation(np.exp(x), y**3, DAY, [c * 7 - 2 for c in controls]) == interval
    turned = rank_correlation(-x, y, DAY, controls)
    np.testing.assert_allclose(
        [turned.value, turned.low, turned.high], [-interval.value, -interval.high, -interval.low], atol=1e-12
    )


def test_a_control_that_is_repeated_or_constant_changes_nothing() -> None:
    x, y, c, other = sample()
    once = rank_correlation(x, y, DAY, [c, other])
    again = rank_correlation(x, y, DAY, [c, np.ones(300), -c, 2 * c, other])
    np.testing.assert_allclose([again.value, *ends(again)], [once.value, *ends(once)], atol=1e-9)


def test_rows_with_a_nan_are_as_if_absent() -> None:
    x, y, c, other = sample()
    x[3], y[40:60], c[200] = np.nan, np.nan, np.nan
    kept = ~np.isnan(x + y + c)
    assert kept.sum() == 278
    absent = rank_correlation(x[kept], y[kept], DAY[kept], [c[kept], other[kept]])
    assert rank_correlation(x, y, DAY, [c, other]) == absent


def test_one_event_in_a_year_is_not_constant() -> None:
    x = np.zeros(8760)
    x[5000] = 3.0
    y = np.random.default_rng(0).normal(size=8760)
    assert rank_correlation(x, y, np.arange(8760) // 24).value == pytest.approx(spearmanr(x, y).statistic)


def test_what_has_no_rank_correlation_is_undefined_and_raises_nothing() -> None:
    x, y, c, _ = sample()
    few = LEAST_ROWS - 1
    assert is_undefined(rank_correlation(x[:few], y[:few], DAY[:few]))
    assert not np.isnan(rank_correlation(x[: few + 1], y[: few + 1], DAY[: few + 1]).value)
    assert is_undefined(rank_correlation(np.ones(300), y, DAY, [c]))
    assert is_undefined(rank_correlation(x, np.full(300, np.nan), DAY))
    assert is_undefined(rank_correlation(x, y, DAY, [c, 3 * x]))
    assert is_undefined(rank_correlation(x[:0], y[:0], DAY[:0]))


def test_a_variable_that_varies_on_one_day_only_has_an_interval_from_the_draws_that_hold_it() -> None:
    y = sample()[1]
    rare = np.where(DAY == 7, np.arange(300.0), 0.0)
    interval = rank_correlation(rare, y, DAY)
    assert np.isfinite([interval.value, *ends(interval)]).all()


# --- amplitude -------------------------------------------------------------------------------------------


def test_amplitude_is_predicted_over_recorded() -> None:
    recorded = np.array([0.0, 4.0, np.nan, 6.0])
    assert amplitude(np.array([1.0, 2.0, 9.0, 2.0]), recorded, np.arange(4)).value == 0.5
    assert amplitude(np.array([1.0, np.nan, 9.0, 2.0]), recorded, np.arange(4)).value == 0.5
    assert is_undefined(amplitude(np.ones(4), np.zeros(4), np.arange(4)))
