"""The common form in which every map is scored, ours and each baseline."""

from dataclasses import dataclass

from liqfeature.estimate.grid import PriceGrid
from liqfeature.market.market import Market
from liqfeature.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every map gets: the same candles, the same grid, and the rows at which it is read.

    Parameters
    ----------
    market : Market
        Aligned with open interest and funding, as for the columns.
    grid : PriceGrid
        Bins of log price.
    origins : ndarray of shape (n_origins,)
        Rows, ascending, at whose close the map is read.
    n_window : int
        Bins on one side of price that are read.
    """

    market: Market
    grid: PriceGrid
    origins: IntArray
    n_window: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a map holds and sweeps; longs first in every axis of sides.

    Parameters
    ----------
    swept : ndarray of shape (2, n)
        Notional that each candle sweeps, quote currency (or the map's own unit: only ratios are compared).
    window : ndarray of shape (n_origins, 2, n_window)
        Notional resting at each origin's close: entry i lies i + 1 bins from the bin of the close, below it
        for longs and above it for shorts.
    """

    swept: FloatArray
    window: FloatArray
