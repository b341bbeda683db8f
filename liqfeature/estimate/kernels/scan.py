"""The model's order of events, candle by candle."""

from typing import NamedTuple

from liqfeature.compiled import inlined, lean
from liqfeature.estimate.kernels.baseline import Baseline
from liqfeature.estimate.kernels.clusters import FAR_BIN, NEAR_BIN, RESTED
from liqfeature.estimate.kernels.exposure import (
    HELD,
    SCALPS,
    Exposure,
    Mixture,
    bin_of,
    deposit,
    locate,
    pay_funding,
    shrink,
    turn_generation,
    wipe,
)
from liqfeature.estimate.kernels.read import Reading, Workspace, note_swept, read
from liqfeature.sides import LONG, SHORT
from liqfeature.types import FloatArray, IntArray

ENTRY_SHARES = (0.25, 0.5, 0.25)
"""Shares of what opens in a candle at its three entry prices."""


class Candles(NamedTuple):
    """One entry per candle. Prices are in bins: `ln(price) / width`, fractional, from the grid's origin."""

    tick: IntArray  # number of the candle, counted in absolute time
    high: FloatArray
    low: FloatArray
    close: FloatArray
    touched: FloatArray  # (2, n): how far longs (down) and shorts (up) were liquidated
    volume: FloatArray  # base
    open_interest: FloatArray  # base, one side, in force from this candle's late row on
    carried: FloatArray  # share of everything that a fall of open interest leaves
    late: FloatArray  # amount per side that a rise of open interest opened, base
    late_first: IntArray  # first row to which that rise belongs
    late_stop: IntArray  # row after the last to which it belongs
    kept: FloatArray  # (2, n): share of everything of a holding that this candle's closing leaves
    opened: FloatArray  # (2, n): amount per side opened, base, were everything of that holding
    funding: FloatArray  # bins by which payments known with this candle move liquidation prices up


@lean
def scan(
    candles: Candles,
    mixture: Mixture,
    reading: Reading,
    work: Workspace,
    exposure: Exposure,
    baseline: Baseline,
    nearest: FloatArray,
    cleared: FloatArray,
    readings: FloatArray,
    swept: FloatArray,
    first: int,
    stop: int,
    read_from: int,
) -> None:
    """Walk the candles `first` to `stop`, changing the exposure and writing the readings.

    Row t is written from candles up to t alone, at the close of t; none is before `read_from`. `readings` has
    shape (n_readings, 2, n), above price before below. `swept` has shape (4, 2, n): amount, notional,
    notional within the horizon, and the level that a cascade exceeds, 0 before there is one. `nearest` and
    `cleared` are explained in kernels/clusters.py.
    """
    length = reading.generation
    for t in range(first, stop):
        walk_candle(candles, t, mixture, reading.centre, exposure, work, nearest, cleared, swept, length)
        if t >= read_from:
            note_swept(t, reading, baseline, swept)
            read(
                candles.tick[t],
                candles.close[t],
                candles.open_interest[t],
                t,
                reading,
                work,
                exposure,
                baseline,
                nearest,
                cleared,
                swept,
                readings,
            )


@lean
def read_row(
    candles: Candles,
    reading: Reading,
    work: Workspace,
    exposure: Exposure,
    baseline: Baseline,
    nearest: FloatArray,
    cleared: FloatArray,
    readings: FloatArray,
    swept: FloatArray,
    t: int,
) -> None:
    """Read row t of a map that was put there after `scan` had walked the candle without reading."""
    read(
        candles.tick[t],
        candles.close[t],
        candles.open_interest[t],
        t,
        reading,
        work,
        exposure,
        baseline,
        nearest,
        cleared,
        swept,
        readings,
    )


@inlined
def walk_candle(
    candles: Candles,
    t: int,
    mixture: Mixture,
    centre: FloatArray,
    exposure: Exposure,
    work: Workspace,
    nearest: FloatArray,
    cleared: FloatArray,
    swept: FloatArray,
    length: int,
) -> None:
    """Change the exposure by one candle; `length` is that of a generation."""
    before = candles.close[max(t - 1, 0)]
    generation = candles.tick[t] // length
    if generation != exposure.current[0]:
        turn_generation(exposure, generation, length)
    if candles.funding[t] != 0.0:
        pay_funding(exposure, candles.funding[t], length, before)
    late_open_interest(candles, t, mixture, exposure, work, length)
    consume(candles, t, before, centre, exposure, nearest, cleared, swept)
    for holding in range(2):
        shrink(exposure, holding, candles.kept[holding, t])
    open_positions(candles, t, mixture, exposure, work, length)


@inlined
def late_open_interest(
    candles: Candles, t: int, mixture: Mixture, exposure: Exposure, work: Workspace, length: int
) -> None:
    """Apply the change of open interest that became known with this candle to the candles before it.

    A rise is spread by volume, at their prices, leaving out levels that price has crossed since.
    """
    for holding in range(2):
        shrink(exposure, holding, candles.carried[t])
    first, stop = candles.late_first[t], candles.late_stop[t]
    volume = 0.0
    for u in range(first, stop):
        volume += candles.volume[u]
    if not (candles.late[t] > 0.0 and volume > 0.0):
        return
    n_bins = exposure.older.shape[2]
    crossed_long, crossed_short = 0, 0
    for u in range(t - 1, first - 1, -1):
        if u < stop:
            work.passed[LONG] = max(crossed_long, bin_of(LONG, candles.close[u], n_bins))
            work.passed[SHORT] = max(crossed_short, bin_of(SHORT, candles.close[u], n_bins))
            amount = candles.late[t] * (candles.volume[u] / volume)
            _open_at(candles, u, mixture, exposure, work, amount, amount, length)
        crossed_long = max(crossed_long, bin_of(LONG, candles.touched[LONG, u], n_bins))
        crossed_short = max(crossed_short, bin_of(SHORT, candles.touched[SHORT, u], n_bins))


@inlined
def consume(
    candles: Candles,
    t: int,
    before: float,
    centre: FloatArray,
    exposure: Exposure,
    nearest: FloatArray,
    cleared: FloatArray,
    swept: FloatArray,
) -> None:
    """Liquidate what the candle touched: longs from the previous close to its low, shorts to its high."""
    n_bins = exposure.older.shape[2]
    for side in range(2):
        first, last = bin_of(side, before, n_bins), bin_of(side, candles.touched[side, t], n_bins)
        near, far = nearest[side, NEAR_BIN], nearest[side, FAR_BIN]
        amount, notional, of_nearest = 0.0, 0.0, 0.0
        for i in range(last - first + 1):
            b = last - i if side == LONG else first + i  # from the lowest price up
            held = wipe(exposure, side, b)
            amount += held
            notional += held * centre[side, b]
            of_nearest += held if near <= b <= far else 0.0
        swept[0, side, t] = amount
        swept[1, side, t] = notional
        if of_nearest > 0.0:
            cleared[side, t] = min(of_nearest / nearest[side, RESTED], 1.0)


@inlined
def open_positions(
    candles: Candles, t: int, mixture: Mixture, exposure: Exposure, work: Workspace, length: int
) -> None:
    """Open this candle's positions at prices inside it, strictly beyond its close."""
    if not candles.opened[HELD, t] > 0.0:
        return
    for side in range(2):
        work.passed[side] = bin_of(side, candles.close[t], exposure.older.shape[2])
    held, scalps = candles.opened[HELD, t], candles.opened[SCALPS, t]
    _open_at(candles, t, mixture, exposure, work, held, scalps, length)


@inlined
def _open_at(
    candles: Candles,
    t: int,
    mixture: Mixture,
    exposure: Exposure,
    work: Workspace,
    held: float,
    scalps: float,
    length: int,
) -> None:
    """Open at three prices of candle t: the typical one, and half-way from it to the low and to the high."""
    typical = 0.25 * (candles.high[t] + candles.low[t]) + 0.5 * candles.close[t]
    work.entries[0] = 0.5 * (candles.low[t] + typical)
    work.entries[1] = typical
    work.entries[2] = 0.5 * (candles.high[t] + typical)
    locate(mixture, work.entries, exposure.older.shape[2], work.place)
    opened_at = float(candles.tick[t] - exposure.current[0] * length)
    for holding in range(2):
        amount = held if holding == HELD else scalps
        deposit(exposure, mixture, holding, work.place, ENTRY_SHARES, amount, opened_at, work.passed)
