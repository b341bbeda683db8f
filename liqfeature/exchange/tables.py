"""Where the maintenance tiers of a pair come from: its exchange, its own limit, or a similar market."""

import logging
import math
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from liqfeature.checks import require
from liqfeature.exchange.binance_tiers import binance_tiers, source
from liqfeature.exchange.pairs import Pair, linear_pair, names_of_coin
from liqfeature.exchange.tiers import LeverageTier, fallback_tiers, half_initial_margin, limited_tiers
from liqfeature.exchange.traits import canonical, exchange_traits

logger = logging.getLogger(__name__)

ASSUMED_MAX_LEVERAGE = 20.0
"""Of a pair of which nothing is known; the median over Binance's pairs is 25x."""

# Tiers as (max_notional in USDC, max_leverage): hyperliquid.gitbook.io/hyperliquid-docs/trading/margin-tiers
_HYPERLIQUID_20M = (
    "DOGE KPEPE SUI WLD TRUMP LTC ENA POPCAT WIF AAVE KBONK "
    "LINK CRV AVAX ADA UNI NEAR TIA APT BCH HYPE FARTCOIN"
)
_HYPERLIQUID_3M = "OP ARB LDO TON MKR ONDO JUP INJ KSHIB SEI TRX BNB DOT"
_HYPERLIQUID_STEPS: dict[str, tuple[tuple[float, float], ...]] = {
    "BTC": ((150e6, 40.0), (math.inf, 20.0)),
    "ETH": ((100e6, 25.0), (math.inf, 15.0)),
    "SOL": ((70e6, 20.0), (math.inf, 10.0)),
    "XRP": ((40e6, 20.0), (math.inf, 10.0)),
    **dict.fromkeys(_HYPERLIQUID_20M.split(), ((20e6, 10.0), (math.inf, 5.0))),
    **dict.fromkeys(_HYPERLIQUID_3M.split(), ((3e6, 10.0), (math.inf, 5.0))),
}


class FoundTiers(NamedTuple):
    """Tiers of a pair, in words where they come from, and whether nothing was known of it."""

    tiers: tuple[LeverageTier, ...]
    source: str
    assumed: bool = False


def tiers_for(
    pair: str, exchange: str = "binance", *, max_leverage: float | None = None
) -> tuple[LeverageTier, ...]:
    """Return the best tiers known for a pair without asking the exchange: those of `find_tiers`."""
    return find_tiers(pair, exchange, max_leverage=max_leverage).tiers


def find_tiers(pair: str, exchange: str = "binance", *, max_leverage: float | None = None) -> FoundTiers:
    """Find the best tiers known for a pair without asking the exchange, and log where they come from.

    In this order: the table of the exchange (Binance's, Hyperliquid's documentation); elsewhere Binance's
    tiers of the pair; those of the same coin under its other multiple or in another quote currency, or of a
    dated contract's perpetual. Where the market's own limit is known, they are fitted to it. Without any of
    these, one tier of 20x is assumed, with a warning.

    Parameters
    ----------
    pair : str
        As Freqtrade writes it, `BTC/USDT:USDT`.
    exchange : str, default "binance"
        Any of its names.
    max_leverage : float, optional
        Highest leverage of the market itself, at least 1: ccxt's `market["limits"]["leverage"]["max"]`.

    Returns
    -------
    FoundTiers
        Its tiers are ascending and never empty.

    Raises
    ------
    ConfigError
        If the pair is no linear future, the exchange is not known, or `max_leverage` is below 1.

    Notes
    -----
    The answer is remembered for the life of the process, so each combination is logged once.
    """
    exchange_traits(exchange)
    return _find_tiers(pair, canonical(exchange), max_leverage)


@cache
def _find_tiers(pair: str, exchange: str, max_leverage: float | None) -> FoundTiers:
    named = linear_pair(pair)
    found = _documented(named) if exchange == "hyperliquid" else _similar(pair, named)
    if max_leverage is not None:
        found = _fitted(found, max_leverage)
    found = found or _assumed()
    level = logging.WARNING if found.assumed else logging.INFO
    logger.log(level, "Margin tiers of %s on %s: %s", pair, exchange, found.source)
    return found


def _fitted(found: FoundTiers | None, max_leverage: float) -> FoundTiers:
    """Tiers of a market whose own limit is known."""
    require("max_leverage", 1 <= max_leverage < math.inf, "finite and at least 1", max_leverage)
    own = f"the market's own limit of {max_leverage:g}x"
    if found is None:
        return FoundTiers(fallback_tiers(max_leverage), own)
    if found.tiers[0].max_leverage == max_leverage:
        return found
    return FoundTiers(limited_tiers(found.tiers, max_leverage), f"{own} and {found.source}")


def _assumed() -> FoundTiers:
    tiers = fallback_tiers(ASSUMED_MAX_LEVERAGE)
    rate = tiers[0].maintenance_margin_rate
    source = f"not known, assumed: {ASSUMED_MAX_LEVERAGE:g}x at a maintenance rate of {rate:g}"
    return FoundTiers(tiers, source, assumed=True)


def _similar(pair: str, named: Pair) -> FoundTiers | None:
    """Binance's tiers of the pair, or of one of the same coin."""
    for name in _same_coin(pair, named):
        if tiers := binance_tiers(name):
            return FoundTiers(tiers, source() if name == pair else f"{source()}, of {name}")
    return None


def _same_coin(pair: str, named: Pair) -> Iterator[str]:
    yield pair
    for base in names_of_coin(named.base):
        for quote in dict.fromkeys([named.quote, "USDT", "USDC"]):
            yield f"{base}/{quote}:{quote}"


def _documented(named: Pair) -> FoundTiers | None:
    """Tiers of Hyperliquid's documentation."""
    for base in names_of_coin(named.base.upper(), thousands_as_k=True):
        if base in _HYPERLIQUID_STEPS:
            source = "Hyperliquid's documentation" + ("" if base == named.base.upper() else f", of {base}")
            return FoundTiers(half_initial_margin(_HYPERLIQUID_STEPS[base]), source)
    return None


def hyperliquid_tiers(pair: str) -> tuple[LeverageTier, ...]:
    """Return the tiers that Hyperliquid documents for a pair, in any case; empty where it lists none."""
    found = _documented(linear_pair(pair))
    return found.tiers if found else ()
