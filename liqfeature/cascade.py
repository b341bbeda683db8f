"""How far price may move within the horizon, and how strongly forced flow moves it: parameters and tables."""

import math
from dataclasses import dataclass

import numpy as np

from liqfeature.checks import require, require_types
from liqfeature.flow import trailing_sum
from liqfeature.types import FloatArray, IntArray
from liqfeature.week import mean_activity, week_activity

PARKINSON = 1.0 / (4.0 * math.log(2.0))
"""Variance of a Brownian path per squared range."""

FARTHEST, STEPS_PER_SIGMA = 10, 100
"""Extent and resolution of the table of reach, in sigmas."""


# fmt: off
HOURS = (
    0.85, 0.87, 0.82, 0.59, 0.48, 0.51, 0.53, 0.66, 0.73, 0.76, 0.68, 0.80,
    1.13, 1.35, 1.87, 1.75, 1.57, 1.53, 1.30, 1.30, 1.24, 0.99, 0.95, 0.74,
)
# fmt: on
"""Variance of BTC by hour of the day, UTC, over its mean; 2023-11 to 2024-05. Busiest as New York opens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CascadeRule:
    """Reach, impact and the level above which forced notional counts as a cascade.

    Parameters
    ----------
    windows : tuple of int
        Candles over which realised ranges are averaged, fast to slow; each at most `lookback`.
    weights : tuple of float
        Share of each window in volatility at the shortest horizons; sum 1. A window's share falls to half at
        a horizon of its own length, against one that lasts for ever.
    hours : tuple of float
        Variance of each hour of the day, UTC, above 0; only ratios matter. All equal: the time of day plays
        no part.
    weekend : float
        Variance of a Saturday or Sunday over that of a weekday, above 0. Smaller: less reach at weekends.
    nodes, node_weights : tuple of float
        Volatility of volatility: multiples of sigma and their probabilities; the latter sum to 1. Wider:
        more probability far away and less nearby.
    impact : float
        Prefactor of the square-root law of impact, above 0. Larger: forced flow moves price further.
    depth_share : float
        Share of usual depth that is left when positions are force-closed, above 0 to 1. Larger: less
        amplification.
    level : float
        Quantile of trailing forced notional above which the coming one counts as a cascade, 0 to 1.
    surge : float
        Multiple of the mean of recorded liquidations above which the coming ones count as a cascade, where
        there are recordings; above 0.
    recorded_share : float
        Share of what the map forces that the recording shows, at least 0; 0: not known, and recordings cannot
        be used. Larger: what was recorded stands for less, and cascades are more probable.
    odds : tuple of float
        The logarithm of the odds of a cascade: a constant; weights, at least 0, of the logarithms of the odds
        that price meets the level on its way and of fuel over fuel and level together; weight of the
        logarithm of the horizon over the lookback. A larger constant: more probable everywhere; larger
        weights of reach and fuel: probabilities farther apart.

    Notes
    -----
    Range variance after Parkinson (1980); windows after Corsi's HAR model (2009), averaged as volatilities,
    so that one wild candle counts less. Reach by the reflection principle, averaged over `nodes`. Reach
    was fitted to 5m candles of BTC, 2023-11 to 2024-12, and `odds` to the first half of them by
    `liqfeature calibrate --target cascade`. Impact `Y * sigma * sqrt(Q / V)` after Donier and Bonart (2015),
    `Y` measured on signed volume of BTC and ETH; depth in stress is taken to be a third of the usual.
    """

    windows: tuple[int, ...] = (4, 36, 288)
    weights: tuple[float, ...] = (0.63, 0.175, 0.195)
    hours: tuple[float, ...] = HOURS
    weekend: float = 0.42
    nodes: tuple[float, ...] = (0.48, 1.0, 2.46)
    node_weights: tuple[float, ...] = (0.22, 0.665, 0.115)
    impact: float = 0.85
    depth_share: float = 0.35
    level: float = 0.95
    surge: float = 3.0
    recorded_share: float = 0.0
    odds: tuple[float, ...] = (0.991, 0.645, 0.835, 0.187)

    def __post_init__(self) -> None:
        require_types(self)
        require(
            "windows", bool(self.windows) and min(self.windows) >= 1, "at least 1 candle each", self.windows
        )
        require(
            "weights",
            _shares(self.weights, len(self.windows)),
            "one share per window, with sum 1",
            self.weights,
        )
        holds = len(self.hours) == 24 and min(self.hours) > 0
        require("hours", holds, "24 numbers above 0", self.hours)
        require("weekend", self.weekend > 0, "above 0", self.weekend)
        require("nodes", bool(self.nodes) and min(self.nodes) > 0, "above 0 each", self.nodes)
        require(
            "node_weights",
            _shares(self.node_weights, len(self.nodes)),
            "one share per node, with sum 1",
            self.node_weights,
        )
        require("impact", self.impact > 0, "above 0", self.impact)
        require("depth_share", 0 < self.depth_share <= 1, "above 0 and at most 1", self.depth_share)
        require("level", 0 < self.level < 1, "between 0 and 1", self.level)
        require("surge", self.surge > 0, "above 0", self.surge)
        require("recorded_share", self.recorded_share >= 0, "at least 0", self.recorded_share)
        holds = len(self.odds) == 4 and min(self.odds[1:3]) >= 0 and all(map(math.isfinite, self.odds))
        require("odds", holds, "4 numbers, the second and third at least 0", self.odds)

    def reach(self) -> FloatArray:
        """Probability that price moves k / `STEPS_PER_SIGMA` sigmas to one side; k = 0, 1, ...; falling."""
        distance = np.arange(FARTHEST * STEPS_PER_SIGMA + 1) / STEPS_PER_SIGMA
        touched = [[math.erfc(u / (n * math.sqrt(2))) for u in distance] for n in self.nodes]
        probability: FloatArray = np.array(self.node_weights) @ np.array(touched)
        return probability

    def log_odds(self, span: float) -> FloatArray:
        """Constant and weights of reach and fuel in the logarithm of the odds, shape (3,).

        `span` is the horizon over the lookback: the more of it a horizon takes, the fewer sweeps there are to
        tell the level from, and the more often it is exceeded.
        """
        constant, of_reach, of_fuel, of_span = self.odds
        return np.array([constant + of_span * math.log(span), of_reach, of_fuel])

    def shares(self, horizon: int) -> FloatArray:
        """Share of each window in volatility at a horizon of so many candles; shape (n_windows,), sum 1."""
        window = np.array(self.windows, dtype=np.float64)
        share = np.array(self.weights) * window / (window + horizon)
        return share / float(np.sum(share))

    def sigma(self, log_range: FloatArray, tick: IntArray, interval: int, horizon: int) -> FloatArray:
        """One-sigma move within the horizon after each candle.

        Parameters
        ----------
        log_range : ndarray of shape (n,)
            High less low, in logs or bins.
        tick : ndarray of shape (n,)
            Number of the candle since 1970.
        interval : int
            Milliseconds from one candle to the next.
        horizon : int
            Candles.

        Returns
        -------
        ndarray of shape (n,)
            In the unit of the ranges; no NaN.
        """
        activity, begin = week_activity(self.hours, self.weekend), tick * interval
        calm = log_range / np.sqrt(mean_activity(activity, begin, interval))
        ahead = mean_activity(activity, begin + interval, horizon * interval)
        usual = np.zeros_like(log_range)
        for share, window in zip(self.shares(horizon), self.windows, strict=True):
            usual += share * np.sqrt(self.range_variance(calm, window))
        return usual * np.sqrt(ahead * horizon)

    def range_variance(self, log_range: FloatArray, window: int) -> FloatArray:
        """Mean of Parkinson's variance over a window; shape (n,)."""
        return trailing_sum(log_range**2, window) * (PARKINSON / window)

    def impact_per_notional(self, variance: FloatArray, notional: FloatArray) -> FloatArray:
        """Squared move per notional of forced flow, given the variance and volume of one usual candle.

        Infinite or NaN where nothing is traded.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.impact**2 * variance / (notional * self.depth_share)

    def surge_level(self, recorded: FloatArray) -> FloatArray:
        """Notional, in the map's amounts, that counts as a cascade where so much is usually recorded.

        NaN where nothing is; a ConfigError where something is and `recorded_share` is not known.
        """
        nothing = bool(np.all(np.isnan(recorded)))
        rule = "above 0 to use recorded liquidations (liqfeature calibrate --liquidations measures it)"
        require("recorded_share", nothing or self.recorded_share > 0, rule, self.recorded_share)
        level: FloatArray = recorded if nothing else recorded * (self.surge / self.recorded_share)
        return level


def _shares(weights: tuple[float, ...], n: int) -> bool:
    return len(weights) == n and min(weights) >= 0 and abs(sum(weights) - 1) < 1e-9
