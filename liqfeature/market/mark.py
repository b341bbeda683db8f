"""Mark price: how far it went within a candle, which is how far liquidations reach."""

import numpy as np
import pandas as pd

from liqfeature.durations import MINUTE
from liqfeature.errors import DataError
from liqfeature.market.frames import numbers, times
from liqfeature.market.interest_rows import PRICE_TOLERANCE
from liqfeature.types import FloatArray, IntArray


def join_mark(
    frame: pd.DataFrame | None, time: IntArray, interval: int, high: FloatArray, low: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Find the highest and lowest mark price of each candle.

    Liquidations are triggered by the mark price, an average over exchanges: a wick of the last price on one
    of them liquidates nobody that the mark did not reach.

    Parameters
    ----------
    frame : DataFrame or None
        `date, high, low` of the mark price, of the candles' timeframe. Rows that are NaN, not above 0 or
        far off the candle, which are another pair's, are passed over.
    time : ndarray of shape (n,)
        Opening of each candle in milliseconds.
    interval : int
        Milliseconds from one candle to the next.
    high, low : ndarray of shape (n,)
        Of the candles: what stands where there is no mark candle.

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
    foreign = (lowest[row] > PRICE_TOLERANCE * high) | (highest[row] * PRICE_TOLERANCE < low)
    known = (stamp[row] == time) & sound[row] & ~foreign
    mark_high[known], mark_low[known] = highest[row[known]], lowest[row[known]]
    return mark_high, mark_low
