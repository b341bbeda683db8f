"""How bad the worst outcomes are: expected shortfall with intervals by day, and the largest fall."""

import numpy as np

from liqfeature.checks import require
from liqfeature.scoring.measures.bootstrap import LEAST_DAYS, TAILS, Interval, day_weights
from liqfeature.types import FloatArray, IntArray

_ROWS_AT_ONCE = 2_000_000

_ENOUGH = 3.0
"""Rows looked at at first, over those that are wanted: how often a day is drawn varies."""


def expected_shortfall(returns: FloatArray, share: float, day: IntArray) -> Interval:
    """Mean loss of the worst share of rows, above 0 where they lose; with an interval by day.

    Parameters
    ----------
    returns : ndarray of shape (n,)
        No NaN.
    share : float
        Above 0 and below 1: 0.05 for the expected shortfall at 95 %.
    day : ndarray of shape (n,)
        Day of each row.

    Notes
    -----
    Acerbi and Tasche (2002): where the share ends within a row, that part of it counts.
    """
    return _interval(_draws(returns, share, day))


def shortfall_ratio(returns: FloatArray, reference: FloatArray, share: float, day: IntArray) -> Interval:
    """Divide expected shortfall by that of other returns on the same rows; each draw of days serves both."""
    ours, theirs = (_draws(values, share, day) for values in (returns, reference))
    return _interval(np.divide(ours, theirs, out=np.full_like(ours, np.nan), where=theirs > 0))


def deepest_fall(returns: FloatArray) -> float:
    """Return the largest fall of the sum of returns from its highest so far, at least 0."""
    worth = np.concatenate([[0.0], np.cumsum(returns)])
    return float(np.max(np.maximum.accumulate(worth) - worth))


def _draws(returns: FloatArray, share: float, day: IntArray) -> FloatArray:
    """Find the expected shortfall of all rows, then of resampled days; NaN without rows."""
    require("share", 0 < share < 1, "between 0 and 1", share)
    require("day", day.shape == returns.shape, f"one for each of {returns.size} rows", day.shape)
    if not returns.size:
        return np.full(1, np.nan)
    order = np.argsort(returns, kind="stable")
    ascending, (days, number) = returns[order], np.unique(day[order], return_inverse=True)
    weights = np.ones((1, days.size))
    if days.size >= LEAST_DAYS:
        weights = np.concatenate([weights, day_weights(day)])
    wanted = share * (weights @ np.bincount(number))
    at_once = max(int(_ROWS_AT_ONCE / (_ENOUGH * share * returns.size)), 1)
    parts = [slice(i, i + at_once) for i in range(0, len(weights), at_once)]
    return np.concatenate([_weighted_shortfall(ascending, number, weights[i], wanted[i]) for i in parts])


def _weighted_shortfall(
    ascending: FloatArray, number: IntArray, weights: FloatArray, wanted: FloatArray
) -> FloatArray:
    """Of returns in ascending order, (n,), each counted as often as its day is drawn; shape (draws,).

    Only as many of the worst are looked at as every draw needs.
    """
    n = int(np.ceil(_ENOUGH * np.max(wanted)))
    while True:
        weight = weights[:, number[:n]]
        upto = np.cumsum(weight, axis=1)
        if n >= ascending.size or np.all(upto[:, -1] >= wanted):
            break
        n *= 2
    counted = np.clip(wanted[:, None] - (upto - weight), 0.0, weight)
    loss: FloatArray = -(counted @ ascending[:n]) / wanted
    return loss


def _interval(drawn: FloatArray) -> Interval:
    value, *_ = drawn
    known = drawn[1:][np.isfinite(drawn[1:])]
    low, high = np.quantile(known, TAILS) if known.size else (np.nan, np.nan)
    return Interval(value=float(value), low=float(low), high=float(high))
