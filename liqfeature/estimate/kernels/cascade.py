"""Reach, fuel, amplification and the probability of a cascade, from one side of the map at one candle."""

import math

import numpy as np

from liqfeature.compiled import inlined, lean
from liqfeature.estimate.kernels.exposure import HELD, SCALPS, Exposure, live_at
from liqfeature.types import FloatArray


@inlined
def reach_probability(sigmas: float, reach: FloatArray, per_sigma: float) -> float:
    """Probability that price moves this many sigmas within the horizon, by linear interpolation of a table.

    `reach[i]` belongs to `i / per_sigma`; past its end the probability is 0.
    """
    position = sigmas * per_sigma
    if not position < reach.shape[0] - 1:
        return 0.0
    i = int(position)
    return reach[i] + (position - i) * (reach[i + 1] - reach[i])


@lean
def fuel(notional: FloatArray, offset: float, sigma: float, reach: FloatArray, per_sigma: float) -> float:
    """Sum of notional times the probability that its bin's centre is reached; `offset` leads to the first."""
    if not sigma > 0.0:
        return 0.0
    last = reach.shape[0] - 2
    step = per_sigma / sigma
    farthest = min((last + 1) / step - offset, notional.shape[0] - 1.0)
    even, odd = 0.0, 0.0  # two strands, which the processor adds side by side
    distance = offset
    for i in range(math.floor(farthest) + 1):
        position = distance * step
        before = np.floor(position)
        k = min(int(before), last)
        expected = notional[i] * (reach[k] + (position - before) * (reach[k + 1] - reach[k]))
        even, odd = odd, even + expected
        distance += 1.0
    return even + odd


@inlined
def amplification(notional: FloatArray, offset: float, sigma: float, impact: float) -> float:
    """End of a one-sigma move after the forced flow that it sets free, over the move alone.

    The smallest root `u >= sigma` of `u^2 = sigma^2 + impact * F(u)`, F being the notional up to u: the
    square-root law of impact applied to shock and forced flow together. Distances in bins, `impact` in
    squared bins per notional.
    """
    if not (sigma > 0.0 and impact >= 0.0 and impact < math.inf):
        return math.nan
    forced = 0.0
    end = sigma
    for i in range(notional.shape[0]):
        if offset + i > end:
            break
        forced += notional[i]
        end = math.sqrt(sigma * sigma + impact * forced)
    return end / sigma


@inlined
def cascade_probability(reached: float, fuel: float, level: float, odds: FloatArray) -> float:
    """Logistic model of forced notional exceeding `level`; 0 where no fuel, or not as much, can be reached.

    The logarithm of the odds is linear in that of the odds that price meets `level` on its way, and in that
    of `fuel` over `fuel` and `level` together. `odds` holds the constant and both weights.
    """
    if not (reached > 0.0 and fuel > 0.0):
        return 0.0
    if reached >= 1.0:
        return 1.0
    share = fuel / (level + fuel)  # bounded: a level of almost nothing says little
    log_odds = odds[0] + odds[1] * math.log(reached / (1.0 - reached)) + odds[2] * math.log(share)
    return 1.0 / (1.0 + math.exp(-log_odds))


@inlined
def distance_holding(
    exposure: Exposure, side: int, first: int, notional: FloatArray, level: float, centre: FloatArray
) -> float:
    """Return the distance, in bins from bin `first`, at which the notional met on the way exceeds `level`.

    `notional` holds what is met from `first` on, the exposure what lies beyond. Infinite where the side holds
    less.
    """
    met = 0.0
    n_window = notional.shape[0]
    for i in range(n_window):
        met += notional[i]
        if met > level:
            return float(i)
    last = max(exposure.span[HELD, side, 1], exposure.span[SCALPS, side, 1])
    for b in range(first + n_window, last + 1):
        met += live_at(exposure, side, b) * centre[b]
        if met > level:
            return float(b - first)
    return math.inf
