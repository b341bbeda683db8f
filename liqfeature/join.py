"""Which row of open interest and which funding payment is known at a candle's close."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from liqfeature.errors import DataError
from liqfeature.tables import numbers, require_column, times
from liqfeature.types import FloatArray, IntArray

OPEN_INTEREST_COLUMNS = ("open_interest_amount", "open_interest_value")

PRICE_TOLERANCE = 2.0
"""Open-interest value over amount is a price: a row whose price is off by more belongs to another pair."""

FUNDING_REFRESH = 3_600_000
"""Milliseconds after which a live bot, which loads funding hourly, knows a payment for certain."""

MOST_FUNDING = 0.1
"""Exchanges cap a payment at a few percent of notional."""


FIRST_USABLE = 2
"""The first row that has two before it, by which its period is known."""


class KnownOpenInterest(NamedTuple):
    """Open interest at each candle; see the fields of the same names of `Candles`."""

    amount: FloatArray
    staleness: FloatArray
    late_first: IntArray
    late_stop: IntArray


def join_open_interest(
    frame: pd.DataFrame | None,
    time: IntArray,
    close: FloatArray,
    interval: int,
    lookback: int,
    *,
    in_contracts: bool,
) -> KnownOpenInterest:
    """Find the row of open interest known at each candle, and the candles to which its change belongs.

    A row stamped t is the state at t. With rows a period T apart it is usable by the candle whose close is at
    or after t + T, since a live bot drops the newest row as incomplete. Rows finer than the candles are
    thinned to the candles' openings, so that a change always belongs to whole candles.

    Parameters
    ----------
    frame : DataFrame or None
        `date, open_interest_amount, open_interest_value`; either column may be absent or empty. The amount is
        preferred, since value mixes in price. Rows that are NaN or 0, or whose value over amount is not near
        the price, are passed over.
    time, close : ndarray of shape (n,)
        Opening of each candle in milliseconds, and its close.
    interval : int
        Milliseconds from one candle to the next.
    lookback : int
        Candles within which the row and the two before it must lie: sparser open interest tells no more than
        volume, and an older row would make memory longer than the warm-up.
    in_contracts : bool
        Take the value over the price, because the amount counts contracts of unknown size.

    Returns
    -------
    KnownOpenInterest
    """
    rows = np.arange(time.size, dtype=np.int64)
    nothing = np.full(time.size, np.nan)
    if frame is None or frame.empty or time.size == 0:
        return KnownOpenInterest(nothing, nothing, rows, rows)
    stamp, amount = _amounts(frame, time, close, in_contracts=in_contracts)
    if stamp.size < FIRST_USABLE + 1:
        return KnownOpenInterest(nothing, nothing, rows, rows)
    closing, usable = time + interval, _usable_at(stamp, lookback * interval)
    used = np.searchsorted(usable, closing, side="right") - 1
    used = np.minimum(used, np.searchsorted(stamp, time, side="right") - 1)
    known = (used >= FIRST_USABLE) & (closing - stamp[used - FIRST_USABLE] <= lookback * interval)
    used = np.maximum(used, FIRST_USABLE)
    previous = stamp[np.concatenate([used[:1], used[:-1]])]
    late_first = np.clip(np.searchsorted(time, previous, side="right") - 1, 0, rows)
    late_stop = np.clip(np.searchsorted(time, stamp[used], side="left"), late_first, rows)
    return KnownOpenInterest(
        amount=np.where(known, amount[used], np.nan),
        staleness=np.where(known, (closing - usable[used]) / interval, np.nan),
        late_first=late_first.astype(np.int64),
        late_stop=late_stop.astype(np.int64),
    )


def _usable_at(stamp: IntArray, longest: int) -> IntArray:
    """When each row may be used: a period after its stamp, the shorter of its last two steps.

    Neither a single gap nor a later row changes it. The first two rows, never used, count as periods of 0;
    so do the first two after a gap longer than `longest`: what lay before it is forgotten. A row between two
    gaps, never used either, does not hold back those after it for longer than `longest`.
    """
    step = np.diff(stamp, prepend=stamp[:1])
    step = np.where(step > longest, 0, step)
    period = np.minimum(step, np.concatenate([step[:1], step[:-1]]))
    return np.maximum.accumulate(stamp + np.minimum(period, longest))


def _amounts(
    frame: pd.DataFrame, time: IntArray, close: FloatArray, *, in_contracts: bool
) -> tuple[IntArray, FloatArray]:
    """Stamps and amounts, base currency, of the rows that can be used."""
    stamp = times(frame, "open interest")
    if not any(column in frame.columns for column in OPEN_INTEREST_COLUMNS):
        require_column(frame, OPEN_INTEREST_COLUMNS[0], "open interest")
    amount, value = (_positive(frame, column) for column in OPEN_INTEREST_COLUMNS)
    price = close[np.clip(np.searchsorted(time, stamp, side="left") - 1, 0, None)]
    if in_contracts:
        amount = value / price
    off = value / amount / price
    foreign = (off > PRICE_TOLERANCE) | (off < 1 / PRICE_TOLERANCE)
    amount = np.where(np.isfinite(amount), amount, value / price)
    usable = np.isfinite(amount) & ~foreign
    return stamp[usable], amount[usable]


def _positive(frame: pd.DataFrame, column: str) -> FloatArray:
    """Column with NaN for 0, which some feeds give where they know nothing; all NaN where it is absent."""
    if column not in frame.columns:
        return np.full(len(frame), np.nan)
    values = numbers(frame, column, "open interest")
    if (values < 0).any():
        msg = f"open interest: column {column!r} must be at least 0, received {values[values < 0][0]}"
        raise DataError(msg)
    return np.where(values > 0, values, np.nan)


def join_funding(frame: pd.DataFrame | None, time: IntArray, interval: int) -> FloatArray:
    """Sum the payments that became known with each candle.

    Parameters
    ----------
    frame : DataFrame or None
        `date` and `funding_rate` (or `open`, its older name); NaN counts as no payment.
    time : ndarray of shape (n,)
        Opening of each candle in milliseconds.
    interval : int
        Milliseconds from one candle to the next.

    Returns
    -------
    ndarray of shape (n,)
        Fraction of notional that longs paid, 0 where nothing fell due.
    """
    funding = np.zeros(time.size)
    if frame is None or frame.empty or time.size == 0:
        return funding
    known_at = times(frame, "funding") + FUNDING_REFRESH
    column = "open" if "funding_rate" not in frame.columns and "open" in frame.columns else "funding_rate"
    rate = np.nan_to_num(numbers(frame, column, "funding"), posinf=np.inf, neginf=-np.inf)
    if (wrong := np.abs(rate) > MOST_FUNDING).any():
        rule = f"a fraction of notional within {MOST_FUNDING} of 0"
        msg = f"funding: column {column!r} must be {rule}, received {rate[wrong][0]}"
        raise DataError(msg)
    row = np.searchsorted(time + interval, known_at, side="left")
    inside = (row < time.size) & (known_at > time[0])
    np.add.at(funding, row[inside], rate[inside])
    return funding


def join_mark(
    frame: pd.DataFrame | None, time: IntArray, interval: int, high: FloatArray, low: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Find the highest and lowest mark price of each candle.

    Liquidations are triggered by the mark price, an average over exchanges: a wick of the last price on one
    of them liquidates nobody that the mark did not reach.

    Parameters
    ----------
    frame : DataFrame or None
        `date, high, low` of the mark price, of the candles' timeframe. Rows that are NaN or not above 0 are
        passed over.
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
        minutes = (interval // 60_000, int(np.min(steps)) // 60_000)
        msg = f"mark candles must have the candles' timeframe of {minutes[0]} minutes, received {minutes[1]}"
        raise DataError(msg)
    highest, lowest = numbers(frame, "high", "mark candles"), numbers(frame, "low", "mark candles")
    row = np.clip(np.searchsorted(stamp, time), 0, stamp.size - 1)
    sound = (lowest > 0) & (highest >= lowest)
    known = (stamp[row] == time) & sound[row]
    mark_high[known], mark_low[known] = highest[row[known]], lowest[row[known]]
    return mark_high, mark_low
