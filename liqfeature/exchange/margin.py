"""The margin that decides when an exchange force-closes a position, and how far from its entry that is.

A linear position, a quantity of base currency margined in quote, is liquidated at the mark price P where what
is left of its margin no longer covers maintenance margin:

    wallet + pnl(P) = max over tiers of (rate + fee) * notional(P) - maintenance amount
"""

import math

import numpy as np

from liqfeature.checks import require, require_at_least
from liqfeature.exchange.tiers import LeverageTier, check_tiers
from liqfeature.sides import sign_of
from liqfeature.types import FloatArray


def maintenance_margin(
    notional: float, tiers: tuple[LeverageTier, ...], *, liquidation_fee_rate: float = 0.0
) -> float:
    """Return the margin that a position must keep.

    The tier is the one of the notional at the mark price, as on the exchange. Freqtrade's dry run takes the
    tier of the stake, which is too lenient for large leveraged positions.

    Parameters
    ----------
    notional : float
        Value of the position at the mark price, in quote.
    tiers : tuple of LeverageTier
        Margin schedule, ascending; a single tier is a flat rate.
    liquidation_fee_rate : float, default 0.0
        Share of notional that the exchange adds (the taker fee on OKX, Gate and Bitget).

    Returns
    -------
    float
        In quote; continuous, convex and rising in `notional`.

    Raises
    ------
    ConfigError
        If a parameter breaks its rule.
    """
    require_at_least(0, notional=notional)
    check_tiers(tiers)
    room = 1 - tiers[-1].maintenance_margin_rate
    rule = f"at least 0 and below {room:.6g}, 1 - the highest maintenance_margin_rate"
    require("liquidation_fee_rate", 0 <= liquidation_fee_rate < room, rule, liquidation_fee_rate)
    return max(
        (tier.maintenance_margin_rate + liquidation_fee_rate) * notional - tier.maintenance_amount
        for tier in tiers
    )


def liquidation_price(
    *,
    entry_price: float,
    amount: float,
    is_short: bool,
    tiers: tuple[LeverageTier, ...],
    leverage: float,
    liquidation_fee_rate: float = 0.0,
) -> float:
    """Return the mark price at which an isolated linear position is liquidated.

    Parameters
    ----------
    entry_price : float
        Average entry, quote per base.
    amount : float
        Base currency.
    is_short : bool
        Side of the position.
    tiers, liquidation_fee_rate
        As in `maintenance_margin`.
    leverage : float
        Value of the position at entry over its margin, at least 1.

    Returns
    -------
    float
        Quote per base; NaN where no price liquidates the position, as an unlevered long. A price on the wrong
        side of the entry means that the margin would not even do at entry.

    Raises
    ------
    ConfigError
        If a parameter breaks its rule.

    Notes
    -----
    The equation above solved for each tier; the first of these prices that the market reaches is the one.
    """
    require("entry_price", entry_price > 0, "above 0", entry_price)
    require("amount", amount > 0, "above 0", amount)
    require_at_least(1, leverage=leverage)
    maintenance_margin(amount * entry_price, tiers, liquidation_fee_rate=liquidation_fee_rate)  # their rules
    sign, value = sign_of(is_short), amount * entry_price
    reached = [
        (value - sign * (value / leverage + tier.maintenance_amount))
        / (amount * (1 - sign * (tier.maintenance_margin_rate + liquidation_fee_rate)))
        for tier in tiers
    ]
    price = min(reached) if is_short else max(reached)
    return price if price > 0 else math.nan


def liquidation_distance(
    leverage: FloatArray,
    maintenance_margin_rate: float | FloatArray,
    liquidation_fee_rate: float = 0.0,
) -> FloatArray:
    """Return how far from its entry a linear position is liquidated, as the log of a price ratio.

    Parameters
    ----------
    leverage : array, shape (n_levels,)
        Effective leverage, above 0.
    maintenance_margin_rate : float or array, shape (n_levels,)
        Rate of the tier that applies to each level.
    liquidation_fee_rate : float, default 0.0
        Share of notional that the exchange adds to maintenance margin.

    Returns
    -------
    array, shape (2, n_levels)
        Row LONG: `ln[(1 - 1/l) / (1 - m - f)]`, below 0. Row SHORT: `ln[(1 + 1/l) / (1 + m + f)]`, above 0.
        NaN where there is no such level: the initial margin `1/l` does not exceed `m + f`, so that the
        position could not be opened, or a long is not levered (`l <= 1`) and can never be liquidated.

    Raises
    ------
    ConfigError
        If a leverage is not above 0, or `m` or `f` are below 0 or together reach 1.

    Notes
    -----
    The equation above for one tier. Binance publishes it in this form; Hyperliquid's is algebraically the
    same, and with the fee it is that of Gate, OKX and Bitget.
    """
    required = np.asarray(maintenance_margin_rate, dtype=np.float64) + liquidation_fee_rate
    lowest = np.min(leverage, initial=np.inf)
    require("leverage", not lowest <= 0, "above 0", lowest)
    within = bool(np.all((required >= liquidation_fee_rate) & (required < 1)) and liquidation_fee_rate >= 0)
    rates = "maintenance_margin_rate and liquidation_fee_rate"
    received = f"{maintenance_margin_rate} and {liquidation_fee_rate}"
    require(rates, within, "at least 0 and sum to less than 1", received)
    initial = 1.0 / leverage
    with np.errstate(divide="ignore", invalid="ignore"):
        long = np.log((1.0 - initial) / (1.0 - required))
    short = np.log((1.0 + initial) / (1.0 + required))
    long[~((long < 0.0) & np.isfinite(long))] = np.nan
    short[~(short > 0.0)] = np.nan
    return np.stack([long, short])
