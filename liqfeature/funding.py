"""Funding that is about to fall due."""

from datetime import datetime

import numpy as np
import pandas as pd

from liqfeature.checks import require_at_least
from liqfeature.join import FUNDING_REFRESH
from liqfeature.risk import sign_of
from liqfeature.tables import numbers, times

_HOUR = 3600.0


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
    time = times(candles, "candles")
    nothing = pd.Series(np.nan, index=candles.index)
    if funding_rate is None or funding_rate.empty or time.size < 2:
        return nothing
    known_at = times(funding_rate, "funding") + FUNDING_REFRESH
    rate = numbers(funding_rate, "funding_rate", "funding")
    row = np.searchsorted(known_at, time + int(np.min(np.diff(time))), side="right") - 1
    return nothing.where(row < 0, rate[np.maximum(row, 0)])


def hours_to_funding(now: datetime, every: float = 8.0) -> float:
    """Return the hours until funding falls due, above 0 and at most `every`; counted from midnight, UTC.

    Parameters
    ----------
    now : datetime
        With a time zone.
    every : float, default 8.0
        Hours from one payment to the next, above 0.
    """
    require_at_least(1e-9, every=every)
    return every - now.timestamp() % (every * _HOUR) / _HOUR


def funding_is_adverse(rate: float, *, is_short: bool, least: float) -> bool:
    """Return whether a position would pay at least `least` of its notional; False where `rate` is NaN."""
    return bool(sign_of(is_short) * rate >= least)
