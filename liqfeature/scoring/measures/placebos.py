"""Would a wrong map have scored as well: maps and series shifted away from their time.

A placebo keeps the shape, the scale and the persistence of the real map and loses its timing. Shifts are
circular: what leaves at the end enters at the start.
"""

import math
from collections.abc import Callable

import numpy as np

from liqfeature.checks import require, require_at_least
from liqfeature.types import FloatArray, IntArray

LEAST_SHIFT, MOST_SHIFT = 3, 30
"""Days by which a map is shifted."""


def map_offsets(n_origins: int, origins_per_day: int) -> IntArray:
    """Shifts that make a placebo map, in origins, ascending.

    From 3 to 30 days, and at least 3 days around the end of the span. Empty on a span of less than 6 days.
    """
    require_at_least(1, origins_per_day=origins_per_day)
    least = LEAST_SHIFT * origins_per_day
    most = min(MOST_SHIFT * origins_per_day, n_origins - least)
    return np.arange(least, most + 1)


def series_offsets(n: int, per_day: int) -> IntArray:
    """Shifts that make a placebo series, in entries, ascending: whole days, 3 or more either way around.

    Raises
    ------
    ConfigError
        If the series does not consist of whole days: around its end the time of day would be lost.
    """
    require_at_least(1, per_day=per_day)
    require("n", n % per_day == 0, f"whole days of {per_day}", n)
    return per_day * np.arange(LEAST_SHIFT, n // per_day - LEAST_SHIFT + 1)


def mirrored(map_window: FloatArray) -> FloatArray:
    """Swap the sides of a map: what it holds for longs stands at the same distances for shorts."""
    return np.ascontiguousarray(map_window[:, ::-1])


def placebo_p(
    score_of: Callable[[FloatArray], float],
    map_window: FloatArray,
    origins_per_day: int,
    *,
    draws: int = 999,
    seed: int = 1,
) -> float:
    """Chance that a map with the wrong timing scores at least as well as the real one.

    Parameters
    ----------
    score_of : callable
        Score of a map, higher is better. It must fit what it fits to each map, as `OverDistance.score`
        does: else the real map alone would have its best weight.
    map_window : ndarray of shape (n_origins, 2, n_window)
        The map, its origins equally spaced in time.
    origins_per_day : int
        Origins of one day.
    draws : int
        Most placebos. Shifts do not repeat, so that a short span has fewer.
    seed : int
        Decides which shifts are drawn.

    Returns
    -------
    float
        (1 + placebos that score at least as well) / (1 + placebos); NaN without any placebo or where the
        map's own score is NaN. Placebos without a score do not count.

    Notes
    -----
    Neighbouring shifts give like scores: a p-value rests on fewer independent placebos than it counts.
    """
    return _p(score_of, map_window, map_offsets(len(map_window), origins_per_day), 0, draws, seed)


def placebo_p_of_series(
    score_of: Callable[[FloatArray], float],
    series: FloatArray,
    per_day: int,
    *,
    draws: int = 999,
    seed: int = 1,
) -> float:
    """`placebo_p` of a series (n,) or (2, n) with `per_day` entries a day, shifted by whole days.

    Raises
    ------
    ConfigError
        If the series does not consist of whole days.
    """
    return _p(score_of, series, series_offsets(series.shape[-1], per_day), -1, draws, seed)


def _p(
    score_of: Callable[[FloatArray], float],
    values: FloatArray,
    offsets: IntArray,
    axis: int,
    draws: int,
    seed: int,
) -> float:
    real = score_of(values)
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(offsets)[:draws]
    scores = np.array([score_of(np.roll(values, offset, axis=axis)) for offset in drawn])
    scores = scores[~np.isnan(scores)]
    if math.isnan(real) or not scores.size:
        return math.nan
    return float((1 + np.sum(scores >= real)) / (1 + scores.size))
