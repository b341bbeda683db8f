"""Prices: efficient price with clustered volatility, impact of flow, premium, index, mark and last."""

import math

import numpy as np

from liqfeature.compiled import compiled
from liqfeature.sandbox.simulation.kernels.layout import Minute, Now, Rules
from liqfeature.sandbox.simulation.kernels.state import CELL, N_CELLS

SPOT_SHARE = 0.8
"""Share of impact on the perpetual that arbitrage carries over to the index."""

LINEAR_FLOW = 1e-4
"""Flow over depth below which impact is a line rather than a root."""

PREMIUM_SLACK = 0.0005
"""Premium that leaves the funding rate at the interest rate."""

T_DEGREES = 5.0
T_SCALE = math.sqrt(1.0 - 2.0 / T_DEGREES)
"""Student's t of unit variance."""


@compiled
def cell_of(price: float, reference: float) -> int:
    """Return the cell of a price; cells rise with price."""
    cell = math.floor((math.log(price) - reference) / CELL) + N_CELLS // 2
    return min(max(cell, 0), N_CELLS - 1)


@compiled
def count_volume(now: Now, amount: float) -> None:
    """Count an amount that an aggressor buys (above 0) or sells."""
    now.traded += abs(amount)
    now.bought += max(amount, 0.0)


@compiled
def impact(flow: float, stress: float, rules: Rules) -> float:
    """Return the log price change due to flow that is not yet absorbed, by the square-root law.

    Depth is divided by `1 + stress`. Stress is capped: without a cap, forced flow thins the depth that it
    meets, and a small cascade never ends.
    """
    thinned = rules.depth / (1.0 + min(stress, rules.stress_cap))
    size = math.sqrt(abs(flow) / thinned + LINEAR_FLOW) - math.sqrt(LINEAR_FLOW)
    return math.copysign(rules.daily_volatility * size, flow)


@compiled
def step_price(now: Now, rules: Rules, rng: np.random.Generator) -> None:
    """Move volatility, efficient price and premium by one step, and absorb flow."""
    shock = rng.standard_t(T_DEGREES) * T_SCALE
    # Volatility from before this shock: with the one after it, falls would be larger than rises.
    change = rules.volatility * math.exp(now.log_ratio) * shock
    skew = rules.down_volatility
    kick = math.sqrt(1.0 - skew * skew) * rng.standard_normal() - skew * shock
    now.fast += rules.fast_kick * kick - rules.fast_pull * now.fast
    now.slow += rules.slow_kick * rng.standard_normal() - rules.slow_pull * now.slow
    now.log_ratio = now.fast + now.slow
    change += rules.permanent_pull * impact(now.flow, now.stress, rules)
    change -= rules.anchor_pull * (now.efficient - rules.reference) - rules.jump_compensation
    if rng.random() < rules.jump_rate:
        size = abs(rng.standard_normal()) * rules.jump_size
        change += -size if rng.random() < rules.down_jump_share else size
    now.efficient += change
    now.flow -= rules.flow_pull * now.flow
    now.stress -= rules.stress_pull * now.stress
    net = (now.long_amount - now.short_amount) / (rules.hedged + now.long_amount + now.short_amount)
    now.premium += rules.premium_pull * (rules.premium_gain * net - now.premium)


@compiled
def refresh_last(now: Now, rules: Rules, row: Minute) -> None:
    """Set the last price, and the candle's high and low."""
    now.last = math.exp(now.efficient + now.premium + impact(now.flow, now.stress, rules))
    row.high = max(row.high, now.last)
    row.low = min(row.low, now.last)


@compiled
def refresh_mark(now: Now, rules: Rules, row: Minute) -> None:
    """Set the mark price: index plus average basis, which a wick of the last price hardly moves."""
    index = now.efficient + SPOT_SHARE * impact(now.flow, now.stress, rules)
    now.mark = math.exp(index + now.basis_average)
    now.mark_cell = cell_of(now.mark, rules.reference)
    row.mark_high = max(row.mark_high, now.mark)
    row.mark_low = min(row.mark_low, now.mark)


@compiled
def follow(now: Now, rules: Rules, change: float) -> None:
    """Update average basis and trend with the step's log change of the last price."""
    basis = now.premium + (1.0 - SPOT_SHARE) * impact(now.flow, now.stress, rules)
    now.basis_average += rules.basis_pull * (basis - now.basis_average)
    now.premium_sum += basis
    now.premium_count += 1
    now.momentum += change - rules.momentum_pull * now.momentum


@compiled
def settle_funding_rate(now: Now, rules: Rules) -> float:
    """Return the rate that longs pay, the premium pulled to interest and capped; start a new average."""
    premium = now.premium_sum / max(now.premium_count, 1)
    now.premium_sum = 0.0
    now.premium_count = 0
    pull = min(max(rules.interest_rate - premium, -PREMIUM_SLACK), PREMIUM_SLACK)
    return min(max(premium + pull, -rules.funding_cap), rules.funding_cap)
