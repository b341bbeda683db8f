"""Scorecards of several seeds as one: what holds in one simulated market may be that market's luck."""

import math
from collections.abc import Mapping

import numpy as np

from liqfeature.checks import require_at_least
from liqfeature.scoring.scorecard import Score, Scorecard
from liqfeature.types import FloatArray


def over_seeds(cards: Mapping[int, Scorecard]) -> Scorecard:
    """Return the mean of every score over seeds, and the range from the smallest to the largest.

    Parameters
    ----------
    cards : mapping of int to Scorecard
        By seed, at least one, of the same scenario.

    Returns
    -------
    Scorecard
        `low` and `high` are not an interval of confidence, as `about` says. A score that some seed lacks, or
        has as NaN, is NaN.

    Raises
    ------
    ConfigError
        If there is no card.
    """
    require_at_least(1, cards=len(cards))
    first, *_ = cards.values()
    found = [{(s.map, s.measure, s.side): s.value for s in card.scores} for card in cards.values()]
    names = dict.fromkeys(name for values in found for name in values)
    scores = (_score(name, np.array([values.get(name, math.nan) for values in found])) for name in names)
    shared = {k: v for k, v in first.about.items() if all(card.about.get(k) == v for card in cards.values())}
    told = {"seeds": sorted(cards), "value": "mean of the seeds", "range": "smallest to largest of them"}
    return Scorecard(about={**shared, **told}, scores=tuple(scores))


def _score(name: tuple[str, str, str], values: FloatArray) -> Score:
    what, measure, side = name
    low, high, mean = float(np.min(values)), float(np.max(values)), float(np.mean(values))
    return Score(map=what, measure=measure, side=side, value=mean, low=low, high=high)
