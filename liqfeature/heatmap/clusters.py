"""All clusters on either side of price after the last candle, nearest first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np
import pandas as pd

from liqfeature.estimate.config import HeatmapConfig, configuration
from liqfeature.estimate.kernels.cascade import reach_probability
from liqfeature.estimate.kernels.clusters import Cluster, find_nearest
from liqfeature.estimate.kernels.exposure import bin_of
from liqfeature.estimate.scan import Scan
from liqfeature.heatmap.snapshot import walk_newest
from liqfeature.market.market import Inputs
from liqfeature.sides import LONG, SHORT
from liqfeature.types import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One cluster.

    Parameters
    ----------
    near, peak, far : float
        Prices, from price outward.
    distance : float
        To the near edge as a fraction of close, above 0.
    notional : float
        Quote currency resting in it.
    share : float
        Of open interest.
    density : float
        Share of open interest per 1 % of price.
    age : float
        Candles since its positions were opened, on average.
    hit : float
        Probability that the near edge is touched within `horizon`.
    stands_out : bool
        False of a mere peak, with which a ladder is filled up: no more than is usual at that distance.
    """

    near: float
    peak: float
    far: float
    distance: float
    notional: float
    share: float
    density: float
    age: float
    hit: float
    stands_out: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Clusters at the close of one candle, each side from price outward.

    Parameters
    ----------
    date : Timestamp
        Opening of that candle, UTC.
    close : float
        Its close.
    above, below : tuple of Rung
        Liquidations of shorts and of longs, within `band`.
    """

    date: pd.Timestamp
    close: float
    above: tuple[Rung, ...]
    below: tuple[Rung, ...]


def strongest(rungs: Sequence[Rung], n: int) -> tuple[Rung, ...]:
    """Return the n clusters that hold most, from price outward."""
    kept = sorted(rungs, key=lambda rung: -rung.notional)[:n]
    return tuple(sorted(kept, key=lambda rung: rung.distance))


def cluster_ladder(
    candles: pd.DataFrame,
    config: HeatmapConfig | None = None,
    *,
    least: int = 0,
    **inputs: Unpack[Inputs],
) -> Ladder:
    """Find every cluster after the last candle; the nearest ones are those of the columns.

    Parameters
    ----------
    candles, config, **inputs
        As for `liquidation_features`.
    least : int
        Where a side has fewer clusters, its highest peaks beside them fill it up to this many, if there are.

    Raises
    ------
    DataError
        If there are fewer than `config.warmup` candles, or the frames break a rule.
    """
    scan = walk_newest(candles, configuration(config), **inputs)
    return ladder_of(scan, candles["date"].iloc[-1], least)


def ladder_of(scan: Scan, date: pd.Timestamp, least: int = 0) -> Ladder:
    """Find every cluster where a walk ended, at the candle that opened at `date`."""
    return Ladder(
        date=date,
        close=float(scan.market.close[-1]),
        above=_rungs(scan, SHORT, least),
        below=_rungs(scan, LONG, least),
    )


def _rungs(scan: Scan, side: int, least: int) -> tuple[Rung, ...]:
    """Read what the walk left of the last candle in its room to work in."""
    open_interest = float(scan.candles.open_interest[-1])
    if open_interest <= 0:
        return ()
    skip = scan.reading.smoothing
    window = scan.work.amount[side, skip : skip + scan.work.bar.size]
    found = list(_clusters(scan, side, window, scan.reading.least * open_interest))
    peaks = _peaks(scan.work.smooth[side], window, found, least - len(found))
    rungs = [_rung(scan, side, one, window, open_interest) for one in found]
    rungs += [replace(_rung(scan, side, one, window, open_interest), stands_out=False) for one in peaks]
    return tuple(sorted(rungs, key=lambda rung: rung.distance))


def _clusters(scan: Scan, side: int, window: FloatArray, least: float) -> Iterator[Cluster]:
    work = scan.work
    smooth = work.smooth[side].copy()
    while True:
        found = find_nearest(smooth, work.bar, window, least, work.over)
        if found.near < 0:
            return
        yield found
        run = work.over[found.far + 1 :]
        smooth[: found.far + 1 + (run.size if run.all() else int(np.argmin(run)))] = 0.0


def _peaks(smooth: FloatArray, window: FloatArray, taken: list[Cluster], n: int) -> Iterator[Cluster]:
    """Yield the n highest peaks apart from what is taken, each down to half its height."""
    left = np.nan_to_num(smooth)
    highest = (left >= np.append(left[1:], 0.0)) & (left >= np.append(0.0, left[:-1]))
    for one in taken:
        left[one.near : one.far + 1] = 0.0
    while n > 0 and (left * highest).any():
        peak = int(np.argmax(left * highest))
        near = far = peak
        while near > 0 and left[near - 1] >= 0.5 * left[peak]:
            near -= 1
        while far + 1 < left.size and left[far + 1] >= 0.5 * left[peak]:
            far += 1
        left[near : far + 1] = 0.0
        held = float(np.sum(window[near : far + 1]))
        if held > 0:
            yield Cluster(near, peak, far, held)
            n -= 1


def _rung(scan: Scan, side: int, found: Cluster, window: FloatArray, open_interest: float) -> Rung:
    reading, close = scan.reading, float(scan.candles.close[-1])
    n_bins = reading.centre.shape[1]
    first = bin_of(side, close, n_bins) + 1
    centre, edge, price = reading.centre[side, first:], reading.edge[side, first:], float(reading.price[-1])
    near, far = float(edge[found.near]), float(edge[found.far + 1])
    away = first + found.near - (n_bins - close if side == LONG else close)
    members = slice(found.near, found.far + 1)
    reach = reading.reach[reading.tilts[side, -1]]
    return Rung(
        near=near,
        peak=float(centre[found.peak]),
        far=far,
        distance=abs(near / price - 1.0),
        notional=float(np.sum(window[members] * centre[members])),
        share=found.held / open_interest,
        density=found.held / open_interest * 0.01 * price / abs(far - near),
        age=_age(scan, side, slice(first + found.near, first + found.far + 1)),
        hit=float(reach_probability(away / reading.sigma[-1], reach, reading.per_sigma)),
    )


def _age(scan: Scan, side: int, bins: slice) -> float:
    """Return the candles since what is live in some bins was opened, on average."""
    exposure, generation = scan.exposure, int(scan.exposure.current[0])
    slot, scale = generation % exposure.moment.shape[1], exposure.scale[:, None]
    live = exposure.older[:, side, bins] + exposure.amount[:, slot, side, bins]
    moment = exposure.older_moment[:, side, bins] + exposure.moment[:, slot, side, bins]
    now = int(scan.candles.tick[-1]) - generation * scan.reading.generation
    return max(now - float(np.sum(moment * scale) / np.sum(live * scale)), 0.0)
