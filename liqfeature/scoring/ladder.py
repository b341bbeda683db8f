"""A map made of levels at fixed distances from entry prices: what most others draw, as one walk."""

import math
from dataclasses import dataclass

import numpy as np

from liqfeature.grid import PriceGrid
from liqfeature.kernels.logarithm import log_prices
from liqfeature.scoring.kernels.ladder import Levels, Rule, Tape, walk
from liqfeature.scoring.maps import Ground, Prediction
from liqfeature.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """A map made of levels at fixed distances from entry prices.

    Parameters
    ----------
    amount : ndarray of shape (2, n)
        What each candle deposits on each side.
    entry : ndarray of shape (n_anchors, 2, n)
        Prices of entry.
    share : tuple of n_anchors floats
        Share of the amount at each.
    ratio : ndarray of shape (2, n_tiers)
        Liquidation price over entry price.
    weight : tuple of n_tiers floats
        Share of the amount in each tier.
    half_life : tuple of n_tiers floats, optional
        Days in which a tier halves; nothing fades by default.
    withdrawn : ndarray of shape (n,), optional
        What each candle takes from all levels in proportion, before it deposits.
    bound : ndarray of shape (2, n), optional
        Prices under which longs, and over which shorts, are placed; what lies short of them is not.
    spread : tuple of floats
        Shares of neighbouring bins, of odd length.
    left : float
        Share left of a level that price touches: 0 consumes it, 1 keeps it for good.
    whole_range : bool
        Whether a candle clears both sides over its whole range; otherwise longs up to the previous close
        and shorts from it.
    """

    amount: FloatArray
    entry: FloatArray
    share: tuple[float, ...]
    ratio: FloatArray
    weight: tuple[float, ...]
    half_life: tuple[float, ...] | None = None
    withdrawn: FloatArray | None = None
    bound: FloatArray | None = None
    spread: tuple[float, ...] = (1.0,)
    left: float = 0.0
    whole_range: bool = False


def walk_ladder(ground: Ground, ladder: Ladder) -> Prediction:
    """Walk the candles with a ladder.

    Returns
    -------
    Prediction
        In the unit of `ladder.amount`; no NaN. A row depends on earlier candles and its own high and low,
        a window on its origin's candle as well.
    """
    c, grid = ground.candles, ground.grid
    offset = bins_of(ladder.ratio, grid)
    half = len(ladder.spread) // 2
    below = max(float(ground.n_window), -float(np.min(offset, initial=0.0)) + half)
    above = max(float(ground.n_window), float(np.max(offset, initial=0.0)) + half)
    tape, n_bins = _tape(ground, ladder, below, above)
    half_life = np.array(ladder.half_life or [math.inf] * len(ladder.weight))
    kept, layer = np.unique(0.5 ** (1.0 / (half_life * c.candles_per_day)), return_inverse=True)
    rule = Rule(
        offset=offset,
        weight=np.array(ladder.weight),
        layer=layer.astype(np.int64),
        kept=kept,
        spread=np.array(ladder.spread),
        left=float(ladder.left),
        whole_range=ladder.whole_range,
    )
    levels = Levels(
        amount=np.zeros((kept.size, 2, n_bins)),
        scale=np.ones(kept.size),
        span=np.array([[n_bins, -1], [n_bins, -1]], dtype=np.int64),
    )
    swept = np.zeros((2, c.tick.size))
    window = np.zeros((ground.origins.size, 2, ground.n_window))
    walk(tape, rule, levels, np.ascontiguousarray(ground.origins, dtype=np.int64), swept, window)
    return Prediction(swept=swept, window=window)


def bins_of(price: FloatArray, grid: PriceGrid) -> FloatArray:
    """Prices, or ratios of prices, as fractional bins; any shape."""
    flat = np.ascontiguousarray(price, dtype=np.float64).reshape(-1)
    out = np.empty_like(flat)
    log_prices(flat, out)
    return grid.in_bins(out).reshape(price.shape)


def _tape(ground: Ground, ladder: Ladder, below: float, above: float) -> tuple[Tape, int]:
    """Prices in bins from the lowest bin that anything can reach, and how many bins there are."""
    c, grid = ground.candles, ground.grid
    high, low, close, entry = (bins_of(p, grid) for p in (c.high, c.low, c.close, ladder.entry))
    origin, n_bins = 0, 1
    if close.size:
        origin = math.floor(min(np.min(low), np.min(entry)) - below) - 2
        n_bins = math.floor(max(np.max(high), np.max(entry)) + above) + 3 - origin
    tape = Tape(
        tick=c.tick,
        high=high - origin,
        low=low - origin,
        close=close - origin,
        entry=entry - origin,
        share=np.array(ladder.share),
        amount=ladder.amount,
        withdrawn=np.zeros(close.size) if ladder.withdrawn is None else ladder.withdrawn,
        bound=_bound(ladder.bound, grid, origin, n_bins, close.size),
    )
    return tape, n_bins


def _bound(prices: FloatArray | None, grid: PriceGrid, origin: int, n_bins: int, n: int) -> IntArray:
    if prices is not None:
        return np.floor(bins_of(prices, grid)).astype(np.int64) - origin
    return np.repeat(np.array([[n_bins], [-1]], dtype=np.int64), n, axis=1)
