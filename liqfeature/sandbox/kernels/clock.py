"""The clock: what happens in one step, in one minute, and from minute to minute."""

import math

from liqfeature.compiled import compiled
from liqfeature.sandbox.kernels.liquidation import fill_forced, pay_funding, settle
from liqfeature.sandbox.kernels.price import (
    follow,
    refresh_last,
    refresh_mark,
    settle_funding_rate,
    step_price,
)
from liqfeature.sandbox.kernels.state import MAX_ARRIVALS, STEPS, Market
from liqfeature.sandbox.kernels.traders import arrive, count_arrivals, leave, trade_background

FUNDING_MINUTES = 480

ROUNDS = 4
"""Times that forced flow may trip further positions within one step."""

MAX_OPENED = 2 * STEPS * MAX_ARRIVALS
"""Positions opened in a minute, at most."""

EVENTS_PER_POSITION = 5
"""Of a minute, at most: open, funding, margin, the end, and the part of another closed against its order."""


@compiled
def advance(market: Market, stop: int) -> int:
    """Run the market up to a minute, or until an array could overflow within the next one.

    Order of events in a minute: funding; owners leave; then six steps, each of arrivals, price, and rounds
    of mark price, liquidations and their impact.

    Returns
    -------
    int
        The next minute to run; below `stop` where the caller must first make room.
    """
    while market.now.minute < stop and has_room(market):
        _open_minute(market)
        leave(market)
        for step in range(STEPS):
            market.now.step = step
            _run_step(market)
        _close_minute(market)
    return market.now.minute


@compiled
def has_room(market: Market) -> bool:
    """Tell whether the next minute fits in, whatever happens."""
    live = market.now.n_live + MAX_OPENED
    events = market.now.n_events + EVENTS_PER_POSITION * live
    forced = market.now.n_forced + live
    return (
        live < len(market.book.positions)
        and events < len(market.log.events)
        and forced < len(market.log.forced)
    )


@compiled
def _open_minute(market: Market) -> None:
    now, rules, row = market.now, market.rules, market.rows[market.now.minute]
    row.open = row.high = row.low = now.last
    row.mark_open = row.mark_high = row.mark_low = now.mark
    row.funding_rate = math.nan
    if (rules.first_minute + now.minute) % FUNDING_MINUTES == 0:
        row.funding_rate = settle_funding_rate(now, rules)
        pay_funding(market, row.funding_rate)


@compiled
def _run_step(market: Market) -> None:
    now, rules, rng, row = market.now, market.rules, market.rng, market.rows[market.now.minute]
    before = now.last
    for _ in range(count_arrivals(now, rules, rng)):
        arrive(market)
    step_price(now, rules, rng)
    refresh_last(now, rules, row)
    for _ in range(ROUNDS):
        refresh_mark(now, rules, row)
        last, first = now.last, now.n_forced
        if not settle(market):
            break
        refresh_last(now, rules, row)
        fill_forced(market, first, 0.5 * (last + now.last))
    change = math.log(now.last / before)
    follow(now, rules, change)
    trade_background(now, rules, rng, change)
    row.volume += now.traded
    row.quote_volume += now.traded * 0.5 * (before + now.last)
    row.taker_buy_volume += now.bought
    now.traded = 0.0
    now.bought = 0.0


@compiled
def _close_minute(market: Market) -> None:
    now, rules, row = market.now, market.rules, market.rows[market.now.minute]
    row.close = now.last
    row.mark_close = now.mark
    # A market maker without leverage holds the difference, so that each long has its short.
    row.open_interest = rules.hedged + max(now.long_amount, now.short_amount)
    now.minute += 1
