"""How far price may move within a horizon: parameters, and tables by distance in sigmas."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from liqfeature.checks import require, require_types
from liqfeature.types import FloatArray, IntArray

FARTHEST, STEPS_PER_SIGMA = 16, 100
"""Extent and resolution of the table of reach, in sigmas."""

MOST_TILT, STEPS_PER_TILT = 2.5, 10
"""Largest recent move that counts, either way, and the resolution at which it does, in sigmas."""

N_TILTS = round(2 * MOST_TILT * STEPS_PER_TILT) + 1
"""Rows of the tables: recent moves from `MOST_TILT` sigmas towards a side to as many away from it."""

# fmt: off
HOURS = (
    0.85, 0.87, 0.82, 0.59, 0.48, 0.51, 0.53, 0.66, 0.73, 0.76, 0.68, 0.80,
    1.13, 1.35, 1.87, 1.75, 1.57, 1.53, 1.30, 1.30, 1.24, 0.99, 0.95, 0.74,
)
# fmt: on
"""Variance of BTC by hour of the day, UTC, over its mean; 2023-11 to 2024-05. Busiest as New York opens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachRule:
    """Volatility from recent ranges, and the distribution of the furthest price within a horizon.

    Parameters
    ----------
    windows : tuple of int
        Candles over which ranges are averaged, fast to slow; one longer than both `max_age` and `lookback`
        counts as the longer of these.
    weights : tuple of float
        Share of each window in volatility at the shortest horizons; sum 1. A window's share falls to half at
        a horizon of its own length, against one that lasts for ever.
    wildest : float
        Largest range of a candle that counts, over the median range of the lookback before it; at least 1.
        Larger: one wick widens everything for longer.
    hours : tuple of float
        Variance of each hour of the day, UTC, above 0; only ratios matter. All equal: the time of day plays
        no part.
    weekend : float
        Variance of a Saturday or Sunday over that of a weekday, above 0. Smaller: less reach at weekends.
    scale : float
        Standard deviation of log price within a horizon over the root of the averaged variance of ranges,
        above 0. Larger: sigma grows in proportion.
    nodes, node_weights : tuple of float
        Volatility of volatility: multiples of sigma, ascending, and their probabilities; the latter sum to 1.
        Wider: more probability far away and less nearby.
    skew : tuple of float
        How the side of a recent move matters, at least 0 each: for each sigma that price came away from a
        side within `skew_span`, the logarithm of the odds of the first node grows there by the first number
        (and falls by it for each sigma towards the side), and that of the last node falls by the second.
        (0, 0): sides are alike.
    skew_span : int
        Candles over which that move is taken, at least 1; more than `lookback` count as that.

    Notes
    -----
    Range variance after Parkinson (1980); windows after Corsi's HAR model (2009), averaged as volatilities,
    so that one wild candle counts less. Reach by the reflection principle, averaged over nodes. All was
    fitted to 5m candles of BTC, 2023-11 to 2024-12, at 12 and 48 candles ahead together: the windows' weights
    by the logarithm of the range that followed, nodes and skew by the likelihood of the furthest price.
    """

    windows: tuple[int, ...] = (4, 36, 288, 1728)
    weights: tuple[float, ...] = (0.665, 0.146, 0.112, 0.077)
    wildest: float = 8.0
    hours: tuple[float, ...] = HOURS
    weekend: float = 0.42
    scale: float = 1.08
    nodes: tuple[float, ...] = (0.712, 1.577, 4.34)
    node_weights: tuple[float, ...] = (0.77, 0.215, 0.015)
    skew: tuple[float, ...] = (0.31, 0.93)
    skew_span: int = 48

    def __post_init__(self) -> None:
        require_types(self)
        holds = bool(self.windows) and min(self.windows) >= 1
        require("windows", holds, "at least 1 candle each", self.windows)
        holds = _are_shares(self.weights, len(self.windows))
        require("weights", holds, "one share per window, with sum 1", self.weights)
        require("wildest", self.wildest >= 1, "at least 1", self.wildest)
        holds = len(self.hours) == 24 and min(self.hours) > 0
        require("hours", holds, "24 numbers above 0", self.hours)
        require("weekend", self.weekend > 0, "above 0", self.weekend)
        require("scale", self.scale > 0, "above 0", self.scale)
        holds = bool(self.nodes) and min(self.nodes) > 0 and list(self.nodes) == sorted(self.nodes)
        require("nodes", holds, "above 0 each, ascending", self.nodes)
        holds = _are_shares(self.node_weights, len(self.nodes))
        require("node_weights", holds, "one share per node, with sum 1", self.node_weights)
        holds = len(self.skew) == 2 and min(self.skew) >= 0
        require("skew", holds, "2 numbers, at least 0", self.skew)
        require("skew_span", self.skew_span >= 1, "at least 1", self.skew_span)

    def shares(self, horizon: int, windows: tuple[int, ...]) -> FloatArray:
        """Share in volatility at a horizon of each window, no longer than the memory; (n_windows,), sum 1."""
        window = np.array(windows, dtype=np.float64)
        share = np.array(self.weights) * window / (window + horizon)
        return share / float(np.sum(share))

    def node_shares(self) -> FloatArray:
        """Probability of each node by recent move, from `MOST_TILT` sigmas towards a side to as many away.

        Shape (N_TILTS, n_nodes), rows of sum 1.
        """
        away = np.arange(N_TILTS) / STEPS_PER_TILT - MOST_TILT
        weight = np.tile(np.array(self.node_weights), (N_TILTS, 1))
        weight[:, 0] *= np.exp(self.skew[0] * away)
        weight[:, -1] *= np.exp(-self.skew[1] * np.maximum(away, 0.0))
        shares: FloatArray = weight / np.sum(weight, axis=1, keepdims=True)
        return shares

    def reach(self) -> FloatArray:
        """Probability that price moves k / `STEPS_PER_SIGMA` sigmas to one side; k = 0, 1, ...; falling.

        Shape (N_TILTS, n_distances), a row for each recent move; not to be written to.
        """
        return _reach(self)

    def quantile(self, probability: float) -> FloatArray:
        """Distance, in sigmas, that price stays within with a probability; (N_TILTS,), not to be written to.

        Parameters
        ----------
        probability : float
            Above 0 and below 1.
        """
        require("probability", 0 < probability < 1, "between 0 and 1", probability)
        return _quantile(self, probability)

    def shortfall(self, probability: float) -> FloatArray:
        """Mean distance, in sigmas, of those beyond the quantile of a probability; shape (N_TILTS,)."""
        quantile, shares, nodes = self.quantile(probability), self.node_shares(), np.array(self.nodes)
        density = np.exp(-0.5 * (quantile[:, None] / nodes) ** 2)
        mean: FloatArray = np.sum(shares * nodes * density, axis=1) * math.sqrt(2 / math.pi)
        return mean / (1 - probability)


@lru_cache(maxsize=4)
def _reach(rule: ReachRule) -> FloatArray:
    distance = np.arange(FARTHEST * STEPS_PER_SIGMA + 1) / STEPS_PER_SIGMA
    shares, probability = rule.node_shares(), np.zeros((N_TILTS, distance.size))
    for share, node in zip(shares.T, rule.nodes, strict=True):
        probability += share[:, None] * [math.erfc(u / (node * math.sqrt(2))) for u in distance]
    probability.flags.writeable = False
    return probability


@lru_cache(maxsize=64)
def _quantile(rule: ReachRule, probability: float) -> FloatArray:
    shares, farthest = rule.node_shares(), max(rule.nodes) * _BEYOND
    nearer, farther = np.zeros(N_TILTS), np.full(N_TILTS, farthest)
    for _ in range(_HALVINGS):
        middle = (nearer + farther) / 2
        within = _beyond(middle, shares, rule.nodes) > 1 - probability
        nearer, farther = np.where(within, middle, nearer), np.where(within, farther, middle)
    farther.flags.writeable = False
    return farther


def reached_within(reach: FloatArray, tilts: IntArray, sigmas: FloatArray) -> FloatArray:
    """Probability that price moves each number of sigmas, read off the table along straight lines.

    Parameters
    ----------
    reach : ndarray of shape (N_TILTS, n_distances)
        As `ReachRule.reach` returns it.
    tilts : ndarray
        Rows of the table, of the shape of `sigmas` or one that fits it.
    sigmas : ndarray
        Distances, at least 0; from `FARTHEST` on the probability is 0. NaN stays NaN.
    """
    position = np.where(sigmas < FARTHEST, sigmas, 0.0) * STEPS_PER_SIGMA
    step = position.astype(np.int64)
    nearer, farther = reach[tilts, step], reach[tilts, step + 1]
    probability: FloatArray = nearer + (position - step) * (farther - nearer)
    return np.where(sigmas < FARTHEST, probability, np.where(np.isnan(sigmas), np.nan, 0.0))


_BEYOND, _HALVINGS = 8.0, 60
"""Sigmas of a node that no path of it reaches; halvings until a quantile is exact."""


def _beyond(distance: FloatArray, shares: FloatArray, nodes: tuple[float, ...]) -> FloatArray:
    """Probability that price moves farther than each distance; shapes (m,) and (m, n_nodes)."""
    touched = [[math.erfc(u / (n * math.sqrt(2))) for n in nodes] for u in distance]
    probability: FloatArray = np.sum(shares * np.array(touched), axis=1)
    return probability


def _are_shares(weights: tuple[float, ...], n: int) -> bool:
    return len(weights) == n and min(weights) >= 0 and abs(sum(weights) - 1) < 1e-9
