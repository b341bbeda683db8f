"""Alarms: does a score rank the rows with an event first, and how many events do its highest rows catch."""

import numpy as np

from liqfeature.checks import require
from liqfeature.scoring.measures.bootstrap import UNDEFINED, Interval, bootstrap, ratio_of_sums
from liqfeature.scoring.measures.rank_correlation import average_ranks
from liqfeature.types import BoolArray, FloatArray, IntArray

N_BINS = 500
"""Bins of equally many rows among which ranks are compared; rows of one bin count as equal."""

TRAILING, SURGE = 24, 3.0
"""Hours over which recorded liquidations are averaged, and how many times that mean is a surge."""


def exceeded_within(forced: FloatArray, level: FloatArray, horizon: int) -> FloatArray:
    """Whether the forced notional of the coming `horizon` candles exceeds the level of a row.

    Parameters
    ----------
    forced : ndarray of shape (n,)
        Forced notional in the last `horizon` candles of each row, its own included.
    level : ndarray of shape (n,)
        Level known at the close of each row.
    horizon : int

    Returns
    -------
    ndarray of shape (n,)
        1 or 0; NaN in the last `horizon` rows, whose outcome is not known yet, and where the level is NaN.

    Raises
    ------
    ConfigError
        If `horizon` is below 1.
    """
    require("horizon", horizon >= 1, "at least 1", horizon)
    exceeded = np.full(forced.size, np.nan)
    known = max(forced.size - horizon, 0)
    coming = forced[horizon:]
    exceeded[:known] = np.where(np.isnan(level[:known]), np.nan, coming > level[:known])
    return exceeded


def trailing_mean(recorded: FloatArray, hours: int = TRAILING) -> FloatArray:
    """Mean of the `hours` hours before each, shape (n_hours,); NaN where one of them was not recorded."""
    mean = np.full(recorded.size, np.nan)
    if recorded.size > hours:
        before = np.lib.stride_tricks.sliding_window_view(recorded[:-1], hours)
        mean[hours:] = np.mean(before, axis=1)
    return mean


def surged(recorded: FloatArray) -> FloatArray:
    """Whether an hour's liquidations exceed three times their trailing mean, and the median of all hours.

    Parameters
    ----------
    recorded : ndarray of shape (n_hours,)
        NaN where nothing was recorded.

    Returns
    -------
    ndarray of shape (n_hours,)
        1 or 0; NaN where the hour or its trailing mean is not known.
    """
    mean = trailing_mean(recorded)
    known = ~np.isnan(recorded + mean)
    if not np.any(known):
        return np.full(recorded.size, np.nan)
    above = (recorded > SURGE * mean) & (recorded > np.median(recorded[known]))
    return np.where(known, above, np.nan)


def area_under_curve(score: FloatArray, event: FloatArray, day: IntArray, n_bins: int = N_BINS) -> Interval:
    """Chance that a row with the event has a higher score than one without; ties count half.

    Parameters
    ----------
    score : ndarray of shape (n,)
        Larger means that the event is more probable. Only the order matters.
    event : ndarray of shape (n,)
        1 or 0. Rows with a NaN in score or event are dropped.
    day : ndarray of shape (n,)
        Day of each row.
    n_bins : int
        Bins in which rows are ranked; exact where there are no more rows than bins.

    Returns
    -------
    Interval
        All NaN where every row, or none, has the event.

    Notes
    -----
    The area under the receiver operating characteristic: Hanley and McNeil (1982). Bins are cut once, over
    all rows, so that the area is a function of counts by day and each draw costs one weighted sum.
    """
    known = ~np.isnan(score + event)
    if not np.any(known):
        return UNDEFINED
    ranks = average_ranks(score[known])
    bins = ((ranks - 0.5) * (min(n_bins, ranks.size) / ranks.size)).astype(np.int64)
    days, number = np.unique(day[known], return_inverse=True)
    cell = (number * 2 + (event[known] == 0)) * n_bins + bins
    counts = np.bincount(cell, minlength=days.size * 2 * n_bins).astype(np.float64)
    return bootstrap(_area, counts.reshape(days.size, -1), days)


def alarm(score: FloatArray, event: FloatArray, day: IntArray, share: float) -> tuple[Interval, Interval]:
    """Precision and recall of an alarm on the rows with the highest scores.

    Parameters
    ----------
    score, event, day : ndarray of shape (n,)
        As for `area_under_curve`.
    share : float
        Share of the rows that raise the alarm, above 0 and below 1; rows that tie at the edge all do or none.

    Returns
    -------
    precision : Interval
        Share of the alarms that were right.
    recall : Interval
        Share of the events that had an alarm.
    """
    require("share", 0 < share < 1, "above 0 and below 1", share)
    known = ~np.isnan(score + event)
    raised = highest(score[known], share).astype(np.float64)
    happened, on = event[known], day[known]
    return ratio_of_sums(raised * happened, raised, on), ratio_of_sums(raised * happened, happened, on)


def highest(values: FloatArray, share: float) -> BoolArray:
    """Mark the given share of rows with the highest values; no NaN."""
    marked: BoolArray = average_ranks(values) > (1.0 - share) * values.size
    return marked


def _area(sums: FloatArray) -> FloatArray:
    n_bins = sums.shape[1] // 2
    with_event, without = sums[:, :n_bins], sums[:, n_bins:]
    pairs = np.sum(with_event, axis=1) * np.sum(without, axis=1)
    won = np.sum(with_event * (np.cumsum(without, axis=1) - 0.5 * without), axis=1)
    area = np.full(len(sums), np.nan)
    np.divide(won, pairs, out=area, where=pairs > 0)
    return area
