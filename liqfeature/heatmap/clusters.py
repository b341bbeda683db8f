"""All clusters on either side of price after the last candle, nearest first."""

from collections.abc import Iterator
from dataclasses import dataclass
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
    hit : float
        Probability that the near edge is touched within `horizon`.
    """

    near: float
    peak: float
    far: float
    distance: float
    notional: float
    share: float
    density: float
    hit: float


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


def cluster_ladder(
    candles: pd.DataFrame,
    config: HeatmapConfig | None = None,
    **inputs: Unpack[Inputs],
) -> Ladder:
    """Find every cluster after the last candle; the nearest ones are those of the columns.

    Parameters
    ----------
    candles, config, **inputs
        As for `liquidation_features`.

    Raises
    ------
    DataError
        If there are fewer than `config.warmup` candles, or the frames break a rule.
    """
    scan = walk_newest(candles, configuration(config), **inputs)
    return Ladder(
        date=candles["date"].iloc[-1],
        close=float(scan.market.close[-1]),
        above=tuple(_rungs(scan, SHORT)),
        below=tuple(_rungs(scan, LONG)),
    )


def _rungs(scan: Scan, side: int) -> Iterator[Rung]:
    """Read what the walk left of the last candle in its room to work in."""
    work, open_interest = scan.work, float(scan.candles.open_interest[-1])
    skip = scan.reading.smoothing
    window = work.amount[side, skip : skip + work.bar.size]
    least = scan.reading.least * open_interest
    smooth = work.smooth[side].copy()
    while open_interest > 0:
        found = find_nearest(smooth, work.bar, window, least, work.over)
        if found.near < 0:
            return
        yield _rung(scan, side, found, window, open_interest)
        run = work.over[found.far + 1 :]
        smooth[: found.far + 1 + (run.size if run.all() else int(np.argmin(run)))] = 0.0


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
        hit=float(reach_probability(away / reading.sigma[-1], reach, reading.per_sigma)),
    )
