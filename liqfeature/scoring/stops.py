"""Whether stops beyond clusters are hit less often than stops as far away that know no cluster."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqfeature.checks import require_at_least, require_share
from liqfeature.scoring.days import Interval, ratio_of_sums
from liqfeature.scoring.reliability import touched_within
from liqfeature.tables import numbers, require_column
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
    hit, range_hit, lot_hit : Interval
        Share that price reaches within the horizon: of stops beyond clusters, of stops at a multiple of the
        average true range, and of stops at the distances of other candles of the same days.
    over_range, over_lot : Interval
        Hits of stops beyond clusters over those of the others, and so hits per unit of distance too: below 1
        speaks for clusters.
    """

    rows: int
    distance: float
    hit: Interval
    range_hit: Interval
    lot_hit: Interval
    over_range: Interval
    over_lot: Interval


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
    distance equal; a stop by lot at the distance of another candle of the same side and stretch of `horizon`
    candles, which makes all distances equal but for their order.

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
        As in `liqfeature.risk.stop_beyond`; candles without an acceptable stop are left out.
    draws, seed : int
        Stops by lot for each stop, at least 1, and of which stream.

    Returns
    -------
    StopTrial
        Intervals, 95 %, resample stretches of two horizons, since the outcome of a row reaches into the next
        stretch.

    Raises
    ------
    ConfigError
        If a parameter breaks its rule.
    """
    require_at_least(1, horizon=horizon, draws=draws)
    require_at_least(0, buffer=buffer)
    require_share(max_distance=max_distance)
    rng = np.random.default_rng(seed)
    close = numbers(candles, "close", "candles")
    unit = average_true_range.to_numpy(dtype=np.float64) / close
    stretch = np.arange(close.size) // horizon
    columns: list[FloatArray] = []
    for where, extreme, sign in _SIDES:
        require_column(features, f"liq_far_{where}", "features")
        path = numbers(candles, extreme, "candles")
        away = sign * (1 - features[f"liq_far_{where}"].to_numpy(dtype=np.float64) / close)
        distance = away + buffer * unit
        distance = np.where((away > 0) & (unit > 0) & (distance <= max_distance), distance, np.nan)
        hit = _reached(path, close, distance, sign, horizon)
        rows = np.flatnonzero(np.isfinite(hit))
        if not rows.size:
            continue
        multiple = np.sum(distance[rows]) / np.sum(unit[rows])
        range_hit = _reached(path, close, multiple * unit, sign, horizon)
        lot_hit = np.zeros(rows.size)
        for _ in range(draws):
            drawn = np.full(close.size, np.nan)
            drawn[rows] = distance[_permuted_within(rows, stretch[rows], rng)]
            lot_hit += _reached(path, close, drawn, sign, horizon)[rows] / draws
        columns.append(np.stack([distance[rows], hit[rows], range_hit[rows], lot_hit, stretch[rows] // 2]))
    return _summed(np.concatenate(columns, axis=1) if columns else np.zeros((5, 0)))


def _summed(table: FloatArray) -> StopTrial:
    distance, hit, range_hit, lot_hit, stretch = table
    block, one = stretch.astype(np.int64), np.ones(hit.size)
    return StopTrial(
        rows=hit.size,
        distance=float(np.mean(distance)) if hit.size else np.nan,
        hit=ratio_of_sums(hit, one, block),
        range_hit=ratio_of_sums(range_hit, one, block),
        lot_hit=ratio_of_sums(lot_hit, one, block),
        over_range=ratio_of_sums(hit, range_hit, block),
        over_lot=ratio_of_sums(hit, lot_hit, block),
    )


def _reached(path: FloatArray, close: FloatArray, away: FloatArray, sign: float, horizon: int) -> FloatArray:
    return touched_within(path, close * (1 - sign * away), horizon, above=sign < 0)


def _permuted_within(rows: IntArray, stretch: IntArray, rng: np.random.Generator) -> IntArray:
    """Return the rows in another order, each in its own stretch; stretches ascend."""
    return rows[np.lexsort((rng.random(rows.size), stretch))]
