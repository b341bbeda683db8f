"""Finding positions: by the price that trips them, by the minute their owner leaves, by a throw of dice.

Every position is in up to two doubly linked lists and in the dense front of `slot`; whoever takes one out
takes it out of all three. A liquidated position left in the list of expiries would later close a stranger.
"""

import math
from typing import Any

from liqfeature.compiled import compiled
from liqfeature.sandbox.kernels.layout import Now, Position, Rules
from liqfeature.sandbox.kernels.margin import refresh_trigger, sign_of
from liqfeature.sandbox.kernels.price import cell_of
from liqfeature.sandbox.kernels.state import N_CELLS, NOBODY, WHEEL, Book, Market
from liqfeature.types import LONG


@compiled
def expiry_head(minute: int) -> int:
    """Return where the list of the positions that expire in a minute begins."""
    return 2 * N_CELLS + minute % WHEEL


@compiled
def list_price(now: Now, rules: Rules, book: Book, slot: int) -> None:
    """Enter a position under its trigger price, if it has one."""
    position = book.positions[slot]
    position.head = position.before = position.after = NOBODY
    if math.isnan(position.trigger_price):
        return
    cell = cell_of(position.trigger_price, rules.reference)
    if position.side == LONG:
        now.nearest_long = max(now.nearest_long, cell)
    else:
        now.nearest_short = min(now.nearest_short, cell)
    position.head = position.side * N_CELLS + cell
    position.after = book.heads[position.head]
    if position.after != NOBODY:
        book.positions[position.after].before = slot
    book.heads[position.head] = slot


@compiled
def unlist_price(book: Book, slot: int) -> None:
    """Take a position out of the list of its trigger price."""
    position = book.positions[slot]
    if position.head == NOBODY:
        return
    if position.before == NOBODY:
        book.heads[position.head] = position.after
    else:
        book.positions[position.before].after = position.after
    if position.after != NOBODY:
        book.positions[position.after].before = position.before
    position.head = NOBODY


@compiled
def _list_expiry(book: Book, slot: int, minute: int) -> None:
    position = book.positions[slot]
    position.expiry_head = expiry_head(minute)
    position.expiry_before = NOBODY
    position.expiry_after = book.heads[position.expiry_head]
    if position.expiry_after != NOBODY:
        book.positions[position.expiry_after].expiry_before = slot
    book.heads[position.expiry_head] = slot


@compiled
def _unlist_expiry(book: Book, slot: int) -> None:
    position = book.positions[slot]
    if position.expiry_before == NOBODY:
        book.heads[position.expiry_head] = position.expiry_after
    else:
        book.positions[position.expiry_before].expiry_after = position.expiry_after
    if position.expiry_after != NOBODY:
        book.positions[position.expiry_after].expiry_before = position.expiry_before


@compiled
def admit(now: Now, rules: Rules, book: Book, slot: int, expiry: int) -> None:
    """Enter the position in the first free slot into every list."""
    position = book.positions[slot]
    position.place = now.n_live
    now.n_live += 1
    _count_open(now, position, position.amount)
    list_price(now, rules, book, slot)
    _list_expiry(book, slot, expiry)


@compiled
def _dismiss(now: Now, book: Book, slot: int) -> None:
    unlist_price(book, slot)
    _unlist_expiry(book, slot)
    now.n_live -= 1
    place, moved = book.positions[slot].place, book.positions[now.n_live].slot
    book.positions[place].slot = moved
    book.positions[now.n_live].slot = slot
    book.positions[moved].place = place


@compiled
def _count_open(now: Now, position: Position, change: float) -> None:
    """Keep the totals; what leveraged traders do not hold against each other, market makers had to take.

    Only that is flow: over the life of all positions it sums to zero, and prices do not drift.
    """
    now.flow += sign_of(position.side) * change
    if position.side == LONG:
        now.long_amount += change
    else:
        now.short_amount += change


@compiled
def write_event(now: Now, events: Any, position: Position, change: float, reason: int) -> None:
    """Write down a change of a position, after it."""
    event = events[now.n_events]
    event.minute = now.minute
    event.number = position.number
    event.side = position.side
    event.change = change
    event.liquidation_price = position.liquidation_price
    event.reason = reason
    now.n_events += 1


@compiled
def close_all(now: Now, book: Book, events: Any, slot: int, reason: int) -> None:
    """Take a position off the book."""
    position = book.positions[slot]
    _count_open(now, position, -position.amount)
    _dismiss(now, book, slot)
    position.liquidation_price = math.nan
    write_event(now, events, position, -position.amount, reason)


@compiled
def close_part(market: Market, slot: int, amount: float, reason: int) -> None:
    """Take an amount off a position and release its margin in proportion; a lower tier may apply."""
    position = market.book.positions[slot]
    _count_open(market.now, position, -amount)
    left = position.amount - amount
    position.margin *= left / position.amount
    position.amount = left
    relist(market, slot)
    write_event(market.now, market.log.events, position, -amount, reason)


@compiled
def relist(market: Market, slot: int) -> None:
    """Find a position's new trigger price and its place among the others."""
    refresh_trigger(market.book.positions[slot], market.tiers)
    unlist_price(market.book, slot)
    list_price(market.now, market.rules, market.book, slot)
