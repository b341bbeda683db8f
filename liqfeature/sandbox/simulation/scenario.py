"""Scenarios: how the traders of a simulated market behave, and the scenarios that have a name."""

import math
from dataclasses import dataclass, replace

from liqfeature.checks import require

_LADDER = (
    (2.0, 0.14),
    (3.0, 0.15),
    (5.0, 0.16),
    (10.0, 0.17),
    (15.0, 0.08),
    (20.0, 0.13),
    (25.0, 0.07),
    (50.0, 0.06),
    (75.0, 0.02),
    (100.0, 0.02),
)

_SUM_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """How the traders of a simulated market behave; `pairs` holds what differs between pairs.

    Parameters
    ----------
    volatility : float, default 1.0
        Multiplies the pair's volatility; larger: wider ranges, more liquidations.
    liquidity : float, default 1.0
        Multiplies the pair's turnover; larger: forced orders move the price less, cascades end sooner.
    impact : float, default 1.0
        Prefactor of the square-root law; larger: every order moves the price more.
    impact_memory : float, default 12.0
        Minutes in which the market absorbs flow; larger: the impact of orders adds up for longer.
    permanent_share : float, default 0.35
        Share of impact, 0 to 1, that stays in the price; larger: less reversal after a cascade.
    stress_cap : float, default 15.0
        Depth is divided by at most one more than this; larger: thinner depth within a cascade.
    jumps_per_week : float, default 3.0
        Moves of a third of a day's volatility within ten seconds; larger: fatter tails.
    arrivals : float, default 4.0
        Leveraged traders per minute who open at market; larger: more and smaller positions, slower.
    levered_share : float, default 0.65
        Share of open interest, 0 to 1, that is leveraged; larger: more fuel.
    size_sigma : float, default 1.3
        Standard deviation of the log of a position's size; larger: a few whales hold most.
    leverage : tuple of (float, float)
        Leverage, at least 1 and ascending, and the share of traders who choose it; shares sum to 1.
    long_tilt : float, default 0.15
        Shares of longs are multiplied by `leverage ** long_tilt`, those of shorts divided; larger: longs
        are liquidated more often than shorts.
    cross_share : float, default 0.4
        Share of traders, 0 to 1, with cross margin; larger: liquidation prices farther away.
    paired_share : float, default 0.55
        Share of arrivals, 0 to 1, whose counterparty is a leveraged trader, not a market maker.
    holding_hours : float, default 4.0
        Median holding time at 10x; larger: open interest turns over more slowly.
    holding_sigma : float, default 1.6
        Standard deviation of the log of holding times; larger: more of the open positions are old.
    stop_share : float, default 0.35
        Share of traders, 0 to 1, with a hidden stop before liquidation; larger: fewer liquidations.
    top_up_share : float, default 0.15
        Share of traders, 0 to 1, who would add isolated margin; together with `stop_share` at most 1.
    absorbed_share : float, default 0.6
        Share of a forced order, 0 to 1, against which positions in profit close; larger: open
        interest falls more.
    trend_following : float, default 0.3
        How strongly arrivals lean with the last hours' trend; larger: more crowded sides.
    long_bias : float, default 0.12
        How strongly arrivals lean to the long side; larger: dearer perpetual, higher funding.
    """

    volatility: float = 1.0
    liquidity: float = 1.0
    impact: float = 1.0
    impact_memory: float = 12.0
    permanent_share: float = 0.35
    stress_cap: float = 15.0
    jumps_per_week: float = 3.0
    arrivals: float = 4.0
    levered_share: float = 0.65
    size_sigma: float = 1.3
    leverage: tuple[tuple[float, float], ...] = _LADDER
    long_tilt: float = 0.15
    cross_share: float = 0.4
    paired_share: float = 0.55
    holding_hours: float = 4.0
    holding_sigma: float = 1.6
    stop_share: float = 0.35
    top_up_share: float = 0.15
    absorbed_share: float = 0.6
    trend_following: float = 0.3
    long_bias: float = 0.12

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            require(name, low <= value <= high, f"from {low:g} to {high:g}", value)
        both = self.stop_share + self.top_up_share
        require("stop_share + top_up_share", both <= 1, "at most 1", f"{both:g}")
        levels = [level for level, _ in self.leverage]
        shares = [share for _, share in self.leverage]
        ascending = levels == sorted(set(levels)) != [] and levels[0] >= 1 and math.isfinite(levels[-1])
        require("levels of leverage", ascending, "at least 1 and ascending", levels)
        complete = min(shares) >= 0 and abs(sum(shares) - 1) <= _SUM_TOLERANCE
        require("shares of leverage", complete, "at least 0 and sum to 1", shares)


_RANGES: dict[str, tuple[float, float]] = {
    "volatility": (0.0, 10.0),
    "liquidity": (0.01, 100.0),
    "impact": (0.0, 10.0),
    "impact_memory": (1.0, 1440.0),
    "permanent_share": (0.0, 1.0),
    "stress_cap": (0.0, 100.0),
    "jumps_per_week": (0.0, 1000.0),
    "arrivals": (0.1, 60.0),
    "levered_share": (0.01, 0.99),
    "size_sigma": (0.0, 3.0),
    "long_tilt": (-2.0, 2.0),
    "cross_share": (0.0, 1.0),
    "paired_share": (0.0, 1.0),
    "holding_hours": (0.1, 240.0),
    "holding_sigma": (0.0, 3.0),
    "stop_share": (0.0, 1.0),
    "top_up_share": (0.0, 1.0),
    "absorbed_share": (0.0, 1.0),
    "trend_following": (-2.0, 2.0),
    "long_bias": (-1.0, 1.0),
}

LIQUID = Scenario()

SCENARIOS = {
    "liquid": LIQUID,
    "reflexive": replace(LIQUID, liquidity=0.35),
    "squeeze": replace(LIQUID, liquidity=0.4, long_tilt=-0.15, long_bias=-0.35),
    "black_swan": replace(LIQUID, liquidity=0.25, jumps_per_week=6.0, stress_cap=40.0),
}
"""By name: a deep market; one with large open interest for its depth, so that cascades feed themselves; one
with crowded, highly leveraged shorts; one in which depth vanishes."""


def scenario(name: str) -> Scenario:
    """Return a scenario by its name.

    Parameters
    ----------
    name : str
        A key of `SCENARIOS`.

    Raises
    ------
    ConfigError
        If there is no such scenario.
    """
    require("scenario", name in SCENARIOS, f"one of {', '.join(SCENARIOS)}", repr(name))
    return SCENARIOS[name]
