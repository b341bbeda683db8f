"""Prices at which an exchange force-closes a position, and the margin that decides it.

A position is liquidated where what is left of its margin no longer covers maintenance margin:

    wallet + pnl(P) = max over tiers of (rate + fee) * notional(P) - amount

Linear contracts are a quantity of the base currency, margined in quote. Inverse contracts are worth a fixed
sum of quote, margined in the coin: seen in `1 / price` they are linear contracts of the other direction, so
that one solver serves both.

All scalar functions take and return plain floats. Where a price or an amount is NaN, so is the result.
"""

import math
from typing import Literal

import numpy as np

from liqfeature.errors import ConfigError
from liqfeature.tiers import LeverageTier, check_tiers
from liqfeature.types import FloatArray

Contract = Literal["linear", "inverse"]
"""Margined in quote or in the coin itself."""

_NO_MAINTENANCE = (LeverageTier(0.0, math.inf, 0.0, 1.0),)


def liquidation_price(
    *,
    entry_price: float,
    amount: float,
    is_short: bool,
    tiers: tuple[LeverageTier, ...],
    leverage: float | None = None,
    wallet_balance: float | None = None,
    liquidation_fee_rate: float = 0.0,
    contract: Contract = "linear",
) -> float:
    """Return the mark price at which an isolated position is liquidated.

    The tier is the one of the notional *at that price*, as on the exchange; Freqtrade's dry run takes the
    tier of the stake, which is too lenient for large leveraged positions.

    Parameters
    ----------
    entry_price : float
        Average entry, quote per base.
    amount : float
        Size of the position: base currency for linear contracts; what all contracts together are worth,
        in quote, for inverse ones.
    is_short : bool
        Side of the position.
    tiers : tuple of LeverageTier
        Margin schedule, ascending; a single tier is a flat rate.
    leverage : float, optional
        Sets the wallet to the position's value at entry over `leverage`. Give this or `wallet_balance`.
    wallet_balance : float, optional
        Isolated margin, in the currency of the margin: initial and added, less funding and fees paid.
    liquidation_fee_rate : float, default 0.0
        Share of notional that the venue adds to maintenance margin (the taker fee on OKX, Gate, Bitget).
    contract : {"linear", "inverse"}, default "linear"
        Kind of contract.

    Returns
    -------
    float
        Above 0. NaN where no price liquidates the position, as for an unlevered linear long. A price on the
        wrong side of the entry means that the margin would not even do at entry.

    Raises
    ------
    ConfigError
        If a parameter breaks its rule, or not exactly one of `leverage` and `wallet_balance` is given.

    Notes
    -----
    Linear, one tier, with `c = maintenance_amount / notional at entry`:
    long `entry * (1 - 1/leverage - c) / (1 - rate - fee)`,
    short `entry * (1 + 1/leverage + c) / (1 + rate + fee)`. This is Binance's published formula, and
    algebraically Hyperliquid's; with the fee it is that of Gate, OKX and Bitget.
    """
    _require_positive(entry_price=entry_price, amount=amount)
    _check_schedule(tiers, liquidation_fee_rate)
    margin = _margin(entry_price, amount, leverage, wallet_balance, contract)
    return _solve(entry_price, amount, is_short, margin, tiers, liquidation_fee_rate, contract)


def bankruptcy_price(
    *,
    entry_price: float,
    amount: float,
    is_short: bool,
    leverage: float | None = None,
    wallet_balance: float | None = None,
    contract: Contract = "linear",
) -> float:
    """Return the price at which the margin of an isolated position is used up.

    Parameters
    ----------
    entry_price, amount, is_short, leverage, wallet_balance, contract
        As in `liquidation_price`.

    Returns
    -------
    float
        Above 0; NaN where no price uses up the margin.

    Raises
    ------
    ConfigError
        As `liquidation_price`.
    """
    _require_positive(entry_price=entry_price, amount=amount)
    margin = _margin(entry_price, amount, leverage, wallet_balance, contract)
    return _solve(entry_price, amount, is_short, margin, _NO_MAINTENANCE, 0.0, contract)


def entry_value_liquidation_price(
    *,
    entry_price: float,
    amount: float,
    is_short: bool,
    tiers: tuple[LeverageTier, ...],
    leverage: float | None = None,
    wallet_balance: float | None = None,
    liquidation_fee_rate: float = 0.0,
) -> float:
    """Return the liquidation price on venues that freeze maintenance margin at its value at entry.

    So did Bybit's isolated margin, and Freqtrade's dry run for Bybit still does. Linear contracts only.

    Parameters
    ----------
    entry_price, amount, is_short, tiers, leverage, wallet_balance, liquidation_fee_rate
        As in `liquidation_price`.

    Returns
    -------
    float
        `entry -+ (wallet - maintenance margin at entry) / amount`; NaN where that is not above 0.

    Raises
    ------
    ConfigError
        As `liquidation_price`.
    """
    _require_positive(entry_price=entry_price, amount=amount)
    _check_schedule(tiers, liquidation_fee_rate)
    margin = _margin(entry_price, amount, leverage, wallet_balance, "linear")
    notional = amount * entry_price
    reserve = (margin - _required(notional, tiers, liquidation_fee_rate)) / amount
    return _positive_or_nan(entry_price + reserve if is_short else entry_price - reserve)


def maintenance_margin(
    notional: float, tiers: tuple[LeverageTier, ...], *, liquidation_fee_rate: float = 0.0
) -> float:
    """Return the margin that a position of this notional must keep.

    Parameters
    ----------
    notional : float
        Value of the position at the mark price, in the currency of the margin.
    tiers : tuple of LeverageTier
        Margin schedule, ascending.
    liquidation_fee_rate : float, default 0.0
        Share of notional that the venue adds.

    Returns
    -------
    float
        In the currency of the margin; continuous, convex and rising in `notional`.

    Raises
    ------
    ConfigError
        If a parameter breaks its rule.
    """
    if notional < 0:
        msg = f"notional must be at least 0, received {notional}"
        raise ConfigError(msg)
    _check_schedule(tiers, liquidation_fee_rate)
    return _required(notional, tiers, liquidation_fee_rate)


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
        Share of notional that the venue adds to maintenance margin.

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
    """
    required = np.asarray(maintenance_margin_rate, dtype=np.float64) + liquidation_fee_rate
    if (lowest := np.min(leverage, initial=np.inf)) <= 0:
        msg = f"leverage must be above 0, received {lowest}"
        raise ConfigError(msg)
    if (
        np.min(required, initial=np.inf) < liquidation_fee_rate
        or liquidation_fee_rate < 0
        or np.any(required >= 1)
    ):
        msg = (
            "maintenance_margin_rate and liquidation_fee_rate must be at least 0 and sum to less than 1, "
            f"received {maintenance_margin_rate} and {liquidation_fee_rate}"
        )
        raise ConfigError(msg)
    initial = 1.0 / leverage
    with np.errstate(divide="ignore", invalid="ignore"):
        long = np.log((1.0 - initial) / (1.0 - required))
    short = np.log((1.0 + initial) / (1.0 + required))
    long[~((long < 0.0) & np.isfinite(long))] = np.nan
    short[~(short > 0.0)] = np.nan
    return np.stack([long, short])


def _solve(
    entry_price: float,
    amount: float,
    is_short: bool,
    margin: float,
    tiers: tuple[LeverageTier, ...],
    fee: float,
    contract: Contract,
) -> float:
    """Solve `margin + pnl = maintenance margin` for the price, in the worth of one unit of `amount`.

    That worth is the price (linear) or its reciprocal (inverse). Maintenance margin is the largest over the
    tiers, so the first tier to liquidate is the one that applies: no search over notional is needed, and
    rounding at the edge of two tiers cannot leave a position without one.
    """
    inverse = contract == "inverse"
    direction = -1.0 if is_short != inverse else 1.0
    worth_at_entry = 1.0 / entry_price if inverse else entry_price
    exposure = direction * amount * worth_at_entry
    worths = [
        (margin + tier.maintenance_amount - exposure)
        / (amount * (tier.maintenance_margin_rate + fee - direction))
        for tier in tiers
    ]
    worth = max(worths) if direction > 0 else min(worths)
    return _positive_or_nan(1.0 / worth if inverse and worth else worth)


def _required(notional: float, tiers: tuple[LeverageTier, ...], fee: float) -> float:
    return max((tier.maintenance_margin_rate + fee) * notional - tier.maintenance_amount for tier in tiers)


def _margin(
    entry_price: float,
    amount: float,
    leverage: float | None,
    wallet_balance: float | None,
    contract: Contract,
) -> float:
    if contract not in ("linear", "inverse"):
        msg = f"contract must be 'linear' or 'inverse', received {contract!r}"
        raise ConfigError(msg)
    if leverage is not None and wallet_balance is None:
        _require_positive(leverage=leverage)
        return (amount / entry_price if contract == "inverse" else amount * entry_price) / leverage
    if wallet_balance is not None and leverage is None:
        _require_positive(wallet_balance=wallet_balance)
        return wallet_balance
    msg = f"give either leverage or wallet_balance, received {leverage} and {wallet_balance}"
    raise ConfigError(msg)


def _check_schedule(tiers: tuple[LeverageTier, ...], liquidation_fee_rate: float) -> None:
    check_tiers(tiers)
    highest = tiers[-1].maintenance_margin_rate
    if not 0 <= liquidation_fee_rate < 1 - highest:
        msg = (
            f"liquidation_fee_rate must be at least 0 and below {1 - highest:.6g}, 1 - the highest "
            f"maintenance_margin_rate, received {liquidation_fee_rate}"
        )
        raise ConfigError(msg)


def _require_positive(**values: float) -> None:
    for name, value in values.items():
        if value <= 0:
            msg = f"{name} must be above 0, received {value}"
            raise ConfigError(msg)


def _positive_or_nan(price: float) -> float:
    return price if 0 < price < math.inf else math.nan
