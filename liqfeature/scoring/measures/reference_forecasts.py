"""Usual forecasts of volatility, to compare with: HAR with hours, EWMA, realised volatility, true range.

Each knows what was known at the close of its row. What is fitted is fitted to rows whose outcome was known.
"""

import numpy as np

from liqfeature.checks import require_at_least
from liqfeature.durations import DAY, HOUR
from liqfeature.market.rolling import trailing_sum
from liqfeature.types import FloatArray, IntArray

HAR_HOURS = (1, 24, 168)
"""Hours over which past variance is averaged: an hour, a day, a week."""

SUNDAY_AND_SATURDAY = (3, 2)
"""Days since 1970, modulo 7: 1 January 1970 was a Thursday."""


def realised_variance(variance: FloatArray, window: int) -> FloatArray:
    """Mean variance of the last `window` candles, the row's own included, (n,); NaN in the first rows."""
    require_at_least(1, window=window)
    mean = trailing_sum(variance, window) / window
    mean[: window - 1] = np.nan
    return mean


def exponential_mean(variance: FloatArray, half_life: float) -> FloatArray:
    """Mean variance up to each row, (n,), weights halving every `half_life` rows (RiskMetrics 1996)."""
    kept = 0.5 ** (1.0 / half_life)
    mean, weight, total = np.empty(variance.size), 0.0, 0.0
    for i, value in enumerate(variance):
        total, weight = kept * total + value, kept * weight + 1.0
        mean[i] = total / weight
    return mean


def average_true_range(high: FloatArray, low: FloatArray, close: FloatArray, window: int) -> FloatArray:
    """Mean true range of the last `window` candles over the close, (n,); NaN in the first rows.

    The true range reaches from the lower of low and previous close to the higher of high and previous close:
    Wilder (1978), with a plain mean.
    """
    before = np.concatenate([close[:1], close[:-1]])
    true_range = np.maximum(high, before) - np.minimum(low, before)
    mean = trailing_sum(true_range, window) / window
    mean[:window] = np.nan
    return mean / close


def har_inputs(variance: FloatArray, closing: IntArray, interval: int) -> FloatArray:
    """Lay out the inputs of a heterogeneous autoregression with hours, for `predicted`.

    Parameters
    ----------
    variance : ndarray of shape (n,)
        Of each candle, at least 0.
    closing : ndarray of shape (n,)
        Milliseconds at which each candle closes.
    interval : int
        Milliseconds from one candle to the next, at most an hour.

    Returns
    -------
    ndarray of shape (n, 27)
        Logarithms of mean variance over the last hour, day and week, NaN where that is 0 or not known; marks
        of the hour that begins at the close, the first hour left out; and a mark of the weekend.

    Notes
    -----
    Corsi (2009), with hours of the day as in Andersen and Bollerslev (1997).
    """
    means = np.stack([realised_variance(variance, hours * HOUR // interval) for hours in HAR_HOURS], axis=1)
    logs = np.log(np.where(means > 0, means, np.nan))
    hour = closing // HOUR % 24
    weekend = np.isin(closing // DAY % 7, SUNDAY_AND_SATURDAY)
    return np.column_stack([logs, hour[:, None] == np.arange(1, 24), weekend]).astype(np.float64)


def predicted(inputs: FloatArray, outcome: FloatArray, *, horizon: int, first: int, every: int) -> FloatArray:
    """Predict an outcome by least squares on earlier rows alone, fitted again and again.

    Parameters
    ----------
    inputs : ndarray of shape (n, k)
        Known at the close of each row; a constant is added. Rows with a NaN are left out of the fit and have
        no prediction.
    outcome : ndarray of shape (n,)
        Known `horizon` rows later, such as the logarithm of the coming range; NaN where it is not.
    horizon : int
        At least 1.
    first : int
        First row that is predicted.
    every : int
        Rows after which the fit is repeated on all rows whose outcome is known by then, at least 1.

    Returns
    -------
    ndarray of shape (n,)
        NaN before `first`, and where nothing could be fitted.
    """
    require_at_least(1, horizon=horizon, every=every)
    design = np.column_stack([np.ones(len(inputs)), inputs])
    terms = np.column_stack([design, outcome])
    terms = np.where(np.isnan(terms).any(axis=1, keepdims=True), 0.0, terms)
    moments, fitted_to = np.zeros((terms.shape[1], terms.shape[1])), 0
    found = np.full(len(inputs), np.nan)
    for begin in range(first, len(inputs), every):
        stop = max(begin - horizon + 1, fitted_to)
        moments += terms[fitted_to:stop].T @ terms[fitted_to:stop]
        fitted_to = stop
        if moments[0, 0] > 0:
            weight = np.linalg.lstsq(moments[:-1, :-1], moments[:-1, -1], rcond=None)[0]
            found[begin : begin + every] = design[begin : begin + every] @ weight
    return found
