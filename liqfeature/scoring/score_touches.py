"""Scores of what the columns state about the candle that touches a near edge: its range and its volume."""

from collections.abc import Iterator

import numpy as np

from liqfeature.columns.untraded import UNTRADED_COLUMNS, write_untraded
from liqfeature.durations import DAY
from liqfeature.estimate.kernels import read
from liqfeature.estimate.scan import Scan
from liqfeature.scoring.measures.bootstrap import ratio_of_sums
from liqfeature.scoring.scorecard import Score
from liqfeature.sides import SHORT, SIDE_AT, SIDES
from liqfeature.types import FloatArray

RANGE, VOLUME = "liq_touch_range", "liq_touch_volume"


def score_touches(scan: Scan, rows: tuple[int, int]) -> Iterator[Score]:
    """How wide and busy the touching candle is, over what was stated, and over a candle like any other.

    Parameters
    ----------
    scan : Scan
    rows : (int, int)
        First and last row whose next candle may touch.
    """
    market, first, last = scan.market, *rows
    stated = np.full((len(UNTRADED_COLUMNS), market.tick.size), np.nan)
    write_untraded(scan, stated)
    said, came = slice(first, last), slice(first + 1, last + 1)
    observed = {name: _over_usual(values[came], usual[said]) for name, values, usual in _observed(scan)}
    day = (market.tick * market.interval // DAY)[came]
    for where, side in SIDE_AT.items():
        near = scan.columns[side, read.NEAR, said]
        touched = market.high[came] >= near if side == SHORT else market.low[came] <= near
        touched &= np.diff(market.tick[first : last + 1]) == 1
        for name, values in observed.items():
            expected = stated[list(UNTRADED_COLUMNS).index(f"{name}_{where}"), said]
            known = touched & ~np.isnan(values + expected)
            one, those = np.ones(int(np.sum(known))), values[known]
            ratio = ratio_of_sums(those, expected[known], day[known])
            yield Score.of(name, "over_stated", SIDES[side], ratio)
            yield Score.of(name, "over_usual", SIDES[side], ratio_of_sums(those, one, day[known]))
            yield Score(map=name, measure="touches", side=SIDES[side], value=float(one.size))


def _observed(scan: Scan) -> Iterator[tuple[str, FloatArray, FloatArray]]:
    """Names, what each candle had, and what was usual at the close of each; all of shape (n,)."""
    market = scan.market
    yield RANGE, np.log(market.high / market.low), scan.outlook.sigma(1)
    yield VOLUME, market.volume, market.daily_volume(scan.config.lookback)


def _over_usual(values: FloatArray, usual: FloatArray) -> FloatArray:
    """Divide by the usual, and by the mean of that over all rows, since a usual candle is to have 1."""
    ratio = np.divide(values, usual, out=np.full_like(values, np.nan), where=usual > 0)
    return ratio / np.nanmean(ratio) if np.any(~np.isnan(ratio)) else ratio
