"""The margin engine: positions that the mark price reaches, who takes the other side, and funding."""

import math

from liqfeature.compiled import compiled
from liqfeature.sandbox.simulation.kernels.ledger import close_all, close_part, relist, write_event
from liqfeature.sandbox.simulation.kernels.margin import bankruptcy_price, sign_of
from liqfeature.sandbox.simulation.kernels.price import count_volume
from liqfeature.sandbox.simulation.kernels.state import (
    CLOSE,
    FUNDING,
    LIQUIDATION,
    MARGIN,
    MINUTE_MILLISECONDS,
    N_CELLS,
    NOBODY,
    STEP_MILLISECONDS,
    STOP,
    State,
)
from liqfeature.sides import LONG, SHORT

TRIES = 40
"""Most positions that a forced order tries when it looks for takers."""

ADDED_MARGIN = 0.5
"""Margin added at a call, as a share of what is there."""


@compiled
def settle(state: State) -> bool:
    """Settle every position that the mark price has reached; return whether there was any."""
    now, touched = state.now, False
    if now.nearest_long >= now.mark_cell:
        for cell in range(now.nearest_long, now.mark_cell - 1, -1):
            touched |= sweep(state, LONG, cell)
        now.nearest_long = now.mark_cell
    if now.nearest_short <= now.mark_cell:
        for cell in range(now.nearest_short, now.mark_cell + 1):
            touched |= sweep(state, SHORT, cell)
        now.nearest_short = now.mark_cell
    return touched


@compiled
def sweep(state: State, side: int, cell: int) -> bool:
    """Settle positions of a side and cell that the mark price has reached; return whether there was any."""
    positions, touched = state.ledger.positions, False
    slot = state.ledger.heads[side * N_CELLS + cell]
    while slot != NOBODY:
        following = positions[slot].after
        if (positions[slot].trigger_price - state.now.mark) * sign_of(side) >= 0:
            touch(state, slot)
            touched = True
        slot = following
    return touched


@compiled
def touch(state: State, slot: int) -> None:
    """Add margin or fill the stop where the owner planned it; else liquidate."""
    position = state.ledger.positions[slot]
    sign = sign_of(position.side)
    if position.trigger_price == position.call_price:
        position.margin *= 1.0 + ADDED_MARGIN
        position.call_price = math.nan
        relist(state, slot)
        write_event(state.now, state.log.events, position, 0.0, MARGIN)
        if not (position.trigger_price - state.now.mark) * sign >= 0:
            return
    if position.trigger_price == position.stop_price:
        count_volume(state.now, -sign * position.amount)
        close_all(state.now, state.ledger, state.log.events, slot, STOP)
    else:
        liquidate(state, slot)


@compiled
def liquidate(state: State, slot: int) -> None:
    """Force-close a position: a market order that thins depth and lets positions in profit close."""
    now, rules, position = state.now, state.rules, state.ledger.positions[slot]
    amount, side = position.amount, position.side
    order = state.log.forced[now.n_forced]
    order.millisecond = now.minute * MINUTE_MILLISECONDS + now.step * STEP_MILLISECONDS
    order.side = side
    order.amount = amount
    order.bankruptcy_price = bankruptcy_price(position)
    now.n_forced += 1
    count_volume(now, -sign_of(side) * amount)
    now.stress = min(now.stress + amount / rules.stress_unit, rules.stress_cap)
    close_all(now, state.ledger, state.log.events, slot, LIQUIDATION)
    take_profits(state, 1 - side, rules.absorbed_share * amount)


@compiled
def take_profits(state: State, side: int, wanted: float) -> None:
    """Close positions in profit of a side against a forced order, so that open interest falls."""
    now, ledger = state.now, state.ledger
    for _ in range(TRIES):
        if now.n_live == 0 or wanted <= 0:
            return
        slot = ledger.positions[int(state.rng.random() * now.n_live)].slot
        position = ledger.positions[slot]
        if position.side != side or (now.last - position.entry_price) * sign_of(side) <= 0:
            continue
        if wanted < position.amount:
            close_part(state, slot, wanted, CLOSE)
            return
        wanted -= position.amount
        close_all(now, ledger, state.log.events, slot, CLOSE)


@compiled
def fill_forced(state: State, first: int, price: float) -> None:
    """Set the price of the forced orders of one round."""
    for order in range(first, state.now.n_forced):
        state.log.forced[order].price = price


@compiled
def pay_funding(state: State, rate: float) -> None:
    """Pay funding from longs to shorts out of isolated margin; a rate above 0 raises liquidation prices."""
    now, ledger = state.now, state.ledger
    for place in range(now.n_live):
        slot = ledger.positions[place].slot
        position = ledger.positions[slot]
        if position.isolated:
            position.margin -= sign_of(position.side) * rate * position.amount * now.mark
            relist(state, slot)
            write_event(now, state.log.events, position, 0.0, FUNDING)
