"""How strongly forced flow moves price, and the odds that more of it comes than usual: parameters."""

import math
from dataclasses import dataclass

import numpy as np

from liqfeature.checks import require, require_types
from liqfeature.types import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class CascadeRule:
    """Impact, and the level above which forced notional counts as a cascade.

    Parameters
    ----------
    impact : float
        Prefactor of the square-root law of impact, above 0. Larger: forced flow moves price further.
    depth_share : float
        Share of usual depth that is left when positions are force-closed, above 0 to 1. Larger: less
        amplification.
    forced_share : float
        Share of what rests at a price that is force-closed when the price is touched, above 0 to 1; the rest
        left by stops, got more margin, or closes in part. It scales `liq_fuel_*` and `liq_swept_*`, and what
        moves price in `liq_amplification_*`; nothing else depends on it. Larger: more forced flow.
    level : float
        Quantile of what was swept within a horizon, over the lookback, above which the coming sweep counts as
        a cascade, 0 to 1.
    surge : float
        Multiple of the mean of recorded liquidations above which the coming ones count as a cascade, where
        there are recordings; above 0.
    recorded_share : float
        Share of what the map sweeps that the recording shows, at least 0; 0: not known, and recordings cannot
        be used. Of a complete recording it is `forced_share`. Larger: what was recorded stands for less, and
        cascades are more probable.
    odds : tuple of float
        The logarithm of the odds of a cascade: a constant; weights, at least 0, of the logarithms of the odds
        that price meets the level on its way and of fuel over fuel and level together; weight of the
        logarithm of the horizon over the lookback. A larger constant: more probable everywhere; larger
        weights of reach and fuel: probabilities farther apart.

    Notes
    -----
    `odds` were fitted to the first half of 5m candles of BTC, 2023-11 to 2024-12, by
    `liqfeature calibrate --target cascade`. Impact `Y * sigma * sqrt(Q / V)` after Donier and Bonart (2015),
    `Y` measured on signed volume of BTC and ETH; depth in stress is taken to be a third of the usual.

    `forced_share`: over 2,958 hours of 2026 the map of BTC swept 5.8 (longs) and 7.2 (shorts) times what
    Binance, Bybit and OKX together reported as liquidated, 4 to 7 times in nine of ten deciles of volatility.
    Two of the three report one order a second at most: .14 to .17 is a lower bound, 1 the upper one.
    """

    impact: float = 0.85
    depth_share: float = 0.35
    forced_share: float = 0.15
    level: float = 0.95
    surge: float = 3.0
    recorded_share: float = 0.0
    odds: tuple[float, ...] = (0.957, 0.703, 0.647, 0.177)

    def __post_init__(self) -> None:
        require_types(self)
        require("impact", self.impact > 0, "above 0", self.impact)
        require("depth_share", 0 < self.depth_share <= 1, "above 0 and at most 1", self.depth_share)
        require("forced_share", 0 < self.forced_share <= 1, "above 0 and at most 1", self.forced_share)
        require("level", 0 < self.level < 1, "between 0 and 1", self.level)
        require("surge", self.surge > 0, "above 0", self.surge)
        require("recorded_share", self.recorded_share >= 0, "at least 0", self.recorded_share)
        holds = len(self.odds) == 4 and min(self.odds[1:3]) >= 0 and all(map(math.isfinite, self.odds))
        require("odds", holds, "4 numbers, the second and third at least 0", self.odds)

    def log_odds(self, span: float) -> FloatArray:
        """Constant and weights of reach and fuel in the logarithm of the odds, shape (3,).

        `span` is the horizon over the lookback: the more of it a horizon takes, the fewer sweeps there are to
        tell the level from, and the more often it is exceeded.
        """
        constant, of_reach, of_fuel, of_span = self.odds
        return np.array([constant + of_span * math.log(span), of_reach, of_fuel])

    def impact_per_notional(self, variance: FloatArray, notional: FloatArray) -> FloatArray:
        """Squared move per resting notional that is met, given the variance and volume of a usual candle.

        Infinite or NaN where nothing is traded.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.impact**2 * variance * self.forced_share / (notional * self.depth_share)

    def surge_level(self, recorded: FloatArray) -> FloatArray:
        """Notional, in the map's amounts, that counts as a cascade where so much is usually recorded.

        NaN where nothing is; a ConfigError where something is and `recorded_share` is not known.
        """
        nothing = bool(np.all(np.isnan(recorded)))
        rule = "above 0 to use recorded liquidations (liqfeature calibrate --liquidations measures it)"
        require("recorded_share", nothing or self.recorded_share > 0, rule, self.recorded_share)
        level: FloatArray = recorded if nothing else recorded * (self.surge / self.recorded_share)
        return level
