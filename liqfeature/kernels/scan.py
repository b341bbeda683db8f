"""The model's order of events, candle by candle."""

import math
from typing import NamedTuple

import numpy as np

from liqfeature.compiled import compiled, inlined
from liqfeature.kernels.book import Book, Mixture, deposit, pay_funding, shrink, turn_generation, wipe
from liqfeature.kernels.clearing import FIRST, HELD, LAST, SHARE
from liqfeature.kernels.read import Reading, read
from liqfeature.kernels.usual import Usual
from liqfeature.types import LONG, FloatArray, IntArray


class Tape(NamedTuple):
    """One entry per candle. Prices are in bins: `ln(price) / width`, fractional, from the grid's origin."""

    tick: IntArray  # number of the candle, counted in absolute time
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray  # base
    open_interest: FloatArray  # base, one side, in force from this candle's late row on
    carried: FloatArray  # share of everything that a fall of open interest leaves
    late: FloatArray  # amount per side that a rise of open interest opened, base
    late_first: IntArray  # first row to which that rise belongs
    late_stop: IntArray  # row after the last to which it belongs
    kept: FloatArray  # share of everything that this candle's closing leaves
    opened: FloatArray  # amount per side opened within this candle, base
    funding: FloatArray  # bins by which payments known with this candle move liquidation prices up


@compiled
def scan(
    tape: Tape,
    mixture: Mixture,
    reading: Reading,
    book: Book,
    usual: Usual,
    nearest: FloatArray,
    columns: FloatArray,
    swept: FloatArray,
    first: int,
    stop: int,
) -> None:
    """Walk the candles `first` to `stop`, changing the book and writing the columns.

    Row t is written from candles up to t alone, at the close of t. `columns` has shape (2, n_readings, n),
    `swept` (3, 2, n): amount, notional, and notional within the horizon; `nearest` is explained in
    kernels/clearing.py.
    """
    length = reading.generation
    entries, shares = np.empty(3), np.array([0.25, 0.5, 0.25])
    for t in range(first, stop):
        before = math.floor(tape.close[max(t - 1, 0)])
        generation = tape.tick[t] // length
        if generation != book.clock[0]:
            turn_generation(book, generation, length)
        if tape.funding[t] != 0.0:
            pay_funding(book, tape.funding[t], length, before)
        late_open_interest(tape, t, mixture, book, entries, shares, length)
        consume(tape, t, before, reading.centre, book, nearest, swept)
        shrink(book, tape.kept[t])
        open_positions(tape, t, mixture, book, entries, shares, length)
        read(
            tape.tick[t],
            tape.close[t],
            tape.open_interest[t],
            t,
            reading,
            book,
            usual,
            nearest,
            swept,
            columns,
        )


@inlined
def late_open_interest(
    tape: Tape, t: int, mixture: Mixture, book: Book, entries: FloatArray, shares: FloatArray, length: int
) -> None:
    """Apply the change of open interest that became known with this candle to the candles before it.

    A rise is spread by volume, at their prices, leaving out levels that price has crossed since.
    """
    shrink(book, tape.carried[t])
    first, stop = tape.late_first[t], tape.late_stop[t]
    volume = 0.0
    for u in range(first, stop):
        volume += tape.volume[u]
    if tape.late[t] <= 0.0 or volume <= 0.0:
        return
    below, above = np.inf, -np.inf
    for u in range(t - 1, first - 1, -1):
        if u < stop:
            _entry_prices(tape, u, entries)
            opened_at = float(tape.tick[u] - book.clock[0] * length)
            under = math.floor(min(below, tape.close[u]))
            over = math.floor(max(above, tape.close[u]))
            amount = tape.late[t] * (tape.volume[u] / volume)
            deposit(book, mixture, entries, shares, amount, opened_at, under, over)
        below, above = min(below, tape.low[u]), max(above, tape.high[u])


@inlined
def consume(
    tape: Tape,
    t: int,
    before: int,
    centre: FloatArray,
    book: Book,
    nearest: FloatArray,
    swept: FloatArray,
) -> None:
    """Liquidate what the candle touched: longs from its low to the previous close, shorts up to its high."""
    lowest, highest = math.floor(tape.low[t]), math.floor(tape.high[t])
    known = max(t - 1, 0)
    for side in range(2):
        first = lowest if side == LONG else before
        last = before if side == LONG else highest
        inner, outer = nearest[side, FIRST, known], nearest[side, LAST, known]
        amount, notional, of_nearest = 0.0, 0.0, 0.0
        for b in range(first, last + 1):
            held = wipe(book, side, b, b)
            amount += held
            notional += held * centre[b]
            of_nearest += held if inner <= b <= outer else 0.0
        swept[0, side, t] = amount
        swept[1, side, t] = notional
        if of_nearest > 0.0:
            nearest[side, SHARE, t] = min(of_nearest / nearest[side, HELD, known], 1.0)


@inlined
def open_positions(
    tape: Tape, t: int, mixture: Mixture, book: Book, entries: FloatArray, shares: FloatArray, length: int
) -> None:
    """Open this candle's positions at prices inside it, strictly beyond its close."""
    if tape.opened[t] <= 0.0:
        return
    _entry_prices(tape, t, entries)
    price_bin = math.floor(tape.close[t])
    opened_at = float(tape.tick[t] - book.clock[0] * length)
    deposit(book, mixture, entries, shares, tape.opened[t], opened_at, price_bin, price_bin)


@inlined
def _entry_prices(tape: Tape, t: int, entries: FloatArray) -> None:
    """Three entry prices: the typical one, and half-way from it to the low and to the high."""
    typical = 0.25 * (tape.high[t] + tape.low[t]) + 0.5 * tape.close[t]
    entries[0] = 0.5 * (tape.low[t] + typical)
    entries[1] = typical
    entries[2] = 0.5 * (tape.high[t] + typical)
