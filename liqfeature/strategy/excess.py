"""What a position holds beyond the risk, after an entry that no plan was asked about."""

import math
from typing import Any

from liqfeature.checks import require_at_least, require_share
from liqfeature.sides import sign_of

TAG = "risk"
"""Of the exit that sells it."""

_TICK_SIZE = 4
"""ccxt's name of the mode in which a precision is the smallest step."""


def risk_amount(
    equity: float, risk: float, *, entry_price: float, stop_price: float, is_short: bool, fee: float = 0.0
) -> float:
    """Return the largest position of which a stop-out loses no more than a share of equity.

    Parameters
    ----------
    equity, risk, entry_price, stop_price, fee
        As in `risk_notional`; the stop may also lie on the winning side of the entry.
    is_short : bool
        Side of the position.

    Returns
    -------
    float
        Base currency; infinite where the stop loses nothing, NaN where `risk_notional` would be.
    """
    require_share(risk=risk)
    require_at_least(0, fee=fee)
    if not (equity > 0 and entry_price > 0 and stop_price > 0):
        return math.nan
    loss = sign_of(is_short) * (entry_price - stop_price) + fee * (entry_price + stop_price)
    return float(equity * risk / loss) if loss > 0 else math.inf


def excess_stake(
    stake: float, amount: float, limit: float, *, step: float = 0.0, least: float = 0.0
) -> float:
    """Return the part of a stake that a position holds beyond a limit; 0 where it is less than two percent.

    Parameters
    ----------
    stake, amount : float
        Of the position: margin in quote, and base currency.
    limit : float
        Largest amount; NaN if it is not known.
    step : float, default 0.0
        To whole ones of which the excess is rounded up: what an exchange tells apart.
    least : float, default 0.0
        Smallest stake that may be left: of a smaller rest all is excess.
    """
    excess = amount - limit
    if not excess > _TOLERANCE * amount:
        return 0.0
    if step > 0:
        excess = math.ceil(excess / step) * step
    share = min(excess / amount * (1 + 1e-9), 1.0)  # Freqtrade truncates to steps
    return stake if stake * (1 - share) < least else stake * share


_TOLERANCE = 0.02
"""Equity, and with it the limit, moves whenever another trade ends: not every move is worth an order."""


def excess_of(trade: Any, limit: float, min_stake: float | None) -> float:
    """Return the stake of what a trade of Freqtrade's holds beyond a limit, in base currency."""
    in_steps = trade.precision_mode == _TICK_SIZE and trade.amount_precision
    step = trade.amount_precision * (trade.contract_size or 1.0) if in_steps else 0.0
    least = 2 * (min_stake or 0.0)  # Freqtrade sells nothing where less than about that would be left
    return excess_stake(trade.stake_amount, trade.amount, limit, step=step, least=least)


def has_sold(trade: Any) -> bool:
    """Return whether a part of a trade of Freqtrade's was sold, other than what it held beyond the risk."""
    if not trade.nr_of_successful_exits:
        return False
    return any(order.ft_order_tag != TAG for order in trade.select_filled_orders(trade.exit_side))
