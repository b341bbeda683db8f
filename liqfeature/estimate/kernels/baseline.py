"""What is usual: amount by distance from price, and forced notional within a horizon. Both forget exactly."""

import math
from typing import NamedTuple

from liqfeature.compiled import inlined, lean
from liqfeature.types import FloatArray, IntArray


class Baseline(NamedTuple):
    """Trailing measures of the map itself.

    Distances are kept as sums over blocks whose boundaries are anchored in absolute time: the last bits of a
    running sum would depend on where the frame began.
    """

    block: FloatArray  # (n_blocks, n_window): sums of share of open interest by distance
    rows: IntArray  # (n_blocks,): candles in each block
    number: IntArray  # (n_blocks,): number of the block that each row holds, counted in absolute time
    profile: FloatArray  # (n_window,): mean share of open interest by distance, sides pooled
    level: FloatArray  # (2,): that which the last notionals forced within a horizon seldom exceed, by side
    below: IntArray  # (2,): how many of them are below it
    equal: IntArray  # (2,): how many equal it
    current: IntArray  # (1,): number of the current block, -1 before the first candle
    seen: IntArray  # (1,): candles read


@lean
def turn_block(baseline: Baseline, number: int) -> None:
    """Begin a block and average the distances over the blocks before it, oldest first."""
    n_blocks, n_window = baseline.block.shape
    for i in range(n_window):
        baseline.profile[i] = 0.0
    rows = 0
    for age in range(n_blocks - 1, 0, -1):
        slot = (number - age) % n_blocks
        if baseline.number[slot] == number - age:
            rows += baseline.rows[slot]
            for i in range(n_window):
                baseline.profile[i] += baseline.block[slot, i]
    slot = number % n_blocks
    for i in range(n_window):
        baseline.profile[i] /= max(2 * rows, 1)
        baseline.block[slot, i] = 0.0
    baseline.rows[slot] = 0
    baseline.number[slot] = number
    baseline.current[0] = number


@inlined
def note_distances(baseline: Baseline, smooth: FloatArray, open_interest: float) -> None:
    """Add one candle's amounts by distance, both sides, as shares of open interest."""
    slot = baseline.current[0] % baseline.block.shape[0]
    if open_interest > 0.0:
        baseline.rows[slot] += 1
        per_open_interest = 1.0 / open_interest
        for i in range(smooth.shape[1]):
            baseline.block[slot, i] += (smooth[0, i] + smooth[1, i]) * per_open_interest


@inlined
def note_forced(baseline: Baseline, side: int, rank: int, forced: FloatArray, leaving: float) -> None:
    """Find the entry of a rank, counted from the lowest, among the last notionals, of which the last is new.

    The level moves only where a value on one side of it makes room for one on the other.
    """
    level, below, equal = baseline.level[side], baseline.below[side], baseline.equal[side]
    entering = forced[forced.shape[0] - 1]
    below += int(entering < level) - int(leaving < level)
    equal += int(entering == level) - int(leaving == level)
    while below > rank:
        level, equal = _beside(forced, level, -1.0)
        if equal == 0:
            break
        below -= equal
    while below + equal <= rank:
        before = equal
        level, equal = _beside(forced, level, 1.0)
        if equal == 0:
            break
        below += before
    baseline.level[side], baseline.below[side], baseline.equal[side] = level, below, equal


@inlined
def _beside(values: FloatArray, level: float, sign: float) -> tuple[float, int]:
    """Return the next value above a level, or below it where sign is -1, and how often it occurs."""
    limit, nearest, times = sign * level, math.inf, 0
    for i in range(values.shape[0]):
        value = sign * values[i]
        if value > limit:
            if value < nearest:
                nearest, times = value, 1
            elif value == nearest:
                times += 1
    return sign * nearest, times
