"""The row of columns at a candle's close."""

import math
from typing import NamedTuple

from liqfeature.compiled import inlined
from liqfeature.kernels.book import Book
from liqfeature.kernels.cascade import (
    amplification,
    cascade_probability,
    distance_holding,
    fuel,
    reach_probability,
)
from liqfeature.kernels.clearing import FIRST, LAST, RESTED, cleared_within, first_pierced
from liqfeature.kernels.clusters import find_clusters, load_window, opening_moment, smooth_window
from liqfeature.kernels.usual import Usual, note_distances, note_forced, turn_block
from liqfeature.types import LONG, FloatArray

READINGS = (
    "distance",
    "near",
    "peak",
    "far",
    "notional",
    "density",
    "age",
    "total",
    "strongest",
    "hit",
    "fuel",
    "amplification",
    "cascade",
    "vacuum",
    "cleared",
    "pierced",
)
"""Order of the readings in the second axis of `columns`; features.COLUMNS says what each means."""

DISTANCE, NEAR, PEAK, FAR, NOTIONAL, DENSITY, AGE, TOTAL = range(8)
STRONGEST, HIT, FUEL, AMPLIFICATION, CASCADE, VACUUM, CLEARED, PIERCED = range(8, len(READINGS))

SMALLEST_DISTANCE = 1e-9
"""Price can lie on the very edge of a cluster's bin; the distance stays above 0."""


class Reading(NamedTuple):
    """What the reading needs to know: windows, thresholds, tables, and room to work in."""

    generation: int  # candles
    block: int  # candles
    horizon: int  # candles
    ratio: float  # a cluster exceeds the usual this many times
    least: float  # share of open interest that a cluster holds at least
    level: int  # rank of the 95 % level among the ordered forced notionals
    surge: FloatArray  # (2, n): the level from recorded liquidations, NaN where there are none
    per_sigma: float  # entries of `reach` per sigma
    reach: FloatArray  # (n_reach,): probability of reach by distance
    odds: FloatArray  # (3,): logarithm of the odds of a cascade: constant, weights of reach and of fuel
    taps: FloatArray  # (n_taps,): smoothing weights, odd number
    centre: FloatArray  # (n_bins,): price at each bin's centre
    edge: FloatArray  # (n_bins + 1,): price at each bin's lower edge
    price: FloatArray  # (n,): close
    sigma: FloatArray  # (n,): one-sigma move within the horizon, in bins
    impact: FloatArray  # (n,): squared bins per notional
    window: FloatArray  # (2, n_window + n_taps - 1): n_taps // 2 zeros, the window, and as many bins more
    smooth: FloatArray  # (2, n_window)
    notional: FloatArray  # (n_window,)
    bar: FloatArray  # (n_window,)


@inlined
def read(
    tick: int,
    close: float,
    open_interest: float,
    t: int,
    reading: Reading,
    book: Book,
    usual: Usual,
    nearest: FloatArray,
    swept: FloatArray,
    columns: FloatArray,
) -> None:
    """Write row t of every column, then add the candle to what is usual."""
    turn_block(usual, tick // reading.block)
    price_bin = math.floor(close)
    bar = reading.ratio * open_interest
    for i in range(reading.bar.shape[0]):
        reading.bar[i] = bar * usual.profile[i]
    now = float(tick - book.clock[0] * reading.generation)
    skip = reading.taps.shape[0] // 2
    for side in range(2):
        load_window(book, side, price_bin, reading.window[side], skip)
        smooth_window(reading.window[side], reading.taps, reading.smooth[side])
        window = reading.window[side, skip : skip + reading.smooth.shape[1]]
        _weigh(side, price_bin, window, reading.centre, reading.notional)
        _note_swept(side, t, reading.horizon, usual, swept)
        row = columns[side, :, t]
        _read_clusters(side, price_bin, close, open_interest, now, t, window, reading, book, nearest, row)
        _read_cascade(side, price_bin, close, t, reading, book, usual, swept, row)
        row[CLEARED] = cleared_within(side, t, reading.horizon, nearest)
        if row[CLEARED] > 0.0:
            row[PIERCED] = first_pierced(side, t, reading.horizon, nearest, columns[side, NEAR])
    note_distances(usual, reading.smooth, open_interest)
    usual.clock[1] += 1


@inlined
def _note_swept(side: int, t: int, horizon: int, usual: Usual, swept: FloatArray) -> None:
    forced = 0.0
    for u in range(max(t - horizon + 1, 0), t + 1):
        forced += swept[1, side, u]
    swept[2, side, t] = forced
    size = usual.ordered.shape[1]
    leaving = swept[2, side, t - size] if usual.clock[1] >= size else 0.0
    note_forced(usual.ordered[side], usual.clock[1], leaving, forced)


@inlined
def _weigh(side: int, price_bin: int, window: FloatArray, centre: FloatArray, notional: FloatArray) -> None:
    if side == LONG:
        for i in range(window.shape[0]):
            notional[i] = window[i] * centre[price_bin - 1 - i]
    else:
        for i in range(window.shape[0]):
            notional[i] = window[i] * centre[price_bin + 1 + i]


@inlined
def _read_clusters(
    side: int,
    price_bin: int,
    close: float,
    open_interest: float,
    now: float,
    t: int,
    window: FloatArray,
    reading: Reading,
    book: Book,
    nearest: FloatArray,
    row: FloatArray,
) -> None:
    least = reading.least * open_interest
    first, strongest = find_clusters(reading.smooth[side], reading.bar, window, least)
    if first.near < 0:
        return
    row[STRONGEST] = reading.centre[_bin(side, price_bin, strongest.peak)]
    edge = _edge(side, price_bin, first.near)
    price, near = reading.price[t], reading.edge[edge]
    far = reading.edge[_edge(side, price_bin, first.far + 1)]
    row[DISTANCE] = max(abs(near / price - 1.0), SMALLEST_DISTANCE)
    row[NEAR] = near
    row[PEAK] = reading.centre[_bin(side, price_bin, first.peak)]
    row[FAR] = far
    row[DENSITY] = first.held / open_interest * 0.01 * price / abs(far - near)
    row[NOTIONAL] = reading.notional[first.near : first.far + 1].sum()
    row[HIT] = reach_probability(abs(edge - close) / reading.sigma[t], reading.reach, reading.per_sigma)
    row[VACUUM] = _vacuum(first.near, window, reading.bar) * reading.ratio
    one, other = _bin(side, price_bin, first.near), _bin(side, price_bin, first.far)
    lowest, highest = min(one, other), max(one, other)
    moment = opening_moment(book, side, lowest, highest)
    row[AGE] = max(now - moment / first.held, 0.0)
    nearest[side, FIRST, t] = lowest
    nearest[side, LAST, t] = highest
    nearest[side, RESTED, t] = first.held


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
    price_bin: int,
    close: float,
    t: int,
    reading: Reading,
    book: Book,
    usual: Usual,
    swept: FloatArray,
    row: FloatArray,
) -> None:
    sigma, reach, per_sigma = reading.sigma[t], reading.reach, reading.per_sigma
    offset = abs(_edge(side, price_bin, 0) - close) + 0.5
    row[TOTAL] = _total(reading.notional)
    row[FUEL] = fuel(reading.notional, offset, sigma, reach, per_sigma)
    row[AMPLIFICATION] = amplification(reading.notional, offset, sigma, reading.impact[t])
    if usual.clock[1] + 1 >= usual.ordered.shape[1]:
        level = usual.ordered[side, reading.level]
        if reading.surge[side, t] > 0.0:
            level = reading.surge[side, t]
        distance = distance_holding(book, side, price_bin, reading.notional, offset, level, reading.centre)
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


@inlined
def _bin(side: int, price_bin: int, i: int) -> int:
    return price_bin - 1 - i if side == LONG else price_bin + 1 + i


@inlined
def _edge(side: int, price_bin: int, i: int) -> int:
    """Edge of window bin i that faces price."""
    return price_bin - i if side == LONG else price_bin + 1 + i
