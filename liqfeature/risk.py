"""What a trade near clusters needs to know before it is opened: stop, targets, leverage, stake.

A strategy's callbacks only call these, so that its file holds no arithmetic. All functions take and return
plain floats. NaN means that there is none: no stop within reach is no trade, no target is no exit there.
Distances named as fractions are fractions of the entry price.
"""

import math

from liqfeature.checks import require_at_least, require_share
from liqfeature.margin import maintenance_margin
from liqfeature.tiers import LeverageTier


def stop_beyond(
    far_edge: float,
    *,
    entry_price: float,
    is_short: bool,
    average_true_range: float,
    buffer: float = 0.35,
    fallback: float = 2.0,
    max_distance: float = 0.04,
) -> float:
    """Return a stop on the far side of the cluster that lies against a position.

    Forced orders drive price through the cluster and are spent at its far edge; a stop before or inside it
    would be part of them.

    Parameters
    ----------
    far_edge : float
        Price of the far edge of the nearest cluster below a long or above a short. NaN, or an edge that the
        entry has already passed, means that no cluster lies against the position.
    entry_price : float
        Quote per base.
    is_short : bool
        Side of the position.
    average_true_range : float
        Quote per base, above 0.
    buffer : float, default 0.35
        Distance from the far edge to the stop, in average true ranges.
    fallback : float, default 2.0
        Distance from the entry to the stop where there is no cluster, in average true ranges.
    max_distance : float, default 0.04
        Farthest stop accepted, as a fraction of the entry price.

    Returns
    -------
    float
        Price of the stop. NaN, which means no trade, where it would be farther than `max_distance`, or
        where entry or average true range are NaN or not above 0.

    Raises
    ------
    ConfigError
        If `buffer` or `fallback` are below 0, or `max_distance` is not between 0 and 1.
    """
    require_at_least(0, buffer=buffer, fallback=fallback)
    require_share(max_distance=max_distance)
    if not average_true_range > 0:
        return math.nan
    sign = sign_of(is_short)
    has_cluster = sign * (entry_price - far_edge) > 0
    start, distance = (far_edge, buffer) if has_cluster else (entry_price, fallback)
    stop = start - sign * distance * average_true_range
    return float(stop) if 0 < sign * (entry_price - stop) <= max_distance * entry_price else math.nan


def targets(
    near: float,
    peak: float,
    *,
    entry_price: float,
    is_short: bool,
    average_true_range: float,
    inset: float = 0.1,
    min_distance: float = 0.0,
) -> tuple[float, float]:
    """Return the prices at which to sell into the forced orders of the cluster ahead.

    Parameters
    ----------
    near, peak : float
        Prices of the near edge and the peak of the nearest cluster above a long or below a short; NaN if
        there is none.
    entry_price : float
        Quote per base.
    is_short : bool
        Side of the position.
    average_true_range : float
        Quote per base.
    inset : float, default 0.1
        How far before the near edge the first target lies, in average true ranges.
    min_distance : float, default 0.0
        Least profit worth a target, as a fraction of the entry price.

    Returns
    -------
    first, second : float
        `inset` before the near edge, and the peak. NaN for one that does not lie beyond the entry by more
        than `min_distance` in the direction of profit.

    Raises
    ------
    ConfigError
        If `inset` or `min_distance` are below 0.
    """
    require_at_least(0, inset=inset, min_distance=min_distance)
    sign = sign_of(is_short)

    def worthwhile(price: float) -> float:
        return float(price) if sign * (price - entry_price) > min_distance * entry_price else math.nan

    return worthwhile(near - sign * inset * average_true_range), worthwhile(peak)


def risk_notional(
    equity: float, risk: float, *, entry_price: float, stop_price: float, fee: float = 0.0
) -> float:
    """Return the notional at entry with which a stop-out loses a given share of equity.

    Parameters
    ----------
    equity : float
        What the account is worth, in quote.
    risk : float
        Share of equity that a stop-out may lose, between 0 and 1.
    entry_price, stop_price : float
        Quote per base.
    fee : float, default 0.0
        Fee rate of each of the two orders, slippage included, each on what that order turns over.

    Returns
    -------
    float
        `equity * risk / (|entry - stop| + fee * (entry + stop)) * entry`, in quote. NaN where equity or a
        price is NaN or not above 0, or the stop lies at the entry.

    Raises
    ------
    ConfigError
        If `risk` is not between 0 and 1, or `fee` is below 0.
    """
    require_share(risk=risk)
    require_at_least(0, fee=fee)
    distance = abs(entry_price - stop_price)
    if not (equity > 0 and entry_price > 0 and stop_price > 0 and distance > 0):
        return math.nan
    return float(equity * risk / (distance + fee * (entry_price + stop_price)) * entry_price)


def risk_stake(
    equity: float,
    risk: float,
    *,
    entry_price: float,
    stop_price: float,
    leverage: float,
    fee: float = 0.0,
) -> float:
    """Return the margin to put up so that a stop-out loses a given share of equity.

    Parameters
    ----------
    equity, risk, entry_price, stop_price, fee
        As in `risk_notional`.
    leverage : float
        Of the position, at least 1.

    Returns
    -------
    float
        `risk_notional / leverage`, in quote; NaN as there.

    Raises
    ------
    ConfigError
        As `risk_notional`, or if `leverage` is below 1.
    """
    require_at_least(1, leverage=leverage)
    notional = risk_notional(equity, risk, entry_price=entry_price, stop_price=stop_price, fee=fee)
    return float(notional / leverage)


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

    Notional, not stake, is what the risk at the stop decides (`risk_notional`); leverage only decides how
    much margin stands behind it.

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


def _max_leverage(notional: float, tiers: tuple[LeverageTier, ...]) -> float:
    return min(tier.max_leverage for tier in tiers if tier.min_notional < notional)


def sign_of(is_short: bool) -> float:
    """Return 1 for a long, -1 for a short."""
    return -1.0 if is_short else 1.0
