"""Funding: which payments become known with a candle."""

import numpy as np
import pandas as pd

from liqfeature.durations import HOUR
from liqfeature.errors import DataError
from liqfeature.market.frames import numbers, times
from liqfeature.types import FloatArray, IntArray

FUNDING_REFRESH = HOUR
"""Milliseconds after which a live bot, which loads funding hourly, knows a payment for certain."""

MOST_FUNDING = 0.1
"""Exchanges cap a payment at a few percent of notional, and ask for one an hour at most."""

PERCENT, LEAST_PAYMENTS = 0.003, 12
"""Payments of which half exceed .3 % of notional only if they are percent: .01 is usual."""

PERCENT_HOURLY, LEAST_HOURS = 0.0012, 96
"""Over 96 hours and more, .12 % of notional an hour says so, too: .01 every eight hours is .00125 an hour."""


def rate_column(frame: pd.DataFrame) -> str:
    """Return the name of the column of rates: `funding_rate`, or `open`, as it was called before."""
    return "open" if "funding_rate" not in frame.columns and "open" in frame.columns else "funding_rate"


def join_funding(frame: pd.DataFrame | None, time: IntArray, interval: int) -> FloatArray:
    """Sum the payments that became known with each candle.

    Parameters
    ----------
    frame : DataFrame or None
        `date` and `funding_rate` (or `open`, its older name); NaN counts as no payment.
    time : ndarray of shape (n,)
        Opening of each candle in milliseconds.
    interval : int
        Milliseconds from one candle to the next.

    Returns
    -------
    ndarray of shape (n,)
        Fraction of notional that longs paid, 0 where nothing fell due.

    Raises
    ------
    MissingColumnError, DataError
        Naming the column, the rule and the value received; also for rates in percent, and for payments that
        become known with one candle and together exceed 10 % of notional per hour since the candle before.
    """
    funding = np.zeros(time.size)
    if frame is None or frame.empty or time.size == 0:
        return funding
    stamp = times(frame, "funding")
    known_at = stamp + FUNDING_REFRESH
    column = rate_column(frame)
    rate = np.nan_to_num(numbers(frame, column, "funding"), posinf=np.inf, neginf=-np.inf)
    _check_rates(rate, column, stamp)
    row = np.searchsorted(time + interval, known_at, side="left")
    inside = (row < time.size) & (known_at > time[0])
    np.add.at(funding, row[inside], rate[inside])
    hours = np.maximum(np.diff(time, prepend=time[0] - interval) / HOUR, 1.0)
    if (wrong := np.abs(funding) > MOST_FUNDING * hours).any():
        rule = f"sum to within {MOST_FUNDING} of 0 per hour"
        message = f"funding: column {column!r} must {rule}, received {funding[wrong][0]:g} with one candle"
        raise DataError(message)
    return funding


def _check_rates(rate: FloatArray, column: str, stamp: IntArray) -> None:
    if (wrong := np.abs(rate) > MOST_FUNDING).any():
        rule = f"a fraction of notional within {MOST_FUNDING} of 0"
        message = f"funding: column {column!r} must be {rule}, received {rate[wrong][0]}"
        raise DataError(message)
    hours = np.maximum(np.diff(stamp, prepend=stamp[:1]) / HOUR, 1.0)
    paid = rate != 0
    hourly = PERCENT_HOURLY if hours[paid].sum() >= LEAST_HOURS else PERCENT
    largest = np.minimum(hourly * hours, PERCENT)
    if paid.sum() >= LEAST_PAYMENTS and np.median(np.abs(rate / largest)[paid]) > 1:
        usual = float(np.median(np.abs(rate[paid])))
        received = f"{usual:g} as the median of {paid.sum()} payments"
        message = f"funding: column {column!r} must be fractions, not percent, received {received}"
        raise DataError(message)
