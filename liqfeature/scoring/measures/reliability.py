"""Do events happen as often as stated: reliability, calibration error, Brier skill."""

from dataclasses import dataclass

import numpy as np

from liqfeature.checks import require
from liqfeature.scoring.measures.bootstrap import Interval, bootstrap, ratio_of_sums
from liqfeature.types import BoolArray, FloatArray, IntArray

N_BINS = 10
"""Bins of equal width, from 0 to 1, in which stated probabilities are compared with what came true."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """Stated against what came true, one entry per bin of stated probability; NaN in empty bins.

    Parameters
    ----------
    stated : ndarray of shape (n_bins,)
        Mean stated probability.
    came_true : tuple of n_bins Interval
        Share that came true, with its interval by day.
    rows : ndarray of shape (n_bins,)
        Number of rows.
    """

    stated: FloatArray
    came_true: tuple[Interval, ...]
    rows: IntArray


def touched_within(extreme: FloatArray, edge: FloatArray, horizon: int, *, above: bool) -> FloatArray:
    """Whether price reaches an edge within the candles after a row's own.

    Parameters
    ----------
    extreme : ndarray of shape (n,)
        High of each candle for an edge above, low for one below.
    edge : ndarray of shape (n,)
        Price at the close of each row's candle; NaN where there is none.
    horizon : int
        Candles looked at, from the next one on.
    above : bool
        Side on which the edges lie.

    Returns
    -------
    ndarray of shape (n,)
        1 or 0; NaN where there is no edge and in the last `horizon` rows, whose outcome is not known yet.

    Raises
    ------
    ConfigError
        If `horizon` is below 1.
    """
    require("horizon", horizon >= 1, "at least 1", horizon)
    touched = np.full(extreme.size, np.nan)
    known = extreme.size - horizon
    if known > 0:
        ahead = np.lib.stride_tricks.sliding_window_view(extreme[1:], horizon)
        met = np.max(ahead, axis=1) >= edge[:known] if above else np.min(ahead, axis=1) <= edge[:known]
        touched[:known] = np.where(np.isnan(edge[:known]), np.nan, met)
    return touched


def reliability_table(
    stated: FloatArray, came_true: FloatArray, day: IntArray, n_bins: int = N_BINS
) -> Reliability:
    """Stated probability against frequency, in bins of equal width; rows with a NaN are dropped.

    Parameters
    ----------
    stated : ndarray of shape (n,)
        Probabilities, 0 to 1.
    came_true : ndarray of shape (n,)
        1 where the event came, 0 where it did not.
    day : ndarray of shape (n,)
        Day of each row.
    n_bins : int
        Number of bins; a probability of 1 belongs to the last.

    Returns
    -------
    Reliability
    """
    known = _known(stated, came_true)
    number = _bin(stated[known], n_bins)
    rows = np.bincount(number, minlength=n_bins)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(number, stated[known], n_bins) / rows
    inside = [(number == b).astype(np.float64) for b in range(n_bins)]
    shares = (ratio_of_sums(came_true[known] * each, each, day[known]) for each in inside)
    return Reliability(stated=mean, came_true=tuple(shares), rows=rows)


def calibration_error(
    stated: FloatArray, came_true: FloatArray, day: IntArray, n_bins: int = N_BINS
) -> Interval:
    """Mean distance of stated probability from frequency over bins, weighted by rows; 0 is perfect.

    Arguments as for `reliability_table` and `brier_skill`. The expected calibration error of Naeini, Cooper
    and Hauskrecht (2015). It is never negative: chance alone lifts it above 0, and resampled days lift it
    further, so that the interval is too high.
    """
    known = _known(stated, came_true)
    excess = (stated - came_true)[known]
    terms = np.zeros((excess.size, n_bins + 1))
    terms[np.arange(excess.size), _bin(stated[known], n_bins)] = excess
    terms[:, -1] = 1.0
    return bootstrap(_error, terms, day[known])


def brier_skill(
    stated: FloatArray, came_true: FloatArray, day: IntArray, reference: FloatArray | None = None
) -> Interval:
    """1 less the Brier score over that of a reference; 1 is perfect, 0 no better, below 0 worse.

    Parameters
    ----------
    stated, came_true : ndarray of shape (n,)
        As for `reliability_table`.
    day : ndarray of shape (n,)
        Day of each row: rows of one day are alike, and days are resampled as a whole.
    reference : ndarray of shape (n,), optional
        Probabilities to beat. Default: the base rate, each draw's own.

    Returns
    -------
    Interval
        NaN where the reference makes no error: for the base rate, where all or none came true.

    Notes
    -----
    Brier (1950); resampling after Efron and Tibshirani (1993), with the day as the unit.
    """
    known = _known(stated, came_true)
    square = (stated - came_true) ** 2
    if reference is None:
        terms = np.stack([square, came_true, np.ones(stated.size)], axis=1)
        return bootstrap(_skill_over_base_rate, terms[known], day[known])
    known &= _known(reference, came_true)
    terms = np.stack([square, (reference - came_true) ** 2], axis=1)
    return bootstrap(lambda sums: _skill(*sums.T), terms[known], day[known])


def _error(sums: FloatArray) -> FloatArray:
    distance: FloatArray = np.sum(np.abs(sums[:, :-1]), axis=1) / sums[:, -1]
    return distance


def _skill_over_base_rate(sums: FloatArray) -> FloatArray:
    squares, events, rows = sums.T
    return _skill(squares, events * (rows - events) / np.maximum(rows, 1.0))


def _skill(squares: FloatArray, of_reference: FloatArray) -> FloatArray:
    ratio = np.full(squares.size, np.nan)
    np.divide(squares, of_reference, out=ratio, where=of_reference > 0)
    return 1.0 - ratio


def _bin(stated: FloatArray, n_bins: int) -> IntArray:
    return np.minimum((stated * n_bins).astype(np.int64), n_bins - 1)


def _known(stated: FloatArray, came_true: FloatArray) -> BoolArray:
    """Rows on which both are known, after a check that stated values are probabilities."""
    require("came_true", came_true.shape == stated.shape, f"of shape {stated.shape}", came_true.shape)
    known: BoolArray = ~np.isnan(stated + came_true)
    lowest, highest = (float(f(stated[known], initial=0.5)) for f in (np.min, np.max))
    require("stated", lowest >= 0 and highest <= 1, "between 0 and 1", lowest if lowest < 0 else highest)
    return known
