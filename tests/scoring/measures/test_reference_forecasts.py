"""Usual forecasts: naive twins, and that nothing later takes part."""

import numpy as np
import pandas as pd
import pytest

from builders.frames import random_candles
from liqfeature import ConfigError
from liqfeature.durations import HOUR, MINUTE
from liqfeature.scoring.measures.reference_forecasts import (
    average_true_range,
    exponential_mean,
    har_inputs,
    predicted,
    realised_variance,
)

N = 2500
RNG = np.random.default_rng(3)
VARIANCE = RNG.gamma(2.0, size=N) * np.exp(np.cumsum(RNG.normal(0, 0.05, N)))


def test_realised_variance_is_the_mean_of_the_last_candles() -> None:
    expected = pd.Series(VARIANCE).rolling(288).mean()
    np.testing.assert_allclose(realised_variance(VARIANCE, 288), expected, rtol=1e-12)
    with pytest.raises(ConfigError, match="window must be at least 1, received 0"):
        realised_variance(VARIANCE, 0)


def test_the_exponential_mean_is_that_of_pandas_and_halves_its_weights() -> None:
    expected = pd.Series(VARIANCE).ewm(halflife=20).mean()
    np.testing.assert_allclose(exponential_mean(VARIANCE, 20), expected, rtol=1e-12)
    once = exponential_mean(np.array([1.0, 0.0, 0.0, 0.0]), 1.0)
    assert once.tolist() == pytest.approx([1, 1 / 3, 1 / 7, 1 / 15])


def test_the_true_range_reaches_to_the_previous_close() -> None:
    """Ranges of 2 within, 5 from a close below, 4 from a close above; the first candle has no previous."""
    high, low = np.array([11.0, 15.0, 12.0, 12.0]), np.array([9.0, 13.0, 11.0, 10.0])
    close = np.array([10.0, 15.0, 11.0, 11.0])
    found = average_true_range(high, low, close, 2)
    np.testing.assert_allclose(found, [np.nan, np.nan, (5 + 4) / 2 / 11, (4 + 2) / 2 / 11])


def test_inputs_of_the_autoregression_are_logs_of_means_and_marks_of_hours() -> None:
    candles = random_candles(N, seed=1, start="2026-01-02 00:00")
    opening = candles["date"].dt.as_unit("ms").astype("int64").to_numpy()
    found = har_inputs(VARIANCE, opening + 5 * MINUTE, 5 * MINUTE)
    assert found.shape == (N, 27)
    for column, window in enumerate((12, 288, 2016)):
        np.testing.assert_allclose(found[:, column], np.log(pd.Series(VARIANCE).rolling(window).mean()))
    begins = pd.DatetimeIndex(candles["date"]) + pd.Timedelta("5min")
    for hour in range(24):
        marked = found[:, 2 + hour] == 1 if hour else (found[:, 3:26] == 0).all(axis=1)
        np.testing.assert_array_equal(marked, begins.hour == hour)
    np.testing.assert_array_equal(found[:, 26] == 1, begins.day_of_week >= 5)
    silent = har_inputs(np.zeros(30), np.arange(30) * HOUR, HOUR)
    assert np.isnan(silent[:, 0]).all()


def naive(inputs: np.ndarray, outcome: np.ndarray, horizon: int, first: int, every: int) -> np.ndarray:
    """Fit on the rows whose outcome is known when the stretch begins."""
    found = np.full(len(inputs), np.nan)
    design = np.column_stack([np.ones(len(inputs)), inputs])
    for begin in range(first, len(inputs), every):
        rows = [
            t for t in range(begin) if t + horizon <= begin and not np.isnan(design[t].sum() + outcome[t])
        ]
        weight = np.linalg.lstsq(design[rows], outcome[rows], rcond=None)[0]
        found[begin : begin + every] = design[begin : begin + every] @ weight
    return found


def noisy(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(400, 3))
    outcome = 2.0 + inputs @ [1.0, -0.5, 0.2] + rng.normal(0, 0.5, 400)
    inputs[rng.random(400) < 0.05, 1] = np.nan
    outcome[-6:] = np.nan
    return inputs, outcome


@pytest.mark.parametrize(("horizon", "every"), [(1, 1), (6, 1), (6, 50)])
def test_predictions_are_those_of_least_squares_on_earlier_rows(horizon: int, every: int) -> None:
    inputs, outcome = noisy()
    found = predicted(inputs, outcome, horizon=horizon, first=100, every=every)
    np.testing.assert_allclose(found, naive(inputs, outcome, horizon, 100, every), rtol=1e-9)
    assert np.isnan(found[:100]).all()
    assert np.isnan(found[100:]).sum() == np.isnan(inputs[100:, 1]).sum() > 5


def test_nothing_that_is_known_later_takes_part_in_a_prediction() -> None:
    inputs, outcome = noisy()
    whole = predicted(inputs, outcome, horizon=6, first=100, every=25)
    for row in (150, 233, 390):
        cut, later = inputs[: row + 1], outcome[: row + 1].copy()
        later[row - 5 :] = 1e6  # whose horizon is not over
        found = predicted(cut, later, horizon=6, first=100, every=25)
        np.testing.assert_allclose(found, whole[: row + 1], rtol=1e-12)


def test_what_depends_on_the_inputs_alone_is_predicted_exactly() -> None:
    inputs, _ = noisy()
    found = predicted(inputs, 1.0 + inputs @ [0.3, 2.0, -1.0], horizon=2, first=50, every=10)
    known = ~np.isnan(found)
    np.testing.assert_allclose(found[known], (1.0 + inputs @ [0.3, 2.0, -1.0])[known])


def test_without_a_row_to_learn_from_nothing_is_predicted() -> None:
    found = predicted(np.ones((10, 1)), np.full(10, np.nan), horizon=1, first=0, every=1)
    assert np.isnan(found).all()
