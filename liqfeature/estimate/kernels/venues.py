"""Several exchanges in step: each is walked on its own candles, and their sum is read.

Arrays of every exchange's walk are stacked along a first axis, the traded exchange first. At each traded
candle every exchange walks what became known of its own since the last one; those that are fresh are then
added up around price, shifted by their basis, into one exposure that holds nothing else, and is read as that
of a single exchange is. So the sum takes no history, and the order of additions is that of the exchanges.
"""

from liqfeature.compiled import inlined, lean
from liqfeature.estimate.kernels.baseline import Baseline, note_distances, turn_block
from liqfeature.estimate.kernels.clusters import FAR_BIN, NEAR_BIN, RESTED, load_window, smooth_window
from liqfeature.estimate.kernels.exposure import HELD, SCALPS, Exposure, Mixture, bin_of
from liqfeature.estimate.kernels.read import NOTIONAL, Reading, Workspace, note_swept, read
from liqfeature.estimate.kernels.scan import walk_candle
from liqfeature.estimate.kernels.walks import Agreement, Walks, baseline_of, candles_of, exposure_of, shift_of
from liqfeature.types import FloatArray


@lean
def scan_venues(
    walks: Walks,
    open_interest: FloatArray,
    reading: Reading,
    work: Workspace,
    exposure: Exposure,
    baseline: Baseline,
    nearest: FloatArray,
    cleared: FloatArray,
    readings: FloatArray,
    swept: FloatArray,
    agreement: Agreement,
    first: int,
    stop: int,
    read_from: int,
) -> None:
    """Walk the traded candles `first` to `stop`, as `scan` does; the exposure ends as the sum in full.

    `open_interest`, shape (n,), is that of the fresh exchanges together.
    """
    unread = min(max(read_from, first), stop)  # until then none waits for the others
    for v in range(walks.stop.shape[0]):
        _advance(walks, v, first, unread, reading, work, nearest, cleared, swept, agreement.elsewhere)
    for t in range(unread, stop):
        for v in range(walks.stop.shape[0]):
            _advance(walks, v, t, t + 1, reading, work, nearest, cleared, swept, agreement.elsewhere)
        if t >= read_from:
            tick, close = walks.candles.tick[0, t], walks.candles.close[0, t]
            exposure.current[0] = tick // reading.generation
            note_swept(t, reading, baseline, swept)
            for side in range(2):
                _sum_around(walks, side, t, close, reading, work, exposure, baseline)
            read(
                tick,
                close,
                open_interest[t],
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
            _agree(walks, t, tick, close, open_interest[t], reading, nearest, readings, agreement.clusters)
    if stop > first:
        exposure.current[0] = walks.candles.tick[0, stop - 1] // reading.generation
        for side in range(2):
            add_up(walks, side, stop - 1, 0, exposure.older.shape[2], exposure)
            _add_moments(walks, side, stop - 1, exposure)


@lean
def _advance(
    walks: Walks,
    v: int,
    first: int,
    stop: int,
    reading: Reading,
    work: Workspace,
    nearest: FloatArray,
    cleared: FloatArray,
    swept: FloatArray,
    elsewhere: FloatArray,
) -> None:
    """Walk what became known of an exchange with the traded candles `first` to `stop`."""
    candles, exposure = candles_of(walks, v), exposure_of(walks, v)
    mixture = Mixture(walks.mixture.offset[v], walks.mixture.weight[v])
    own, own_cleared, own_swept = walks.nearest[v], walks.cleared[v], walks.swept[v]
    u = walks.stop[v, first - 1] if first > 0 else 0
    for t in range(first, stop):
        end = walks.stop[v, t]
        counts = t > 0 and walks.fresh[v, t] and walks.fresh[v, t - 1]
        while u < end:
            for side in range(2):
                own[side, NEAR_BIN], own[side, FAR_BIN] = 0.0, -1.0
                if counts and u == end - 1:
                    shift = shift_of(walks, v, side, t - 1)
                    own[side, NEAR_BIN] = nearest[side, NEAR_BIN] + shift
                    own[side, FAR_BIN] = nearest[side, FAR_BIN] + shift
                    own[side, RESTED] = nearest[side, RESTED]
            walk_candle(
                candles,
                u,
                mixture,
                reading.centre,
                exposure,
                work,
                own,
                own_cleared,
                own_swept,
                reading.generation,
            )
            u += 1
        if walks.fresh[v, t]:
            _gather(walks, v, t, cleared, swept, elsewhere)


@inlined
def _gather(
    walks: Walks, v: int, t: int, cleared: FloatArray, swept: FloatArray, elsewhere: FloatArray
) -> None:
    """Add what a fresh exchange swept in the traded candle to that of the others."""
    u = walks.stop[v, t] - 1
    for side in range(2):
        cleared[side, t] = min(cleared[side, t] + walks.cleared[v, side, u], 1.0)
        for what in range(2):
            swept[what, side, t] += walks.swept[v, what, side, u]
        if v > 0:
            elsewhere[side, t] += walks.swept[v, 1, side, u]


@inlined
def _sum_around(
    walks: Walks,
    side: int,
    t: int,
    close: float,
    reading: Reading,
    work: Workspace,
    exposure: Exposure,
    baseline: Baseline,
) -> None:
    """Add the fresh exchanges up where the reading will look, and smooth each by itself."""
    n_window, smoothing, n_bins = work.bar.shape[0], reading.smoothing, exposure.older.shape[2]
    first = bin_of(side, close, n_bins) + 1
    stop = first + n_window + smoothing
    total = exposure.older[HELD, side, first:stop]
    for i in range(total.shape[0]):
        total[i] = 0.0
    for v in range(walks.stop.shape[0]):
        if walks.fresh[v, t]:
            amount = walks.amount[v, side]
            window = amount[smoothing : 2 * smoothing + n_window]
            load_window(exposure_of(walks, v), side, first + shift_of(walks, v, side, t), window)
            smooth_window(amount, reading.taps, walks.smooth[v, side])
            for i in range(total.shape[0]):
                total[i] += window[i]
    if baseline.seen[0] + 1 >= reading.lookback:
        level = baseline.level[side]
        if reading.surge[side, t] > 0.0:
            level = reading.surge[side, t]
        met = 0.0
        for b in range(first, first + n_window):
            met += total[b - first] * reading.centre[side, b]
        if not met > level:  # what holds the level lies farther away, and is sought there
            add_up(walks, side, t, stop, n_bins, exposure)


@lean
def add_up(walks: Walks, side: int, t: int, first: int, stop: int, exposure: Exposure) -> None:
    """Write the sum of the fresh exchanges into bins `first` to `stop` of one side, and how far it goes."""
    n_bins = exposure.older.shape[2]
    amounts = exposure.older[HELD, side]
    for b in range(first, stop):
        amounts[b] = 0.0
    lowest, highest = n_bins, -1
    for v in range(walks.stop.shape[0]):
        if not walks.fresh[v, t]:
            continue
        one, shift = exposure_of(walks, v), shift_of(walks, v, side, t)
        lowest = min(lowest, one.span[HELD, side, 0] - shift, one.span[SCALPS, side, 0] - shift)
        highest = max(highest, one.span[HELD, side, 1] - shift, one.span[SCALPS, side, 1] - shift)
        slot = one.current[0] % one.amount.shape[1]
        low, high = max(first, -shift), min(stop, n_bins - shift)
        if low >= high:
            continue
        for holding in range(2):
            scale = one.scale[holding]
            older = one.older[holding, side, low + shift : high + shift]
            now = one.amount[holding, slot, side, low + shift : high + shift]
            for i in range(high - low):
                amounts[low + i] += (older[i] + now[i]) * scale
    exposure.span[HELD, side, 0] = max(lowest, 0)
    exposure.span[HELD, side, 1] = min(highest, n_bins - 1)


@inlined
def _add_moments(walks: Walks, side: int, t: int, exposure: Exposure) -> None:
    """Write the sum of the moments of the fresh exchanges, of one side in full."""
    n_bins, moments = exposure.older.shape[2], exposure.older_moment[HELD, side]
    for b in range(n_bins):
        moments[b] = 0.0
    for v in range(walks.stop.shape[0]):
        if walks.fresh[v, t]:
            one, shift = exposure_of(walks, v), shift_of(walks, v, side, t)
            slot = one.current[0] % one.amount.shape[1]
            for holding in range(2):
                for b in range(max(0, -shift), min(n_bins, n_bins - shift)):
                    moment = one.older_moment[holding, side, b + shift]
                    moment += one.moment[holding, slot, side, b + shift]
                    moments[b] += moment * one.scale[holding]


@inlined
def _agree(
    walks: Walks,
    t: int,
    tick: int,
    close: float,
    open_interest: float,
    reading: Reading,
    nearest: FloatArray,
    readings: FloatArray,
    clusters: FloatArray,
) -> None:
    """Say which exchanges hold more than usual in the nearest cluster; then add this candle to the usual."""
    block, n_bins = tick // reading.block, reading.centre.shape[1]
    for v in range(walks.stop.shape[0]):
        if not walks.fresh[v, t]:
            continue
        usual = baseline_of(walks, v)
        if block != usual.current[0]:
            turn_block(usual, block)
        own = walks.candles.open_interest[v, walks.stop[v, t] - 1]
        for side in range(2):
            first = bin_of(side, close, n_bins) + 1
            near, far = int(nearest[side, NEAR_BIN]) - first, int(nearest[side, FAR_BIN]) - first
            if nearest[side, NEAR_BIN] > nearest[side, FAR_BIN]:
                continue
            held, expected = 0.0, 0.0
            for i in range(near, far + 1):
                held += walks.smooth[v, side, i]
                expected += usual.profile[i]
            if v == 0:
                _begin_row(walks, side, t, first, near, far, reading, readings, clusters)
            if held > expected * own:
                clusters[0, 1 - side, t] += 1.0
                clusters[1, 1 - side, t] += own / open_interest
        note_distances(usual, walks.smooth[v], own)


@inlined
def _begin_row(
    walks: Walks,
    side: int,
    t: int,
    first: int,
    near: int,
    far: int,
    reading: Reading,
    readings: FloatArray,
    clusters: FloatArray,
) -> None:
    local = 0.0
    for i in range(near, far + 1):
        local += walks.amount[0, side, reading.smoothing + i] * reading.centre[side, first + i]
    clusters[0, 1 - side, t] = 0.0
    clusters[1, 1 - side, t] = 0.0
    clusters[2, 1 - side, t] = local / readings[NOTIONAL, 1 - side, t]
