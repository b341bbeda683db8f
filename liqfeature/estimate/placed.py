"""A map made elsewhere, put where the estimate would be: its levels as bins of the exposure."""

import itertools
from collections.abc import Iterator

import numpy as np

from liqfeature.estimate.grid import PriceGrid
from liqfeature.estimate.kernels.baseline import Baseline
from liqfeature.estimate.kernels.exposure import HELD, Exposure
from liqfeature.estimate.kernels.logarithm import log_prices
from liqfeature.estimate.kernels.scan import Candles
from liqfeature.market.maps import BY_PRICE, LEVEL_SIDES, KnownMaps
from liqfeature.sides import LONG, SHORT
from liqfeature.types import FloatArray, IntArray

SMALLEST_LEVEL = 1e-6
"""Bins: what is narrower lies in one."""


def standing(candles: Candles) -> Candles:
    """Leave candles that open and close nothing, and move nothing by funding: they only sweep."""
    one, zero = np.ones_like(candles.close), np.zeros_like(candles.close)
    return candles._replace(
        carried=one,
        late=zero,
        kept=np.ones_like(candles.kept),
        opened=np.zeros_like(candles.opened),
        funding=zero,
    )


def stretches(newest: IntArray, first: int, stop: int) -> Iterator[tuple[int, int, bool]]:
    """Cut rows where another map comes into force: first row, row after the last, whether it begins there."""
    changes = np.flatnonzero(np.diff(newest[first:stop])) + first + 1
    edges = [first, *changes.tolist(), stop]
    for begin, end in itertools.pairwise(edges):
        if begin < end:
            yield begin, end, begin == 0 or bool(newest[begin] != newest[begin - 1])


def clear(exposure: Exposure) -> None:
    """Take away all that is live."""
    for side in (LONG, SHORT):
        first, stop = exposure.span[HELD, side, 0], exposure.span[HELD, side, 1] + 1
        for array in (exposure.amount, exposure.moment):
            array[HELD, :, side, first:stop] = 0.0
        for array in (exposure.older, exposure.older_moment):
            array[HELD, side, first:stop] = 0.0
        exposure.span[HELD, side] = exposure.older.shape[2], -1
    exposure.scale[:] = 1.0


def begin_levels(baseline: Baseline, lookback: int) -> None:
    """Forget what was swept: a level of cascades wants a lookback without holes."""
    baseline.level[:], baseline.below[:], baseline.equal[:], baseline.seen[:] = np.inf, lookback, 0, 0


def place(exposure: Exposure, amounts: FloatArray, centre: FloatArray, opened_at: float) -> None:
    """Put notional by side and bin, from the lowest price up, in the place of all that is live.

    Parameters
    ----------
    exposure : Exposure
    amounts : ndarray of shape (2, n_bins)
        Quote currency.
    centre : ndarray of shape (2, n_bins)
        Price of each bin of a side, in the side's own order.
    opened_at : float
        Candles since the start of the current generation.
    """
    clear(exposure)
    slot = exposure.current[0] % exposure.amount.shape[1]
    for side, notional in ((LONG, amounts[LONG, ::-1]), (SHORT, amounts[SHORT])):
        used = np.flatnonzero(notional)
        if used.size:
            exposure.amount[HELD, slot, side] = notional / centre[side]
            exposure.moment[HELD, slot, side] = exposure.amount[HELD, slot, side] * opened_at
            exposure.span[HELD, side] = used[0], used[-1]


def on_grid(
    maps: KnownMaps, number: int, grid: PriceGrid, *, origin: int, n_bins: int, close: float
) -> FloatArray:
    """Return the notional of a map by side and bin; what does not lie beyond price is left out.

    Parameters
    ----------
    maps : KnownMaps
    number : int
        Of the map.
    grid : PriceGrid
    origin : int
        Bin of the grid that is bin 0.
    n_bins : int
        Bins; what lies outside is left out.
    close : float
        In bins from the origin.

    Returns
    -------
    ndarray of shape (2, n_bins)
        From the lowest price up. A level is shared by the bins between its prices, as they cover it.
    """
    mine = maps.levels(number)
    low, high = (_bins(price[mine], grid) - origin for price in (maps.low, maps.high))
    side, notional, price_bin = maps.side[mine], maps.notional[mine], int(np.floor(close))
    begin, out = np.floor(low), np.zeros((2, n_bins))
    width = high - low
    narrow = width < SMALLEST_LEVEL
    for step in range(int(np.max(np.floor(high) - begin, initial=0.0)) + 1):
        edge = begin + step
        covered = np.maximum(np.minimum(high, edge + 1) - np.maximum(low, edge), 0.0)
        share = np.where(narrow, float(step == 0), covered / np.where(narrow, 1.0, width))
        for one, beyond in ((LONG, edge < price_bin), (SHORT, edge > price_bin)):
            fits = beyond & (edge >= 0) & (edge < n_bins) & (share > 0)
            fits &= (side == one) | (side == LEVEL_SIDES.index(BY_PRICE))
            np.add.at(out[one], edge[fits].astype(np.int64), (notional * share)[fits])
    return out


def _bins(price: FloatArray, grid: PriceGrid) -> FloatArray:
    price, logs = np.ascontiguousarray(price), np.empty(price.shape)
    log_prices(price, logs)
    return grid.in_bins(logs)
