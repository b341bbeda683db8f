"""R2 and QLIKE: equations, what is best, and what is undefined."""

import numpy as np
import pytest

from builders.places import ends, is_undefined
from liqfeature.scoring.measures.bootstrap import day_weights
from liqfeature.scoring.measures.volatility import best_qlike, best_r_squared, qlike, r_squared

RNG = np.random.default_rng(2)
DAY = np.arange(2000) // 20
OUTCOME = RNG.normal(-5, 0.7, 2000)


def test_r_squared_is_one_less_the_share_of_variance_that_is_missed() -> None:
    forecast = OUTCOME + RNG.normal(0, 0.4, 2000)
    found = r_squared(forecast, OUTCOME, DAY)
    assert found.value == pytest.approx(1 - np.mean((forecast - OUTCOME) ** 2) / np.var(OUTCOME))
    assert found.low < found.value < found.high
    assert r_squared(OUTCOME, OUTCOME, DAY).value == 1
    assert r_squared(np.full(2000, OUTCOME.mean()), OUTCOME, DAY).value == pytest.approx(0)
    assert r_squared(forecast + 1.0, OUTCOME, DAY).value < found.value - 1  # of the wrong level


def test_the_interval_of_r_squared_takes_the_mean_of_each_draw() -> None:
    """Days of different levels: about one mean for all draws would vary more."""
    day = np.repeat(np.arange(12), 5)
    outcome = day + RNG.normal(0, 1, 60)
    forecast = outcome + RNG.normal(0, 2, 60)
    drawn = []
    for counts in day_weights(day).astype(int):
        y, f = outcome.repeat(counts[day]), forecast.repeat(counts[day])
        drawn.append(1 - np.mean((y - f) ** 2) / np.var(y))
    np.testing.assert_allclose(ends(r_squared(forecast, outcome, day)), np.percentile(drawn, [2.5, 97.5]))


def test_an_r_squared_in_another_unit_is_the_same() -> None:
    forecast = OUTCOME + RNG.normal(0, 0.4, 2000)
    moved = r_squared(forecast + 1e4, OUTCOME + 1e4, DAY)
    assert moved.value == pytest.approx(r_squared(forecast, OUTCOME, DAY).value, abs=1e-9)


def test_qlike_is_that_of_its_equation_and_0_where_the_forecast_is_right() -> None:
    realised, forecast = np.exp(OUTCOME), np.exp(OUTCOME + RNG.normal(0, 0.3, 2000))
    ratio = realised / forecast
    assert qlike(forecast, realised, DAY).value == pytest.approx(np.mean(ratio - np.log(ratio) - 1))
    assert qlike(7 * forecast, 7 * realised, DAY).value == pytest.approx(qlike(forecast, realised, DAY).value)
    assert qlike(realised, realised, DAY).value == 0


def test_qlike_prefers_the_true_variance_although_what_is_realised_is_noisy() -> None:
    true = np.exp(OUTCOME)
    realised = true * RNG.chisquare(5, 2000) / 5
    best = qlike(true, realised, DAY).value
    for factor in (0.8, 1.25):
        assert qlike(factor * true, realised, DAY).value > best
    assert qlike(0.5 * true, realised, DAY).value > qlike(2 * true, realised, DAY).value  # too low costs more


def test_rows_that_are_not_known_are_dropped_and_none_leave_nothing() -> None:
    forecast, outcome = np.array([1.0, np.nan, 2.0, 3.0]), np.array([1.5, 1.0, np.nan, 3.5])
    day = np.arange(4)
    assert r_squared(forecast, outcome, day).value == pytest.approx(1 - 0.5 / 2)
    ratio = np.array([1.5, 3.5 / 3])
    assert qlike(forecast, outcome, day).value == pytest.approx(np.mean(ratio - np.log(ratio) - 1))
    assert qlike(np.array([0.0, -1.0, 2.0]), np.array([1.0, 1.0, 2.0]), np.arange(3)).value == 0
    assert is_undefined(r_squared(forecast, np.full(4, 3.0), day))
    assert is_undefined(qlike(np.zeros(3), np.ones(3), np.arange(3)))


def test_the_best_line_is_that_of_least_squares_and_forgives_level_and_slope() -> None:
    forecast = OUTCOME + RNG.normal(0, 0.4, 2000)
    slope, level = np.polyfit(forecast, OUTCOME, 1)
    best = best_r_squared(forecast, OUTCOME, DAY)
    assert best.value == pytest.approx(r_squared(slope * forecast + level, OUTCOME, DAY).value)
    assert best.value > r_squared(forecast, OUTCOME, DAY).value
    assert best_r_squared(5 - 3 * forecast, OUTCOME, DAY).value == pytest.approx(best.value)
    assert is_undefined(best_r_squared(np.full(2000, 2.0), OUTCOME, DAY))


def test_the_best_factor_is_the_one_of_least_qlike() -> None:
    realised, forecast = np.exp(OUTCOME), np.exp(OUTCOME + RNG.normal(0.5, 0.3, 2000))
    best = best_qlike(forecast, realised, DAY)
    tried = [qlike(factor * forecast, realised, DAY).value for factor in np.geomspace(0.3, 3, 400)]
    assert best.value <= min(tried)
    assert best.value == pytest.approx(min(tried), abs=1e-4)
    assert best_qlike(9 * forecast, realised, DAY).value == pytest.approx(best.value)
    assert is_undefined(best_qlike(np.zeros(3), np.ones(3), np.arange(3)))
