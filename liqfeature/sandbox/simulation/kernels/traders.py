"""Traders: they arrive with a side, a size, a leverage and a holding time, and leave after it."""

import math

import numpy as np

from liqfeature.compiled import compiled
from liqfeature.sandbox.simulation.kernels.layout import Now, Rules
from liqfeature.sandbox.simulation.kernels.ledger import admit, close_all, expiry_head, write_event
from liqfeature.sandbox.simulation.kernels.margin import draw_leverage, draw_protection, sign_of
from liqfeature.sandbox.simulation.kernels.price import count_volume, impact
from liqfeature.sandbox.simulation.kernels.state import CLOSE, MAX_ARRIVALS, NOBODY, OPEN, WHEEL, State
from liqfeature.sides import LONG, SHORT

FLOW_EXPONENT, VOLUME_EXPONENT = 0.4, 0.8
"""Arrivals of leveraged traders, and the volume of all others, grow with these powers of volatility."""

VOLUME_SIGMA, LEAN = 0.6, 0.5
"""Standard deviation of a step's log volume; the most of it that is one-sided."""

USUAL_LEVERAGE = 10.0
"""Leverage at which the median holding time applies; it falls with the root of leverage."""


@compiled
def count_arrivals(now: Now, rules: Rules, rng: np.random.Generator) -> int:
    """Draw how many traders open in this step."""
    expected = rules.arrivals * math.exp(FLOW_EXPONENT * now.log_ratio)
    return min(rng.poisson(expected), MAX_ARRIVALS)


@compiled
def arrive(state: State) -> None:
    """Open a position against another leveraged trader, or against a market maker."""
    now, rules, rng = state.now, state.rules, state.rng
    side = LONG if rng.random() < long_probability(now, rules) else SHORT
    amount = math.exp(rules.size_location + rules.size_sigma * rng.standard_normal())
    if open_position(state, side, amount, 1.0):
        count_volume(now, sign_of(side) * amount)
        if rng.random() < rules.paired_share:
            open_position(state, 1 - side, amount, rules.paired_leverage)


@compiled
def long_probability(now: Now, rules: Rules) -> float:
    """Return the probability that a trader buys: with the trend, against displaced or dear prices."""
    displaced = impact(now.flow, now.stress, rules) / rules.daily_volatility
    appetite = rules.long_bias + rules.trend_following * math.tanh(now.momentum / rules.momentum_scale)
    appetite -= rules.contrarian * displaced + rules.premium_aversion * now.premium
    return 0.5 + 0.5 * math.tanh(appetite)


@compiled
def open_position(state: State, side: int, amount: float, leverage_scale: float) -> bool:
    """Open a position at the last price; an order that would be closed at once is rejected."""
    now, rules, ledger, rng = state.now, state.rules, state.ledger, state.rng
    slot = ledger.positions[now.n_live].slot
    position = ledger.positions[slot]
    nominal = draw_leverage(rng, state.ladder, state.tiers, side, amount * now.last)
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
    draw_protection(rules, rng, state.tiers, position)
    if (position.trigger_price - now.mark) * sign_of(side) >= 0:
        return False
    position.number = now.next_number
    now.next_number += 1
    admit(now, rules, ledger, slot, now.minute + int(min(max(held, 1.0), WHEEL - 1.0)))
    write_event(now, state.log.events, position, amount, OPEN)
    return True


@compiled
def leave(state: State) -> None:
    """Close all positions whose holding time is over, at market."""
    now, ledger = state.now, state.ledger
    head = expiry_head(now.minute)
    while ledger.heads[head] != NOBODY:
        slot = ledger.heads[head]
        count_volume(now, -sign_of(ledger.positions[slot].side) * ledger.positions[slot].amount)
        close_all(now, ledger, state.log.events, slot, CLOSE)


@compiled
def trade_background(now: Now, rules: Rules, rng: np.random.Generator, change: float) -> None:
    """Count unlevered trades: more when prices move, and more of them with the move."""
    noise = VOLUME_SIGMA * rng.standard_normal() - 0.5 * VOLUME_SIGMA * VOLUME_SIGMA
    amount = rules.background_volume * math.exp(VOLUME_EXPONENT * now.log_ratio + noise)
    lean = math.tanh(0.5 * change / rules.usual_volatility + 0.3 * rng.standard_normal())
    now.traded += amount
    now.bought += amount * 0.5 * (1.0 + LEAN * lean)
