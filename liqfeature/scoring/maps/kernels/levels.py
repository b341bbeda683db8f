"""The walk that all maps of levels share: fade, sweep, withdraw, deposit, read.

Bins count from the grid's origin; longs are placed below their entry, shorts above. Amounts are stored
divided by their layer's scale, so that fading costs one multiplication.
"""

import math
from typing import NamedTuple

from liqfeature.compiled import compiled, inlined
from liqfeature.sides import LONG, SHORT
from liqfeature.types import FloatArray, IntArray

SMALLEST_SCALE = 1e-100
"""Below it the scale is folded into the amounts, long before a division by it could overflow."""


class Steps(NamedTuple):
    """What each candle brings. Prices are in bins, fractional, from the grid's origin."""

    tick: IntArray  # (n,), number of the candle, counted in absolute time
    high: FloatArray  # (n,)
    low: FloatArray  # (n,)
    close: FloatArray  # (n,)
    entry: FloatArray  # (n_anchors, 2, n)
    share: FloatArray  # (n_anchors,), of the amount, at each entry
    amount: FloatArray  # (2, n), deposited at the close
    withdrawn: FloatArray  # (n,), taken from all levels in proportion, before the deposit
    bound: IntArray  # (2, n), bin below which longs, and above which shorts, are placed; the rest is not


class Rule(NamedTuple):
    """What becomes of a deposit, and of a level that is touched. Tiers that fade alike share a layer."""

    offset: FloatArray  # (2, n_tiers), in bins, from entry to liquidation
    weight: FloatArray  # (n_tiers,)
    layer: IntArray  # (n_tiers,)
    kept: FloatArray  # (n_layers,), share left after each candle's length of time
    spread: FloatArray  # (n_taps,), shares of neighbouring bins, the middle one the level's own
    left: float  # share left of a touched level: 0 consumes it, 1 keeps it for good
    whole_range: bool  # whether touching clears both sides over the whole candle


class Levels(NamedTuple):
    """What stands, by layer, side and bin: amount * scale. `span` holds the lowest and highest bin in use."""

    amount: FloatArray  # (n_layers, 2, n_bins)
    scale: FloatArray  # (n_layers,)
    span: IntArray  # (2, 2): side; lowest, highest


@compiled
def walk(
    steps: Steps, rule: Rule, levels: Levels, origins: IntArray, swept: FloatArray, window: FloatArray
) -> None:
    """Walk all candles, writing what each sweeps and the levels standing at the close of each origin.

    `swept` has shape (2, n) and is written before the candle's own deposit, `window` has shape
    (n_origins, 2, n_window) and is written after it.
    """
    row = 0
    for t in range(steps.tick.shape[0]):
        fade(levels, rule.kept, float(steps.tick[t] - steps.tick[max(t - 1, 0)]))
        sweep(steps, rule, t, levels, swept)
        withdraw(levels, steps.withdrawn[t])
        deposit(steps, rule, t, levels)
        while row < origins.shape[0] and origins[row] == t:
            read(levels, math.floor(steps.close[t]), window, row)
            row += 1


@inlined
def fade(levels: Levels, kept: FloatArray, elapsed: float) -> None:
    """Let each layer fade for `elapsed` candles."""
    for layer in range(kept.shape[0]):
        if kept[layer] != 1.0:
            shrink(levels, layer, kept[layer] if elapsed == 1.0 else kept[layer] ** elapsed)


@inlined
def shrink(levels: Levels, layer: int, share: float) -> None:
    """Leave a share, above 0, of a whole layer."""
    levels.scale[layer] *= share
    if levels.scale[layer] < SMALLEST_SCALE:
        levels.amount[layer] *= levels.scale[layer]
        levels.scale[layer] = 1.0


@inlined
def sweep(steps: Steps, rule: Rule, t: int, levels: Levels, swept: FloatArray) -> None:
    """Record what price crossed since the previous close, and leave the rule's share of what it touched.

    Longs are crossed from the previous close down to the low, shorts up to the high. What a gap between
    candles leaps over counts as crossed.
    """
    before = math.floor(steps.close[max(t - 1, 0)])
    lowest, highest = math.floor(steps.low[t]), math.floor(steps.high[t])
    for side in range(2):
        first = lowest if side == LONG else before
        last = before if side == LONG else highest
        swept[side, t] = standing(levels, side, first, last)
        if rule.left != 1.0:
            if rule.whole_range:
                first, last = min(lowest, before), max(highest, before)
            keep(levels, side, first, last, rule.left)


@inlined
def standing(levels: Levels, side: int, first: int, last: int) -> float:
    """Sum of a side from bin `first` to `last`, both included."""
    first, last = max(first, levels.span[side, 0]), min(last, levels.span[side, 1])
    total = 0.0
    for layer in range(levels.scale.shape[0]):
        held = 0.0
        for b in range(first, last + 1):
            held += levels.amount[layer, side, b]
        total += held * levels.scale[layer]
    return total


@inlined
def keep(levels: Levels, side: int, first: int, last: int, share: float) -> None:
    """Leave a share of a side from bin `first` to `last`, both included."""
    for layer in range(levels.scale.shape[0]):
        for b in range(max(first, levels.span[side, 0]), min(last, levels.span[side, 1]) + 1):
            levels.amount[layer, side, b] *= share


@inlined
def withdraw(levels: Levels, amount: float) -> None:
    """Take an amount from all levels of both sides in proportion, at most all there is."""
    if amount <= 0.0:
        return
    total = 0.0
    for side in range(2):
        total += standing(levels, side, levels.span[side, 0], levels.span[side, 1])
    if amount < total:
        for layer in range(levels.scale.shape[0]):
            shrink(levels, layer, 1.0 - amount / total)
        return
    for side in range(2):
        keep(levels, side, levels.span[side, 0], levels.span[side, 1], 0.0)
        levels.span[side, 0] = levels.amount.shape[2]
        levels.span[side, 1] = -1


@inlined
def deposit(steps: Steps, rule: Rule, t: int, levels: Levels) -> None:
    """Place the candle's amounts at the liquidation prices of every entry and tier."""
    half = rule.spread.shape[0] // 2
    for side in range(2):
        if steps.amount[side, t] > 0.0:
            for anchor in range(steps.share.shape[0]):
                part = steps.amount[side, t] * steps.share[anchor]
                for tier in range(rule.weight.shape[0]):
                    b = math.floor(steps.entry[anchor, side, t] + rule.offset[side, tier])
                    bound = steps.bound[side, t]
                    if (side == LONG and b < bound) or (side == SHORT and b > bound):
                        layer = rule.layer[tier]
                        unit = part * rule.weight[tier] / levels.scale[layer]
                        for tap in range(rule.spread.shape[0]):
                            levels.amount[layer, side, b + tap - half] += unit * rule.spread[tap]
                        levels.span[side, 0] = min(levels.span[side, 0], b - half)
                        levels.span[side, 1] = max(levels.span[side, 1], b + half)


@inlined
def read(levels: Levels, price_bin: int, window: FloatArray, row: int) -> None:
    """Copy what stands within the window, the nearest bin first."""
    for side in range(2):
        away = -1 if side == LONG else 1
        for i in range(window.shape[2]):
            total = 0.0
            for layer in range(levels.scale.shape[0]):
                total += levels.amount[layer, side, price_bin + away * (1 + i)] * levels.scale[layer]
            window[row, side, i] = total
