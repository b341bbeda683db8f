"""Scores of stated risk on candles alone: sigma beside usual forecasts, quantiles and shortfall."""

from collections.abc import Iterator

import numpy as np

from liqfeature.durations import DAY
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.market.market import Market
from liqfeature.scoring.measures.bootstrap import Interval, mean_of_rows
from liqfeature.scoring.measures.excursions import coverage, shortfall
from liqfeature.scoring.measures.reference_forecasts import predicted
from liqfeature.scoring.measures.volatility import best_qlike, best_r_squared, qlike, r_squared
from liqfeature.scoring.scorecard import Score
from liqfeature.scoring.volatility_rows import PROBABILITIES, TAIL, USUAL, VolatilityRows
from liqfeature.sides import SIDES
from liqfeature.types import FloatArray, IntArray

SIGMA, HAR = "liq_sigma", "HAR with hours"

LEAST_MONTH = 10
"""Days that a month must have to count as the worst one."""


def score_volatility(rows: VolatilityRows, har: FloatArray) -> Iterator[Score]:
    """Scores of forecasts of volatility on the same rows.

    Nothing of sigma is fitted. HAR's weights come from other rows; forecasts that state no level are given
    the one that is best on the scored rows.

    Parameters
    ----------
    rows : VolatilityRows
        That are scored.
    har : ndarray of shape (n,)
        Logarithm of the coming range as HAR predicts it.
    """
    known = ~np.isnan(rows.log_range + rows.ranged + har + np.sum(rows.usual, axis=0))
    rows, har = rows.taken(known), har[known]
    day, ranged, variance = rows.day, rows.ranged, rows.variance
    yield Score.of(SIGMA, "r2", "both", r_squared(rows.log_range, ranged, day))
    yield Score.of(SIGMA, "qlike", "both", qlike(rows.sigma**2, variance, day))
    yield Score.of(HAR, "r2", "both", r_squared(har, ranged, day))
    yield Score.of(HAR, "qlike", "both", best_qlike(np.exp(2 * har), variance, day))
    for name, forecast in zip(USUAL, rows.usual, strict=True):
        yield Score.of(name, "r2", "both", best_r_squared(np.log(forecast), ranged, day))
        yield Score.of(name, "qlike", "both", best_qlike(forecast**2, variance, day))


def har_forecast(rows: VolatilityRows, *, horizon: int, first: int, every: int) -> FloatArray:
    """Logarithm of the coming range by a HAR regression with hours on earlier rows; as for `predicted`."""
    return predicted(rows.har.T, rows.ranged, horizon=horizon, first=first, every=every)


def score_excursions(rows: VolatilityRows) -> Iterator[Score]:
    """Scores of the stated quantiles and the shortfall of the furthest price, below, above and both.

    Parameters
    ----------
    rows : VolatilityRows
        That are scored.
    """
    for probability, quantile in zip(PROBABILITIES, rows.quantile, strict=True):
        name = excursion_name(probability)
        for i, side in enumerate(SIDES):
            yield Score.of(name, "coverage", side, coverage(rows.excursion[i], quantile[i], rows.day))
        day, excursion, both = np.tile(rows.day, 2), np.ravel(rows.excursion), np.ravel(quantile)
        yield Score.of(name, "coverage", "both", coverage(excursion, both, day))
        worst = worst_month(rows, probability)
        if worst is not None:
            yield Score.of(name, "worst_month", "both", worst[1])
    at = PROBABILITIES.index(TAIL)
    name = excursion_name(TAIL)
    for i, side in enumerate(SIDES):
        tail = shortfall(rows.excursion[i], rows.quantile[at, i], rows.shortfall[i], rows.day)
        yield Score.of(name, "tail", side, tail)
    tail = shortfall(
        np.ravel(rows.excursion), np.ravel(rows.quantile[at]), np.ravel(rows.shortfall), np.tile(rows.day, 2)
    )
    yield Score.of(name, "tail", "both", tail)


def excursion_name(probability: float) -> str:
    """Return what a quantile of the furthest price is called in scores."""
    return f"furthest price, {100 * probability:g} %"


def worst_month(rows: VolatilityRows, probability: float) -> tuple[int, Interval] | None:
    """Month since 1970 whose coverage is farthest from what is stated, and its coverage; both sides.

    None where no month has `LEAST_MONTH` days.
    """
    stated = rows.quantile[PROBABILITIES.index(probability)]
    within = np.where(np.isnan(rows.excursion + stated), np.nan, rows.excursion <= stated)
    months = [m for m in np.unique(rows.month) if np.unique(rows.day[rows.month == m]).size >= LEAST_MONTH]
    found = [(int(m), _share(within[:, rows.month == m], rows.day[rows.month == m])) for m in months]
    known = [each for each in found if np.isfinite(each[1].value)]
    return max(known, key=lambda each: abs(each[1].value - probability), default=None)


def _share(within: FloatArray, day: IntArray) -> Interval:
    return mean_of_rows(np.ravel(within), np.tile(day, 2))


def score_risk(market: Market, config: HeatmapConfig, rows: tuple[int, int]) -> Iterator[Score]:
    """All scores of stated risk; HAR is fitted anew each day on the rows before it.

    Parameters
    ----------
    market : Market
    config : HeatmapConfig
    rows : (int, int)
        First and last row of which quantiles are scored. Forecasts of volatility are scored after the first
        third of them, so that HAR has something to be fitted to.
    """
    found, (first, last) = VolatilityRows.of(market, config, config.horizon), rows
    later = first + (last - first) // 3
    har = har_forecast(found, horizon=config.horizon, first=later, every=DAY // market.interval)
    yield from score_volatility(found.taken(slice(later, last + 1)), har[later : last + 1])
    yield from score_excursions(found.taken(slice(first, last + 1)))
