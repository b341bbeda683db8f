"""The state of a simulated market: records, arrays of records, and the lists that link them."""

from typing import Any, NamedTuple

import numpy as np

from liqfeature.durations import MINUTE
from liqfeature.sandbox.simulation.kernels.layout import Event, ForcedOrder, Position, records
from liqfeature.types import FloatArray, IntArray

STEPS = 6
"""Steps per minute."""

MINUTE_MILLISECONDS, STEP_MILLISECONDS = MINUTE, 10_000

CELL = 0.0005
"""Width in log price of the cells that list positions, so that a sweep visits only what it reaches."""

N_CELLS = 16_384
"""Cells, centred on the first price; prices beyond are listed in the outermost."""

WHEEL = 65_536
"""Minutes ahead that the list of expiries covers: no position is held longer than 45 days."""

MAX_ARRIVALS = 256
"""Most traders that arrive in one step, so that the room a minute needs is known beforehand."""

NOBODY = -1
"""End of a list, or in no list."""

OPEN, CLOSE, STOP, LIQUIDATION, MARGIN, FUNDING = range(6)
REASONS = ("open", "close", "stop", "liquidation", "margin", "funding")
"""Why a position changed, by code."""


class Ledger(NamedTuple):
    """All open leveraged positions, and the lists to find them by.

    Parameters
    ----------
    positions : record array of Position, shape (capacity,)
        By slot; a slot is free again once its position is closed. The field `slot` does not belong to the
        record that it is in: read along the array, it is a permutation of the slots, of which the first
        `n_live` are in use.
    heads : int array, shape (2 * N_CELLS + WHEEL,)
        First slots of the lists of positions with a trigger price in a cell, longs and then shorts, and of
        positions that their owners close in a minute.
    """

    positions: Any
    heads: IntArray


class Log(NamedTuple):
    """Record arrays of Event and ForcedOrder, filled up to the counts in `Now`."""

    events: Any
    forced: Any


class State(NamedTuple):
    """All that compiled code works on.

    Each array that is passed to a function costs two atomic instructions. Functions that run in every step
    therefore take records, which cost none; only rare ones take the whole state.

    Parameters
    ----------
    now : record of Now
    rules : record of Rules
    rows : record array of Minute, shape (n_minutes,)
        The tape, from the first minute of the burn-in on.
    ledger : Ledger
    log : Log
    tiers : float array, shape (n_tiers, 4)
        Largest notional, highest leverage, maintenance margin rate, maintenance amount; ascending.
    ladder : float array, shape (n_levels, 3)
        Leverage, and the cumulated share of traders who choose up to it, of longs and of shorts.
    rng : Generator
        The only source of randomness.
    """

    now: Any
    rules: Any
    rows: Any
    ledger: Ledger
    log: Log
    tiers: FloatArray
    ladder: FloatArray
    rng: np.random.Generator


def empty_ledger(capacity: int) -> Ledger:
    """Return a ledger without positions."""
    positions = records(Position, capacity)
    positions.slot = np.arange(capacity)
    return Ledger(positions=positions, heads=np.full(2 * N_CELLS + WHEEL, NOBODY, np.int64))


def larger_ledger(ledger: Ledger) -> Ledger:
    """Return the same ledger with twice the slots."""
    capacity = len(ledger.positions)
    positions = records(Position, 2 * capacity)
    positions[:capacity] = ledger.positions
    positions.slot[capacity:] = np.arange(capacity, 2 * capacity)
    return ledger._replace(positions=positions)


def empty_log(capacity: int) -> Log:
    """Return a log that takes `capacity` events."""
    return Log(events=records(Event, capacity), forced=records(ForcedOrder, capacity))
