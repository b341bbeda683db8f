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


HELD, SCALPS = 0, 1
"""Order of the holdings: positions held for days, and for minutes."""


class Book(NamedTuple):
    """Open amount by holding, side and bin, kept in generations so that the oldest can be forgotten exactly.

    `older` is the sum of all generations but the current one: what is live is (older + current) * scale.
    `moment` is amount times the candle of its opening, counted from the start of the amount's generation;
    `older_moment` counts from the start of the current one. `span` holds the lowest and highest bin in use,
    `clock` the current generation, `funding` the part of a bin, at most half of one, by which funding moved
    each generation's liquidation prices and the book did not.
    """

    amount: FloatArray  # (2, n_generations, 2, n_bins)
    moment: FloatArray  # (2, n_generations, 2, n_bins)
    funding: FloatArray  # (n_generations,)
    older: FloatArray  # (2, 2, n_bins)
    older_moment: FloatArray  # (2, 2, n_bins)
    scale: FloatArray  # (2,)
    span: IntArray  # (2, 2, 2): holding; side; lowest, highest
    clock: IntArray  # (1,)


class Mixture(NamedTuple):
    """What one opened unit becomes: distance to liquidation and weight, by side and leverage level."""

    offset: FloatArray  # (2, n_levels), in bins, below 0 for longs
    weight: FloatArray  # (2, 2, n_levels): holding, side; for each side all weights sum to 1


@compiled
def fold(book: Book, holding: int) -> None:
    """Multiply the scale into the amounts and start again at 1."""
    scale = book.scale[holding]
    for side in range(2):
        first, stop = book.span[holding, side, 0], book.span[holding, side, 1] + 1
        book.older[holding, side, first:stop] *= scale
        book.older_moment[holding, side, first:stop] *= scale
        for slot in range(book.amount.shape[1]):
            book.amount[holding, slot, side, first:stop] *= scale
            book.moment[holding, slot, side, first:stop] *= scale
    book.scale[holding] = 1.0


@inlined
def live_at(book: Book, side: int, b: int) -> float:
    """Live amount in one bin."""
    slot = book.clock[0] % book.amount.shape[1]
    live = 0.0
    for holding in range(2):
        live += (book.older[holding, side, b] + book.amount[holding, slot, side, b]) * book.scale[holding]
    return live


@inlined
def wipe(book: Book, side: int, b: int) -> float:
    """Set one bin to zero; return the live amount that it held."""
    slot = book.clock[0] % book.amount.shape[1]
    live = 0.0
    for holding in range(2):
        amount = book.older[holding, side, b] + book.amount[holding, slot, side, b]
        if amount != 0.0:
            live += amount * book.scale[holding]
            book.older[holding, side, b] = 0.0
            book.older_moment[holding, side, b] = 0.0
            for generation in range(book.amount.shape[1]):
                book.amount[holding, generation, side, b] = 0.0
                book.moment[holding, generation, side, b] = 0.0
    return live


@inlined
def shrink(book: Book, holding: int, kept: float) -> None:
    """Keep a share of all that is live in one holding; a share of 0 forgets it all."""
    if kept <= 0.0:
        kept = 0.0
        book.scale[holding] = 0.0
        fold(book, holding)
    elif kept != 1.0:
        book.scale[holding] *= kept
        if book.scale[holding] < SMALLEST_SCALE:
            fold(book, holding)


@compiled
def turn_generation(book: Book, generation: int, length: int) -> None:
    """Begin a generation: forget those too old, and sum the rest anew, oldest first.

    The fixed order makes the sums the same to the last bit wherever the frame began, and leaves no residue
    of what was forgotten.
    """
    n_generations = book.amount.shape[1]
    fold(book, HELD)
    fold(book, SCALPS)
    for g in range(max(book.clock[0] + 1, generation - n_generations + 1), generation + 1):
        book.amount[:, g % n_generations] = 0.0
        book.moment[:, g % n_generations] = 0.0
        book.funding[g % n_generations] = 0.0
    book.clock[0] = generation
    for holding in range(2):
        for side in range(2):
            _rebuild(book, holding, side, length)


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
            for holding in range(2):
                _move(book, holding, slot, shift, price_bin)
            reach = max(reach, abs(shift))
    if reach > 0:
        for holding in range(2):
            for side in range(2):
                span = book.span[holding, side]
                span[0] = max(span[0] - reach, 0)
                span[1] = min(span[1] + reach, book.older.shape[2] - 1)
                _rebuild(book, holding, side, length)


@inlined
def _move(book: Book, holding: int, slot: int, shift: int, price_bin: int) -> None:
    n_bins = book.older.shape[2]
    for side in range(2):
        first, last = book.span[holding, side, 0], book.span[holding, side, 1]
        amounts, moments = book.amount[holding, slot, side], book.moment[holding, slot, side]
        for i in range(last - first + 1):
            b = last - i if shift > 0 else first + i
            beside = min(b + shift, price_bin - 1) if side == LONG else max(b + shift, price_bin + 1)
            target = min(max(beside, 0), n_bins - 1)
            amount, moment = amounts[b], moments[b]
            amounts[b] = 0.0
            moments[b] = 0.0
            amounts[target] += amount
            moments[target] += moment


@compiled
def _rebuild(book: Book, holding: int, side: int, length: int) -> None:
    n_generations = book.amount.shape[1]
    first, last = book.span[holding, side, 0], book.span[holding, side, 1]
    older, older_moment = book.older[holding, side], book.older_moment[holding, side]
    older[first : last + 1] = 0.0
    older_moment[first : last + 1] = 0.0
    for age in range(n_generations - 1, 0, -1):
        slot = (book.clock[0] - age) % n_generations
        elapsed = float(age * length)
        for b in range(first, last + 1):
            amount = book.amount[holding, slot, side, b]
            older[b] += amount
            older_moment[b] += book.moment[holding, slot, side, b] - elapsed * amount
    current = book.amount[holding, book.clock[0] % n_generations, side]
    while first <= last and older[first] == 0.0 and current[first] == 0.0:
        first += 1
    while first <= last and older[last] == 0.0 and current[last] == 0.0:
        last -= 1
    book.span[holding, side, 0] = first if first <= last else older.shape[0]
    book.span[holding, side, 1] = last if first <= last else -1


@inlined
def deposit(
    book: Book,
    mixture: Mixture,
    holding: int,
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
    slot = book.clock[0] % book.amount.shape[1]
    unit = amount / book.scale[holding]
    for side in range(2):
        lowest, highest = book.span[holding, side, 0], book.span[holding, side, 1]
        for level in range(mixture.offset.shape[1]):
            weight = mixture.weight[holding, side, level]
            if weight == 0.0:
                continue
            for node in range(entries.shape[0]):
                b = math.floor(entries[node] + mixture.offset[side, level])
                if (side == LONG and b < below) or (side == SHORT and b > above):
                    placed = unit * shares[node] * weight
                    book.amount[holding, slot, side, b] += placed
                    book.moment[holding, slot, side, b] += placed * opened_at
                    lowest = min(lowest, b)
                    highest = max(highest, b)
        book.span[holding, side, 0] = lowest
        book.span[holding, side, 1] = highest
