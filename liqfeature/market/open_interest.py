"""Open interest: which row is known at a candle's close, and to which candles its change belongs."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from liqfeature.market.interest_rows import Rows, rows_of
from liqfeature.market.rule import JoinRule
from liqfeature.market.stamps import meaning_shown
from liqfeature.types import FloatArray, IntArray

FIRST_USABLE = 2
"""The first row that has two before it, by which its period is known."""


class KnownOpenInterest(NamedTuple):
    """Open interest at each candle; see the fields of the same names of `Market`."""

    amount: FloatArray
    staleness: FloatArray
    late_first: IntArray
    late_stop: IntArray
    contract_size: FloatArray
    period: FloatArray


def join_open_interest(
    frame: pd.DataFrame | None, time: IntArray, close: FloatArray, interval: int, rule: JoinRule
) -> KnownOpenInterest:
    """Find the row of open interest known at each candle, and the candles to which its change belongs.

    A row is the state at the moment when it was taken: at its stamp, or a period later (`stamps`). With rows
    a period T apart it is usable by the candle whose close is at or after that moment + T, since a live bot
    drops the newest row as incomplete. Rows finer than the candles are thinned to the candles' openings, so
    that a change always belongs to whole candles.

    Parameters
    ----------
    frame : DataFrame or None
        `date, open_interest_amount, open_interest_value`, and `available` where rows may come late; see
        `rows_of`.
    time, close : ndarray of shape (n,)
        Opening of each candle in milliseconds, and its close.
    interval : int
        Milliseconds from one candle to the next.
    rule : JoinRule
        Within its `lookback` the row and the two before it must lie: sparser open interest tells no more than
        volume, and an older row would make memory longer than the warm-up.

    Returns
    -------
    KnownOpenInterest
        `contract_size` in base currency, NaN where no row is known.
    """
    candle, nothing = np.arange(time.size, dtype=np.int64), np.full(time.size, np.nan)
    if frame is None or frame.empty or time.size == 0:
        return KnownOpenInterest(nothing, nothing, candle, candle, nothing, nothing)
    rows, longest = rows_of(frame, time, close, rule), rule.lookback * interval
    if rows.stamp.size <= FIRST_USABLE:
        return KnownOpenInterest(nothing, nothing, candle, candle, nothing, nothing)
    row, taken, usable = _in_force(rows, time, close, interval, rule)
    oldest = rows.stamp[np.maximum(row - FIRST_USABLE, 0)]
    known = (row >= FIRST_USABLE) & (time + interval - oldest <= longest)
    before = np.concatenate([taken[:1], taken[:-1]])
    late_first = np.clip(np.searchsorted(time, before, side="right") - 1, 0, candle)
    late_stop = np.clip(np.searchsorted(time, taken, side="left"), late_first, candle)
    return KnownOpenInterest(
        amount=np.where(known, rows.amount[row], np.nan),
        staleness=np.where(known, (time + interval - usable) / interval, np.nan),
        late_first=late_first.astype(np.int64),
        late_stop=late_stop.astype(np.int64),
        contract_size=np.where(known, rows.contract_size[row], np.nan),
        period=np.where(known, _periods(rows)[row] / interval, np.nan),
    )


def _periods(rows: Rows) -> IntArray:
    """Milliseconds from one row to the next: of the last two steps the shorter.

    No single gap changes it, and no later row.
    """
    step = np.diff(rows.stamp, prepend=rows.stamp[:1])
    period: IntArray = np.minimum(step, np.concatenate([step[:1], step[:-1]]))
    return period


def _in_force(
    rows: Rows, time: IntArray, close: FloatArray, interval: int, rule: JoinRule
) -> tuple[IntArray, IntArray, IntArray]:
    """Find at each candle the last row that may be used, when it was taken and from when it is usable.

    Where there is none yet, the row is 0 and the moments are the candle's opening.
    """
    longest, closing = rule.lookback * interval, time + interval
    step = np.diff(rows.stamp, prepend=rows.stamp[:1])
    step_before = np.concatenate([step[:1], step[:-1]])
    period = _periods(rows)
    shown = meaning_shown(rows, period, closing, close, lookback=rule.lookback, interval=interval)
    found = np.stack([np.zeros_like(time), time, time])
    for meaning in np.flatnonzero(np.bincount(shown)):
        late = np.broadcast_to((False, True, rows.stamp >= rule.opening_since)[meaning], period.shape)
        wait = np.where(late, 2, 1) * period
        # A row that is too old before its wait is over is never used, and holds back no other.
        usable = np.flatnonzero(step_before + step + wait <= longest)
        usable = usable[usable >= FIRST_USABLE]
        taken = np.maximum.accumulate((rows.stamp + np.where(late, period, 0))[usable])
        due = np.maximum.accumulate(np.maximum(rows.stamp + wait, rows.available)[usable])
        last = np.searchsorted(due, closing, side="right")
        last = np.minimum(last, np.searchsorted(taken, time, side="right")) - 1
        at = (shown == meaning) & (last >= 0)
        found[:, at] = usable[last[at]], taken[last[at]], due[last[at]]
    return found[0], found[1], found[2]
