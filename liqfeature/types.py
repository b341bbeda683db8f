"""Array aliases and the two sides of a position."""

from typing import Any, Literal

import numpy as np

FloatArray = np.ndarray[tuple[Any, ...], np.dtype[np.float64]]
"""float64, C-contiguous unless said otherwise; the docstring gives the shape."""

IntArray = np.ndarray[tuple[Any, ...], np.dtype[np.int64]]
"""int64, C-contiguous unless said otherwise; the docstring gives the shape."""

BoolArray = np.ndarray[tuple[Any, ...], np.dtype[np.bool_]]
"""bool; the docstring gives the shape."""

LONG = 0
"""Index of long positions in every array with an axis of sides. They are liquidated below price."""

SHORT = 1
"""Index of short positions in every array with an axis of sides. They are liquidated above price."""

Side = Literal["long", "short"]
"""Side of a *position*, never of an order: liquidating a long sells."""
