"""What followed each origin: how far price went, and what was liquidated where."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqfeature.durations import DAY
from liqfeature.estimate.kernels.logarithm import log_prices
from liqfeature.market.frames import numbers
from liqfeature.scoring.maps.base import Ground
from liqfeature.sides import LONG, SIDES
from liqfeature.types import FloatArray, IntArray

TrueMaps = Callable[[Iterable[pd.Timestamp]], Iterator[pd.DataFrame]]
"""Gives, for each date, the amounts really open by liquidation price: index `bin`, of the width of
`config.grid`, and columns `long, short`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What followed each origin within a horizon; windows as in `Prediction`.

    Parameters
    ----------
    day : ndarray of shape (n_origins,)
        Day since 1970 of each origin.
    reached : ndarray of shape (n_origins, 2)
        Bins touched below price (for longs) and above it, at most those of the window.
    forced : ndarray of shape (n_origins, 2, n_window) or None
        Notional liquidated in each bin; None where single orders are not known.
    """

    day: IntArray
    reached: IntArray
    forced: FloatArray | None


def outcomes_of(ground: Ground, horizon: int, orders: pd.DataFrame | None) -> Outcomes:
    """Look `horizon` candles ahead of each origin.

    Parameters
    ----------
    ground : Ground
        Its origins must lie `horizon` rows or more before the end.
    horizon : int
        Candles.
    orders : DataFrame, optional
        Liquidations with `date, side, price, notional`, by date ascending.
    """
    low, high, close = price_bins(ground)
    ahead = ground.origins[:, None] + 1 + np.arange(horizon)
    below = close[ground.origins] - np.min(low[ahead], axis=1)
    above = np.max(high[ahead], axis=1) - close[ground.origins]
    reached = np.clip(np.stack([below, above], axis=1), 0, ground.n_window)
    return Outcomes(
        day=ground.market.tick[ground.origins] * ground.market.interval // DAY,
        reached=reached,
        forced=None if orders is None else _forced(ground, horizon, orders, close),
    )


def true_windows(ground: Ground, true_maps: TrueMaps) -> FloatArray:
    """Notional really resting at each origin; shape (n_origins, 2, n_window)."""
    c, width, n = ground.market, ground.grid.width, ground.n_window
    _, _, close = price_bins(ground)
    closing = pd.to_datetime((c.tick[ground.origins] + 1) * c.interval, unit="ms", utc=True)
    windows = np.zeros((len(ground.origins), 2, n))
    for i, held in enumerate(true_maps(closing)):
        bins = held.index.to_numpy()
        centre = np.exp((bins + 0.5) * width)
        for side, name in enumerate(SIDES):
            notional = held[name].to_numpy() * centre
            _add(windows[i, side], _steps(side, bins, close[ground.origins[i]]), notional)
    return windows


def price_bins(ground: Ground) -> tuple[IntArray, IntArray, IntArray]:
    """Bins of low, high and close; each of shape (n,)."""
    c = ground.market
    low, high, close = (_bins(ground, price) for price in (c.low, c.high, c.close))
    return low, high, close


def _bins(ground: Ground, price: FloatArray) -> IntArray:
    logs = np.empty_like(price)
    log_prices(price, logs)
    return np.floor(ground.grid.in_bins(logs)).astype(np.int64)


def _forced(ground: Ground, horizon: int, orders: pd.DataFrame, close: IntArray) -> FloatArray:
    c = ground.market
    time = orders["date"].dt.as_unit("ms").astype("int64").to_numpy()
    bins = _bins(ground, numbers(orders, "price", "liquidations"))
    notional = numbers(orders, "notional", "liquidations")
    mine = [(orders["side"] == name).to_numpy() for name in SIDES]
    begin = np.searchsorted(time, (c.tick[ground.origins] + 1) * c.interval)
    end = np.searchsorted(time, (c.tick[ground.origins] + 1 + horizon) * c.interval)
    forced = np.zeros((len(ground.origins), 2, ground.n_window))
    for i, (origin, first, stop) in enumerate(zip(ground.origins, begin, end, strict=True)):
        for side in range(2):
            rows = np.flatnonzero(mine[side][first:stop]) + first
            _add(forced[i, side], _steps(side, bins[rows], close[origin]), notional[rows])
    return forced


def _steps(side: int, bins: IntArray, price_bin: int) -> IntArray:
    """Entry of a window to which a bin belongs; below 0 on the other side of price."""
    return (price_bin - bins if side == LONG else bins - price_bin) - 1


def _add(window: FloatArray, steps: IntArray, notional: FloatArray) -> None:
    inside = (steps >= 0) & (steps < window.size)
    np.add.at(window, steps[inside], notional[inside])
