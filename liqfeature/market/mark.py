"""Mark price: how far it went within a candle, which is how far liquidations reach."""

import numpy as np
import pandas as pd

from liqfeature.durations import MINUTE
from liqfeature.errors import DataError
from liqfeature.market.frames import numbers, times
from liqfeature.types import FloatArray, IntArray

_FARTHEST = 2.0
"""Times the close, above or below it: what lies farther off is the mark of another market, or unit."""


def join_mark(
    frame: pd.DataFrame | None,
    time: IntArray,
    interval: int,
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Find the highest and lowest mark price of each candle.

    Liquidations are triggered by the mark price, an average over exchanges: a wick of the last price on one
    of them liquidates nobody that the mark did not reach.

    Parameters
    ----------
    frame : DataFrame or None
        `date, high, low` of the mark price, of the candles' timeframe. Rows that are NaN, not above 0, or
        farther from the candle's close than twice or half of it are passed over: beside the mark of another
        market no low would reach the longs, or no high the shorts.
    time : ndarray of shape (n,)
        Opening of each candle in milliseconds.
    interval : int
        Milliseconds from one candle to the next.
    high, low, close : ndarray of shape (n,)
        Of the candles: high and low stand where there is no mark candle.

    Returns
    -------
    tuple of ndarray of shape (n,)
        Highest and lowest mark price.

    Raises
    ------
    MissingColumnError, DataError
        Naming the column, the rule and the value received; also for mark candles of another timeframe, which
        would not tell when within them a price was reached.
    """
    mark_high, mark_low = high.copy(), low.copy()
    if frame is None or frame.empty:
        return mark_high, mark_low
    stamp = times(frame, "mark candles")
    steps = np.diff(stamp)
    if steps.size and int(np.min(steps)) != interval:
        minutes = (interval // MINUTE, int(np.min(steps)) // MINUTE)
        msg = f"mark candles must have the candles' timeframe of {minutes[0]} minutes, received {minutes[1]}"
        raise DataError(msg)
    highest, lowest = numbers(frame, "high", "mark candles"), numbers(frame, "low", "mark candles")
    row = np.clip(np.searchsorted(stamp, time), 0, stamp.size - 1)
    sound = (lowest > 0) & (highest >= lowest)
    same_market = (lowest[row] <= _FARTHEST * close) & (close <= _FARTHEST * highest[row])
    known = (stamp[row] == time) & sound[row] & same_market
    mark_high[known], mark_low[known] = highest[row[known]], lowest[row[known]]
    return mark_high, mark_low
