"""Recorded liquidations beside candles: how much was usual, as far as it was known at each close."""

import numpy as np
import pandas as pd

from liqfeature.errors import DataError
from liqfeature.flow import trailing_sum
from liqfeature.tables import numbers, times
from liqfeature.types import FloatArray, IntArray

SIDES = ("long", "short")
"""Columns of recorded totals, by the side of the position."""


def usual_liquidations(
    frame: pd.DataFrame | None, time: IntArray, interval: int, lookback: int, *, delay: int
) -> FloatArray:
    """Mean of what was recorded over the lookback before each candle.

    Parameters
    ----------
    frame : DataFrame or None
        `date, long, short`: opening of a period and the notional liquidated within it, quote currency. NaN,
        or no row, where nothing was recorded; 0 where nothing was liquidated. Periods are of the candles'
        timeframe or a multiple of it.
    time : ndarray of shape (n,)
        Opening of each candle in milliseconds.
    interval : int
        Milliseconds from one candle to the next.
    lookback : int
        Candles.
    delay : int
        Milliseconds after the end of a period from which its total is known: prints of a candle's last moment
        may reach a bot after it has analysed the candle.

    Returns
    -------
    ndarray of shape (2, n)
        Quote currency per candle, longs first; NaN where some of the lookback was not recorded.

    Raises
    ------
    MissingColumnError, DataError
        Naming the column, the rule and the value received.
    """
    usual = np.full((2, time.size), np.nan)
    if frame is None or len(frame) < 2 or time.size == 0:
        return usual
    stamp = times(frame, "liquidations")
    period = _period(stamp, interval)
    window = lookback * interval // period
    if window == 0:
        return usual
    row = (stamp - stamp[0]) // period
    totals = np.full((2, int(row[-1]) + 1), np.nan)
    for side, column in enumerate(SIDES):
        totals[side, row] = _amounts(frame, column)
    last = (time + interval - delay - stamp[0]) // period - 1
    inside = (last >= 0) & (last < totals.shape[1])
    for side in range(2):
        recorded = trailing_sum((~np.isnan(totals[side])).astype(np.float64), window)
        total = trailing_sum(np.nan_to_num(totals[side]), window)
        mean = np.where(recorded == window, total / window * (interval / period), np.nan)
        usual[side, inside] = mean[last[inside]]
    return usual


def _period(stamp: IntArray, interval: int) -> int:
    period = int(np.min(np.diff(stamp)))
    if period % interval:
        minutes = (interval / 60_000, period / 60_000)
        msg = (
            "liquidations: periods must be of the candles' timeframe or a multiple of it, "
            f"{minutes[0]:g} minutes, received {minutes[1]:g}"
        )
        raise DataError(msg)
    if (odd := np.flatnonzero(stamp % period)).size:
        at = pd.Timestamp(int(stamp[odd[0]]), unit="ms", tz="UTC")
        msg = (
            f"liquidations: column 'date' must hold the opening of periods of {period // 60_000} minutes, "
            f"received {at} in row {odd[0]}"
        )
        raise DataError(msg)
    return period


def _amounts(frame: pd.DataFrame, column: str) -> FloatArray:
    amount = numbers(frame, column, "liquidations")
    wrong = (amount < 0) | np.isinf(amount)
    if wrong.any():
        msg = f"liquidations: column {column!r} must be finite and at least 0, received {amount[wrong][0]}"
        raise DataError(msg)
    return amount
