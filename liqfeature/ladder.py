"""All clusters on either side of price after the last candle, nearest first."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from liqfeature.config import HeatmapConfig
from liqfeature.errors import DataError
from liqfeature.heatmap import Scan, join_candles, walk_candles
from liqfeature.kernels.cascade import reach_probability
from liqfeature.kernels.clusters import Cluster, find_clusters
from liqfeature.types import LONG, SHORT, FloatArray


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
    *,
    open_interest: pd.DataFrame | None = None,
    funding_rate: pd.DataFrame | None = None,
) -> Ladder:
    """Find every cluster after the last candle; the nearest ones are those of the columns.

    Parameters
    ----------
    candles, config, open_interest, funding_rate
        As for `liquidation_features`.

    Raises
    ------
    DataError
        If there are fewer than `config.warmup` candles, or the frames break a rule.
    """
    config = config or HeatmapConfig()
    if len(candles) < config.warmup:
        msg = f"candles must number at least {config.warmup}, the warm-up, received {len(candles)}"
        raise DataError(msg)
    candles = candles.iloc[-config.warmup :]
    scan = walk_candles(join_candles(candles, config, open_interest, funding_rate), config)
    return Ladder(
        date=candles["date"].iloc[-1],
        close=float(candles["close"].iloc[-1]),
        above=tuple(_rungs(scan, SHORT)),
        below=tuple(_rungs(scan, LONG)),
    )


def _rungs(scan: Scan, side: int) -> Iterator[Rung]:
    """Read what the last candle left in the reading's room to work in."""
    reading = scan.reading
    open_interest = float(scan.tape.open_interest[-1])
    skip = reading.taps.size // 2
    window = reading.window[side, skip : skip + reading.bar.size]
    least = reading.least * open_interest
    if open_interest > 0:
        for found in _clusters(reading.smooth[side].copy(), reading.bar, window, least):
            yield _rung(scan, side, found, window, open_interest)


def _clusters(smooth: FloatArray, bar: FloatArray, window: FloatArray, least: float) -> Iterator[Cluster]:
    """Find the nearest cluster, take its whole run away, and look again."""
    while (found := find_clusters(smooth, bar, window, least)[0]).near >= 0:
        yield found
        stop = found.far + 1
        while stop < smooth.size and smooth[stop] > bar[stop]:
            stop += 1
        smooth[:stop] = 0.0


def _rung(scan: Scan, side: int, found: Cluster, window: FloatArray, open_interest: float) -> Rung:
    reading, close = scan.reading, float(scan.tape.close[-1])
    price_bin, price = math.floor(close), float(reading.price[-1])

    def edge(i: int) -> int:
        return price_bin - i if side == LONG else price_bin + 1 + i

    def middle(i: int) -> float:
        return float(reading.centre[price_bin - 1 - i if side == LONG else price_bin + 1 + i])

    near, far = float(reading.edge[edge(found.near)]), float(reading.edge[edge(found.far + 1)])
    reached = abs(edge(found.near) - close) / reading.sigma[-1]
    return Rung(
        near=near,
        peak=middle(found.peak),
        far=far,
        distance=abs(near / price - 1.0),
        notional=sum(float(window[i]) * middle(i) for i in range(found.near, found.far + 1)),
        share=found.held / open_interest,
        density=found.held / open_interest * 0.01 * price / abs(far - near),
        hit=float(reach_probability(reached, reading.reach, reading.per_sigma)),
    )
