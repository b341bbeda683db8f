"""Rank correlations, plain and partial, and the amplitude."""

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from builders.places import ends, is_undefined
from liqfeature.scoring.measures.bootstrap import day_weights
from liqfeature.scoring.measures.rank_correlation import (
    LEAST_ROWS,
    amplitude,
    average_ranks,
    rank_correlation,
)
from liqfeature.types import FloatArray


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
