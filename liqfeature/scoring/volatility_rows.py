"""What was forecast of volatility at the close of each candle, and what followed within a horizon."""

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from liqfeature.durations import DAY, HOUR
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.estimate.prepare import outlook_of
from liqfeature.estimate.reach import ReachRule
from liqfeature.market.market import Market
from liqfeature.market.rolling import trailing_sum
from liqfeature.scoring.measures.excursions import furthest_excursion
from liqfeature.scoring.measures.reference_forecasts import (
    average_true_range,
    exponential_mean,
    har_inputs,
    realised_variance,
)
from liqfeature.types import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from liqfeature.estimate.outlook import Where

PROBABILITIES = (0.5, 0.8, 0.95, 0.99)
"""Of the quantiles of the furthest price that are scored."""

TAIL = 0.95
"""Probability beyond which the expected shortfall is scored."""

USUAL = ("EWMA", "24 h realised", "ATR(14)", "ATR of 14 h")
"""Other forecasts of volatility, none of which states a level."""

HALF_LIFE = 11.2
"""Candles after which a weight of the EWMA halves: the 0.94 of RiskMetrics (1996)."""

MEAN_LOG_RANGE = 0.43
"""Mean logarithm of the range of a Brownian path of one sigma: Alizadeh, Brandt and Diebold (2002)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VolatilityRows:
    """Rows of one market, or of several one after another; NaN where something is not known.

    Nothing is stated before the warm-up is over.

    Parameters
    ----------
    day, month, hour : ndarray of shape (n,)
        Day and month since 1970, and hour of the day, UTC, in which each candle closes.
    sigma : ndarray of shape (n,)
        Standard deviation of log price within the horizon, as stated.
    log_range : ndarray of shape (n,)
        Mean logarithm of the coming range that follows from it.
    quantile : ndarray of shape (n_probabilities, 2, n)
        Furthest log price below and above, for `PROBABILITIES`, as stated.
    shortfall : ndarray of shape (2, n)
        Mean of what goes beyond that of `TAIL`, as stated.
    usual : ndarray of shape (n_usual, n)
        The forecasts of `USUAL`.
    har : ndarray of shape (k, n)
        Inputs of a HAR regression with hours.
    excursion : ndarray of shape (2, n)
        Furthest log price below and above that came.
    ranged, variance, moved : ndarray of shape (n,)
        What came within the horizon: logarithm of the range, sum of squared log returns, log return.
    """

    day: IntArray
    month: IntArray
    hour: IntArray
    sigma: FloatArray
    log_range: FloatArray
    quantile: FloatArray
    shortfall: FloatArray
    usual: FloatArray
    har: FloatArray
    excursion: FloatArray
    ranged: FloatArray
    variance: FloatArray
    moved: FloatArray

    @classmethod
    def of(cls, market: Market, config: HeatmapConfig, horizon: int) -> Self:
        """Lay out all rows of a market.

        Parameters
        ----------
        market : Market
        config : HeatmapConfig
        horizon : int
            Candles, at least 1.
        """
        outlook = outlook_of(market, config)
        sigma = outlook.sigma(horizon)
        sigma = np.where(sigma > 0, sigma, np.nan)
        closing = (market.tick + 1) * market.interval
        steps = np.diff(np.log(market.close), prepend=np.log(market.close[:1]))
        day = (closing - 1) // DAY
        return cls(
            day=day,
            month=day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64),
            hour=(closing - 1) // HOUR % 24,
            sigma=sigma,
            log_range=np.log(sigma) + mean_log_range(config.reach),
            quantile=np.stack([_logarithms(outlook.quantile, p, horizon) for p in PROBABILITIES]),
            shortfall=_logarithms(outlook.shortfall, TAIL, horizon),
            usual=_usual(market, steps**2),
            har=har_inputs(steps**2, closing, market.interval).T,
            **_outcomes(market, steps, horizon),
        )

    def taken(self, rows: BoolArray | IntArray | slice) -> Self:
        """Return some rows."""
        return type(self)(**{f.name: getattr(self, f.name)[..., rows] for f in dataclasses.fields(self)})

    @classmethod
    def joined(cls, parts: "Sequence[Self]") -> Self:
        """Return the rows of several markets, one after another. Days of the same date stay one day."""
        names = [f.name for f in dataclasses.fields(cls)]
        return cls(**{n: np.concatenate([getattr(p, n) for p in parts], axis=-1) for n in names})


def mean_log_range(rule: ReachRule) -> float:
    """Mean logarithm of the range over sigma that the nodes of reach ask for."""
    return MEAN_LOG_RANGE + float(np.dot(rule.node_weights, np.log(rule.nodes)))


def _logarithms(
    stated: "Callable[[Where, float, int], FloatArray]", probability: float, horizon: int
) -> FloatArray:
    """Turn fractions of the close, below and above, into logarithms of price; (2, n)."""
    below, above = (stated(where, probability, horizon) for where in ("below", "above"))
    return np.stack([-np.log1p(-below), np.log1p(above)])


def _usual(market: Market, variance: FloatArray) -> FloatArray:
    prices = market.high, market.low, market.close
    day, hours = DAY // market.interval, 14 * HOUR // market.interval
    forecasts = (
        np.sqrt(exponential_mean(variance, HALF_LIFE)),
        np.sqrt(realised_variance(variance, day)),
        average_true_range(*prices, 14),
        average_true_range(*prices, hours),
    )
    return np.stack([np.where(forecast > 0, forecast, np.nan) for forecast in forecasts])


def _outcomes(market: Market, steps: FloatArray, horizon: int) -> dict[str, FloatArray]:
    """Look ahead, outcomes by name; NaN where the horizon is not over, or a candle of it is missing."""
    n = market.tick.size
    whole = np.zeros(n, dtype=np.bool_)
    whole[: max(n - horizon, 0)] = market.tick[horizon:] - market.tick[: n - horizon] == horizon
    below = furthest_excursion(market.low, market.close, horizon, above=False)
    above = furthest_excursion(market.high, market.close, horizon, above=True)
    variance, moved, ranged = (np.full(n, np.nan) for _ in range(3))
    if n > horizon:
        variance[:-horizon] = trailing_sum(steps**2, horizon)[horizon:]
        moved[:-horizon] = np.log(market.close[horizon:] / market.close[:-horizon])
        ranged[:-horizon] = _log_range(market, horizon)
    came = {
        "excursion": np.stack([below, above]),
        "ranged": ranged,
        "variance": variance,
        "moved": moved,
    }
    return {name: np.where(whole, values, np.nan) for name, values in came.items()}


def _log_range(market: Market, horizon: int) -> FloatArray:
    """Logarithm of the range of the candles after each row, NaN where price stood still; (n - horizon,)."""
    view = np.lib.stride_tricks.sliding_window_view
    high, low = view(market.high[1:], horizon).max(axis=1), view(market.low[1:], horizon).min(axis=1)
    ranges = np.log(high / low)
    logs: FloatArray = np.log(np.where(ranges > 0, ranges, np.nan))
    return logs
