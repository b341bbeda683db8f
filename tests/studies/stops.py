"""How often stops beyond clusters are hit on recorded candles: `python tests/studies/stops.py DIR PAIR ...`.

DIR is a Freqtrade data directory such as `data/binance`. From every candle, long and short, within four hours
and within a day: hits of stops beyond the far edge of the nearest cluster, and these over hits of stops with
the same mean distance, which lie at a multiple of the average true range, or at the distances of other
candles of the same days. With 95 % intervals; below 1 speaks for clusters. Never a condition.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from liqfeature import HeatmapConfig, liquidation_features
from liqfeature.data.store import load_beside, load_candles
from liqfeature.scoring.measures.bootstrap import Interval, ratio_of_sums
from liqfeature.scoring.measures.reliability import touched_within
from liqfeature.strategy.indicators import average_true_range
from liqfeature.types import FloatArray, IntArray

_SIDES = (("below", "low", 1.0), ("above", "high", -1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTrial:
    """Stops beyond clusters beside two others with the same mean distance.

    Parameters
    ----------
    rows : int
        Stops, one per candle and side that has a cluster.
    distance : float
        Mean distance from the close, as a fraction of it; that of the others is the same.
    hit, range_hit, shuffled_hit : Interval
        Share that price reaches within the horizon: of stops beyond clusters, of stops at a multiple of the
        average true range, and of stops at the distances of other candles of the same days.
    over_range, over_shuffled : Interval
        Hits of stops beyond clusters over those of the others, and so hits per unit of distance too: below 1
        speaks for clusters.
    """

    rows: int
    distance: float
    hit: Interval
    range_hit: Interval
    shuffled_hit: Interval
    over_range: Interval
    over_shuffled: Interval


def stop_trial(
    candles: pd.DataFrame,
    features: pd.DataFrame,
    average_true_range: pd.Series,
    *,
    horizon: int = 288,
    buffer: float = 0.35,
    max_distance: float = 0.04,
    draws: int = 20,
    seed: int = 1,
) -> StopTrial:
    """Compare how often stops are reached, from every candle, long and short.

    A stop lies `buffer` average true ranges beyond the far edge of the nearest cluster against the position.
    On the same candles, a stop by range lies at that multiple of the average true range which makes the mean
    distance equal; a shuffled stop lies at the distance of another candle of the same side and stretch of
    `horizon` candles, which makes all distances equal but for their order.

    Parameters
    ----------
    candles : DataFrame
        `high`, `low`, `close`.
    features : DataFrame
        `liq_far_below` and `liq_far_above` of the same rows.
    average_true_range : Series
        Quote per base, of the same rows.
    horizon : int, default 288
        Candles within which a stop may be hit, at least 1.
    buffer, max_distance : float
        As in `liqfeature.strategy.risk.stop_beyond`; candles without an acceptable stop are left out.
    draws, seed : int
        Shuffled stops for each stop, and the seed of their order.

    Returns
    -------
    StopTrial
        Intervals, 95 %, resample stretches of two horizons, since the outcome of a row reaches into the next
        stretch.
    """
    rng = np.random.default_rng(seed)
    close = candles["close"].to_numpy()
    unit = average_true_range.to_numpy(dtype=np.float64) / close
    stretch = np.arange(close.size) // horizon
    columns: list[FloatArray] = []
    for where, extreme, sign in _SIDES:
        path = candles[extreme].to_numpy()
        away = sign * (1 - features[f"liq_far_{where}"].to_numpy(dtype=np.float64) / close)
        distance = away + buffer * unit
        distance = np.where((away > 0) & (unit > 0) & (distance <= max_distance), distance, np.nan)
        hit = _reached(path, close, distance, sign, horizon)
        rows = np.flatnonzero(np.isfinite(hit))
        if not rows.size:
            continue
        multiple = np.sum(distance[rows]) / np.sum(unit[rows])
        range_hit = _reached(path, close, multiple * unit, sign, horizon)
        shuffled_hit = np.zeros(rows.size)
        for _ in range(draws):
            drawn = np.full(close.size, np.nan)
            drawn[rows] = distance[_permuted_within(rows, stretch[rows], rng)]
            shuffled_hit += _reached(path, close, drawn, sign, horizon)[rows] / draws
        columns.append(
            np.stack([distance[rows], hit[rows], range_hit[rows], shuffled_hit, stretch[rows] // 2])
        )
    return _summed(np.concatenate(columns, axis=1) if columns else np.zeros((5, 0)))


def _summed(table: FloatArray) -> StopTrial:
    distance, hit, range_hit, shuffled_hit, stretch = table
    block, one = stretch.astype(np.int64), np.ones(hit.size)
    return StopTrial(
        rows=hit.size,
        distance=float(np.mean(distance)) if hit.size else np.nan,
        hit=ratio_of_sums(hit, one, block),
        range_hit=ratio_of_sums(range_hit, one, block),
        shuffled_hit=ratio_of_sums(shuffled_hit, one, block),
        over_range=ratio_of_sums(hit, range_hit, block),
        over_shuffled=ratio_of_sums(hit, shuffled_hit, block),
    )


def _reached(path: FloatArray, close: FloatArray, away: FloatArray, sign: float, horizon: int) -> FloatArray:
    return touched_within(path, close * (1 - sign * away), horizon, above=sign < 0)


def _permuted_within(rows: IntArray, stretch: IntArray, rng: np.random.Generator) -> IntArray:
    """Return the rows in another order, each in its own stretch; stretches ascend."""
    return rows[np.lexsort((rng.random(rows.size), stretch))]


def main() -> None:
    """Print one row per pair and horizon."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("datadir", type=Path)
    parser.add_argument("pairs", nargs="+")
    parser.add_argument("--timeframe", default="5m")
    parser.add_argument("--horizons", type=int, nargs="+", default=[48, 288])
    options = parser.parse_args()
    names = ("pair", "candles", "stops", "distance %", "hit %", "over range", "over shuffled")
    table = Table(*names)
    for pair in options.pairs:
        candles = load_candles(options.datadir, pair, options.timeframe)
        beside = {
            what: load_beside(options.datadir, pair, options.timeframe, what)
            for what in ("open_interest", "funding_rate")
        }
        features = liquidation_features(candles, HeatmapConfig.for_pair(pair), **beside)
        for horizon in options.horizons:
            found = stop_trial(candles, features, average_true_range(candles), horizon=horizon)
            table.add_row(pair, f"{horizon}", *row(found))
    Console(width=120).print(table)


def row(found: StopTrial) -> tuple[str, ...]:
    """Return the cells of one trial."""
    ratios = (interval(found.over_range), interval(found.over_shuffled))
    return (f"{found.rows}", f"{100 * found.distance:.2f}", interval(found.hit, 100), *ratios)


def interval(found: Interval, scale: float = 1) -> str:
    """Return a value and its ends."""
    return f"{scale * found.value:.3g} ({scale * found.low:.3g} to {scale * found.high:.3g})"


if __name__ == "__main__":
    main()
