"""Does a map know *where* along price positions are force-closed: gain over distance, lift, earth mover.

Windows have shape (n_origins, 2, n_window): longs first, entry i lies i + 1 bins from price. Gain and lift
look at touched bins only: where price did not go, nothing is known. Bins are first joined into coarser ones;
of the last one only the touched part counts.
"""

import math
from dataclasses import dataclass

import numpy as np

from liqfeature.checks import require, require_share
from liqfeature.scoring.measures.bootstrap import Interval, ratio_of_sums
from liqfeature.scoring.measures.swept_bins import COARSE, LEAST_REACH, SweptBins, swept_bins
from liqfeature.sides import LONG, SHORT
from liqfeature.types import BoolArray, FloatArray, IntArray

TRAIN_SHARE = 0.35
"""Share of the origins, the earliest ones, on which the weight of a map is fitted."""

TOP = 0.2
"""Share of the touched bins among which lift looks for what was force-closed."""

HALVINGS = 24
"""Steps of bisection for the weight of a map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """Bits per unit of notional over the distance-only map, per side of the position and over both.

    `mixing` is the weight of the map beside the distance-only map, 0 to 1; NaN where nothing was left to
    fit it on, and so are the scores.
    """

    both: Interval
    long: Interval
    short: Interval
    mixing: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OverDistance:
    """What a map has to beat, made once for many maps.

    Parameters
    ----------
    swept : SweptBins
        What is scored.
    shape : ndarray of shape (n_rows, n_coarse)
        Shares of the distance-only map.
    training : ndarray of shape (n_rows,)
        Whether a row serves to fit the weight of a map, and not to score it.
    """

    swept: SweptBins
    shape: FloatArray
    training: BoolArray

    def bits(self, map_window: FloatArray) -> tuple[FloatArray, float]:
        """Bits that a map gains on each row of `swept`, those of training included, and its weight.

        A map that holds nothing in a row's touched bins takes the distance-only shape there.
        """
        shape = self.swept.shape_of(map_window, otherwise=self.shape)
        excess = np.divide(shape, self.shape, out=np.ones_like(shape), where=self.shape > 0) - 1
        mixing = self._best_mixing(excess)
        return np.sum(self.swept.share * np.log1p(mixing * excess), axis=1) / math.log(2), mixing

    def score(self, map_window: FloatArray) -> float:
        """Give the value of `gain` over both sides, without intervals; NaN where undefined."""
        bits, _ = self.bits(map_window)
        weight = np.where(self.training, 0.0, self.swept.weight)
        total = float(np.sum(weight))
        return float(weight @ bits) / total if total > 0 else math.nan

    def _best_mixing(self, excess: FloatArray) -> float:
        """Where the gain on the rows of training is highest: it is concave in the weight of the map."""
        if not np.any(self.training):
            return math.nan
        notional = (self.swept.share * self.swept.weight[:, None])[self.training]
        notional, excess = notional[notional > 0], excess[self.training][notional > 0]

        def rises(mixing: float) -> bool:
            return float(np.sum(notional * excess / (1 + mixing * excess))) > 0

        if not rises(0.0):
            return 0.0
        low, high = 0.0, 1.0
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if rises(middle) else (low, middle)
        return (low + high) / 2


def over_distance(
    distance_window: FloatArray,
    forced: FloatArray,
    reached: IntArray,
    *,
    train_share: float = TRAIN_SHARE,
    coarse: int = COARSE,
    least_reach: int = LEAST_REACH,
) -> OverDistance:
    """Prepare `gain` for many maps; parameters and errors are those of `gain`."""
    require_share(train_share=train_share)
    _require_like("distance_window", distance_window, forced)
    swept = swept_bins(forced, reached, coarse=coarse, least_reach=least_reach)
    training = swept.origin < int(train_share * len(forced))
    return OverDistance(swept=swept, shape=swept.shape_of(distance_window), training=training)


def gain(
    map_window: FloatArray,
    distance_window: FloatArray,
    forced: FloatArray,
    reached: IntArray,
    day: IntArray,
    *,
    train_share: float = TRAIN_SHARE,
    coarse: int = COARSE,
    least_reach: int = LEAST_REACH,
) -> Gain:
    """Bits by which a map places forced notional better than a map of distance alone.

    Parameters
    ----------
    map_window, distance_window : ndarray of shape (n_origins, 2, n_window)
        The map and the distance-only map, in any units, at origins in order of time.
    forced : ndarray of shape (n_origins, 2, n_window)
        Notional force-closed within the horizon.
    reached : ndarray of shape (n_origins, 2)
        Bins touched within the horizon.
    day : ndarray of shape (n_origins,)
        Day of each origin.
    train_share : float
        Share of the origins, the earliest, on which the map's weight is fitted; the others are scored.
    coarse, least_reach : int
        As in `swept_bins`.

    Returns
    -------
    Gain
        0 where the map knows no more than distance, below 0 where its weight misled.

    Raises
    ------
    ConfigError
        If a parameter breaks its rule or shapes do not fit each other.
    DataError
        If a window has a NaN or a negative sum in touched bins.

    Notes
    -----
    Per origin and side: sum over bins of (y / Y) log2((a z + (1 - a) z0) / z0), averaged with weights
    sqrt(Y). y is forced notional and Y its sum, z and z0 the shares of the map and of distance-only, each
    with `UNIFORM` spread evenly, and a the map's weight.
    """
    _require_like("map_window", map_window, forced)
    base = over_distance(
        distance_window, forced, reached, train_share=train_share, coarse=coarse, least_reach=least_reach
    )
    bits, mixing = base.bits(map_window)
    swept, scored = base.swept, ~base.training & math.isfinite(mixing)

    def mean(rows: BoolArray) -> Interval:
        weight = swept.weight[rows]
        return ratio_of_sums(weight * bits[rows], weight, day[swept.origin[rows]])

    return Gain(
        both=mean(scored),
        long=mean(scored & (swept.side == LONG)),
        short=mean(scored & (swept.side == SHORT)),
        mixing=mixing,
    )


def lift(
    map_window: FloatArray,
    forced: FloatArray,
    reached: IntArray,
    day: IntArray,
    *,
    coarse: int = COARSE,
    least_reach: int = LEAST_REACH,
) -> Interval:
    """Share of forced notional in the top 20 % of the touched bins by the map, over 0.2.

    Parameters are those of `gain`. Bins are ranked by what the map holds per touched width; one that
    straddles the 20 %, and bins that tie there, count in part, so that a map without any contrast has 1. The
    mean is weighted with the square root of forced notional, over all origins: nothing is fitted.
    """
    _require_like("map_window", map_window, forced)
    swept = swept_bins(forced, reached, coarse=coarse, least_reach=least_reach)
    top = _share_in_top(_density(swept, map_window), swept.width(), swept.share)
    return ratio_of_sums(swept.weight * top / TOP, swept.weight, day[swept.origin])


def earth_mover(map_window: FloatArray, true_window: FloatArray, width: float, day: IntArray) -> Interval:
    """Mean distance that a map's notional has to be moved along price to become the true one.

    Parameters
    ----------
    map_window, true_window : ndarray of shape (n_origins, 2, n_window)
        The map and the truth, in any units. Each is normalised per origin and side; where either is empty
        or has a NaN the pair is left out.
    width : float
        Width of a bin in log price.
    day : ndarray of shape (n_origins,)
        Day of each origin.

    Returns
    -------
    Interval
        Basis points, 0 and up.

    Raises
    ------
    ConfigError
        If shapes do not fit each other.

    Notes
    -----
    In one dimension the distance is the area between the cumulative distributions (Vallender 1974).
    """
    _require_like("map_window", map_window, true_window)
    totals = np.sum(map_window, axis=2), np.sum(true_window, axis=2)
    origin, side = np.nonzero((totals[0] > 0) & (totals[1] > 0))
    ours, true = (
        window[origin, side] / total[origin, side, None]
        for window, total in zip((map_window, true_window), totals, strict=True)
    )
    moved = np.sum(np.abs(np.cumsum(ours - true, axis=1)), axis=1) * width * 1e4
    return ratio_of_sums(moved, np.ones_like(moved), day[origin])


def _require_like(name: str, window: FloatArray, forced: FloatArray) -> None:
    require(name, window.shape == forced.shape, f"of shape {forced.shape}", window.shape)


def _density(swept: SweptBins, map_window: FloatArray) -> FloatArray:
    """Per touched width as a share of the row's highest; -1 in untouched bins."""
    width, sums = swept.width(), swept.sums(map_window)
    density = np.divide(sums, width, out=np.zeros_like(sums), where=width > 0)
    highest = np.max(density, axis=1, keepdims=True, initial=0.0)
    share = np.divide(density, highest, out=np.zeros_like(sums), where=highest > 0)
    # Equal bins differ by rounding after summation.
    return np.where(width > 0, np.round(share, 9), -1.0)


def _share_in_top(density: FloatArray, width: FloatArray, share: FloatArray) -> FloatArray:
    """Sum what lies in the densest `TOP` of the width; bins as dense as the last of them count in part."""
    budget = TOP * np.sum(width, axis=1)
    order = np.argsort(-density, axis=1, kind="stable")
    filled = np.cumsum(np.take_along_axis(width, order, axis=1), axis=1)
    last = np.argmax(filled >= budget[:, None], axis=1)
    level = np.take_along_axis(density, np.take_along_axis(order, last[:, None], axis=1), axis=1)
    above, level_with = density > level, density == level
    part = (budget - np.sum(width * above, axis=1)) / np.sum(width * level_with, axis=1)
    within: FloatArray = np.sum(share * (above + part[:, None] * level_with), axis=1)
    return within
