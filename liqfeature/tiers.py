"""Maintenance tiers: what they are, and where those of a pair come from.

A tier says how much margin a position of a given notional must keep. Rates rise with notional, and each
tier's maintenance amount is such that the margin itself never jumps:

    amount_n = amount_{n-1} + min_notional_n * (rate_n - rate_{n-1})

Maintenance margin is therefore convex in notional, and equals the largest over all tiers of
`rate * notional - amount`. Both Binance and Hyperliquid publish this recursion.
"""

import importlib.util
import json
import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from liqfeature.errors import ConfigError

logger = logging.getLogger(__name__)

UNLISTED_MAX_LEVERAGE = 20.0
"""Assumed of a pair that no table lists; the median over Binance's pairs is 25x."""

_AMOUNT_TOLERANCE = 1e-6

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


@dataclass(frozen=True, slots=True)
class LeverageTier:
    """One step of an exchange's margin schedule.

    Parameters
    ----------
    min_notional, max_notional : float
        Notional to which the tier applies, in the currency of the margin: quote for linear contracts,
        coin for inverse ones.
    maintenance_margin_rate : float
        Share of notional that must be kept, in [0, 1); below `1 / max_leverage`, or a position opened at
        that leverage would be liquidated at once.
    max_leverage : float
        Highest leverage that the tier allows, at least 1.
    maintenance_amount : float, default 0.0
        Taken off `maintenance_margin_rate * notional`, in the currency of the margin. Binance calls it
        `cum`, others deduction.

    Raises
    ------
    ConfigError
        If a parameter breaks its rule.
    """

    min_notional: float
    max_notional: float
    maintenance_margin_rate: float
    max_leverage: float
    maintenance_amount: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.min_notional < math.inf:
            msg = f"min_notional must be finite and at least 0, received {self.min_notional}"
            raise ConfigError(msg)
        if not self.max_notional > self.min_notional:
            msg = f"max_notional must exceed min_notional {self.min_notional}, received {self.max_notional}"
            raise ConfigError(msg)
        if not 1 <= self.max_leverage < math.inf:
            msg = f"max_leverage must be finite and at least 1, received {self.max_leverage}"
            raise ConfigError(msg)
        if not 0 <= self.maintenance_margin_rate < 1 / self.max_leverage:
            msg = (
                f"maintenance_margin_rate must be at least 0 and below 1 / max_leverage = "
                f"{1 / self.max_leverage:.6g}, received {self.maintenance_margin_rate}"
            )
            raise ConfigError(msg)
        if not 0 <= self.maintenance_amount < math.inf:
            msg = f"maintenance_amount must be finite and at least 0, received {self.maintenance_amount}"
            raise ConfigError(msg)


@cache
def check_tiers(tiers: tuple[LeverageTier, ...]) -> None:
    """Reject tiers that do not make one continuous schedule.

    Parameters
    ----------
    tiers : tuple of LeverageTier
        Ascending; the last one is taken to hold beyond its `max_notional` too.

    Raises
    ------
    ConfigError
        If there is none, the first does not start at 0, one does not start where the one before it ends,
        rates do not rise, or maintenance margin would jump between two tiers.
    """
    if not tiers or tiers[0].min_notional != 0 or tiers[0].maintenance_amount != 0:
        first = tiers[0] if tiers else None
        msg = f"tiers must start with one of min_notional 0 and maintenance_amount 0, received {first}"
        raise ConfigError(msg)
    for number, (lower, upper) in enumerate(pairwise(tiers), start=2):
        if upper.min_notional != lower.max_notional:
            msg = (
                f"tier {number} must start at {lower.max_notional}, where tier {number - 1} ends, "
                f"received {upper.min_notional}"
            )
            raise ConfigError(msg)
        if upper.maintenance_margin_rate <= lower.maintenance_margin_rate:
            msg = (
                f"tier {number} must have a maintenance_margin_rate above {lower.maintenance_margin_rate}, "
                f"received {upper.maintenance_margin_rate}"
            )
            raise ConfigError(msg)
        amount = _continuous_amount(lower, upper.maintenance_margin_rate)
        if not math.isclose(upper.maintenance_amount, amount, rel_tol=_AMOUNT_TOLERANCE):
            msg = (
                f"tier {number} must have a maintenance_amount of {amount:.6g}, or maintenance margin would "
                f"jump, received {upper.maintenance_amount}"
            )
            raise ConfigError(msg)


def tiers_for(
    pair: str, exchange: str = "binance", *, max_leverage: float = UNLISTED_MAX_LEVERAGE
) -> tuple[LeverageTier, ...]:
    """Return the best tiers known for a pair without asking the exchange, and log which they are.

    Hyperliquid's come from its documentation. All others come from the Binance table that ships with
    Freqtrade; for exchanges other than Binance that is a stand-in. What no table lists, or everything where
    Freqtrade is not installed, falls back to `fallback_tiers(max_leverage)` with a warning.

    Parameters
    ----------
    pair : str
        As Freqtrade writes it, `BTC/USDT:USDT`.
    exchange : str, default "binance"
        Freqtrade's name of the exchange, in any case.
    max_leverage : float, default 20.0
        Used only where no table lists the pair.

    Returns
    -------
    tuple of LeverageTier
        Ascending, never empty.

    Raises
    ------
    ConfigError
        If `max_leverage` is below 1 and needed.

    Notes
    -----
    The answer is remembered for the life of the process, so each combination is logged once.
    """
    return _tiers_for(pair, exchange.lower(), max_leverage)


@cache
def _tiers_for(pair: str, exchange: str, max_leverage: float) -> tuple[LeverageTier, ...]:
    hyperliquid = exchange == "hyperliquid"
    if listed := hyperliquid_tiers(pair) if hyperliquid else binance_tiers(pair):
        table = "Hyperliquid's documentation" if hyperliquid else "Freqtrade's table for Binance"
        logger.info("Margin tiers of %s on %s: from %s", pair, exchange, table)
        return listed
    logger.warning(
        "Margin tiers of %s on %s: not listed, one tier of %gx with a maintenance rate of %g assumed",
        pair,
        exchange,
        max_leverage,
        1 / (2 * max_leverage),
    )
    return fallback_tiers(max_leverage)


def binance_tiers(pair: str) -> tuple[LeverageTier, ...]:
    """Read the tiers of a Binance pair from the table that ships with Freqtrade.

    The table (3 MB) is read at the first call, without importing Freqtrade.

    Parameters
    ----------
    pair : str
        As Freqtrade writes it, `BTC/USDT:USDT`.

    Returns
    -------
    tuple of LeverageTier
        Ascending; empty where the pair is not listed or Freqtrade is not installed.
    """
    return tuple(
        LeverageTier(
            min_notional=float(row["minNotional"]),
            max_notional=float(row["maxNotional"]),
            maintenance_margin_rate=float(row["maintenanceMarginRate"]),
            max_leverage=float(row["maxLeverage"]),
            maintenance_amount=float(row["info"]["cum"]),
        )
        for row in _binance_table().get(pair, ())
    )


def hyperliquid_tiers(pair: str) -> tuple[LeverageTier, ...]:
    """Return the tiers that Hyperliquid documents for a pair.

    Parameters
    ----------
    pair : str
        As Freqtrade writes it, `BTC/USDC:USDC`; only the base currency counts, in any case.

    Returns
    -------
    tuple of LeverageTier
        Ascending; empty where the documentation does not list the pair.
    """
    return _half_initial_margin(_HYPERLIQUID_STEPS.get(pair.split("/")[0].upper(), ()))


def fallback_tiers(max_leverage: float) -> tuple[LeverageTier, ...]:
    """Return one tier for all notionals that keeps half of the initial margin at `max_leverage`.

    This is Hyperliquid's rule; in the first tier of Binance's pairs, initial margin is 1.1 to 17 times
    maintenance margin, mostly 1.6 to 2.1 times.

    Parameters
    ----------
    max_leverage : float
        Highest leverage that the exchange offers for the pair, at least 1.

    Returns
    -------
    tuple of LeverageTier
        One tier with `maintenance_margin_rate = 1 / (2 * max_leverage)`.

    Raises
    ------
    ConfigError
        If `max_leverage` is below 1.
    """
    return _half_initial_margin(((math.inf, max_leverage),))


def _half_initial_margin(steps: Iterable[tuple[float, float]]) -> tuple[LeverageTier, ...]:
    """Build tiers of `(max_notional, max_leverage)` steps with half the initial margin as maintenance."""
    tiers: list[LeverageTier] = []
    for max_notional, max_leverage in steps:
        rate = 0.5 / max_leverage
        floor, amount = (tiers[-1].max_notional, _continuous_amount(tiers[-1], rate)) if tiers else (0.0, 0.0)
        tiers.append(LeverageTier(floor, max_notional, rate, max_leverage, amount))
    return tuple(tiers)


def _continuous_amount(lower: LeverageTier, rate: float) -> float:
    """Return the maintenance amount with which a tier of this rate follows `lower` without a jump."""
    return lower.maintenance_amount + lower.max_notional * (rate - lower.maintenance_margin_rate)


@cache
def _binance_table() -> dict[str, list[dict[str, Any]]]:
    # find_spec, not importlib.resources: the latter would import Freqtrade, which takes seconds.
    spec = importlib.util.find_spec("freqtrade")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder, "exchange", "binance_leverage_tiers.json")
        if path.is_file():
            table: dict[str, list[dict[str, Any]]] = json.loads(path.read_bytes())
            return table
    return {}
