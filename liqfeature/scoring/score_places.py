"""Scores along price: does a map hold more where more was liquidated, among the bins that price touched."""

from collections.abc import Iterator

import numpy as np

from liqfeature.scoring.maps.base import Prediction
from liqfeature.scoring.maps.contenders import DISTANCE, ESTIMATE, TRUTH
from liqfeature.scoring.measures import placement as places
from liqfeature.scoring.measures.bootstrap import Interval, ratio_of_sums
from liqfeature.scoring.measures.placebos import mirrored, placebo_p
from liqfeature.scoring.outcomes import Outcomes
from liqfeature.scoring.scorecard import SCORED_SIDES, Score
from liqfeature.types import BoolArray, FloatArray

MIRRORED = "placebo: estimate mirrored"


def score_places(
    maps: dict[str, Prediction], outcomes: Outcomes, truth: FloatArray | None, width: float
) -> Iterator[Score]:
    """Scores of every map that has places, and of the positions really open where they are known.

    Where a map has no places yet, it counts as distance-only.
    """
    forced, reached = outcomes.forced, outcomes.reached
    if forced is None:
        return
    windows = {name: np.nan_to_num(m.window) for name, m in maps.items() if not np.all(np.isnan(m.window))}
    windows[MIRRORED] = mirrored(windows[ESTIMATE])
    if truth is not None:
        windows[TRUTH] = truth
    for name, window in windows.items():
        yield from _gain_and_lift(name, window, windows[DISTANCE], outcomes, forced)
        if truth is not None and name not in (TRUTH, MIRRORED):
            yield from _earth_mover(name, window, truth, width, outcomes)
    base = places.over_distance(windows[DISTANCE], forced, reached)
    if truth is not None:
        yield from (s for name, w in windows.items() for s in _of_oracle(name, w, truth, base, outcomes))
    per_day = _origins_per_day(outcomes)
    p = placebo_p(base.score, windows[ESTIMATE], per_day)
    yield Score(map=ESTIMATE, measure="placebo", side="both", value=p)


def _gain_and_lift(
    name: str, window: FloatArray, distance: FloatArray, outcomes: Outcomes, forced: FloatArray
) -> Iterator[Score]:
    reached, day = outcomes.reached, outcomes.day
    if name != DISTANCE:
        gained = places.gain(window, distance, forced, reached, day)
        for side in SCORED_SIDES:
            yield Score.of(name, "gain", side, getattr(gained, side))
        yield Score(map=name, measure="mixing", side="both", value=gained.mixing)
    for side, taken in SCORED_SIDES.items():
        only = np.where(taken, reached, 0)
        yield Score.of(name, "lift", side, places.lift(window, forced, only, day))


def _earth_mover(
    name: str, window: FloatArray, truth: FloatArray, width: float, outcomes: Outcomes
) -> Iterator[Score]:
    for side, taken in SCORED_SIDES.items():
        only = np.where(taken[:, None], window, 0.0)
        yield Score.of(name, "earth_mover", side, places.earth_mover(only, truth, width, outcomes.day))


def _of_oracle(
    name: str, window: FloatArray, truth: FloatArray, base: places.OverDistance, outcomes: Outcomes
) -> Iterator[Score]:
    """Gain of a map over the gain of the positions really open, on the same rows."""
    if name in (DISTANCE, TRUTH):
        return
    bits, oracle = base.bits(window)[0], base.bits(truth)[0]
    swept = base.swept

    def ratio(rows: BoolArray) -> Interval:
        weight = swept.weight[rows]
        return ratio_of_sums(weight * bits[rows], weight * oracle[rows], outcomes.day[swept.origin[rows]])

    for side, taken in SCORED_SIDES.items():
        yield Score.of(name, "of_oracle", side, ratio(~base.training & taken[swept.side]))


def _origins_per_day(outcomes: Outcomes) -> int:
    _, counts = np.unique(outcomes.day, return_counts=True)
    return int(np.max(counts, initial=1))
