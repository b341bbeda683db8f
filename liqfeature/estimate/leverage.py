"""At which leverage positions are opened: the prior, and where it puts their liquidation prices."""

import math
from dataclasses import dataclass

import numpy as np

from liqfeature.checks import require, require_types
from liqfeature.exchange.margin import liquidation_distance
from liqfeature.types import FloatArray

LADDER = (2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 14.0, 20.0, 25.0, 33.0, 50.0, 75.0, 100.0, 125.0)
"""Effective leverages between which open interest is spread. No recording shows more than 125x in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeveragePrior:
    """How open interest is spread over *effective* leverage: notional over margin behind it.

    A share `flat` lies evenly on the ladder (traders pick round leverages), the rest is log-normal (cross
    wallets, added margin). Leverages above `max_leverage` do not occur. Of what is open at `scalp_leverage`
    or more, a share is held for minutes rather than days.

    Parameters
    ----------
    median : float
        Median of the log-normal part, above 1. Larger: clusters lie nearer to price.
    sigma : float
        Its standard deviation in logarithm, above 0. Larger: wider spread.
    flat : float
        Share of the flat part, 0 to 1. Larger: more at the distances of round leverages.
    scalp_leverage : float
        Leverage from which on positions may be scalps, above 1. Larger: fewer scalps.
    scalp_share : float
        Share of scalps among open interest at that leverage or more, 0 to 1. Larger: what lies within
        1.5 % of price follows the last hours more, and older trading less.
    max_leverage : float
        Highest leverage of the pair's first tier, above 2.
    maintenance_margin_rate : float
        Of the pair's first tier, as a fraction of notional. Larger: liquidation nearer to entry.
    weight : tuple of float, optional
        Calibrated shares of the ladder's levels up to `max_leverage`, instead of the prior; sum 1.

    Notes
    -----
    Defaults: large exchanges, median 8 and sigma 1.0; Hyperliquid 3.5 and 0.7, which reproduces the shares
    of its open interest by leverage published in December 2025.
    """

    median: float = 8.0
    sigma: float = 1.0
    flat: float = 0.0
    scalp_leverage: float = 50.0
    scalp_share: float = 0.5
    max_leverage: float = 125.0
    maintenance_margin_rate: float = 0.004
    weight: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        require_types(self)
        require("median", self.median > 1, "above 1", self.median)
        require("sigma", self.sigma > 0, "above 0", self.sigma)
        require("flat", 0 <= self.flat <= 1, "between 0 and 1", self.flat)
        require("scalp_leverage", self.scalp_leverage > 1, "above 1", self.scalp_leverage)
        require("scalp_share", 0 <= self.scalp_share <= 1, "between 0 and 1", self.scalp_share)
        require("max_leverage", self.max_leverage >= LADDER[0], f"at least {LADDER[0]:g}", self.max_leverage)
        require(
            "maintenance_margin_rate",
            0 <= self.maintenance_margin_rate < 0.5,
            "between 0 and 0.5",
            self.maintenance_margin_rate,
        )
        n_levels = self.levels().size
        require(
            "maintenance_margin_rate", n_levels > 0, "lower, for any leverage", self.maintenance_margin_rate
        )
        if self.weight:
            holds = (
                len(self.weight) == n_levels and min(self.weight) >= 0 and abs(sum(self.weight) - 1) < 1e-6
            )
            require("weight", holds, f"{n_levels} shares that sum to 1", self.weight)

    def levels(self) -> FloatArray:
        """Leverages that occur, shape (n_levels,): on the ladder, permitted, and liquidated beyond entry."""
        ladder = np.array(LADDER)
        margin = 1.0 / ladder
        return ladder[(ladder <= self.max_leverage) & (margin > 1.5 * self.maintenance_margin_rate)]

    def shares(self) -> FloatArray:
        """Share of open interest at each level, shape (n_levels,), sum 1."""
        if self.weight:
            return np.array(self.weight, dtype=np.float64)
        levels = self.levels()
        logs = np.log(levels)
        between = 0.5 * (logs[1:] + logs[:-1])
        below = [_normal_cdf((edge - math.log(self.median)) / self.sigma) for edge in between]
        lognormal = np.diff(np.concatenate([[0.0], below, [1.0]]))
        return (1 - self.flat) * lognormal + self.flat / levels.size

    def scalped(self) -> FloatArray:
        """Share of scalps in the open interest at each level, shape (n_levels,)."""
        return np.where(self.levels() >= self.scalp_leverage, self.scalp_share, 0.0)

    def mixture(self, width: float) -> tuple[FloatArray, FloatArray]:
        """Distances to liquidation in bins of `width`, below 0 for longs, and shares; both (2, n_levels)."""
        distance = liquidation_distance(self.levels(), self.maintenance_margin_rate)
        return distance / width, np.tile(self.shares(), (2, 1))


def _normal_cdf(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))
