"""A trailing median, read off an ordered row of the last values."""

import math

from liqfeature.compiled import inlined, lean
from liqfeature.types import FloatArray


@lean
def trailing_median(values: FloatArray, ordered: FloatArray, median: FloatArray) -> None:
    """Write the median of those values before each one, its own left out, that are above 0.

    As many before it count as `ordered`, room to work in, has entries. NaN where there is none. Values are at
    least 0; `median` has their shape.
    """
    window, seen, zeros = ordered.shape[0], 0, 0
    for t in range(values.shape[0]):
        above = seen - zeros
        middle = zeros + above // 2
        median[t] = 0.5 * (ordered[middle - 1 + above % 2] + ordered[middle]) if above > 0 else math.nan
        hole = seen
        if seen < window:
            seen += 1
        else:
            hole = _place(ordered, values[t - window])
            zeros -= int(values[t - window] <= 0.0)
        zeros += int(values[t] <= 0.0)
        _replace(ordered, seen, hole, values[t])


@inlined
def _place(ordered: FloatArray, value: float) -> int:
    """First place of an ascending row at which a value that it holds stands."""
    first, last = 0, ordered.shape[0] - 1
    while first < last:
        middle = (first + last) // 2
        if ordered[middle] < value:
            first = middle + 1
        else:
            last = middle
    return first


@inlined
def _replace(ordered: FloatArray, size: int, hole: int, value: float) -> None:
    """Put a value in the place of the one at `hole`, moving those in between."""
    while hole > 0 and ordered[hole - 1] > value:
        ordered[hole] = ordered[hole - 1]
        hole -= 1
    while hole + 1 < size and ordered[hole + 1] < value:
        ordered[hole] = ordered[hole + 1]
        hole += 1
    ordered[hole] = value
