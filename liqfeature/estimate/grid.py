"""The log-price grid. Its phase is fixed, so that new data never move an old level."""

import math
from dataclasses import dataclass

import numpy as np

from liqfeature.checks import require, require_types
from liqfeature.types import FloatArray

QUANTUM = 2.0**-24
"""Prices in bins are multiples of it, so that counting from another origin is exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceGrid:
    """Bins of equal width in the logarithm of price: `bin = floor(ln(price) / width)`.

    Parameters
    ----------
    width : float
        Width of a bin as a fraction of price, 0.0001 to 0.01. Larger: faster and coarser.
    smoothing : int
        Half-width, in bins, of the triangular mean under which clusters are sought, 0 to 20. Larger: fewer
        and wider clusters.
    """

    width: float = 0.0005
    smoothing: int = 2

    def __post_init__(self) -> None:
        require_types(self)
        require("width", 0.0001 <= self.width <= 0.01, "between 0.0001 and 0.01", self.width)
        require("smoothing", 0 <= self.smoothing <= 20, "between 0 and 20", self.smoothing)

    def in_bins(self, log_price: FloatArray) -> FloatArray:
        """Prices as fractional bins, rounded to `QUANTUM`; shape and NaN as received."""
        bins: FloatArray = np.round(log_price / self.width / QUANTUM) * QUANTUM
        return bins

    def n_window(self, band: float) -> int:
        """Bins on one side of price that cover a fraction `band` of it."""
        return math.ceil(-math.log1p(-band) / self.width)

    def taps(self) -> FloatArray:
        """Smoothing weights, shape (2 * smoothing + 1,), triangular, sum 1."""
        rise = np.arange(1.0, self.smoothing + 2.0)
        weights = np.concatenate([rise, rise[-2::-1]])
        return weights / float(np.sum(weights))
