"""The order of events in one step, in one minute, and from minute to minute."""

import math

from liqfeature.compiled import compiled
from liqfeature.sandbox.simulation.kernels.liquidation import fill_forced, pay_funding, settle
from liqfeature.sandbox.simulation.kernels.price import (
    follow,
    refresh_last,
    refresh_mark,
    settle_funding_rate,
    step_price,
)
from liqfeature.sandbox.simulation.kernels.state import MAX_ARRIVALS, STEPS, State
from liqfeature.sandbox.simulation.kernels.traders import arrive, count_arrivals, leave, trade_background

FUNDING_MINUTES = 480

ROUNDS = 4
"""Times that forced flow may trip further positions within one step."""

MAX_OPENED = 2 * STEPS * MAX_ARRIVALS
"""Positions opened in a minute, at most."""

EVENTS_PER_POSITION = 5
"""Of a minute, at most: open, funding, margin, the end, and the part of another closed against its order."""


@compiled
def advance(state: State, stop: int) -> int:
    """Run the market up to a minute, or until an array could overflow within the next one.

    Order of events in a minute: funding; owners leave; then six steps, each of arrivals, price, and rounds
    of mark price, liquidations and their impact.

    Returns
    -------
    int
        The next minute to run; below `stop` where the caller must first make room.
    """
    while state.now.minute < stop and has_room(state):
        _open_minute(state)
        leave(state)
        for step in range(STEPS):
            state.now.step = step
            _run_step(state)
        _close_minute(state)
    return state.now.minute


@compiled
def has_room(state: State) -> bool:
    """Return whether the arrays have room for any next minute."""
    live = state.now.n_live + MAX_OPENED
    events = state.now.n_events + EVENTS_PER_POSITION * live
    forced = state.now.n_forced + live
    return (
        live < len(state.ledger.positions)
        and events < len(state.log.events)
        and forced < len(state.log.forced)
    )


@compiled
def _open_minute(state: State) -> None:
    now, rules, row = state.now, state.rules, state.rows[state.now.minute]
    row.open = row.high = row.low = now.last
    row.mark_open = row.mark_high = row.mark_low = now.mark
    row.funding_rate = math.nan
    if (rules.first_minute + now.minute) % FUNDING_MINUTES == 0:
        row.funding_rate = settle_funding_rate(now, rules)
        pay_funding(state, row.funding_rate)


@compiled
def _run_step(state: State) -> None:
    now, rules, rng, row = state.now, state.rules, state.rng, state.rows[state.now.minute]
    before = now.last
    for _ in range(count_arrivals(now, rules, rng)):
        arrive(state)
    step_price(now, rules, rng)
    refresh_last(now, rules, row)
    for _ in range(ROUNDS):
        refresh_mark(now, rules, row)
        last, first = now.last, now.n_forced
        if not settle(state):
            break
        refresh_last(now, rules, row)
        fill_forced(state, first, 0.5 * (last + now.last))
    change = math.log(now.last / before)
    follow(now, rules, change)
    trade_background(now, rules, rng, change)
    row.volume += now.traded
    row.quote_volume += now.traded * 0.5 * (before + now.last)
    row.taker_buy_volume += now.bought
    now.traded = 0.0
    now.bought = 0.0


@compiled
def _close_minute(state: State) -> None:
    now, rules, row = state.now, state.rules, state.rows[state.now.minute]
    row.close = now.last
    row.mark_close = now.mark
    # An unlevered market maker holds the difference, so each long has its short.
    row.open_interest = rules.hedged + max(now.long_amount, now.short_amount)
    now.minute += 1
