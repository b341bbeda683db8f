"""How far price goes within a horizon, and how often it stays within a stated quantile."""

import numpy as np

from liqfeature.checks import require
from liqfeature.scoring.measures.bootstrap import Interval, mean_of_rows, ratio_of_sums
from liqfeature.types import FloatArray, IntArray


def furthest_excursion(extreme: FloatArray, close: FloatArray, horizon: int, *, above: bool) -> FloatArray:
    """Logarithmic distance from each close to the furthest price within the candles that follow.

    Parameters
    ----------
    extreme : ndarray of shape (n,)
        High of each candle for excursions above, low for those below.
    close : ndarray of shape (n,)
    horizon : int
        Candles looked at, from the next one on, at least 1.
    above : bool

    Returns
    -------
    ndarray of shape (n,)
        0 where price never leaves to that side; NaN in the last `horizon` rows, whose outcome is not known.
    """
    require("horizon", horizon >= 1, "at least 1", horizon)
    furthest = np.full(close.size, np.nan)
    known = close.size - horizon
    if known > 0:
        ahead = np.lib.stride_tricks.sliding_window_view(extreme[1:], horizon)
        reached = np.max(ahead, axis=1) / close[:known] if above else close[:known] / np.min(ahead, axis=1)
        furthest[:known] = np.maximum(np.log(reached), 0.0)
    return furthest


def coverage(excursion: FloatArray, quantile: FloatArray, day: IntArray) -> Interval:
    """Share of rows whose excursion stays within the stated quantile; shapes (n,), rows with a NaN dropped.

    For a quantile of 95 %, 0.95 is right; below it, price goes too far too often (Kupiec 1995). Days are
    resampled, since excursions of neighbouring rows are the same moves.
    """
    known = ~np.isnan(excursion + quantile)
    return mean_of_rows(np.where(known, excursion <= quantile, np.nan), day)


def shortfall(excursion: FloatArray, quantile: FloatArray, expected: FloatArray, day: IntArray) -> Interval:
    """Mean excursion beyond the stated quantile over the expected shortfall stated there; shapes (n,).

    1 is right, above 1 the tail is worse than stated; undefined where no excursion goes beyond. Rows with a
    NaN are dropped.
    """
    beyond = (excursion > quantile) & ~np.isnan(expected)
    return ratio_of_sums(excursion[beyond], expected[beyond], day[beyond])
