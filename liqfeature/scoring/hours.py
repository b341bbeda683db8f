"""Hours: what was recorded in each, and what price did meanwhile."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqfeature.candles import Candles
from liqfeature.checks import require
from liqfeature.errors import DataError
from liqfeature.scoring.recorded import TOTALS
from liqfeature.tables import numbers, times
from liqfeature.types import LONG, SHORT, BoolArray, FloatArray, IntArray

HOUR = 3_600_000
"""Milliseconds."""

HOURS_PER_DAY = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Consecutive hours over the candles; longs first in every axis of sides.

    Parameters
    ----------
    first : int
        Number of the first hour since 1970.
    of_candle : ndarray of shape (n,)
        Hour of each candle, counted from `first`.
    whole : ndarray of shape (n_hours,)
        Candles in each hour over those that belong into it; below 1 where some are missing.
    recorded : ndarray of shape (2, n_hours)
        Recorded notional; NaN where nothing was recorded, or the hour is not to be scored.
    path : ndarray of shape (2, n_hours)
        Sum over candles of relative fall (rise) times volume.
    range : ndarray of shape (n_hours,)
        Logarithm of high over low.
    volume : ndarray of shape (n_hours,)
        Base currency.
    """

    first: int
    of_candle: IntArray
    whole: FloatArray
    recorded: FloatArray
    path: FloatArray
    range: FloatArray
    volume: FloatArray

    @property
    def day(self) -> IntArray:
        """Day since 1970 of each hour."""
        days: IntArray = (self.first + np.arange(self.volume.size)) // HOURS_PER_DAY
        return days

    def total(self, values: FloatArray) -> FloatArray:
        """Sum candles to hours, (2, n) to (2, n_hours); NaN where a candle is NaN or missing."""
        sums = np.stack([np.bincount(self.of_candle, side, self.volume.size) for side in values])
        return np.where(self.whole == 1.0, sums, np.nan)


def hours_of(candles: Candles, totals: pd.DataFrame, first_row: int, last_row: int) -> Hours:
    """Sum candles to hours and lay the recorded totals beside them.

    Parameters
    ----------
    candles : Candles
        Of a timeframe that divides an hour.
    totals : DataFrame
        `date, long, short`: opening of each hour and what was liquidated within it.
    first_row, last_row : int
        Candles between which, both included, hours are scored; the recorded totals of others become NaN.

    Raises
    ------
    ConfigError
        If the timeframe does not divide an hour.
    DataError
        If totals are not of whole hours.
    """
    minutes = f"{candles.interval / 60_000:g} minutes"
    require("timeframe", HOUR % candles.interval == 0, "one that divides an hour", minutes)
    opening = candles.tick * candles.interval
    hour = opening // HOUR
    first = int(hour[0])
    of_candle = hour - first
    n_hours = int(of_candle[-1]) + 1
    before = np.concatenate([candles.close[:1], candles.close[:-1]])
    fall = np.maximum(1.0 - candles.low / before, 0.0) * candles.volume
    rise = np.maximum(candles.high / before - 1.0, 0.0) * candles.volume
    high, low = np.zeros(n_hours), np.full(n_hours, np.inf)
    np.maximum.at(high, of_candle, candles.high)
    np.minimum.at(low, of_candle, candles.low)
    count = np.bincount(of_candle, minlength=n_hours)
    whole = count * candles.interval / HOUR
    with np.errstate(divide="ignore"):
        log_range = np.where(count > 0, np.log(high / low), np.nan)
    recorded = _recorded(totals, first, n_hours)
    recorded[:, : _first_whole(of_candle, first_row)] = np.nan
    if last_row + 1 < of_candle.size:
        recorded[:, int(of_candle[last_row + 1]) :] = np.nan
    return Hours(
        first=first,
        of_candle=of_candle,
        whole=whole,
        recorded=np.where(whole == 1.0, recorded, np.nan),
        path=np.stack([np.bincount(of_candle, p, n_hours) for p in (fall, rise)]),
        range=log_range,
        volume=np.bincount(of_candle, candles.volume, n_hours).astype(np.float64),
    )


def recorded_share(hours: Hours, swept: FloatArray, rows: BoolArray | slice) -> float:
    """Notional recorded over what a map swept, (2, n_hours), in the given hours, both sides together.

    Raises
    ------
    DataError
        If either is nothing.
    """
    known = np.where(np.isnan(hours.recorded + swept), 0.0, 1.0)[:, rows]
    recorded, forced = (float(np.nansum(values[:, rows] * known)) for values in (hours.recorded, swept))
    if not (recorded > 0 and forced > 0):
        msg = f"recorded and swept notional must be above 0, received {recorded:g} and {forced:g}"
        raise DataError(msg)
    return recorded / forced


def _first_whole(of_candle: IntArray, row: int) -> int:
    """First hour that begins at `row` or later."""
    hour = int(of_candle[row])
    return hour + 1 if row > 0 and of_candle[row - 1] == hour else hour


def _recorded(totals: pd.DataFrame, first: int, n_hours: int) -> FloatArray:
    time = times(totals, "liquidations")
    if (odd := np.flatnonzero(time % HOUR)).size:
        at = totals["date"].iloc[int(odd[0])]
        message = f"liquidations: column 'date' must hold the opening of hours, received {at} in row {odd[0]}"
        raise DataError(message)
    hour = time // HOUR - first
    inside = (hour >= 0) & (hour < n_hours)
    recorded = np.full((2, n_hours), np.nan)
    for side, column in ((LONG, TOTALS[1]), (SHORT, TOTALS[2])):
        recorded[side, hour[inside]] = numbers(totals, column, "liquidations")[inside]
    return recorded
