"""The margin engine: what the mark price touches, who takes the other side, and what funding costs."""

import math

from liqfeature.compiled import compiled
from liqfeature.sandbox.kernels.book import close_all, close_part, relist, write_event
from liqfeature.sandbox.kernels.margin import bankruptcy_price, sign_of
from liqfeature.sandbox.kernels.price import count_volume
from liqfeature.sandbox.kernels.state import (
    CLOSE,
    FUNDING,
    LIQUIDATION,
    MARGIN,
    MINUTE_MILLISECONDS,
    N_CELLS,
    NOBODY,
    STEP_MILLISECONDS,
    STOP,
    Market,
)
from liqfeature.types import LONG, SHORT

TRIES = 40
"""Positions that a forced order looks at, at most, to find takers."""

ADDED_MARGIN = 0.5
"""Margin added at a call, as a share of what is there."""


@compiled
def settle(market: Market) -> bool:
    """Settle every position that the mark price has reached; tell whether there was any."""
    now, touched = market.now, False
    if now.nearest_long >= now.mark_cell:
        for cell in range(now.nearest_long, now.mark_cell - 1, -1):
            touched |= sweep(market, LONG, cell)
        now.nearest_long = now.mark_cell
    if now.nearest_short <= now.mark_cell:
        for cell in range(now.nearest_short, now.mark_cell + 1):
            touched |= sweep(market, SHORT, cell)
        now.nearest_short = now.mark_cell
    return touched


@compiled
def sweep(market: Market, side: int, cell: int) -> bool:
    """Settle those of a side and a cell that the mark price has reached; tell whether there was any."""
    positions, touched = market.book.positions, False
    slot = market.book.heads[side * N_CELLS + cell]
    while slot != NOBODY:
        following = positions[slot].after
        if (positions[slot].trigger_price - market.now.mark) * sign_of(side) >= 0:
            touch(market, slot)
            touched = True
        slot = following
    return touched


@compiled
def touch(market: Market, slot: int) -> None:
    """Let the owner add margin, or the stop close, where that was planned; else liquidate."""
    position = market.book.positions[slot]
    sign = sign_of(position.side)
    if position.trigger_price == position.call_price:
        position.margin *= 1.0 + ADDED_MARGIN
        position.call_price = math.nan
        relist(market, slot)
        write_event(market.now, market.log.events, position, 0.0, MARGIN)
        if not (position.trigger_price - market.now.mark) * sign >= 0:
            return
    if position.trigger_price == position.stop_price:
        count_volume(market.now, -sign * position.amount)
        close_all(market.now, market.book, market.log.events, slot, STOP)
    else:
        liquidate(market, slot)


@compiled
def liquidate(market: Market, slot: int) -> None:
    """Close a position by force: an aggressive order that thins out depth and meets those in profit."""
    now, rules, position = market.now, market.rules, market.book.positions[slot]
    amount, side = position.amount, position.side
    order = market.log.forced[now.n_forced]
    order.millisecond = now.minute * MINUTE_MILLISECONDS + now.step * STEP_MILLISECONDS
    order.side = side
    order.amount = amount
    order.bankruptcy_price = bankruptcy_price(position)
    now.n_forced += 1
    count_volume(now, -sign_of(side) * amount)
    now.stress = min(now.stress + amount / rules.stress_unit, rules.stress_cap)
    close_all(now, market.book, market.log.events, slot, LIQUIDATION)
    take_profits(market, 1 - side, rules.absorbed_share * amount)


@compiled
def take_profits(market: Market, side: int, wanted: float) -> None:
    """Let positions of a side that are in profit close against a forced order: open interest falls."""
    now, book = market.now, market.book
    for _ in range(TRIES):
        if now.n_live == 0 or wanted <= 0:
            return
        slot = book.positions[int(market.rng.random() * now.n_live)].slot
        position = book.positions[slot]
        if position.side != side or (now.last - position.entry_price) * sign_of(side) <= 0:
            continue
        if wanted < position.amount:
            close_part(market, slot, wanted, CLOSE)
            return
        wanted -= position.amount
        close_all(now, book, market.log.events, slot, CLOSE)


@compiled
def fill_forced(market: Market, first: int, price: float) -> None:
    """Set the price of the forced orders of one round."""
    for order in range(first, market.now.n_forced):
        market.log.forced[order].price = price


@compiled
def pay_funding(market: Market, rate: float) -> None:
    """Let longs pay shorts out of isolated margin; above 0, both sides' liquidation prices move up."""
    now, book = market.now, market.book
    for place in range(now.n_live):
        slot = book.positions[place].slot
        position = book.positions[slot]
        if position.isolated:
            position.margin -= sign_of(position.side) * rate * position.amount * now.mark
            relist(market, slot)
            write_event(now, market.log.events, position, 0.0, FUNDING)
