"""Which of two levels is touched first, and what a walk without drift says of it."""

import numpy as np

from liqfeature.checks import require
from liqfeature.types import FloatArray


def touched_first(
    high: FloatArray, low: FloatArray, above: FloatArray, below: FloatArray, horizon: int
) -> FloatArray:
    """Whether the level above is touched before the one below.

    Parameters
    ----------
    high, low : ndarray of shape (n,)
    above, below : ndarray of shape (n,)
        Prices at the close of each row's candle; NaN where there is none.
    horizon : int
        Candles looked at, from the next one on, at least 1.

    Returns
    -------
    ndarray of shape (n,)
        1 where the one above is first, 0 where the one below is. NaN where neither is touched, where both are
        first touched by the same candle, where one of them is missing, and where the horizon is not over and
        nothing was touched yet.
    """
    require("horizon", horizon >= 1, "at least 1", horizon)
    first = np.full(high.size, np.nan)
    waiting = ~np.isnan(above + below)
    for ahead in range(1, min(horizon, high.size - 1) + 1):
        rows = np.flatnonzero(waiting[:-ahead])
        up, down = high[rows + ahead] >= above[rows], low[rows + ahead] <= below[rows]
        first[rows[up & ~down]] = 1.0
        first[rows[down & ~up]] = 0.0
        waiting[rows[up | down]] = False
    return first


def driftless(close: FloatArray, above: FloatArray, below: FloatArray) -> FloatArray:
    """Probability that a walk without drift touches the level above before the one below; shapes (n,).

    The distance to the one below over the sum of both, in logarithms: the gambler's ruin.
    """
    to_above, to_below = np.log(above / close), np.log(close / below)
    probability: FloatArray = to_below / (to_above + to_below)
    return probability
