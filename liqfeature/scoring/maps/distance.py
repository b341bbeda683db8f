"""Baselines without memory: the path of price, and a fixed profile by distance from it."""

import math

import numpy as np

from liqfeature.checks import require
from liqfeature.estimate.flow import FlowRule, belongs_to
from liqfeature.estimate.grid import PriceGrid
from liqfeature.market.market import Market
from liqfeature.market.rolling import trailing_sum
from liqfeature.scoring.maps.base import Ground, Prediction
from liqfeature.scoring.maps.levels import bins_of
from liqfeature.sides import LONG, SHORT
from liqfeature.types import FloatArray


def path_times_volume(ground: Ground) -> Prediction:
    """Sweep in proportion to the candle's move against a side, times its turnover.

    Returns
    -------
    Prediction
        `swept` is the relative fall from the previous close to the low (rise to the high), at least 0,
        times volume, times the close; 0 in the first row. The windows are NaN: it has no places.
    """
    c = ground.market
    before = previous(c.close)
    fall, rise = 1.0 - c.touched_low / before, c.touched_high / before - 1.0
    swept = np.maximum(np.stack([fall, rise]), 0.0) * (c.volume * c.close)
    swept[:, :1] = 0.0
    return Prediction(swept=swept, window=np.full((ground.origins.size, 2, ground.n_window), np.nan))


def distance_only(ground: Ground, profile: FloatArray) -> Prediction:
    """Place all open interest at fixed distances from the present price, as a snapshot of it does.

    Parameters
    ----------
    ground : Ground
    profile : ndarray of shape (2, n_window)
        Share of open interest in each bin, the nearest first: entry i lies i + 1 bins from that of the
        close. `ladder_profile` makes that of a fixed ladder.

    Returns
    -------
    Prediction
        Notional. `swept` of a row is the profile between the previous close and the low (the high), with
        the open interest known at that close; 0 in the first row. Where open interest is unknown, or cannot
        belong to this volume, it is a quarter of the last day's volume, as `FlowRule` has it. NaN only where
        the profile is.
    """
    shape = (2, ground.n_window)
    require("profile", profile.shape == shape, f"of shape {shape}", profile.shape)
    c, grid, n = ground.market, ground.grid, ground.n_window
    high, low, close = (np.floor(bins_of(p, grid)) for p in (c.touched_high, c.touched_low, c.close))
    level = _open_interest(c) * np.exp((close + 0.5) * grid.width)
    distance = np.arange(1, n + 1) * grid.width
    notional = profile * np.exp(np.stack([-distance, distance]))
    passed = np.concatenate([np.zeros((2, 1)), np.cumsum(notional, axis=1)], axis=1)
    before, swept = previous(close), np.zeros((2, close.size))
    for side, steps in ((LONG, before - low), (SHORT, high - before)):
        swept[side, 1:] = level[:-1] * passed[side, np.clip(steps[1:], 0, n).astype(np.int64)]
    return Prediction(swept=swept, window=level[ground.origins, None, None] * notional)


def ladder_profile(
    leverages: tuple[float, ...],
    weights: tuple[float, ...],
    maintenance_margin_rate: float,
    grid: PriceGrid,
    n_window: int,
) -> FloatArray:
    """Return the profile of positions all entered at the present price, for `distance_only`.

    Liquidation at `entry * (1 -+ (1/leverage - maintenance_margin_rate))`. The close may lie anywhere in its
    bin, so that a level is shared by the two bins into which it can fall.

    Parameters
    ----------
    leverages : tuple of floats
        Above 1, each with an initial margin over the maintenance margin rate.
    weights : tuple of floats
        One for each leverage, at least 0; taken in proportion to their sum.
    maintenance_margin_rate : float
    grid : PriceGrid
    n_window : int
        Bins; what lies farther away is left out, as is what lies in the price's own bin.

    Returns
    -------
    ndarray of shape (2, n_window)
        Each side sums to 1 at most.

    Raises
    ------
    ConfigError
        If a parameter breaks its rule.
    """
    margin = 1.0 / np.array(leverages) - maintenance_margin_rate
    holds = bool(np.all((margin > 0) & (np.array(leverages) > 1)))
    require("leverages", holds, f"above 1 and below 1/{maintenance_margin_rate}", leverages)
    holds = len(weights) == len(leverages) and min(weights) >= 0 and sum(weights) > 0
    require("weights", holds, "one per leverage, at least 0 and not all 0", weights)
    profile = np.zeros((2, n_window))
    for side, ratio in ((LONG, 1.0 - margin), (SHORT, 1.0 + margin)):
        for distance, weight in zip(np.abs(np.log(ratio)) / grid.width, weights, strict=True):
            nearer = math.floor(distance)
            for b, share in ((nearer, nearer + 1 - distance), (nearer + 1, distance - nearer)):
                if 1 <= b <= n_window:
                    profile[side, b - 1] += share * weight / sum(weights)
    return profile


def previous(values: FloatArray) -> FloatArray:
    """Value of the row before; the first row has its own."""
    return np.concatenate([values[:1], values[:-1]])


def _open_interest(c: Market) -> FloatArray:
    """Open interest in force at each close, base currency; no NaN."""
    day = max(round(c.candles_per_day), 1)
    daily = trailing_sum(c.volume, day) * (c.candles_per_day / day)
    real = belongs_to(c.open_interest, daily)
    return np.where(real, c.open_interest, FlowRule().open_interest_days * daily)
