"""Does a map know *when* more is liquidated: rank correlation, plain and with controls, and amplitude."""

import math
from collections.abc import Sequence

import numpy as np

from liqfeature.scoring.measures.bootstrap import UNDEFINED, Interval, bootstrap, ratio_of_sums, resampled
from liqfeature.types import BoolArray, FloatArray, IntArray

LEAST_ROWS = 10
"""With fewer rows a rank correlation is undefined."""

EXPLAINED = 1e-9
"""Share of a variance below which a variable counts as constant, or as given by the controls."""


def average_ranks(values: FloatArray) -> FloatArray:
    """Ranks from 1, those of ties averaged; shape (n,), no NaN."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: FloatArray = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return ranks


def rank_correlation(
    x: FloatArray, y: FloatArray, day: IntArray, controls: Sequence[FloatArray] = ()
) -> Interval:
    """Spearman's rank correlation, or its part that the controls do not explain, with its interval.

    Parameters
    ----------
    x, y : ndarray of shape (n,)
        The two variables. Rows with a NaN in any of the variables or controls are dropped.
    day : ndarray of shape (n,)
        Day of each row.
    controls : sequence of ndarray of shape (n,)
        Held fixed: the correlation is that of the residuals after both ranks are regressed on the controls'
        ranks and a constant. Controls that repeat each other count once, a constant one does not count.

    Returns
    -------
    Interval
        All NaN on fewer than `LEAST_ROWS` rows, and where x or y is constant or wholly explained by the
        controls.

    Notes
    -----
    Ranks are taken once, over all rows, not in each draw.
    """
    terms, kept = _terms(x, y, controls)
    return UNDEFINED if terms is None else bootstrap(_partial_correlation, terms, day[kept])


def resampled_rank_correlation(
    x: FloatArray, y: FloatArray, day: IntArray, controls: Sequence[FloatArray] = ()
) -> FloatArray:
    """Value of `rank_correlation`, then its values on resampled days; see `bootstrap.resampled`.

    One NaN where it is undefined.
    """
    terms, kept = _terms(x, y, controls)
    return np.full(1, np.nan) if terms is None else resampled(_partial_correlation, terms, day[kept])


def _terms(
    x: FloatArray, y: FloatArray, controls: Sequence[FloatArray]
) -> tuple[FloatArray | None, BoolArray]:
    """Products to be summed, and the rows without NaN from which they come; None where those are too few."""
    columns = np.stack([np.asarray(v, dtype=np.float64) for v in (x, y, *controls)], axis=1)
    kept: BoolArray = ~np.any(np.isnan(columns), axis=1)
    return (_moments(columns[kept]) if np.sum(kept) >= LEAST_ROWS else None), kept


def amplitude(predicted: FloatArray, recorded: FloatArray, day: IntArray) -> Interval:
    """Sum predicted over sum recorded: 1 is right, above 1 too much; rows with a NaN are dropped.

    All inputs have shape (n,). Undefined where nothing is recorded.
    """
    kept = ~np.isnan(predicted + recorded)
    return ratio_of_sums(predicted[kept], recorded[kept], day[kept])


def _moments(columns: FloatArray) -> FloatArray:
    """Products of every two of a constant and the columns' ranks, (n, (k + 1) ** 2); ranks from -1 to 1."""
    n = len(columns)
    ranks = np.stack([average_ranks(column) for column in columns.T], axis=1)
    terms = np.concatenate([np.ones((n, 1)), (2 * ranks - n - 1) / n], axis=1)
    products: FloatArray = terms[:, :, None] * terms[:, None, :]
    return products.reshape(n, -1)


def _partial_correlation(sums: FloatArray) -> FloatArray:
    """Correlation of the first two variables given the others, from (m, (k + 1) ** 2) summed products."""
    k = math.isqrt(sums.shape[1])
    moments = (sums / sums[:, :1]).reshape(-1, k, k)
    mean = moments[:, 0, 1:]
    covariance = moments[:, 1:, 1:] - mean[:, :, None] * mean[:, None, :]
    both = _residual_covariance(_correlation(covariance))
    defined = (both[:, 0, 0] > EXPLAINED) & (both[:, 1, 1] > EXPLAINED)
    scale = np.sqrt(np.where(defined, both[:, 0, 0] * both[:, 1, 1], 1.0))
    return np.where(defined, np.clip(both[:, 0, 1] / scale, -1.0, 1.0), np.nan)


def _correlation(covariance: FloatArray) -> FloatArray:
    """Scale to unit variances; rows and columns of what is constant become zeros."""
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    varies = variance > EXPLAINED
    per_deviation = np.where(varies, 1 / np.sqrt(np.where(varies, variance, 1.0)), 0.0)
    return covariance * per_deviation[:, :, None] * per_deviation[:, None, :]


def _residual_covariance(correlation: FloatArray) -> FloatArray:
    """Of the first two variables, after regression on the others (Schur complement); shape (m, 2, 2)."""
    # A pseudo-inverse: controls may repeat each other.
    inverse = np.linalg.pinv(correlation[:, 2:, 2:], rcond=EXPLAINED, hermitian=True)
    explained: FloatArray = correlation[:, :2, 2:] @ inverse @ correlation[:, 2:, :2]
    return correlation[:, :2, :2] - explained
