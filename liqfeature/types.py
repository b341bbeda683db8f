"""Aliases of arrays."""

from typing import Any

import numpy as np

FloatArray = np.ndarray[tuple[Any, ...], np.dtype[np.float64]]
"""float64, C-contiguous unless said otherwise; the docstring gives the shape."""

IntArray = np.ndarray[tuple[Any, ...], np.dtype[np.int64]]
"""int64, C-contiguous unless said otherwise; the docstring gives the shape."""

BoolArray = np.ndarray[tuple[Any, ...], np.dtype[np.bool_]]
"""bool; the docstring gives the shape."""
