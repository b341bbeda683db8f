"""Where an exchange liquidates a position, found by trying prices: the twin of every formula."""

import math


def margin_left(price, tiers, fee=0.0, *, entry_price, amount, is_short, wallet_balance):
    """Margin and profit at a mark price, less what the tier of the notional at that price asks."""
    notional = amount * price
    tier = next((one for one in tiers if one.min_notional <= notional < one.max_notional), tiers[-1])
    required = (tier.maintenance_margin_rate + fee) * notional - tier.maintenance_amount
    return wallet_balance + amount * (price - entry_price) * (-1 if is_short else 1) - required


def liquidation_price(*, tiers, fee=0.0, leverage=None, wallet_balance=None, **position):
    """Mark price at which nothing is left; NaN where no price liquidates the position."""
    if wallet_balance is None:
        wallet_balance = position["entry_price"] * position["amount"] / leverage

    def is_below(price):
        left = margin_left(price, tiers, fee, wallet_balance=wallet_balance, **position)
        return left >= 0 if position["is_short"] else left < 0

    low, high = 0.0, 1e9 * position["entry_price"]
    if not is_below(low):
        return math.nan
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return high
