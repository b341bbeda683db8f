"""Payments of funding as a bot knows them at each close: the last one, and how often they come."""

import numpy as np
import pandas as pd

from liqfeature.durations import HOUR
from liqfeature.market.frames import numbers, require_same_zone, times
from liqfeature.market.funding import FUNDING_REFRESH, rate_column
from liqfeature.types import FloatArray

_FEWEST = 2
"""Rows by which an interval is known."""


def last_funding(candles: pd.DataFrame, funding_rate: pd.DataFrame | None) -> pd.Series:
    """Return the last payment known at the close of each candle; the next one usually resembles it.

    Parameters
    ----------
    candles : DataFrame
        `date`.
    funding_rate : DataFrame or None
        Freqtrade's frame: `date, funding_rate`. A live bot knows a row an hour after its stamp.

    Returns
    -------
    Series
        Fraction of notional that longs paid; NaN before the first payment, or without any.
    """
    if funding_rate is None or funding_rate.empty or len(candles) < _FEWEST:
        return pd.Series(np.nan, index=candles.index)
    rate = numbers(funding_rate, rate_column(funding_rate), "funding")
    return _known(candles, funding_rate, rate)


def funding_interval(candles: pd.DataFrame, funding_rate: pd.DataFrame | None) -> pd.Series:
    """Return the hours from one payment to the next, as far as they are known at the close of each candle.

    Exchanges have 1, 2, 4 or 8 hours, and change it for a pair. The shorter of the last two intervals counts,
    so that a missing row is none, and a change to a shorter one is known at once.

    Parameters
    ----------
    candles, funding_rate
        As in `last_funding`.

    Returns
    -------
    Series
        Whole hours; NaN before the second payment.
    """
    if funding_rate is None or len(funding_rate) < _FEWEST or len(candles) < _FEWEST:
        return pd.Series(np.nan, index=candles.index)
    stamp = times(funding_rate, "funding")
    gap = np.round(np.diff(stamp, prepend=stamp[:1]) / HOUR)
    gap[0] = np.nan
    shorter = np.fmin(gap, np.concatenate([gap[:1], gap[:-1]]))
    return _known(candles, funding_rate, np.maximum(shorter, 1.0))


def _known(candles: pd.DataFrame, funding_rate: pd.DataFrame, values: FloatArray) -> pd.Series:
    """Return the last of the values that a live bot knows at the close of each candle."""
    require_same_zone(funding_rate, candles, "funding rate")
    time = times(candles, "candles")
    stamp = times(funding_rate, "funding")
    row = np.searchsorted(stamp + FUNDING_REFRESH, time + int(np.min(np.diff(time))), side="right") - 1
    return pd.Series(np.where(row < 0, np.nan, values[np.maximum(row, 0)]), index=candles.index)
