"""Positioning: how many longs there were for each short at a candle's close."""

import numpy as np
import pandas as pd

from liqfeature.durations import MINUTE
from liqfeature.errors import DataError
from liqfeature.market.frames import amounts, times
from liqfeature.types import FloatArray, IntArray

RATIOS = ("account_ratio", "top_account_ratio", "top_position_ratio", "taker_ratio")
"""Longs over shorts: of all accounts, the top ones, their positions; and what takers bought over sold."""

PERIOD = 5 * MINUTE
"""Of rows."""

USABLE_AFTER = 2 * PERIOD
"""Milliseconds after a stamp: it opens a row's period or ends it, and a live bot drops the newest row."""


def join_positioning(frame: pd.DataFrame | None, time: IntArray, interval: int) -> FloatArray | None:
    """Find the logarithm of each ratio at each candle's close.

    Parameters
    ----------
    frame : DataFrame or None
        `date` and `RATIOS`, a row every 5 minutes. NaN and 0 are unknown.
    time : ndarray of shape (n,)
        Opening of each candle in milliseconds.
    interval : int
        Milliseconds from one candle to the next.

    Returns
    -------
    ndarray of shape (4, n) or None
        In the order of `RATIOS`: the mean over the rows that became usable within the candle, or within the
        last 5 minutes where candles are shorter; NaN where none did. None without a frame.

    Raises
    ------
    MissingColumnError, DataError
        Naming the column, the rule and the value received; also for rows of another period.
    """
    if frame is None or frame.empty:
        return None
    stamp = times(frame, "positioning")
    _check_period(frame, stamp)
    known = np.stack([_logarithm(amounts(frame, name, "positioning")) for name in RATIOS])
    close, window = time + interval, max(interval, PERIOD)
    last = np.searchsorted(stamp + USABLE_AFTER, close, side="right") - 1
    total, count = np.zeros((len(RATIOS), time.size)), np.zeros((len(RATIOS), time.size))
    for back in range(window // PERIOD):
        row = np.maximum(last - back, 0)
        inside = (last >= back) & (stamp[row] + USABLE_AFTER > close - window)
        value = known[:, row]
        counts = inside & ~np.isnan(value)
        total += np.where(counts, value, 0.0)
        count += counts
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def _logarithm(ratio: FloatArray) -> FloatArray:
    return np.log(np.where(ratio > 0, ratio, np.nan))


def _check_period(frame: pd.DataFrame, stamp: IntArray) -> None:
    odd, steps = np.flatnonzero(stamp % PERIOD), np.diff(stamp)
    if odd.size:
        message = f"positioning: dates must be multiples of 5 minutes, received {frame['date'].iloc[odd[0]]}"
        raise DataError(message)
    if steps.size and (shortest := int(np.min(steps))) > PERIOD:
        message = f"positioning must have a row every 5 minutes, received every {shortest // MINUTE}"
        raise DataError(message)
