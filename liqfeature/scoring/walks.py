"""The walks whose columns are scored as forecasts, and the names of what is read off them."""

from dataclasses import dataclass
from typing import Self

from liqfeature.estimate.config import HeatmapConfig
from liqfeature.estimate.prepare import walk_market
from liqfeature.estimate.scan import Scan
from liqfeature.market.market import Market

HIT, CASCADE, FUEL = "liq_hit", "liq_cascade", "liq_fuel"
UNCALIBRATED, VOLATILITY = "reach of the level", "volatility"
ALONE = ", path alone"

REACH_ALONE = {"cascade.odds": (0.0, 1.0, 0.0, 0.0)}
"""Odds that are those of reaching the level: what `liq_cascade_*` would be uncalibrated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walks:
    """One market walked in several ways.

    Parameters
    ----------
    estimate : Scan
        As the columns do.
    uncalibrated : Scan
        With odds of reach alone: the chance that price meets the level on its way.
    path_alone : Scan
        With `flow.opens` "path": what the estimate would forecast without volume and open interest.
    """

    estimate: Scan
    uncalibrated: Scan
    path_alone: Scan

    @classmethod
    def of(cls, market: Market, config: HeatmapConfig) -> Self:
        """Walk a market in which nothing is recorded."""
        return cls(
            estimate=walk_market(market, config),
            uncalibrated=walk_market(market, config.changed(REACH_ALONE)),
            path_alone=walk_market(market, config.changed({"flow.opens": "path"})),
        )
