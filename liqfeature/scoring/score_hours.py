"""Scores by the hour: does a map sweep more in hours in which more was liquidated."""

from collections.abc import Iterator

import numpy as np

from liqfeature.scoring.hours import HOURS_PER_DAY, Hours
from liqfeature.scoring.maps.base import Prediction
from liqfeature.scoring.maps.contenders import DISTANCE, PATH_VOLUME, UNITLESS
from liqfeature.scoring.measures.bootstrap import Interval
from liqfeature.scoring.measures.placebos import placebo_p_of_series
from liqfeature.scoring.measures.rank_correlation import amplitude, rank_correlation
from liqfeature.scoring.scorecard import Score
from liqfeature.sides import SIDES
from liqfeature.types import BoolArray, FloatArray, IntArray

WIDE = 0.015
"""Logarithm of high over low above which an hour is wide: only there are far levels touched."""


def score_hours(name: str, map_: Prediction, distance: Prediction, hours: Hours) -> Iterator[Score]:
    """Scores of one map's hourly sweeps, per side, beside distance-only's."""
    swept, by_distance = hours.total(map_.swept), hours.total(distance.swept)
    wide = hours.range > WIDE
    for side in range(2):
        x, y, path = swept[side], hours.recorded[side], hours.path[side]
        baselines = _without(name, path, by_distance[side])
        scores = {
            "rank": rank_correlation(x, y, hours.day),
            "partial": rank_correlation(x, y, hours.day, (path, hours.range, hours.volume)),
        }
        if name != DISTANCE:
            scores["wide"] = _among(wide, x, y, hours.day, baselines)
        if name not in UNITLESS:
            scores["amplitude"] = amplitude(x, y, hours.day)
        yield from (Score.of(name, measure, SIDES[side], score) for measure, score in scores.items())


def score_known(
    name: str, map_: Prediction, distance: Prediction, hours: Hours, hour: IntArray, reached: IntArray
) -> Iterator[Score]:
    """Score what a map held at the start of each hour, within the reach that came true.

    `hour` is the hour that follows each origin, `reached` the bins that it touched, (n_origins, 2).
    """
    if name == DISTANCE:
        return
    held, by_distance = within(map_.window, reached), within(distance.window, reached)
    for side in range(2):
        baselines = _without(name, hours.path[side, hour], by_distance[:, side])
        recorded = hours.recorded[side, hour]
        score = rank_correlation(held[:, side], recorded, hours.day[hour], baselines)
        yield Score.of(name, "known", SIDES[side], score)


def score_placebo_hours(name: str, map_: Prediction, hours: Hours) -> Iterator[Score]:
    """Chance that the map's hourly sweeps, shifted by whole days, have as high a partial correlation."""
    span = _whole_days(hours)
    day, swept = hours.day[span], hours.total(map_.swept)[:, span]
    for side in range(2):
        y = hours.recorded[side, span]
        controls = (hours.path[side, span], hours.range[span], hours.volume[span])

        def partial(x: FloatArray, y: FloatArray = y, controls: tuple[FloatArray, ...] = controls) -> float:
            return rank_correlation(x, y, day, controls).value

        p = placebo_p_of_series(partial, swept[side], HOURS_PER_DAY)
        yield Score(map=name, measure="placebo", side=SIDES[side], value=p)


def within(window: FloatArray, reached: IntArray) -> FloatArray:
    """Sum of a window over the bins touched; shape (n_origins, 2)."""
    touched = np.arange(window.shape[2]) < reached[:, :, None]
    held: FloatArray = np.sum(np.where(touched, window, 0.0), axis=2)
    return held


def _without(name: str, path: FloatArray, by_distance: FloatArray) -> tuple[FloatArray, ...]:
    """Both baselines, but not the path where it is the path that is scored."""
    return (by_distance,) if name == PATH_VOLUME else (path, by_distance)


def _among(
    rows: BoolArray, x: FloatArray, y: FloatArray, day: IntArray, controls: tuple[FloatArray, ...]
) -> Interval:
    return rank_correlation(x[rows], y[rows], day[rows], tuple(c[rows] for c in controls))


def _whole_days(hours: Hours) -> slice:
    """Hours from the first scored to the last, cut to whole days."""
    scored = np.flatnonzero(hours.known)
    first = scored[0] + -(hours.first + scored[0]) % HOURS_PER_DAY
    n_days = max((scored[-1] + 1 - first) // HOURS_PER_DAY, 0)
    return slice(first, first + n_days * HOURS_PER_DAY)
