"""The book of open amounts by liquidation price: generations, deposits, sweeps.

Bins count from the grid's origin; longs lie below price, shorts above. Amounts are stored divided by `scale`,
so that shrinking everything costs one multiplication.
"""

import math
from typing import NamedTuple

from liqfeature.compiled import compiled, inlined
from liqfeature.types import LONG, SHORT, FloatArray, IntArray

SMALLEST_SCALE = 1e-100
"""Below it the scale is folded into the amounts, long before a division by it could overflow."""


class Book(NamedTuple):
    """Open amount by side and bin, kept in generations so that the oldest can be forgotten exactly.

    `older` is the sum of all generations but the current one: what is live is (older + current) * scale.
    `moment` is amount times the candle of its opening, counted from the start of the amount's generation;
    `older_moment` counts from the start of the current one. `span` holds the lowest and highest bin in use,
    `clock` the current generation, `funding` the part of a bin, at most half of one, by which funding moved
    each generation's liquidation prices and the book did not.
    """

    amount: FloatArray  # (n_generations, 2, n_bins)
    moment: FloatArray  # (n_generations, 2, n_bins)
    funding: FloatArray  # (n_generations,)
    older: FloatArray  # (2, n_bins)
    older_moment: FloatArray  # (2, n_bins)
    scale: FloatArray  # (1,)
    span: IntArray  # (2, 2): side; lowest, highest
    clock: IntArray  # (1,)


class Mixture(NamedTuple):
    """What one opened unit becomes: distance to liquidation and weight, by side and leverage level."""

    offset: FloatArray  # (2, n_levels), in bins, below 0 for longs
    weight: FloatArray  # (2, n_levels), each row sums to the share that such positions have


@compiled
def fold(book: Book) -> None:
    """Multiply the scale into the amounts and start again at 1."""
    scale = book.scale[0]
    for side in range(2):
        first, stop = book.span[side, 0], book.span[side, 1] + 1
        book.older[side, first:stop] *= scale
        book.older_moment[side, first:stop] *= scale
        for slot in range(book.amount.shape[0]):
            book.amount[slot, side, first:stop] *= scale
            book.moment[slot, side, first:stop] *= scale
    book.scale[0] = 1.0


@inlined
def wipe(book: Book, side: int, lowest: int, highest: int) -> float:
    """Set the bins from `lowest` to `highest`, both included, to zero; return the live amount they held."""
    held = 0.0
    current = book.clock[0] % book.amount.shape[0]
    for b in range(max(lowest, book.span[side, 0]), min(highest, book.span[side, 1]) + 1):
        amount = book.older[side, b] + book.amount[current, side, b]
        if amount != 0.0:
            held += amount
            book.older[side, b] = 0.0
            book.older_moment[side, b] = 0.0
            for slot in range(book.amount.shape[0]):
                book.amount[slot, side, b] = 0.0
                book.moment[slot, side, b] = 0.0
    return held * book.scale[0]


@inlined
def shrink(book: Book, kept: float) -> None:
    """Keep a share of everything that is live; a share of 0 forgets it all."""
    if kept == 1.0:
        return
    if kept <= 0.0:
        for side in range(2):
            wipe(book, side, book.span[side, 0], book.span[side, 1])
        return
    book.scale[0] *= kept
    if book.scale[0] < SMALLEST_SCALE:
        fold(book)


@compiled
def turn_generation(book: Book, generation: int, length: int) -> None:
    """Begin a generation: forget those too old, and sum the rest anew, oldest first.

    The fixed order makes the sums the same to the last bit wherever the frame began, and leaves no residue
    of what was forgotten.
    """
    n_generations = book.amount.shape[0]
    fold(book)
    for g in range(max(book.clock[0] + 1, generation - n_generations + 1), generation + 1):
        book.amount[g % n_generations] = 0.0
        book.moment[g % n_generations] = 0.0
        book.funding[g % n_generations] = 0.0
    book.clock[0] = generation
    for side in range(2):
        _rebuild(book, side, length)


@compiled
def pay_funding(book: Book, bins: float, length: int, price_bin: int) -> None:
    """Move the liquidation price of everything live by a payment: up where longs pay shorts, else down.

    A payment changes the margin behind a position, and with it the log of its liquidation price by about the
    payment's share of notional. Whole bins are moved; what would lie at or past price waits beside it to be
    swept.
    """
    reach = 0
    for slot in range(book.funding.shape[0]):
        book.funding[slot] += bins
        shift = math.floor(book.funding[slot] + 0.5)
        if shift != 0:
            book.funding[slot] -= shift
            _move(book, slot, shift, price_bin)
            reach = max(reach, abs(shift))
    if reach > 0:
        for side in range(2):
            book.span[side, 0] = max(book.span[side, 0] - reach, 0)
            book.span[side, 1] = min(book.span[side, 1] + reach, book.older.shape[1] - 1)
            _rebuild(book, side, length)


@inlined
def _move(book: Book, slot: int, shift: int, price_bin: int) -> None:
    n_bins = book.older.shape[1]
    for side in range(2):
        first, last = book.span[side, 0], book.span[side, 1]
        for i in range(last - first + 1):
            b = last - i if shift > 0 else first + i
            beside = min(b + shift, price_bin - 1) if side == LONG else max(b + shift, price_bin + 1)
            target = min(max(beside, 0), n_bins - 1)
            amount, moment = book.amount[slot, side, b], book.moment[slot, side, b]
            book.amount[slot, side, b] = 0.0
            book.moment[slot, side, b] = 0.0
            book.amount[slot, side, target] += amount
            book.moment[slot, side, target] += moment


@compiled
def _rebuild(book: Book, side: int, length: int) -> None:
    n_generations = book.amount.shape[0]
    first, last = book.span[side, 0], book.span[side, 1]
    older, older_moment = book.older[side], book.older_moment[side]
    older[first : last + 1] = 0.0
    older_moment[first : last + 1] = 0.0
    for age in range(n_generations - 1, 0, -1):
        slot = (book.clock[0] - age) % n_generations
        elapsed = float(age * length)
        for b in range(first, last + 1):
            amount = book.amount[slot, side, b]
            older[b] += amount
            older_moment[b] += book.moment[slot, side, b] - elapsed * amount
    current = book.amount[book.clock[0] % n_generations, side]
    while first <= last and older[first] == 0.0 and current[first] == 0.0:
        first += 1
    while first <= last and older[last] == 0.0 and current[last] == 0.0:
        last -= 1
    book.span[side, 0] = first if first <= last else older.shape[0]
    book.span[side, 1] = last if first <= last else -1


@inlined
def deposit(
    book: Book,
    mixture: Mixture,
    entries: FloatArray,
    shares: FloatArray,
    amount: float,
    opened_at: float,
    below: int,
    above: int,
) -> None:
    """Place `amount` on each side, spread over entry prices and leverage, at the liquidation prices.

    Longs are placed strictly under bin `below`, shorts strictly over bin `above`; the rest has no place and
    joins the unlocated remainder. `entries` are in bins (fractional), `opened_at` in candles since the start
    of the current generation.
    """
    slot = book.clock[0] % book.amount.shape[0]
    unit = amount / book.scale[0]
    for side in range(2):
        amounts, moments = book.amount[slot, side], book.moment[slot, side]
        lowest, highest = book.span[side, 0], book.span[side, 1]
        for node in range(entries.shape[0]):
            part = unit * shares[node]
            for level in range(mixture.offset.shape[1]):
                b = math.floor(entries[node] + mixture.offset[side, level])
                if (side == LONG and b < below) or (side == SHORT and b > above):
                    placed = part * mixture.weight[side, level]
                    amounts[b] += placed
                    moments[b] += placed * opened_at
                    lowest = min(lowest, b)
                    highest = max(highest, b)
        book.span[side, 0] = lowest
        book.span[side, 1] = highest
