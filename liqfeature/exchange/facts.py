"""What a bot's market says of itself."""

from collections.abc import Mapping
from typing import Any, TypedDict

SMALLEST_CONTRACT, LARGEST_LEVERAGE = 1e-15, 10_000.0
"""What no market goes beyond: amounts stay numbers, and a rate of margin one that matters."""


class MarketFacts(TypedDict):
    """What `HeatmapConfig.for_pair` takes of a market: highest leverage, and base currency per contract."""

    max_leverage: float | None
    contract_size: float | None


def facts_of(market: Mapping[str, Any] | None) -> MarketFacts:
    """Read one of ccxt's markets, as Freqtrade's `dp.market(pair)` returns it.

    Returns
    -------
    MarketFacts
        None for what the exchange does not say there: Binance says no leverage.
    """
    market = market or {}
    leverage = (market.get("limits") or {}).get("leverage") or {}
    return {
        "max_leverage": _within(1.0, LARGEST_LEVERAGE, leverage.get("max")),
        "contract_size": _within(SMALLEST_CONTRACT, 1 / SMALLEST_CONTRACT, market.get("contractSize")),
    }


def _within(least: float, most: float, value: Any) -> float | None:
    """Return a value, which may be text, as a number; None where it is none, or none that can be."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if least <= number <= most else None
