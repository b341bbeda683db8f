"""Totals that came late, or were revised: each row counts from the moment when it was available.

A vendor gives out history on request, and revises it. What a bot could know at a candle's close is, of each
period, the newest row that had arrived by then.
"""

import numpy as np
import pandas as pd

from liqfeature.durations import MINUTE
from liqfeature.errors import DataError
from liqfeature.market.frames import amounts, moments, require_column
from liqfeature.sides import SIDES
from liqfeature.types import FloatArray, IntArray

AVAILABLE = "available"
"""Column of the moment from which a row could be known."""


def arrivals(frame: pd.DataFrame, name: str) -> IntArray:
    """Column `available` in milliseconds since 1970.

    Raises
    ------
    MissingColumnError, DataError
        Naming the column, the rule and the value received.
    """
    require_column(frame, AVAILABLE, name)
    return moments(frame[[AVAILABLE]].rename(columns={AVAILABLE: "date"}), f"{name}, column {AVAILABLE!r}")


def newest(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the newest revision of each date, ascending; the frame itself where it does not say when."""
    if AVAILABLE not in frame:
        return frame
    ordered = frame.sort_values(["date", AVAILABLE], kind="stable")
    return ordered.drop_duplicates("date", keep="last").reset_index(drop=True)


def usual_by_arrival(
    frame: pd.DataFrame, now: IntArray, interval: int, lookback: int, held: int
) -> FloatArray:
    """Mean of the totals over the lookback that ends with the last period known at each moment.

    Parameters
    ----------
    frame : DataFrame
        `date, available, long, short`; rows of the same date are revisions.
    now : ndarray of shape (n,)
        Moments in milliseconds, ascending.
    interval : int
        Milliseconds of a candle.
    lookback : int
        Candles.
    held : int
        Milliseconds for which the last period that is known stands in for later ones.

    Returns
    -------
    ndarray of shape (2, n)
        Quote currency per candle, longs first; NaN where some of the lookback is not known.

    Raises
    ------
    MissingColumnError, DataError
        Naming the column, the rule and the value received.
    """
    usual = np.full((2, now.size), np.nan)
    stamp, arrived = moments(frame, "liquidations"), arrivals(frame, "liquidations")
    amount = np.stack([amounts(frame, side, "liquidations") for side in SIDES])
    own = own_period(np.unique(stamp), interval)
    period = max(own, interval)
    window = lookback * interval // period
    if window == 0:
        return usual
    begin, parts = int(np.min(stamp)) // period, period // own
    state = np.full((2, (int(np.max(stamp)) // period + 1 - begin) * parts), np.nan)
    order = np.lexsort((stamp, arrived))
    edges = np.flatnonzero(np.diff(arrived[order], prepend=-1))
    until = np.searchsorted(now, np.append(arrived[order][edges[1:]], np.iinfo(np.int64).max))
    first = np.searchsorted(now, arrived[order][edges])
    last = -1
    for some, at, stop in zip(np.split(order, edges[1:]), first, until, strict=True):
        place = (stamp[some] - begin * period) // own
        state[:, place] = amount[:, some]
        last = max(last, int(np.max(place)) // parts)
        if at == stop:
            continue
        while last >= 0 and np.isnan(state[:, last * parts : (last + 1) * parts]).any():
            last -= 1  # a period of which a part is missing is not known yet
        begun = (last + 1 - window) * parts
        mean = np.sum(state[:, begun : (last + 1) * parts], axis=1) if begun >= 0 else np.nan
        rows = np.arange(at, stop)
        rows = rows[now[rows] - (begin + last + 1) * period <= held]
        usual[:, rows] = np.broadcast_to(mean, (2,))[:, None] / window * (interval / period)
    return usual


def own_period(time: IntArray, period: int) -> int:
    """Return the period of totals, by their openings; a DataError if it does not go with another."""
    own = int(np.min(np.diff(time))) if time.size > 1 else period
    if max(own, period) % min(own, period):
        message = (
            f"liquidations: periods must divide {period / MINUTE:g} minutes or be a multiple of them, "
            f"received {own / MINUTE:g}"
        )
        raise DataError(message)
    if (odd := np.flatnonzero(time % own)).size:
        at = pd.Timestamp(int(time[odd[0]]), unit="ms", tz="UTC")
        message = (
            f"liquidations: column 'date' must hold the opening of periods of {own / MINUTE:g} minutes, "
            f"received {at} in row {odd[0]}"
        )
        raise DataError(message)
    return own
