"""What a bot's market says of itself."""

import math
from collections.abc import Mapping
from typing import Any, TypedDict


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
        "max_leverage": _at_least(1.0, leverage.get("max")),
        "contract_size": _at_least(math.ulp(0.0), market.get("contractSize")),
    }


def _at_least(least: float, value: Any) -> float | None:
    """Return a value, which may be text, as a number; None where it is none, or too small to be real."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if least <= number < math.inf else None
