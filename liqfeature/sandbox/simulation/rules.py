"""Rates that the kernels apply in each step of ten seconds, from the parameters of a scenario."""

import math
from typing import Any

import numpy as np

from liqfeature.sandbox.simulation.kernels.layout import Rules, record
from liqfeature.sandbox.simulation.kernels.state import STEPS
from liqfeature.sandbox.simulation.pairs import PairCharacter
from liqfeature.sandbox.simulation.scenario import Scenario
from liqfeature.sides import LONG, SHORT
from liqfeature.types import FloatArray

_STEP = 1.0 / STEPS
"""Minutes."""

_DAY, _WEEK = 1440.0, 10_080.0
_DAYS_PER_YEAR = 365.0

_FAST = (90.0, 0.42)
_SLOW = (14_400.0, 0.45)
"""Memory in minutes, and standard deviation, of the two factors of log volatility."""

_DOWN_VOLATILITY = 0.3
"""Correlation of falls with rises of volatility."""

_JUMP, _DOWN_JUMPS = 0.35, 0.6
"""Size of jumps in units of a day's volatility; share of jumps that go down."""

_ANCHOR_MEMORY = 100 * _DAY
_STRESS_MEMORY, _STRESS_SHARE = 15.0, 0.004
"""Minutes in which depth recovers; forced share of a day's volume that halves depth."""

_PREMIUM_MEMORY, _PREMIUM_GAIN = 120.0, 0.012
"""Minutes; log premium if all traders were long."""

_BASIS_MEMORY = 10.0
_MOMENTUM_MEMORY = 180.0
_CONTRARIAN, _PREMIUM_AVERSION = 4.0, 150.0

_INTEREST_RATE, _FUNDING_CAP = 0.0001, 0.003
_PAIRED_LEVERAGE, _CROSS_SIGMA = 0.6, 0.9

_HELD_TO_THE_END = 0.85
"""Mean share of the planned holding time that passes before a stop, a taker or a liquidation ends it."""

_VOLUME_VARIANCE = 0.32 * (_FAST[1] ** 2 + _SLOW[1] ** 2)


def leverage_ladder(scenario: Scenario) -> FloatArray:
    """Return leverage and the cumulative shares of longs and shorts, shape (n_levels, 3)."""
    level, share = np.array(scenario.leverage, dtype=np.float64).T
    tilted = share * level ** np.array([[scenario.long_tilt], [-scenario.long_tilt]])
    shares = tilted / tilted.sum(axis=1, keepdims=True)
    return np.ascontiguousarray(np.column_stack([level, *np.cumsum(shares, axis=1)]))


def tier_table(character: PairCharacter) -> FloatArray:
    """Return largest notional, highest leverage, rate and maintenance amount, shape (n_tiers, 4)."""
    return np.array(
        [
            (tier.max_notional, tier.max_leverage, tier.maintenance_margin_rate, tier.maintenance_amount)
            for tier in character.tiers
        ],
        dtype=np.float64,
    )


def market_rules(scenario: Scenario, character: PairCharacter, first_minute: int) -> Any:
    """Return the record of `Rules` for one pair.

    Parameters
    ----------
    scenario : Scenario
    character : PairCharacter
    first_minute : int
        Minutes since 1970 at which the burn-in begins.
    """
    return record(
        Rules,
        first_minute=first_minute,
        reference=math.log(character.price),
        hedged=(1.0 - scenario.levered_share) * character.open_interest,
        absorbed_share=scenario.absorbed_share,
        **_price_rules(scenario, character),
        **_flow_rules(scenario, character),
        **_trader_rules(scenario, character),
    )


def _price_rules(scenario: Scenario, character: PairCharacter) -> dict[str, float]:
    daily = _daily_volatility(scenario, character)
    usual = daily * math.sqrt(_STEP / _DAY)
    jump_rate = scenario.jumps_per_week * _STEP / _WEEK
    return {
        "volatility": usual * math.exp(-(_FAST[1] ** 2) - _SLOW[1] ** 2),
        "usual_volatility": max(usual, 1e-12),
        "fast_pull": _STEP / _FAST[0],
        "fast_kick": _FAST[1] * math.sqrt(2 * _STEP / _FAST[0]),
        "slow_pull": _STEP / _SLOW[0],
        "slow_kick": _SLOW[1] * math.sqrt(2 * _STEP / _SLOW[0]),
        "down_volatility": _DOWN_VOLATILITY,
        "jump_rate": jump_rate,
        "jump_compensation": jump_rate * _JUMP * daily * math.sqrt(2 / math.pi) * (2 * _DOWN_JUMPS - 1),
        "jump_size": _JUMP * daily,
        "down_jump_share": _DOWN_JUMPS,
        "anchor_pull": _STEP / _ANCHOR_MEMORY,
        "momentum_pull": _STEP / _MOMENTUM_MEMORY,
        "momentum_scale": max(usual * math.sqrt(0.5 * _MOMENTUM_MEMORY / _STEP), 1e-12),
    }


def _flow_rules(scenario: Scenario, character: PairCharacter) -> dict[str, float]:
    daily_volume = scenario.liquidity * character.turnover * character.open_interest
    return {
        "daily_volatility": max(scenario.impact * _daily_volatility(scenario, character), 1e-12),
        "depth": daily_volume,
        "background_volume": daily_volume * _STEP / _DAY / math.exp(_VOLUME_VARIANCE),
        "flow_pull": _STEP / scenario.impact_memory,
        # Impact, a root of flow, decays at half its rate, and would otherwise leak twice the share.
        "permanent_pull": 0.5 * scenario.permanent_share * _STEP / scenario.impact_memory,
        "stress_unit": _STRESS_SHARE * daily_volume,
        "stress_cap": scenario.stress_cap,
        "stress_pull": _STEP / _STRESS_MEMORY,
        "premium_pull": _STEP / _PREMIUM_MEMORY,
        "premium_gain": _PREMIUM_GAIN,
        "basis_pull": _STEP / _BASIS_MEMORY,
        "interest_rate": _INTEREST_RATE,
        "funding_cap": _FUNDING_CAP,
    }


def _trader_rules(scenario: Scenario, character: PairCharacter) -> dict[str, float]:
    held = 60.0 * scenario.holding_hours
    opened_per_minute = scenario.arrivals * (1.0 + scenario.paired_share) / 2.0
    live = opened_per_minute * held * _mean_stretch(scenario) * _HELD_TO_THE_END
    mean_size = scenario.levered_share * character.open_interest / live
    return {
        "arrivals": scenario.arrivals * _STEP,
        "size_location": math.log(mean_size) - 0.5 * scenario.size_sigma**2,
        "size_sigma": scenario.size_sigma,
        "trend_following": scenario.trend_following,
        "contrarian": _CONTRARIAN,
        "long_bias": scenario.long_bias,
        "premium_aversion": _PREMIUM_AVERSION,
        "paired_share": scenario.paired_share,
        "paired_leverage": _PAIRED_LEVERAGE,
        "cross_share": scenario.cross_share,
        "cross_sigma": _CROSS_SIGMA,
        "stop_share": scenario.stop_share,
        "top_up_share": scenario.top_up_share,
        "holding_median": held,
        "holding_sigma": scenario.holding_sigma,
    }


def _mean_stretch(scenario: Scenario) -> float:
    """Return mean over median holding time."""
    ladder = leverage_ladder(scenario)
    shares = np.diff(ladder[:, 1:], axis=0, prepend=0.0)[:, [LONG, SHORT]].mean(axis=1)
    by_leverage = float(shares @ np.sqrt(10.0 / ladder[:, 0]))
    return by_leverage * math.exp(0.5 * scenario.holding_sigma**2)


def _daily_volatility(scenario: Scenario, character: PairCharacter) -> float:
    return scenario.volatility * character.annual_volatility / math.sqrt(_DAYS_PER_YEAR)
