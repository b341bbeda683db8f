"""Open positions by the price at which they are liquidated: generations, deposits, sweeps.

A side's bins are counted in the direction in which price meets them: of shorts upward from the lowest of the
grid, of longs downward from the highest. From bin b of a side, price meets b + 1, b + 2 and so on, and
whatever is done with one side is done with the other in the same way.
"""

import math
from typing import NamedTuple

import numpy as np

from liqfeature.compiled import inlined, lean
from liqfeature.sides import LONG
from liqfeature.types import FloatArray, IntArray

SMALLEST_SCALE = 1e-100
"""Below it the scale is folded into the amounts, long before a division by it could overflow."""

HELD, SCALPS = 0, 1
"""Order of the holdings: positions held for days, and for minutes."""


class Exposure(NamedTuple):
    """Open amount by holding, side and bin, kept in generations so that the oldest can be forgotten exactly.

    `older` is the sum of all generations but the current one. Amounts are stored divided by `scale`, so that
    shrinking everything costs one multiplication: what is live is (older + current) * scale. `moment` is
    amount times the candle of its opening, counted from the start of the amount's generation; `older_moment`
    counts from the start of the current one. `span` holds the lowest and highest bin in use, `current` the
    number of the current generation. `funding` is the part of a bin, at most half of one, by which funding
    has moved each generation's liquidation prices and the amounts have not followed.
    """

    amount: FloatArray  # (2, n_generations, 2, n_bins)
    moment: FloatArray  # (2, n_generations, 2, n_bins)
    funding: FloatArray  # (n_generations,), upward
    older: FloatArray  # (2, 2, n_bins)
    older_moment: FloatArray  # (2, 2, n_bins)
    scale: FloatArray  # (2,)
    span: IntArray  # (2, 2, 2): holding; side; lowest, highest
    current: IntArray  # (1,)


class Mixture(NamedTuple):
    """What one opened unit becomes: distance to liquidation and weight, by side and leverage level."""

    offset: FloatArray  # (2, n_levels), in bins, below 0 for longs
    weight: FloatArray  # (2, 2, n_levels): holding, side; for each side all weights sum to 1


@inlined
def bin_of(side: int, price: float, n_bins: int) -> int:
    """Bin of a side in which a price, in bins from the lowest of the grid, falls."""
    b = math.floor(price)
    return n_bins - 1 - b if side == LONG else b


@inlined
def live_at(exposure: Exposure, side: int, b: int) -> float:
    """Live amount in one bin."""
    slot = exposure.current[0] % exposure.amount.shape[1]
    live = 0.0
    for holding in range(2):
        amount = exposure.older[holding, side, b] + exposure.amount[holding, slot, side, b]
        live += amount * exposure.scale[holding]
    return live


@inlined
def wipe(exposure: Exposure, side: int, b: int) -> float:
    """Set one bin to zero; return the live amount that it held."""
    slot = exposure.current[0] % exposure.amount.shape[1]
    live = 0.0
    for holding in range(2):
        amount = exposure.older[holding, side, b] + exposure.amount[holding, slot, side, b]
        if amount != 0.0:
            live += amount * exposure.scale[holding]
            exposure.older[holding, side, b] = 0.0
            exposure.older_moment[holding, side, b] = 0.0
            for generation in range(exposure.amount.shape[1]):
                exposure.amount[holding, generation, side, b] = 0.0
                exposure.moment[holding, generation, side, b] = 0.0
    return live


@inlined
def shrink(exposure: Exposure, holding: int, kept: float) -> None:
    """Keep a share of all that is live in one holding; a share of 0 forgets it all."""
    if kept != 1.0:
        exposure.scale[holding] *= kept if kept > 0.0 else 0.0
        if exposure.scale[holding] < SMALLEST_SCALE:
            fold(exposure, holding)


@lean
def fold(exposure: Exposure, holding: int) -> None:
    """Multiply the scale into the amounts and start again at 1."""
    scale = exposure.scale[holding]
    for side in range(2):
        first, stop = exposure.span[holding, side, 0], exposure.span[holding, side, 1] + 1
        _multiply(exposure.older[holding, side, first:stop], scale)
        _multiply(exposure.older_moment[holding, side, first:stop], scale)
        for slot in range(exposure.amount.shape[1]):
            _multiply(exposure.amount[holding, slot, side, first:stop], scale)
            _multiply(exposure.moment[holding, slot, side, first:stop], scale)
    exposure.scale[holding] = 1.0


@inlined
def _multiply(values: FloatArray, factor: float) -> None:
    for i in range(values.shape[0]):
        values[i] *= factor


@inlined
def _clear(values: FloatArray) -> None:
    for i in range(values.shape[0]):
        values[i] = 0.0


@lean
def turn_generation(exposure: Exposure, generation: int, length: int) -> None:
    """Begin a generation: forget those too old, and sum the rest again, oldest first.

    The fixed order makes the sums the same wherever the frame began, and leaves no residue of what was
    forgotten.
    """
    n_generations, before = exposure.amount.shape[1], exposure.current[0]
    exposure.current[0] = generation
    for new in range(max(before + 1, generation - n_generations + 1), generation + 1):
        _forget(exposure, new % n_generations)
    for holding in range(2):
        for side in range(2):
            _sum_older(exposure, holding, side, length, exposure.scale[holding])
        exposure.scale[holding] = 1.0


@inlined
def _forget(exposure: Exposure, slot: int) -> None:
    exposure.funding[slot] = 0.0
    for holding in range(2):
        for side in range(2):
            first, stop = exposure.span[holding, side, 0], exposure.span[holding, side, 1] + 1
            _clear(exposure.amount[holding, slot, side, first:stop])
            _clear(exposure.moment[holding, slot, side, first:stop])


@lean
def pay_funding(exposure: Exposure, bins: float, length: int, price: float) -> None:
    """Move the liquidation price of everything live by a payment: up where longs pay shorts, else down.

    A payment changes the margin behind a position, and with it the log of its liquidation price by about the
    payment's share of notional. Whole bins are moved; what would come to or past price waits beside it to be
    swept.
    """
    farthest = 0
    for slot in range(exposure.funding.shape[0]):
        exposure.funding[slot] += bins
        shift = math.floor(exposure.funding[slot] + 0.5)
        if shift != 0:
            exposure.funding[slot] -= shift
            farthest = max(farthest, abs(shift))
            for holding in range(2):
                for side in range(2):
                    _move(exposure, holding, slot, side, shift, price)
    if farthest > 0:
        for holding in range(2):
            for side in range(2):
                span = exposure.span[holding, side]
                span[0] = max(span[0] - farthest, 0)
                span[1] = min(span[1] + farthest, exposure.older.shape[2] - 1)
                _sum_older(exposure, holding, side, length, 1.0)


@inlined
def _move(exposure: Exposure, holding: int, slot: int, side: int, upward: int, price: float) -> None:
    n_bins = exposure.older.shape[2]
    shift = -upward if side == LONG else upward
    beside = bin_of(side, price, n_bins) + 1
    first, last = exposure.span[holding, side, 0], exposure.span[holding, side, 1]
    amounts, moments = exposure.amount[holding, slot, side], exposure.moment[holding, slot, side]
    for i in range(last - first + 1):
        b = last - i if shift > 0 else first + i
        target = min(max(b + shift, beside, 0), n_bins - 1)
        amount, moment = amounts[b], moments[b]
        amounts[b] = 0.0
        moments[b] = 0.0
        amounts[target] += amount
        moments[target] += moment


@lean
def _sum_older(exposure: Exposure, holding: int, side: int, length: int, kept: float) -> None:
    """Sum a share of all generations but the current one, and narrow the span to what is in use."""
    n_generations, now = exposure.amount.shape[1], exposure.current[0]
    first, stop = exposure.span[holding, side, 0], exposure.span[holding, side, 1] + 1
    older = exposure.older[holding, side, first:stop]
    older_moment = exposure.older_moment[holding, side, first:stop]
    _clear(older)
    _clear(older_moment)
    for age in range(n_generations - 1, 0, -1):
        slot, elapsed = (now - age) % n_generations, float(age * length)
        amounts = exposure.amount[holding, slot, side, first:stop]
        moments = exposure.moment[holding, slot, side, first:stop]
        for i in range(older.shape[0]):
            amount, moment = amounts[i] * kept, moments[i] * kept
            amounts[i], moments[i] = amount, moment
            older[i] += amount
            older_moment[i] += moment - elapsed * amount
    amounts = exposure.amount[holding, now % n_generations, side, first:stop]
    lowest, highest = 0, older.shape[0] - 1
    while lowest <= highest and older[lowest] == amounts[lowest] == older_moment[lowest] == 0.0:
        lowest += 1
    while lowest <= highest and older[highest] == amounts[highest] == older_moment[highest] == 0.0:
        highest -= 1
    used = lowest <= highest
    exposure.span[holding, side, 0] = first + lowest if used else exposure.older.shape[2]
    exposure.span[holding, side, 1] = first + highest if used else -1


@inlined
def locate(mixture: Mixture, entries: FloatArray, n_bins: int, place: IntArray) -> None:
    """Write the bins in which positions opened at each entry price with each leverage are liquidated."""
    for side in range(2):
        for node in range(entries.shape[0]):
            for level in range(mixture.offset.shape[1]):
                price = entries[node] + mixture.offset[side, level]
                place[side, node, level] = bin_of(side, price, n_bins)


@lean
def deposit(
    exposure: Exposure,
    mixture: Mixture,
    holding: int,
    place: IntArray,
    shares: tuple[float, ...],
    amount: float,
    opened_at: float,
    passed: IntArray,
) -> None:
    """Spread `amount` over entry prices and leverage, on each side, at the liquidation prices.

    What does not come to lie strictly beyond the side's bin `passed` has no place, and joins the unlocated
    remainder. `opened_at` is in candles since the start of the current generation.
    """
    slot = exposure.current[0] % exposure.amount.shape[1]
    unit = amount / exposure.scale[holding]
    for side in range(2):
        amounts, moments = exposure.amount[holding, slot, side], exposure.moment[holding, slot, side]
        farthest = exposure.span[holding, side, 1]
        for level in range(mixture.offset.shape[1]):
            weight = mixture.weight[holding, side, level]
            if weight == 0.0:
                continue
            for node in range(len(shares)):
                b = place[side, node, level]
                if b > passed[side]:
                    placed = unit * shares[node] * weight
                    at = np.uint64(b)
                    amounts[at] += placed
                    moments[at] += placed * opened_at
                    farthest = max(farthest, b)
        exposure.span[holding, side, 0] = min(exposure.span[holding, side, 0], passed[side] + 1)
        exposure.span[holding, side, 1] = farthest
