"""What is usual: amount by distance from price, and forced notional within a horizon. Both forget exactly."""

from typing import NamedTuple

import numpy as np

from liqfeature.compiled import inlined
from liqfeature.types import FloatArray, IntArray


class Usual(NamedTuple):
    """Trailing measures of the map itself.

    Distances are kept as sums over blocks whose boundaries are anchored in absolute time: a running sum would
    depend, in its last bits, on where the frame began. `ordered` holds the last forced notionals, ascending.
    """

    block: FloatArray  # (n_blocks, n_window): sums of share of open interest by distance
    rows: IntArray  # (n_blocks,): candles in each block
    number: IntArray  # (n_blocks,): number of the block that each row holds, counted in absolute time
    profile: FloatArray  # (n_window,): mean share of open interest by distance, sides pooled
    ordered: FloatArray  # (2, lookback)
    clock: IntArray  # (2,): current block (-1 before the first candle); candles seen


@inlined
def turn_block(usual: Usual, number: int) -> None:
    """Begin a block and average the distances over the blocks before it, oldest first."""
    if number == usual.clock[0]:
        return
    n_blocks = usual.block.shape[0]
    usual.profile[:] = 0.0
    rows = 0
    for age in range(n_blocks - 1, 0, -1):
        slot = (number - age) % n_blocks
        if usual.number[slot] == number - age:
            usual.profile[:] += usual.block[slot]
            rows += usual.rows[slot]
    usual.profile[:] /= max(2 * rows, 1)
    slot = number % n_blocks
    usual.block[slot] = 0.0
    usual.rows[slot] = 0
    usual.number[slot] = number
    usual.clock[0] = number


@inlined
def note_distances(usual: Usual, smooth: FloatArray, open_interest: float) -> None:
    """Add one candle's amounts by distance, both sides, as shares of open interest."""
    slot = usual.clock[0] % usual.block.shape[0]
    if open_interest > 0.0:
        usual.rows[slot] += 1
        per_open_interest = 1.0 / open_interest
        for i in range(smooth.shape[1]):
            usual.block[slot, i] += (smooth[0, i] + smooth[1, i]) * per_open_interest


@inlined
def note_forced(ordered: FloatArray, seen: int, leaving: float, entering: float) -> None:
    """Let one value leave the ascending row and another enter it; nothing leaves until it is full."""
    size = ordered.shape[0]
    hole = seen if seen < size else int(np.searchsorted(ordered, leaving))
    while hole > 0 and ordered[hole - 1] > entering:
        ordered[hole] = ordered[hole - 1]
        hole -= 1
    while hole + 1 < min(seen + 1, size) and ordered[hole + 1] < entering:
        ordered[hole] = ordered[hole + 1]
        hole += 1
    ordered[hole] = entering
