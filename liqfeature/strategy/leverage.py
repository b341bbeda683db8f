"""How much leverage leaves a position's own liquidation beyond its stop.

Leverage decides how much margin stands behind a position, and the risk at the stop its notional. Plain floats
go in and come out; NaN means no trade.
"""

import math

from liqfeature.checks import require_at_least
from liqfeature.exchange.margin import liquidation_price, maintenance_margin
from liqfeature.exchange.tiers import LeverageTier
from liqfeature.sides import sign_of

LIQUIDATION_BUFFER = 0.05
"""Freqtrade's default of `liquidation_buffer`."""


def leverage_for_stop(
    stop_price: float,
    *,
    entry_price: float,
    is_short: bool,
    tiers: tuple[LeverageTier, ...],
    notional: float,
    cap: float = 5.0,
    clearance: float = 0.6,
    liquidation_fee_rate: float = 0.0,
) -> float:
    """Return the highest leverage at which the position's own liquidation lies well beyond its stop.

    Parameters
    ----------
    stop_price, entry_price : float
        Quote per base.
    is_short : bool
        Side of the position.
    tiers : tuple of LeverageTier
        Margin schedule of the pair, ascending.
    notional : float
        Value of the position at entry, in quote.
    cap : float, default 5.0
        Highest leverage wanted, at least 1. The tier of `notional` caps it too.
    clearance : float, default 0.6
        How far beyond the stop liquidation must lie, as a fraction of the distance from entry to stop. Above
        0.053 it also covers Freqtrade's default `liquidation_buffer` of 5 %.
    liquidation_fee_rate : float, default 0.0
        Share of notional that the venue adds to maintenance margin.

    Returns
    -------
    float
        At least 1. NaN, which means no trade, where even 1x would be liquidated too near, the stop does not
        lie on the losing side of the entry, or a price or `notional` is NaN or not above 0.

    Raises
    ------
    ConfigError
        If `cap` is below 1, `clearance` below 0, or tiers or fee break their rule.

    Notes
    -----
    The margin needed at the price `X` where liquidation may at the nearest be is the loss up to there plus
    maintenance margin of the notional there; leverage is notional at entry over that.
    """
    require_at_least(1, cap=cap)
    require_at_least(0, clearance=clearance)
    distance = sign_of(is_short) * (entry_price - stop_price) / entry_price if entry_price > 0 else math.nan
    if not (distance > 0 and stop_price > 0 and notional > 0):
        return math.nan
    reach = (1 + clearance) * distance
    worth = notional * (1 + reach if is_short else max(1 - reach, 0.0))
    needed = notional * reach + maintenance_margin(worth, tiers, liquidation_fee_rate=liquidation_fee_rate)
    allowed = notional / needed
    if allowed < 1:
        # An unlevered long is never liquidated; an unlevered short is, at about twice its entry.
        return math.nan if is_short else 1.0
    return float(min(allowed, cap, _max_leverage(notional, tiers)))


def stop_comes_first(
    stop_price: float,
    *,
    entry_price: float,
    is_short: bool,
    tiers: tuple[LeverageTier, ...],
    notional: float,
    leverage: float,
    liquidation_fee_rate: float = 0.0,
) -> bool:
    """Return whether a position of any leverage is stopped out before it is liquidated.

    Parameters
    ----------
    stop_price, entry_price, is_short, tiers, notional, liquidation_fee_rate
        As in `leverage_for_stop`.
    leverage : float
        Of the position, at least 1.

    Returns
    -------
    bool
        True also where it cannot be liquidated. Freqtrade leaves a position `LIQUIDATION_BUFFER` of the way
        back to the entry before it is.
    """
    at = {"entry_price": entry_price, "amount": notional / entry_price, "leverage": leverage}
    fee = {"liquidation_fee_rate": liquidation_fee_rate}
    price = liquidation_price(is_short=is_short, tiers=tiers, **at, **fee)
    left_at = price + LIQUIDATION_BUFFER * (entry_price - price)
    return math.isnan(price) or sign_of(is_short) * (stop_price - left_at) > 0


def _max_leverage(notional: float, tiers: tuple[LeverageTier, ...]) -> float:
    return min(tier.max_leverage for tier in tiers if tier.min_notional < notional)
