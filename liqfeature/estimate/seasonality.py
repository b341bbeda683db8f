"""How busy the market usually is at an hour of the week."""

import numpy as np

from liqfeature.durations import HOUR, WEEK
from liqfeature.types import FloatArray, IntArray

WEEKEND = (2, 3)
"""Saturday and Sunday, in days from the Thursday on which 1970 began."""


def week_activity(hours: tuple[float, ...], weekend: float) -> FloatArray:
    """Activity in each hour of the week from Thursday 00:00 UTC, shape (168,).

    Parameters
    ----------
    hours : tuple of float
        Activity of the 24 hours of a weekday, UTC.
    weekend : float
        Activity of a Saturday or Sunday over that of a weekday.
    """
    day = np.ones(7)
    day[list(WEEKEND)] = weekend
    activity: FloatArray = np.outer(day, hours).ravel()
    return activity


def mean_activity(activity: FloatArray, begin: IntArray, length: int) -> FloatArray:
    """Mean activity over `length` milliseconds from each `begin`, in milliseconds since 1970; shape (n,).

    Depends on the hour of the week alone, so that it is the same to the last bit in every frame.
    """
    weeks, rest = divmod(length, WEEK)
    twice = np.concatenate([activity, activity])
    before = np.concatenate([[0.0], np.cumsum(twice * HOUR)])
    start = begin % WEEK
    spent = _until(twice, before, start + rest) - _until(twice, before, start)
    mean: FloatArray = (spent + weeks * before[activity.size]) / length
    return mean


def _until(activity: FloatArray, before: FloatArray, time: IntArray) -> FloatArray:
    hour = time // HOUR
    until: FloatArray = before[hour] + (time - hour * HOUR) * activity[hour]
    return until
