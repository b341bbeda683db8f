"""The margin account of one position: its liquidation and bankruptcy price, and its nearest trigger."""

import math

import numpy as np

from liqfeature.compiled import compiled
from liqfeature.sandbox.simulation.kernels.layout import Position, Rules
from liqfeature.sides import LONG
from liqfeature.types import FloatArray

CALL_AT = 0.8
"""Share of the way from entry to liquidation at which owners who add margin do so."""

NEAREST_STOP, FARTHEST_STOP = 0.15, 0.9
"""Range of stops, as shares of the way from entry to liquidation."""


@compiled
def sign_of(side: int) -> int:
    """Return 1 for a long, -1 for a short."""
    return 1 - 2 * side


@compiled
def liquidation_price(
    side: int, entry_price: float, amount: float, margin: float, tiers: FloatArray
) -> float:
    """Return the price at which margin plus profit equals maintenance margin; NaN where none above 0 does.

    Maintenance margin is the largest over the tiers of `rate * notional - amount`, so the first tier to
    liquidate is the one that applies. It is convex: once a tier is later than the one before, all others are.
    """
    sign = sign_of(side)
    price = -math.inf * sign
    for tier in range(len(tiers)):
        level = (margin + tiers[tier, 3] - sign * amount * entry_price) / (amount * (tiers[tier, 2] - sign))
        if (level - price) * sign <= 0:
            break
        price = level
    return price if price > 0 else math.nan


@compiled
def bankruptcy_price(position: Position) -> float:
    """Return the price at which the margin is used up."""
    return position.entry_price - sign_of(position.side) * position.margin / position.amount


@compiled
def refresh_trigger(position: Position, tiers: FloatArray) -> None:
    """Recompute the liquidation price, and which of liquidation, stop and margin call comes first."""
    position.liquidation_price = liquidation_price(
        position.side, position.entry_price, position.amount, position.margin, tiers
    )
    trigger = _nearer(position.side, position.liquidation_price, position.stop_price)
    position.trigger_price = _nearer(position.side, trigger, position.call_price)


@compiled
def _nearer(side: int, price: float, other: float) -> float:
    if math.isnan(price) or (other > price if side == LONG else other < price):
        return other
    return price


@compiled
def allowed_leverage(notional: float, tiers: FloatArray) -> float:
    """Return the highest leverage that the exchange allows at a notional."""
    for tier in range(len(tiers)):
        if notional <= tiers[tier, 0]:
            return tiers[tier, 1]
    return 1.0


@compiled
def draw_leverage(
    rng: np.random.Generator, ladder: FloatArray, tiers: FloatArray, side: int, notional: float
) -> float:
    """Draw a nominal leverage from the ladder, within what the notional allows."""
    choice, level = rng.random(), 0
    while level < len(ladder) - 1 and choice >= ladder[level, 1 + side]:
        level += 1
    return min(ladder[level, 0], allowed_leverage(notional, tiers))


@compiled
def draw_protection(rules: Rules, rng: np.random.Generator, tiers: FloatArray, position: Position) -> None:
    """Draw whether the owner has a hidden stop, would add margin, or neither."""
    position.stop_price = position.call_price = math.nan
    refresh_trigger(position, tiers)
    distance = position.entry_price - position.liquidation_price
    choice = rng.random()
    if choice < rules.stop_share:
        reach = NEAREST_STOP + (FARTHEST_STOP - NEAREST_STOP) * rng.random()
        position.stop_price = position.entry_price - distance * reach
    elif position.isolated and choice < rules.stop_share + rules.top_up_share:
        position.call_price = position.entry_price - distance * CALL_AT
    refresh_trigger(position, tiers)
