"""Intervals from resampled days: rows of one day are alike, so that resampling rows would be too sure.

Days are drawn with replacement, each with all of its rows. Every score here is a function of sums over
rows, so that a draw costs one weighted sum of the days' sums. Draws depend on the number of days alone: two
scores over the same days meet the same draws.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from liqfeature.checks import require
from liqfeature.types import FloatArray, IntArray

LEAST_DAYS = 8
"""With fewer days both ends are NaN: resampling cannot show the spread."""

DRAWS, SEED = 1000, 1

TAILS = (0.025, 0.975)
"""Quantiles of the draws at which an interval ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A score and its 95 % percentile interval; all NaN where undefined, the ends on too few days."""

    value: float
    low: float
    high: float


UNDEFINED = Interval(value=np.nan, low=np.nan, high=np.nan)


def day_weights(day: IntArray, draws: int = DRAWS, seed: int = SEED) -> FloatArray:
    """How often each day is drawn when as many days as there are are drawn with replacement.

    Parameters
    ----------
    day : ndarray of shape (n,)
        Day of each row, in any order.
    draws : int
        Rows of the result.
    seed : int
        The same seed and number of days give the same draws.

    Returns
    -------
    ndarray of shape (draws, n_days)
        Counts, days ascending; each row sums to the number of days. Read-only.

    Notes
    -----
    Efron and Tibshirani (1993), with the day as the unit. Days are taken as independent of each other.
    """
    return _weights(np.unique(day).size, draws, seed)


@lru_cache(maxsize=4)
def _weights(n_days: int, draws: int, seed: int) -> FloatArray:
    drawn = np.random.default_rng(seed).integers(n_days, size=(draws, n_days))
    cell = drawn + n_days * np.arange(draws)[:, None]
    counts = np.bincount(np.ravel(cell), minlength=draws * n_days)
    weights = counts.reshape(draws, n_days).astype(np.float64)
    weights.flags.writeable = False  # every score over as many days reads it
    return weights


def day_sums(values: FloatArray, day: IntArray) -> FloatArray:
    """Sum over the rows of each day, days ascending; (n, k) becomes (n_days, k)."""
    order = np.argsort(day, kind="stable")
    _, first = np.unique(day[order], return_index=True)
    summed: FloatArray = np.add.reduceat(values[order], first, axis=0)
    return summed


def bootstrap(
    statistic: Callable[[FloatArray], FloatArray],
    values: FloatArray,
    day: IntArray,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Interval:
    """Interval of a statistic of sums over rows.

    Parameters
    ----------
    statistic : callable
        Maps sums of shape (m, k) to values of shape (m,), NaN where undefined, without a warning.
    values : ndarray of shape (n, k)
        What is summed over rows; no NaN.
    day : ndarray of shape (n,)
        Day of each row.
    draws, seed : int
        As in `day_weights`.

    Returns
    -------
    Interval
        All NaN without rows or where the statistic is undefined on all of them. On fewer than `LEAST_DAYS`
        days the ends are NaN. Draws on which the statistic is undefined are left out.

    Raises
    ------
    ConfigError
        If `day` has another length than `values`.
    """
    require("day", day.shape == values.shape[:1], f"one for each of {len(values)} rows", day.shape)
    if not len(values):
        return UNDEFINED
    value, *_ = drawn = resampled(statistic, values, day, draws=draws, seed=seed)
    if not np.isfinite(value):
        return UNDEFINED
    if drawn.size == 1:
        return Interval(value=float(value), low=np.nan, high=np.nan)
    low, high = np.quantile(drawn[1:][np.isfinite(drawn[1:])], TAILS)
    return Interval(value=float(value), low=float(low), high=float(high))


def resampled(
    statistic: Callable[[FloatArray], FloatArray],
    values: FloatArray,
    day: IntArray,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> FloatArray:
    """Value of a statistic of sums over rows, then its values on resampled days; shape (1 + draws,).

    Parameters are those of `bootstrap`; on fewer than `LEAST_DAYS` days there are no draws. Draws of two
    statistics over the same days are paired: their difference has draws of its own.
    """
    sums = day_sums(values, day)
    value = statistic(np.sum(sums, axis=0, keepdims=True))
    if len(sums) < LEAST_DAYS:
        return value
    return np.concatenate([value, statistic(day_weights(day, draws, seed) @ sums)])


def ratio_of_sums(numerator: FloatArray, denominator: FloatArray, day: IntArray) -> Interval:
    """Interval of sum(numerator) / sum(denominator), undefined unless the latter is above 0; shapes (n,).

    A mean with weights w is the ratio of w * x and w, and a paired difference of two of them that of
    w * (x - y) and w.
    """
    return bootstrap(_ratio, np.stack([numerator, denominator], axis=1), day)


def mean_of_rows(values: FloatArray, day: IntArray, *, draws: int = DRAWS) -> Interval:
    """Interval of the mean over rows, those with a NaN left out; shapes (n,)."""
    known = ~np.isnan(values)
    terms = np.stack([values[known], np.ones(int(np.sum(known)))], axis=1)
    return bootstrap(_ratio, terms, day[known], draws=draws)


def _ratio(sums: FloatArray) -> FloatArray:
    ratio = np.full(len(sums), np.nan)
    np.divide(sums[:, 0], sums[:, 1], out=ratio, where=sums[:, 1] > 0)
    return ratio
