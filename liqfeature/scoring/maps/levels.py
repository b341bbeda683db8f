"""A map made of levels at fixed distances from entry prices: what most others draw, as one walk."""

import math
from dataclasses import dataclass

import numpy as np

from liqfeature.estimate.grid import PriceGrid
from liqfeature.estimate.kernels.logarithm import log_prices
from liqfeature.scoring.maps.base import Ground, Prediction
from liqfeature.scoring.maps.kernels.levels import Levels, Rule, Steps, walk
from liqfeature.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelMap:
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
        Prices under which longs, and over which shorts, are placed; others are left out.
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


def walk_levels(ground: Ground, level_map: LevelMap) -> Prediction:
    """Walk the candles with a map of levels.

    Returns
    -------
    Prediction
        In the unit of `level_map.amount`; no NaN. A row depends on earlier candles and its own high and low,
        a window on its origin's candle as well.
    """
    c, grid = ground.market, ground.grid
    offset = bins_of(level_map.ratio, grid)
    half = len(level_map.spread) // 2
    below = max(float(ground.n_window), -float(np.min(offset, initial=0.0)) + half)
    above = max(float(ground.n_window), float(np.max(offset, initial=0.0)) + half)
    steps, n_bins = _steps(ground, level_map, below, above)
    half_life = np.array(level_map.half_life or [math.inf] * len(level_map.weight))
    kept, layer = np.unique(0.5 ** (1.0 / (half_life * c.candles_per_day)), return_inverse=True)
    rule = Rule(
        offset=offset,
        weight=np.array(level_map.weight),
        layer=layer.astype(np.int64),
        kept=kept,
        spread=np.array(level_map.spread),
        left=float(level_map.left),
        whole_range=level_map.whole_range,
    )
    levels = Levels(
        amount=np.zeros((kept.size, 2, n_bins)),
        scale=np.ones(kept.size),
        span=np.array([[n_bins, -1], [n_bins, -1]], dtype=np.int64),
    )
    swept = np.zeros((2, c.tick.size))
    window = np.zeros((ground.origins.size, 2, ground.n_window))
    walk(steps, rule, levels, np.ascontiguousarray(ground.origins, dtype=np.int64), swept, window)
    return Prediction(swept=swept, window=window)


def bins_of(price: FloatArray, grid: PriceGrid) -> FloatArray:
    """Prices, or ratios of prices, as fractional bins; any shape."""
    flat = np.ascontiguousarray(price, dtype=np.float64).reshape(-1)
    out = np.empty_like(flat)
    log_prices(flat, out)
    return grid.in_bins(out).reshape(price.shape)


def _steps(ground: Ground, level_map: LevelMap, below: float, above: float) -> tuple[Steps, int]:
    """Prices in bins from the lowest bin that anything can reach, and how many bins there are."""
    c, grid = ground.market, ground.grid
    high, low, close, entry = (
        bins_of(p, grid) for p in (c.touched_high, c.touched_low, c.close, level_map.entry)
    )
    origin, n_bins = 0, 1
    if close.size:
        origin = math.floor(min(np.min(low), np.min(entry)) - below) - 2
        n_bins = math.floor(max(np.max(high), np.max(entry)) + above) + 3 - origin
    steps = Steps(
        tick=c.tick,
        high=high - origin,
        low=low - origin,
        close=close - origin,
        entry=entry - origin,
        share=np.array(level_map.share),
        amount=level_map.amount,
        withdrawn=np.zeros(close.size) if level_map.withdrawn is None else level_map.withdrawn,
        bound=_bound(level_map.bound, grid, origin, n_bins, close.size),
    )
    return steps, n_bins


def _bound(prices: FloatArray | None, grid: PriceGrid, origin: int, n_bins: int, n: int) -> IntArray:
    if prices is not None:
        return np.floor(bins_of(prices, grid)).astype(np.int64) - origin
    return np.repeat(np.array([[n_bins], [-1]], dtype=np.int64), n, axis=1)
