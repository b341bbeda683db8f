"""How far price may move within the horizon, and how strongly forced flow moves it: parameters and tables."""

import math
from dataclasses import dataclass

import numpy as np

from liqfeature.checks import require, require_types
from liqfeature.flow import trailing_sum
from liqfeature.types import FloatArray

PARKINSON = 1.0 / (4.0 * math.log(2.0))
"""Variance of a Brownian path per squared range."""

FARTHEST, STEPS_PER_SIGMA = 8, 100
"""Extent and resolution of the table of reach, in sigmas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CascadeRule:
    """Reach, impact and the level above which forced notional counts as a cascade.

    Parameters
    ----------
    windows : tuple of int
        Candles over which realised ranges are averaged, fast to slow; each at most `lookback`.
    weights : tuple of float
        Share of each window in the variance; sum 1.
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

    Notes
    -----
    Range variance after Parkinson (1980). Reach by the reflection principle, averaged over `nodes`. Impact
    `Y * sigma * sqrt(Q / V)` after Donier and Bonart (2015); depth in stress is about a third of the usual.
    """

    windows: tuple[int, ...] = (12, 72, 288)
    weights: tuple[float, ...] = (0.4, 0.3, 0.3)
    nodes: tuple[float, ...] = (0.7, 1.0, 1.35)
    node_weights: tuple[float, ...] = (0.25, 0.5, 0.25)
    impact: float = 1.0
    depth_share: float = 0.35
    level: float = 0.95

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

    def reach(self) -> FloatArray:
        """Probability that price moves k / `STEPS_PER_SIGMA` sigmas to one side; k = 0, 1, ...; falling."""
        distance = np.arange(FARTHEST * STEPS_PER_SIGMA + 1) / STEPS_PER_SIGMA
        touched = [[math.erfc(u / (n * math.sqrt(2))) for u in distance] for n in self.nodes]
        probability: FloatArray = np.array(self.node_weights) @ np.array(touched)
        return probability

    def variance(self, log_high: FloatArray, log_low: FloatArray) -> FloatArray:
        """Variance of one candle's move, from ranges over the windows; shape (n,), square of the unit."""
        return sum(
            (
                w * self.range_variance(log_high, log_low, k)
                for w, k in zip(self.weights, self.windows, strict=True)
            ),
            np.zeros_like(log_high),
        )

    def range_variance(self, log_high: FloatArray, log_low: FloatArray, window: int) -> FloatArray:
        """Mean of Parkinson's variance over a window; shape (n,)."""
        return trailing_sum((log_high - log_low) ** 2, window) * (PARKINSON / window)

    def impact_per_notional(self, variance: FloatArray, notional: FloatArray) -> FloatArray:
        """Squared move per notional of forced flow, given the variance and volume of one usual candle.

        Infinite or NaN where nothing is traded.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.impact**2 * variance / (notional * self.depth_share)


def _shares(weights: tuple[float, ...], n: int) -> bool:
    return len(weights) == n and min(weights) >= 0 and abs(sum(weights) - 1) < 1e-9
