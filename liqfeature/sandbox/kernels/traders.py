"""Traders come with a side, a size and a leverage, and leave when they have had enough."""

import math

import numpy as np

from liqfeature.compiled import compiled
from liqfeature.sandbox.kernels.book import admit, close_all, expiry_head, write_event
from liqfeature.sandbox.kernels.layout import Now, Rules
from liqfeature.sandbox.kernels.margin import draw_leverage, draw_protection, sign_of
from liqfeature.sandbox.kernels.price import count_volume, impact
from liqfeature.sandbox.kernels.state import CLOSE, MAX_ARRIVALS, NOBODY, OPEN, WHEEL, Market
from liqfeature.types import LONG, SHORT

FLOW_EXPONENT, VOLUME_EXPONENT = 0.4, 0.8
"""Arrivals of leveraged traders, and everybody else's volume, grow with these powers of volatility."""

VOLUME_SIGMA, LEAN = 0.6, 0.5
"""Spread of a step's log volume; how much of it can be one-sided."""

USUAL_LEVERAGE = 10.0
"""Leverage at which the median holding time applies; it falls with the root of leverage."""


@compiled
def count_arrivals(now: Now, rules: Rules, rng: np.random.Generator) -> int:
    """Draw how many traders open in this step."""
    expected = rules.arrivals * math.exp(FLOW_EXPONENT * now.log_ratio)
    return min(rng.poisson(expected), MAX_ARRIVALS)


@compiled
def arrive(market: Market) -> None:
    """Let a trader open: against another trader with leverage, or against a market maker."""
    now, rules, rng = market.now, market.rules, market.rng
    side = LONG if rng.random() < long_probability(now, rules) else SHORT
    amount = math.exp(rules.size_location + rules.size_sigma * rng.standard_normal())
    if open_position(market, side, amount, 1.0):
        count_volume(now, sign_of(side) * amount)
        if rng.random() < rules.paired_share:
            open_position(market, 1 - side, amount, rules.paired_leverage)


@compiled
def long_probability(now: Now, rules: Rules) -> float:
    """Return the chance that a trader buys: with the trend, against displaced or dear prices."""
    displaced = impact(now.flow, now.stress, rules) / rules.daily_volatility
    appetite = rules.long_bias + rules.trend_following * math.tanh(now.momentum / rules.momentum_scale)
    appetite -= rules.contrarian * displaced + rules.premium_aversion * now.premium
    return 0.5 + 0.5 * math.tanh(appetite)


@compiled
def open_position(market: Market, side: int, amount: float, leverage_scale: float) -> bool:
    """Open a position at the last price; an order that would be closed at once is rejected."""
    now, rules, book, rng = market.now, market.rules, market.book, market.rng
    slot = book.positions[now.n_live].slot
    position = book.positions[slot]
    nominal = draw_leverage(rng, market.ladder, market.tiers, side, amount * now.last)
    held = rules.holding_median * math.exp(rules.holding_sigma * rng.standard_normal())
    held *= math.sqrt(USUAL_LEVERAGE / nominal)
    leverage = max(nominal * leverage_scale, 1.0)
    position.isolated = 1
    if rng.random() < rules.cross_share:
        position.isolated = 0
        leverage /= 1.0 + math.exp(rules.cross_sigma * rng.standard_normal())
    position.side = side
    position.amount = amount
    position.entry_price = now.last
    position.margin = amount * now.last / leverage
    draw_protection(rules, rng, market.tiers, position)
    if (position.trigger_price - now.mark) * sign_of(side) >= 0:
        return False
    position.number = now.next_number
    now.next_number += 1
    admit(now, rules, book, slot, now.minute + int(min(max(held, 1.0), WHEEL - 1.0)))
    write_event(now, market.log.events, position, amount, OPEN)
    return True


@compiled
def leave(market: Market) -> None:
    """Let everybody whose time has come close at market."""
    now, book = market.now, market.book
    head = expiry_head(now.minute)
    while book.heads[head] != NOBODY:
        slot = book.heads[head]
        count_volume(now, -sign_of(book.positions[slot].side) * book.positions[slot].amount)
        close_all(now, book, market.log.events, slot, CLOSE)


@compiled
def trade_background(now: Now, rules: Rules, rng: np.random.Generator, change: float) -> None:
    """Count the trades of those without leverage: more when prices move, and rather with the move."""
    noise = VOLUME_SIGMA * rng.standard_normal() - 0.5 * VOLUME_SIGMA * VOLUME_SIGMA
    amount = rules.background_volume * math.exp(VOLUME_EXPONENT * now.log_ratio + noise)
    lean = math.tanh(0.5 * change / rules.usual_volatility + 0.3 * rng.standard_normal())
    now.traded += amount
    now.bought += amount * 0.5 * (1.0 + LEAN * lean)
