"""What a trade near clusters needs to know before it is opened: stop, targets, size.

A strategy's callbacks only call these, so that its file holds no arithmetic. All functions take and return
plain floats. NaN means that there is none: no stop within reach is no trade, no target is no exit there.
Distances named as fractions are fractions of the entry price.
"""

import math

from liqfeature.checks import require_at_least, require_share
from liqfeature.sides import sign_of

NARROWEST = 1e-9
"""Share of margin: Freqtrade would take a stop at 0 for no answer."""


def stop_beyond(
    far_edge: float,
    *,
    entry_price: float,
    is_short: bool,
    average_true_range: float,
    least_distance: float,
    buffer: float = 0.35,
    max_distance: float = 0.04,
) -> float:
    """Return a stop on the far side of the cluster that lies against a position, and far enough away.

    A stop before or inside a cluster would be one of its forced orders. One nearer than `least_distance`
    would be hit by what price does anyway.

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
    least_distance : float
        From the entry to the stop, as a fraction of the entry price: `Outlook.stop_distance` states it for a
        probability.
    buffer : float, default 0.35
        Distance from the far edge to the stop, in average true ranges.
    max_distance : float, default 0.04
        Farthest stop accepted, as a fraction of the entry price.

    Returns
    -------
    float
        Price of the stop: the farther of the two. NaN, which means no trade, where it would be farther than
        `max_distance`, where `least_distance` is not known, or where entry or average true range are NaN or
        not above 0.

    Raises
    ------
    ConfigError
        If `buffer` is below 0, or `max_distance` is not between 0 and 1.
    """
    require_at_least(0, buffer=buffer)
    require_share(max_distance=max_distance)
    if not (average_true_range > 0 and least_distance >= 0):
        return math.nan
    sign = sign_of(is_short)
    has_cluster = sign * (entry_price - far_edge) > 0
    behind_cluster = sign * (entry_price - far_edge) + buffer * average_true_range if has_cluster else 0.0
    distance = max(behind_cluster, least_distance * entry_price)
    stop = float(entry_price - sign * distance)
    return stop if stop != entry_price and distance <= max_distance * entry_price else math.nan


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


def sigma_notional(equity: float, risk: float, *, sigma: float) -> float:
    """Return the notional of which a one-sigma move is worth a given share of equity.

    Positions sized so lose about as much in wild hours as in calm ones, whatever their stops.

    Parameters
    ----------
    equity : float
        What the account is worth, in quote.
    risk : float
        Share of equity, between 0 and 1.
    sigma : float
        One-sigma move within the horizon that the position is held for, a fraction: `liq_sigma`, or
        `Outlook.sigma` for another horizon.

    Returns
    -------
    float
        `equity * risk / sigma`, in quote. NaN where equity or sigma is NaN or not above 0.

    Raises
    ------
    ConfigError
        If `risk` is not between 0 and 1.
    """
    require_share(risk=risk)
    return float(equity * risk / sigma) if equity > 0 and sigma > 0 else math.nan


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


def stop_ratio(stop: float, price: float, *, is_short: bool, leverage: float) -> float:
    """Return the distance to a stop in the form in which Freqtrade's `custom_stoploss` wants it.

    Parameters
    ----------
    stop, price : float
        Of the stop and of the market, quote per base, above 0.
    is_short : bool
        Side of the position.
    leverage : float
        Of the position.

    Returns
    -------
    float
        Share of margin lost from `price` to the stop; `NARROWEST` once price has passed it.

    Notes
    -----
    Freqtrade turns it back into a price and rounds that to the next tick towards the market. It is a hair
    larger than exact, so that a stop on a tick is never taken for one beyond it.
    """
    return max((sign_of(is_short) * (1 - stop / price) + _HAIR) * leverage, NARROWEST)


_HAIR = 1e-12
