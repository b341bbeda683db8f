"""What the market consists of, as plain records and arrays that compiled code can change in place.

A class whose fields are only annotated is the layout of a NumPy record: `record_type` turns it into a dtype
of float64 and int64 fields. Amounts are base currency, prices quote per base, levels in log price where the
name says so; a step is ten seconds.
"""

from typing import Any, NamedTuple

import numpy as np

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


class Now:
    """The state that is not one of a position."""

    # Prices: logs, except `last` and `mark`; cells of the mark and of the nearest triggers on either side.
    efficient: float
    premium: float
    basis_average: float
    last: float
    mark: float
    mark_cell: int
    nearest_long: int
    nearest_short: int
    # Flow: base amount that market makers still have to pass on; forced share of it in units of depth; trend.
    flow: float
    stress: float
    momentum: float
    # Volatility: two factors of its log, and their sum.
    fast: float
    slow: float
    log_ratio: float
    # Open positions with leverage, base, and the bookkeeping of arrays.
    long_amount: float
    short_amount: float
    n_live: int
    n_events: int
    n_forced: int
    next_number: int
    # The running minute and the running funding interval.
    minute: int
    step: int
    traded: float
    bought: float
    premium_sum: float
    premium_count: int


class Position:
    """One leveraged position, and its places in the lists of the book."""

    number: int
    side: int
    amount: float
    entry_price: float
    margin: float
    isolated: int
    liquidation_price: float
    stop_price: float
    call_price: float
    trigger_price: float
    slot: int
    place: int
    head: int
    before: int
    after: int
    expiry_head: int
    expiry_before: int
    expiry_after: int


class Minute:
    """One row of the tape."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float
    taker_buy_volume: float
    mark_open: float
    mark_high: float
    mark_low: float
    mark_close: float
    open_interest: float
    funding_rate: float


class Event:
    """One change of a position."""

    minute: int
    number: int
    side: int
    change: float
    liquidation_price: float
    reason: int


class ForcedOrder:
    """One liquidation."""

    millisecond: int
    side: int
    price: float
    bankruptcy_price: float
    amount: float


class Rules:
    """Parameters in the units of the kernels: per step, base currency, log price."""

    first_minute: int
    reference: float
    # price
    volatility: float
    usual_volatility: float
    fast_pull: float
    fast_kick: float
    slow_pull: float
    slow_kick: float
    down_volatility: float
    jump_rate: float
    jump_size: float
    down_jump_share: float
    jump_compensation: float
    anchor_pull: float
    # impact
    daily_volatility: float
    depth: float
    flow_pull: float
    permanent_pull: float
    stress_unit: float
    stress_cap: float
    stress_pull: float
    # premium, mark price and funding
    premium_pull: float
    premium_gain: float
    basis_pull: float
    interest_rate: float
    funding_cap: float
    # traders
    arrivals: float
    size_location: float
    size_sigma: float
    momentum_pull: float
    momentum_scale: float
    trend_following: float
    contrarian: float
    long_bias: float
    premium_aversion: float
    paired_share: float
    paired_leverage: float
    cross_share: float
    cross_sigma: float
    stop_share: float
    top_up_share: float
    holding_median: float
    holding_sigma: float
    absorbed_share: float
    # everybody else
    hedged: float
    background_volume: float


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


def record_type(layout: type) -> np.dtype[np.void]:
    """Return the dtype of records with the annotated fields of a class."""
    kinds = {float: np.float64, int: np.int64}
    return np.dtype([(name, kinds[kind]) for name, kind in layout.__annotations__.items()])


def records(layout: type, size: int) -> Any:
    """Return `size` records of zeros whose fields are attributes."""
    return np.zeros(size, record_type(layout)).view(np.recarray)


def record(layout: type, **values: float) -> Any:
    """Return one record: every field not named is zero; an unknown name is a TypeError."""
    if unknown := values.keys() - layout.__annotations__.keys():
        message = f"{layout.__name__} has no field {sorted(unknown)}"
        raise TypeError(message)
    row = records(layout, 1)[0]
    for name, value in values.items():
        setattr(row, name, value)
    return row


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
