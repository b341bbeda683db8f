"""Everything that the market consists of: records, arrays of records, and lists threaded through them."""

from typing import Any, NamedTuple

import numpy as np

from liqfeature.sandbox.kernels.layout import Event, ForcedOrder, Position, records
from liqfeature.types import FloatArray, IntArray

STEPS = 6
"""Steps per minute."""

MINUTE_MILLISECONDS, STEP_MILLISECONDS = 60_000, 10_000

CELL = 0.0005
"""Width of the cells of log price that positions are listed in, so that a sweep touches only what it hits."""

N_CELLS = 16_384
"""Cells, centred on the first price; what lies beyond is listed in the outermost."""

WHEEL = 65_536
"""Minutes that the list of expiries reaches ahead: no position is held longer than 45 days."""

MAX_ARRIVALS = 256
"""Traders that arrive in one step at most, so that the room needed by a minute is known beforehand."""

NOBODY = -1
"""End of a list, or not in one."""

OPEN, CLOSE, STOP, LIQUIDATION, MARGIN, FUNDING = range(6)
REASONS = ("open", "close", "stop", "liquidation", "margin", "funding")
"""Why a position changed, by code."""


class Book(NamedTuple):
    """All open leveraged positions, and where to find them.

    Parameters
    ----------
    positions : record array of Position, shape (capacity,)
        By slot; a slot is used again once its position is gone. The field `slot` has nothing to do with the
        record that it is in: read along the array, it is a permutation of the slots, and the first `n_live`
        are in use.
    heads : int array, shape (2 * N_CELLS + WHEEL,)
        First slots of lists: of the positions whose trigger price lies in a cell, longs and then shorts, and
        of those that their owners close in a minute.
    """

    positions: Any
    heads: IntArray


class Log(NamedTuple):
    """What is written down: record arrays of Event and ForcedOrder, filled up to the counts in `Now`."""

    events: Any
    forced: Any


class Market(NamedTuple):
    """Everything that compiled code works on.

    Each array that a function is handed costs it two atomic instructions. What runs in every step therefore
    asks for records, which cost none, and only what is rare for the whole market.

    Parameters
    ----------
    now : record of Now
    rules : record of Rules
    rows : record array of Minute, shape (n_minutes,)
        The tape, from the first minute of the burn-in on.
    book : Book
    log : Log
    tiers : float array, shape (n_tiers, 4)
        Largest notional, highest leverage, maintenance margin rate, maintenance amount; ascending.
    ladder : float array, shape (n_levels, 3)
        Leverage, and the cumulated share of traders who choose up to it, of longs and of shorts.
    rng : Generator
        The only source of chance.
    """

    now: Any
    rules: Any
    rows: Any
    book: Book
    log: Log
    tiers: FloatArray
    ladder: FloatArray
    rng: np.random.Generator


def empty_book(capacity: int) -> Book:
    """Return a book without positions."""
    positions = records(Position, capacity)
    positions.slot = np.arange(capacity)
    return Book(positions=positions, heads=np.full(2 * N_CELLS + WHEEL, NOBODY, np.int64))


def larger_book(book: Book) -> Book:
    """Return the same book with twice the slots."""
    capacity = len(book.positions)
    positions = records(Position, 2 * capacity)
    positions[:capacity] = book.positions
    positions.slot[capacity:] = np.arange(capacity, 2 * capacity)
    return book._replace(positions=positions)


def empty_log(capacity: int) -> Log:
    """Return a log that takes `capacity` events."""
    return Log(events=records(Event, capacity), forced=records(ForcedOrder, capacity))
