"""Sums over the last entries that do not depend on where the array begins."""

import numpy as np

from liqfeature.types import FloatArray


def trailing_sum(values: FloatArray, window: int) -> FloatArray:
    """Sum of the last `window` entries, the entry's own included; before the first entry lie zeros.

    Built from sums over powers of two, so that each sum adds the same numbers in the same order wherever
    the array begins: a running sum would differ in its last bits.
    """
    total = np.zeros_like(values)
    power, doubled, done = 1, values.copy(), 0
    while power <= window:
        if window & power:
            total[done:] += doubled[: max(values.size - done, 0)]
            done += power
        shifted = doubled.copy()
        shifted[power:] += doubled[:-power]
        doubled, power = shifted, 2 * power
    return total
