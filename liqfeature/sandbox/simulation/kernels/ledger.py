"""The ledger of open positions: found by trigger price, by the minute their owner leaves, or at random.

Every position is in up to two doubly linked lists and in the dense front of `slot`. What removes a position
removes it from all three: a liquidated one left in the list of expiries would later close another position.
"""

import math
from typing import Any

from liqfeature.compiled import compiled
from liqfeature.sandbox.simulation.kernels.layout import Now, Position, Rules
from liqfeature.sandbox.simulation.kernels.margin import refresh_trigger, sign_of
from liqfeature.sandbox.simulation.kernels.price import cell_of
from liqfeature.sandbox.simulation.kernels.state import N_CELLS, NOBODY, WHEEL, Ledger, State
from liqfeature.sides import LONG


@compiled
def expiry_head(minute: int) -> int:
    """Return where the list of positions that expire in a minute begins."""
    return 2 * N_CELLS + minute % WHEEL


@compiled
def list_price(now: Now, rules: Rules, ledger: Ledger, slot: int) -> None:
    """List a position under its trigger price, if it has one."""
    position = ledger.positions[slot]
    position.head = position.before = position.after = NOBODY
    if math.isnan(position.trigger_price):
        return
    cell = cell_of(position.trigger_price, rules.reference)
    if position.side == LONG:
        now.nearest_long = max(now.nearest_long, cell)
    else:
        now.nearest_short = min(now.nearest_short, cell)
    position.head = position.side * N_CELLS + cell
    position.after = ledger.heads[position.head]
    if position.after != NOBODY:
        ledger.positions[position.after].before = slot
    ledger.heads[position.head] = slot


@compiled
def unlist_price(ledger: Ledger, slot: int) -> None:
    """Remove a position from the list of its trigger price."""
    position = ledger.positions[slot]
    if position.head == NOBODY:
        return
    if position.before == NOBODY:
        ledger.heads[position.head] = position.after
    else:
        ledger.positions[position.before].after = position.after
    if position.after != NOBODY:
        ledger.positions[position.after].before = position.before
    position.head = NOBODY


@compiled
def _list_expiry(ledger: Ledger, slot: int, minute: int) -> None:
    position = ledger.positions[slot]
    position.expiry_head = expiry_head(minute)
    position.expiry_before = NOBODY
    position.expiry_after = ledger.heads[position.expiry_head]
    if position.expiry_after != NOBODY:
        ledger.positions[position.expiry_after].expiry_before = slot
    ledger.heads[position.expiry_head] = slot


@compiled
def _unlist_expiry(ledger: Ledger, slot: int) -> None:
    position = ledger.positions[slot]
    if position.expiry_before == NOBODY:
        ledger.heads[position.expiry_head] = position.expiry_after
    else:
        ledger.positions[position.expiry_before].expiry_after = position.expiry_after
    if position.expiry_after != NOBODY:
        ledger.positions[position.expiry_after].expiry_before = position.expiry_before


@compiled
def admit(now: Now, rules: Rules, ledger: Ledger, slot: int, expiry: int) -> None:
    """Add the position in the first free slot to every list."""
    position = ledger.positions[slot]
    position.place = now.n_live
    now.n_live += 1
    _count_open(now, position, position.amount)
    list_price(now, rules, ledger, slot)
    _list_expiry(ledger, slot, expiry)


@compiled
def _dismiss(now: Now, ledger: Ledger, slot: int) -> None:
    unlist_price(ledger, slot)
    _unlist_expiry(ledger, slot)
    now.n_live -= 1
    place, moved = ledger.positions[slot].place, ledger.positions[now.n_live].slot
    ledger.positions[place].slot = moved
    ledger.positions[now.n_live].slot = slot
    ledger.positions[moved].place = place


@compiled
def _count_open(now: Now, position: Position, change: float) -> None:
    """Update the totals. Flow is what leveraged traders do not hold against each other.

    Market makers take that part. Over the life of all positions it sums to zero, and prices do not drift.
    """
    now.flow += sign_of(position.side) * change
    if position.side == LONG:
        now.long_amount += change
    else:
        now.short_amount += change


@compiled
def write_event(now: Now, events: Any, position: Position, change: float, reason: int) -> None:
    """Log a change of a position, after it."""
    event = events[now.n_events]
    event.minute = now.minute
    event.number = position.number
    event.side = position.side
    event.change = change
    event.liquidation_price = position.liquidation_price
    event.reason = reason
    now.n_events += 1


@compiled
def close_all(now: Now, ledger: Ledger, events: Any, slot: int, reason: int) -> None:
    """Close a position."""
    position = ledger.positions[slot]
    _count_open(now, position, -position.amount)
    _dismiss(now, ledger, slot)
    position.liquidation_price = math.nan
    write_event(now, events, position, -position.amount, reason)


@compiled
def close_part(state: State, slot: int, amount: float, reason: int) -> None:
    """Close part of a position and release its margin in proportion; a lower tier may apply."""
    position = state.ledger.positions[slot]
    _count_open(state.now, position, -amount)
    left = position.amount - amount
    position.margin *= left / position.amount
    position.amount = left
    relist(state, slot)
    write_event(state.now, state.log.events, position, -amount, reason)


@compiled
def relist(state: State, slot: int) -> None:
    """Recompute a position's trigger price and list it there."""
    refresh_trigger(state.ledger.positions[slot], state.tiers)
    unlist_price(state.ledger, slot)
    list_price(state.now, state.rules, state.ledger, slot)
