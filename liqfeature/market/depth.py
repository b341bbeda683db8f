"""Depth of the order book: how much rests near price at a candle's close, against what is usual."""

import numpy as np
import pandas as pd

from liqfeature.durations import MINUTE
from liqfeature.market.frames import amounts, times
from liqfeature.market.rolling import trailing_sum
from liqfeature.types import FloatArray, IntArray

COLUMNS = ("below_1", "above_1")
"""Quote currency resting within 1 % below price and above it."""

USABLE_AFTER = 5 * MINUTE
"""Milliseconds after a stamp: what was seen before a round time is on disk a period later."""

OLDEST = 30 * MINUTE
"""Milliseconds after which a row tells nothing any more."""

LEAST_KNOWN = 0.5
"""Share of a lookback in which depth must be known."""

LEAST, MOST = 0.1, 10.0
"""Of depth over the usual: beyond it is a fault of the book rather than a market."""


def join_depth(frame: pd.DataFrame | None, time: IntArray, interval: int, lookback: int) -> FloatArray | None:
    """Find how deep the book is at each candle's close, over the mean of the lookback.

    Parameters
    ----------
    frame : DataFrame or None
        `date` and `COLUMNS`, such as `liqfeature download --datasets bookDepth` writes. NaN and 0 are
        unknown. Any other distance than 1 % will do, if it stays the same.
    time : ndarray of shape (n,)
        Opening of each candle in milliseconds.
    interval : int
        Milliseconds from one candle to the next.
    lookback : int
        Candles over which the mean is taken, the row's own included.

    Returns
    -------
    ndarray of shape (2, n) or None
        Below price, which meets liquidated longs, and above it, between `LEAST` and `MOST`. NaN where the
        last row is older than half an hour, and where less than half of the lookback is known. None without
        a frame.

    Raises
    ------
    MissingColumnError, DataError
        Naming the column, the rule and the value received.
    """
    if frame is None or frame.empty:
        return None
    stamp, close = times(frame, "depth"), time + interval
    row = np.searchsorted(stamp + USABLE_AFTER, close, side="right") - 1
    fresh = (row >= 0) & (close - stamp[np.maximum(row, 0)] <= OLDEST)
    given = np.stack([amounts(frame, name, "depth")[np.maximum(row, 0)] for name in COLUMNS])
    known = fresh & (given > 0)
    total = np.stack([trailing_sum(side, lookback) for side in np.where(known, given, 0.0)])
    count = np.stack([trailing_sum(side, lookback) for side in known.astype(np.float64)])
    known &= count >= LEAST_KNOWN * lookback
    over = given * count / np.where(known, total, 1.0)
    return np.where(known, np.clip(over, LEAST, MOST), np.nan)
