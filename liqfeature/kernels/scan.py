"""The model's order of events, candle by candle."""

import math
from typing import NamedTuple

import numpy as np

from liqfeature.compiled import compiled, inlined
from liqfeature.kernels.book import HELD, Book, Mixture, deposit, pay_funding, shrink, turn_generation, wipe
from liqfeature.kernels.clearing import FIRST, LAST, RESTED, SHARE
from liqfeature.kernels.read import Reading, read
from liqfeature.kernels.usual import Usual
from liqfeature.types import LONG, FloatArray, IntArray


class Tape(NamedTuple):
    """One entry per candle. Prices are in bins: `ln(price) / width`, fractional, from the grid's origin."""

    tick: IntArray  # number of the candle, counted in absolute time
    high: FloatArray
    low: FloatArray
    close: FloatArray
    touched_high: FloatArray  # how far shorts were liquidated
    touched_low: FloatArray  # how far longs were liquidated
    volume: FloatArray  # base
    open_interest: FloatArray  # base, one side, in force from this candle's late row on
    carried: FloatArray  # share of everything that a fall of open interest leaves
    late: FloatArray  # amount per side that a rise of open interest opened, base
    late_first: IntArray  # first row to which that rise belongs
    late_stop: IntArray  # row after the last to which it belongs
    kept: FloatArray  # (2, n): share of everything of a holding that this candle's closing leaves
    opened: FloatArray  # (2, n): amount per side opened, base, were everything of that holding
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
    read_from: int,
) -> None:
    """Walk the candles `first` to `stop`, changing the book and writing the columns.

    Row t is written from candles up to t alone, at the close of t; none is before `read_from`. `columns` has
    shape (2, n_readings, n), `swept` (4, 2, n): amount, notional, notional within the horizon, and the level
    that a cascade exceeds, 0 before there is one; `nearest` is explained in kernels/clearing.py.
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
        for holding in range(2):
            shrink(book, holding, tape.kept[holding, t])
        open_positions(tape, t, mixture, book, entries, shares, length)
        if t < read_from:
            continue
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
    for holding in range(2):
        shrink(book, holding, tape.carried[t])
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
            for holding in range(2):
                deposit(book, mixture, holding, entries, shares, amount, opened_at, under, over)
        below, above = min(below, tape.touched_low[u]), max(above, tape.touched_high[u])


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
    lowest, highest = math.floor(tape.touched_low[t]), math.floor(tape.touched_high[t])
    known = max(t - 1, 0)
    for side in range(2):
        first = lowest if side == LONG else before
        last = before if side == LONG else highest
        inner, outer = nearest[side, FIRST, known], nearest[side, LAST, known]
        amount, notional, of_nearest = 0.0, 0.0, 0.0
        for b in range(first, last + 1):
            held = wipe(book, side, b)
            amount += held
            notional += held * centre[b]
            of_nearest += held if inner <= b <= outer else 0.0
        swept[0, side, t] = amount
        swept[1, side, t] = notional
        if of_nearest > 0.0:
            nearest[side, SHARE, t] = min(of_nearest / nearest[side, RESTED, known], 1.0)


@inlined
def open_positions(
    tape: Tape, t: int, mixture: Mixture, book: Book, entries: FloatArray, shares: FloatArray, length: int
) -> None:
    """Open this candle's positions at prices inside it, strictly beyond its close."""
    if tape.opened[HELD, t] <= 0.0:
        return
    _entry_prices(tape, t, entries)
    price_bin = math.floor(tape.close[t])
    opened_at = float(tape.tick[t] - book.clock[0] * length)
    for holding in range(2):
        amount = tape.opened[holding, t]
        deposit(book, mixture, holding, entries, shares, amount, opened_at, price_bin, price_bin)


@inlined
def _entry_prices(tape: Tape, t: int, entries: FloatArray) -> None:
    """Three entry prices: the typical one, and half-way from it to the low and to the high."""
    typical = 0.25 * (tape.high[t] + tape.low[t]) + 0.5 * tape.close[t]
    entries[0] = 0.5 * (tape.low[t] + typical)
    entries[1] = typical
    entries[2] = 0.5 * (tape.high[t] + typical)
