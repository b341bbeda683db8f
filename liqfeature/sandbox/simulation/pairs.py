"""The pairs that the simulated exchange lists: price, volatility, open interest and margin tiers.

Figures are round numbers of the order seen on large exchanges. Tiers are Binance's of 2026.
"""

from dataclasses import dataclass

from liqfeature.checks import require
from liqfeature.exchange.tiers import LeverageTier, check_tiers


@dataclass(frozen=True, slots=True, kw_only=True)
class PairCharacter:
    """What differs between pairs.

    Parameters
    ----------
    price : float
        Quote per base, three weeks before the first minute. The price reverts to it weakly.
    annual_volatility : float
        Standard deviation of log returns per year; the impact of flow adds about a fifth. Larger: wider
        ranges, more liquidations.
    open_interest : float
        Base, one side; the level around which it moves.
    turnover : float
        Unlevered volume per day over open interest. Larger: a deeper order book, weaker cascades.
    tiers : tuple of LeverageTier
        Margin schedule, ascending.
    """

    price: float
    annual_volatility: float
    open_interest: float
    turnover: float
    tiers: tuple[LeverageTier, ...]

    def __post_init__(self) -> None:
        for name in ("price", "annual_volatility", "open_interest", "turnover"):
            require(name, getattr(self, name) > 0, "above 0", getattr(self, name))
        check_tiers(self.tiers)


def character(pair: str) -> PairCharacter:
    """Return the character of a pair.

    Parameters
    ----------
    pair : str
        Freqtrade's name, such as "BTC/USDT:USDT".

    Raises
    ------
    ConfigError
        If the simulated exchange does not list the pair.
    """
    require("pair", pair in PAIRS, f"one of {', '.join(PAIRS)}", repr(pair))
    return PAIRS[pair]


def _tiers(*steps: tuple[float, float, float]) -> tuple[LeverageTier, ...]:
    """Build a schedule from largest notional, maintenance margin rate and highest leverage of each tier."""
    tiers: list[LeverageTier] = []
    floor = rate = amount = 0.0
    for ceiling, next_rate, leverage in steps:
        amount += floor * (next_rate - rate)
        floor_of_tier, floor, rate = floor, ceiling, next_rate
        tiers.append(LeverageTier(floor_of_tier, ceiling, next_rate, leverage, amount))
    return tuple(tiers)


PAIRS = {
    "BTC/USDT:USDT": PairCharacter(
        price=64_000.0,
        annual_volatility=0.48,
        open_interest=85_000.0,
        turnover=2.4,
        tiers=_tiers(
            (300e3, 0.004, 150),
            (800e3, 0.005, 100),
            (3e6, 0.0065, 75),
            (12e6, 0.01, 50),
            (70e6, 0.02, 25),
            (100e6, 0.025, 20),
            (230e6, 0.05, 10),
            (480e6, 0.10, 5),
            (600e6, 0.125, 4),
            (800e6, 0.15, 3),
            (1.2e9, 0.25, 2),
            (1.8e9, 0.50, 1),
        ),
    ),
    "ETH/USDT:USDT": PairCharacter(
        price=3_200.0,
        annual_volatility=0.60,
        open_interest=1_800_000.0,
        turnover=2.6,
        tiers=_tiers(
            (300e3, 0.004, 150),
            (800e3, 0.005, 100),
            (3e6, 0.0065, 75),
            (12e6, 0.01, 50),
            (50e6, 0.02, 25),
            (65e6, 0.025, 20),
            (150e6, 0.05, 10),
            (320e6, 0.10, 5),
            (400e6, 0.125, 4),
            (530e6, 0.15, 3),
            (800e6, 0.25, 2),
            (1.2e9, 0.50, 1),
        ),
    ),
    "SOL/USDT:USDT": PairCharacter(
        price=150.0,
        annual_volatility=0.68,
        open_interest=8_500_000.0,
        turnover=2.0,
        tiers=_tiers(
            (50e3, 0.005, 100),
            (400e3, 0.0065, 75),
            (1e6, 0.01, 50),
            (4e6, 0.02, 25),
            (8e6, 0.025, 20),
            (40e6, 0.05, 10),
            (80e6, 0.10, 5),
            (100e6, 0.125, 4),
            (200e6, 0.25, 2),
            (400e6, 0.50, 1),
        ),
    ),
    "XRP/USDT:USDT": PairCharacter(
        price=2.2,
        annual_volatility=0.68,
        open_interest=350_000_000.0,
        turnover=1.8,
        tiers=_tiers(
            (40e3, 0.005, 100),
            (80e3, 0.006, 75),
            (150e3, 0.01, 50),
            (400e3, 0.0125, 40),
            (1e6, 0.02, 25),
            (2e6, 0.025, 20),
            (10e6, 0.05, 10),
            (20e6, 0.10, 5),
            (25e6, 0.125, 4),
            (50e6, 0.25, 2),
            (100e6, 0.50, 1),
        ),
    ),
    "DOGE/USDT:USDT": PairCharacter(
        price=0.18,
        annual_volatility=0.74,
        open_interest=2_400_000_000.0,
        turnover=1.6,
        tiers=_tiers(
            (80e3, 0.0065, 75),
            (150e3, 0.01, 50),
            (750e3, 0.0125, 40),
            (2e6, 0.02, 25),
            (4e6, 0.025, 20),
            (20e6, 0.05, 10),
            (40e6, 0.10, 5),
            (50e6, 0.125, 4),
            (100e6, 0.25, 2),
            (200e6, 0.50, 1),
        ),
    ),
}
"""Characters by Freqtrade's name of the pair."""
