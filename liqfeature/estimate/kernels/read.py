"""The row of columns at a candle's close."""

import math
from typing import NamedTuple

from liqfeature.compiled import inlined
from liqfeature.estimate.kernels.baseline import Baseline, note_distances, note_forced, turn_block
from liqfeature.estimate.kernels.cascade import (
    amplification,
    cascade_probability,
    distance_holding,
    fuel,
    reach_probability,
)
from liqfeature.estimate.kernels.clusters import (
    FAR_BIN,
    NEAR_BIN,
    RESTED,
    cleared_within,
    find_nearest,
    first_pierced,
    load_window,
    smooth_window,
)
from liqfeature.estimate.kernels.exposure import Exposure, bin_of
from liqfeature.types import BoolArray, FloatArray, IntArray

READINGS = (
    "distance",
    "near",
    "peak",
    "far",
    "notional",
    "density",
    "total",
    "hit",
    "fuel",
    "amplification",
    "cascade",
    "vacuum",
    "cleared",
    "pierced",
)
"""Order of the readings; features.COLUMNS says what each means."""

DISTANCE, NEAR, PEAK, FAR, NOTIONAL, DENSITY, TOTAL = range(7)
HIT, FUEL, AMPLIFICATION, CASCADE, VACUUM, CLEARED, PIERCED = range(7, len(READINGS))

SMALLEST_DISTANCE = 1e-9
"""Price can lie on the very edge of a cluster's bin; the distance stays above 0."""


class Reading(NamedTuple):
    """What the reading needs to know: windows, thresholds, tables, and each candle's volatility."""

    generation: int  # candles
    block: int  # candles
    horizon: int  # candles
    lookback: int  # candles
    ratio: float  # a cluster exceeds the usual this many times
    least: float  # share of open interest that a cluster holds at least
    level: int  # rank of the 95 % level among the forced notionals
    surge: FloatArray  # (2, n): the level from recorded liquidations, NaN where there are none
    per_sigma: float  # entries of `reach` per sigma
    reach: FloatArray  # (n_tilts, n_reach): probability of reach by recent move and distance
    tilts: IntArray  # (2, n): row of `reach` for each side and candle
    odds: FloatArray  # (3,): logarithm of the odds of a cascade: constant, weights of reach and of fuel
    taps: FloatArray  # (n_taps,): weights of neighbouring bins; zeros after 2 * smoothing + 1 of them
    smoothing: int  # bins on either side over which amounts are smoothed
    centre: FloatArray  # (2, n_bins): price at the centre of each bin of a side
    edge: FloatArray  # (2, n_bins + 1): price at its near edge, which is the far edge of the bin before
    price: FloatArray  # (n,): close
    sigma: FloatArray  # (n,): one-sigma move within the horizon, in bins
    impact: FloatArray  # (2, n): squared bins per notional, by side


class Workspace(NamedTuple):
    """Room to work in; after a walk it holds what was read at the last candle."""

    entries: FloatArray  # (3,): entry prices within a candle
    place: IntArray  # (2, 3, n_levels): bin of liquidation by side, entry price and leverage
    passed: IntArray  # (2,): bin of each side up to which price has come
    amount: FloatArray  # (2, n_window + n_taps - 1): zeros for the smoothing, the window, and bins beyond
    smooth: FloatArray  # (2, n_window)
    notional: FloatArray  # (n_window,), of the side read last
    bar: FloatArray  # (n_window,): what a cluster exceeds
    over: BoolArray  # (n_window,): where it does


@inlined
def read(
    tick: int,
    close: float,
    open_interest: float,
    t: int,
    reading: Reading,
    work: Workspace,
    exposure: Exposure,
    baseline: Baseline,
    nearest: FloatArray,
    cleared: FloatArray,
    swept: FloatArray,
    readings: FloatArray,
) -> None:
    """Write row t of every reading, then add the candle to what is usual."""
    n_window, smoothing = work.bar.shape[0], reading.smoothing
    block = tick // reading.block
    if block != baseline.current[0]:
        turn_block(baseline, block)
    bar = reading.ratio * open_interest
    for i in range(n_window):
        work.bar[i] = bar * baseline.profile[i]
    for side in range(2):
        first = bin_of(side, close, reading.centre.shape[1]) + 1
        beside = abs(close - math.floor(close) - float(side))  # in bins, from price to the edge of the first
        load_window(exposure, side, first, work.amount[side, smoothing : 2 * smoothing + n_window])
        smooth_window(work.amount[side], reading.taps, work.smooth[side])
        window = work.amount[side, smoothing : smoothing + n_window]
        centre = reading.centre[side, first : first + n_window]
        for i in range(n_window):
            work.notional[i] = window[i] * centre[i]
        row = readings[:, 1 - side, t]  # what rests above price comes first
        _read_clusters(side, t, first, beside, open_interest, window, reading, work, nearest, row)
        _read_cascade(side, t, first, beside, reading, work, exposure, baseline, swept, row)
        row[CLEARED] = cleared_within(side, t, reading.horizon, cleared)
        if row[CLEARED] > 0.0:
            row[PIERCED] = first_pierced(side, t, reading.horizon, cleared, readings[NEAR, 1 - side])
    note_distances(baseline, work.smooth, open_interest)
    baseline.seen[0] += 1


@inlined
def note_swept(t: int, reading: Reading, baseline: Baseline, swept: FloatArray) -> None:
    """Add what was swept within the horizon to what is usual; it comes before `read`."""
    first = t + 1 - reading.lookback
    for side in range(2):
        forced = 0.0
        for u in range(max(t - reading.horizon + 1, 0), t + 1):
            forced += swept[1, side, u]
        swept[2, side, t] = forced
        if baseline.seen[0] + 1 >= reading.lookback:
            forced_before = swept[2, side, max(first - 1, 0)]
            note_forced(baseline, side, reading.level, swept[2, side, first : t + 1], forced_before)


@inlined
def _read_clusters(
    side: int,
    t: int,
    first: int,
    beside: float,
    open_interest: float,
    window: FloatArray,
    reading: Reading,
    work: Workspace,
    nearest: FloatArray,
    row: FloatArray,
) -> None:
    least = reading.least * open_interest
    found = find_nearest(work.smooth[side], work.bar, window, least, work.over)
    nearest[side, NEAR_BIN], nearest[side, FAR_BIN] = 0.0, -1.0
    if found.near < 0:
        return
    centre, edge, price = reading.centre[side, first:], reading.edge[side, first:], reading.price[t]
    near, far = edge[found.near], edge[found.far + 1]
    row[DISTANCE] = max(abs(near / price - 1.0), SMALLEST_DISTANCE)
    row[NEAR] = near
    row[PEAK] = centre[found.peak]
    row[FAR] = far
    row[DENSITY] = found.held / open_interest * 0.01 * price / abs(far - near)
    notional = 0.0
    for i in range(found.near, found.far + 1):
        notional += work.notional[i]
    row[NOTIONAL] = notional
    reach = reading.reach[reading.tilts[side, t]]
    row[HIT] = reach_probability((beside + found.near) / reading.sigma[t], reach, reading.per_sigma)
    row[VACUUM] = _vacuum(found.near, window, work.bar) * reading.ratio
    nearest[side, NEAR_BIN], nearest[side, FAR_BIN] = first + found.near, first + found.far
    nearest[side, RESTED] = found.held


@inlined
def _vacuum(near: int, window: FloatArray, bar: FloatArray) -> float:
    """Amount between price and the near edge over the bar of clusters there; NaN where nothing is usual."""
    held, usual = 0.0, 0.0
    for i in range(near):
        held += window[i]
        usual += bar[i]
    return held / usual if usual > 0.0 else math.nan


@inlined
def _read_cascade(
    side: int,
    t: int,
    first: int,
    beside: float,
    reading: Reading,
    work: Workspace,
    exposure: Exposure,
    baseline: Baseline,
    swept: FloatArray,
    row: FloatArray,
) -> None:
    sigma, per_sigma, notional = reading.sigma[t], reading.per_sigma, work.notional
    reach = reading.reach[reading.tilts[side, t]]
    offset = beside + 0.5
    row[TOTAL] = _total(notional)
    row[FUEL] = fuel(notional, offset, sigma, reach, per_sigma)
    row[AMPLIFICATION] = amplification(notional, offset, sigma, reading.impact[side, t])
    if baseline.seen[0] + 1 >= reading.lookback:
        level = baseline.level[side]
        if reading.surge[side, t] > 0.0:
            level = reading.surge[side, t]
        distance = offset + distance_holding(exposure, side, first, notional, level, reading.centre[side])
        reached = reach_probability(distance / sigma, reach, per_sigma)
        row[CASCADE] = cascade_probability(reached, row[FUEL], level, reading.odds)
        swept[3, side, t] = level


@inlined
def _total(values: FloatArray) -> float:
    """Sum in four strands, which the processor adds side by side; the order is fixed."""
    one, two, three, four = 0.0, 0.0, 0.0, 0.0
    whole = values.shape[0] - values.shape[0] % 4
    for i in range(0, whole, 4):
        one += values[i]
        two += values[i + 1]
        three += values[i + 2]
        four += values[i + 3]
    for i in range(whole, values.shape[0]):
        one += values[i]
    return (one + two) + (three + four)
