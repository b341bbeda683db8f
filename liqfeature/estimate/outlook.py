"""Volatility as the past shows it, and what follows for any horizon."""

import math
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from liqfeature.checks import require
from liqfeature.estimate.kernels.excursion import excursions
from liqfeature.estimate.kernels.median import trailing_median
from liqfeature.estimate.reach import MOST_TILT, STEPS_PER_TILT, ReachRule
from liqfeature.estimate.seasonality import mean_activity, week_activity
from liqfeature.market.rolling import trailing_sum
from liqfeature.sides import LONG, SHORT, SIDE_AT
from liqfeature.types import FloatArray, IntArray

PARKINSON = 1.0 / (4.0 * math.log(2.0))
"""Variance of a Brownian path per squared range."""

Where = Literal["above", "below"]
"""Side of price."""

SIGN = {"above": 1.0, "below": -1.0}
"""Of the logarithm of a price on that side over the close."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What was known of volatility at the close of each candle: how far price may go within any horizon.

    `liqfeature.outlook` makes one. Its methods take a horizon in candles, at least 1, and return arrays of
    shape (n,), NaN in the first `n_unknown` rows. The rule was fitted at 12 and 48 candles of 5m.

    Parameters
    ----------
    rule : ReachRule
    interval : int
        Milliseconds from one candle to the next.
    closing : ndarray of shape (n,)
        Milliseconds since 1970 at which each candle closes.
    close : ndarray of shape (n,)
        Logarithm of price, or bins.
    bounded_range : ndarray of shape (n,)
        High less low, in the same unit; wild ones no wider than `rule.wildest` allows.
    windows : tuple of int
        Those of the rule, none longer than the memory.
    volatility : ndarray of shape (n_windows, n)
        Of one candle, averaged over each window, the hour of the week taken out.
    skew_span : int
        Candles over which a recent move is taken.
    unit : float
        What `sigma` multiplies by: 1, or the logarithm of price in a bin where prices are in bins.
    n_unknown : int
        Rows from the first one on that too few candles precede.
    """

    rule: ReachRule
    interval: int
    closing: IntArray
    close: FloatArray
    bounded_range: FloatArray
    windows: tuple[int, ...]
    volatility: FloatArray
    skew_span: int
    unit: float = 1.0
    n_unknown: int = 0

    @classmethod
    def of(
        cls,
        high: FloatArray,
        low: FloatArray,
        close: FloatArray,
        *,
        tick: IntArray,
        interval: int,
        rule: ReachRule,
        lookback: int,
        longest: int,
    ) -> Self:
        """Look back from the close of each candle.

        Parameters
        ----------
        high, low, close : ndarray of shape (n,)
            Logarithms of price, or bins.
        tick : ndarray of shape (n,)
            Number of the candle since 1970.
        interval : int
            Milliseconds from one candle to the next.
        rule : ReachRule
        lookback, longest : int
            Candles over which the usual range is taken, and beyond which no window reaches. A row depends on
            `lookback + longest` candles.
        """
        begin = tick * interval
        bounded_range = without_wicks(high - low, lookback, rule.wildest)
        activity = week_activity(rule.hours, rule.weekend)
        squared = bounded_range**2 / mean_activity(activity, begin, interval)
        windows = tuple(min(window, longest) for window in rule.windows)
        means = [np.sqrt(trailing_sum(squared, window) * (PARKINSON / window)) for window in windows]
        return cls(
            rule=rule,
            interval=interval,
            closing=begin + interval,
            close=close,
            bounded_range=bounded_range,
            windows=windows,
            volatility=np.stack(means),
            skew_span=min(rule.skew_span, lookback),
        )

    def sigma(self, horizon: int) -> FloatArray:
        """Return the standard deviation of the logarithm of price within a horizon after each candle."""
        return self._known(self.unit * self._deviation(horizon))

    def quantile(self, where: Where, probability: float, horizon: int) -> FloatArray:
        """Return how far price goes to one side within a horizon at most, with a probability.

        Parameters
        ----------
        where : {"above", "below"}
        probability : float
            Above 0 and below 1.
        horizon : int
            Candles.

        Returns
        -------
        ndarray of shape (n,)
            Fraction of the close, from it to the furthest price.
        """
        return self._excursion(where, self.rule.quantile(probability), horizon)

    def shortfall(self, where: Where, probability: float, horizon: int) -> FloatArray:
        """Return the mean excursion of those beyond the quantile of a probability, as `quantile` does.

        The mean is taken of logarithms.
        """
        return self._excursion(where, self.rule.shortfall(probability), horizon)

    def stop_distance(self, where: Where, probability: float, horizon: int) -> FloatArray:
        """Return the distance that price touches within a horizon with a probability, if it has no drift.

        A fraction of the close: the quantile of what is left of 1.
        """
        require("probability", 0 < probability < 1, "between 0 and 1", probability)
        return self.quantile(where, 1.0 - probability, horizon)

    def _excursion(self, where: Where, sigmas: FloatArray, horizon: int) -> FloatArray:
        require("where", where in SIDE_AT, "above or below", repr(where))
        deviation = self._deviation(horizon)
        tilts, out = self.tilts(deviation, horizon)[SIDE_AT[where]], np.empty(deviation.size)
        excursions(self.unit * deviation, tilts, sigmas, SIGN[where], out)
        return self._known(out)

    def _known(self, values: FloatArray) -> FloatArray:
        values[: self.n_unknown] = np.nan
        return values

    def _deviation(self, horizon: int) -> FloatArray:
        """As `sigma`, in the unit of the prices, from however many candles; no NaN."""
        require("horizon", horizon >= 1, "at least 1", horizon)
        activity = week_activity(self.rule.hours, self.rule.weekend)
        ahead = mean_activity(activity, self.closing, horizon * self.interval)
        usual = np.zeros_like(self.close)
        for share, volatility in zip(self.rule.shares(horizon, self.windows), self.volatility, strict=True):
            usual += share * volatility  # in this order: a product of matrices may depend on their length
        return self.rule.scale * usual * np.sqrt(ahead * horizon)

    def tilts(self, sigma: FloatArray, horizon: int) -> IntArray:
        """Row of the rule's tables for each side and candle, by how price came to its close; shape (2, n).

        Parameters
        ----------
        sigma : ndarray of shape (n,)
            One-sigma move within that horizon, in the unit of the prices.
        horizon : int
            Candles.
        """
        risen = np.zeros_like(self.close)
        risen[self.skew_span :] = self.close[self.skew_span :] - self.close[: -self.skew_span]
        usual = sigma * math.sqrt(self.skew_span / horizon)
        sigmas = np.divide(risen, usual, out=np.zeros_like(risen), where=usual > 0)
        step = np.rint(np.clip(sigmas, -MOST_TILT, MOST_TILT) * STEPS_PER_TILT).astype(np.int64)
        middle = round(MOST_TILT * STEPS_PER_TILT)
        tilts = np.empty((2, self.close.size), dtype=np.int64)
        tilts[LONG], tilts[SHORT] = middle + step, middle - step  # a rise came away from what lies below
        return tilts

    def usual_variance(self, window: int) -> FloatArray:
        """Mean variance of one candle over a window; shape (n,)."""
        return trailing_sum(self.bounded_range**2, window) * (PARKINSON / window)


def without_wicks(log_range: FloatArray, lookback: int, wildest: float) -> FloatArray:
    """Bound each range by a multiple of the median of those before it, so that one wick is not a wild day.

    Parameters
    ----------
    log_range : ndarray of shape (n,)
        At least 0.
    lookback : int
        Ranges before each one whose median is taken; those of 0 are left out.
    wildest : float
        Multiple of it, at least 1.

    Returns
    -------
    ndarray of shape (n,)
        Where none of the ranges before is above 0, the range itself.
    """
    usual = np.empty_like(log_range)
    trailing_median(log_range, np.empty(lookback), usual)
    bounded: FloatArray = np.fmin(log_range, wildest * usual)
    return bounded
