"""Hours: what was recorded in each, and what price did meanwhile."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqfeature.checks import require
from liqfeature.durations import DAY, HOUR, MINUTE
from liqfeature.errors import DataError
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.market.liquidations import totals_of
from liqfeature.market.market import Market
from liqfeature.types import BoolArray, FloatArray, IntArray

HOURS_PER_DAY = 24

LONGEST_SILENCE = DAY // 2
"""Milliseconds between two orders after which nobody listened, where only the orders show it."""


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

    @property
    def known(self) -> BoolArray:
        """Whether each hour is scored: recorded on both sides."""
        known: BoolArray = ~np.isnan(np.sum(self.recorded, axis=0))
        return known

    def earliest(self, share: float) -> BoolArray:
        """Mark a share of the scored hours, the first ones."""
        number = np.cumsum(self.known)
        earliest: BoolArray = self.known & (number <= share * number[-1])
        return earliest

    def total(self, values: FloatArray) -> FloatArray:
        """Sum candles to hours, (2, n) to (2, n_hours); NaN where a candle is NaN or missing."""
        sums = np.stack([np.bincount(self.of_candle, side, self.volume.size) for side in values])
        return np.where(self.whole == 1.0, sums, np.nan)


def hours_of(market: Market, liquidations: pd.DataFrame, first_row: int, last_row: int) -> Hours:
    """Sum candles to hours and lay beside them what was recorded.

    Parameters
    ----------
    market : Market
        Of a timeframe that divides an hour.
    liquidations : DataFrame
        Totals of periods that divide an hour, or single orders, quote currency. Orders more than half a day
        apart show that nobody listened between them.
    first_row, last_row : int
        Candles between which, both included, hours are scored; what was recorded in others becomes NaN.

    Raises
    ------
    ConfigError
        If the timeframe does not divide an hour.
    DataError
        If totals are of longer periods, or no hour is recorded that can be scored.
    """
    minutes = f"{market.interval / MINUTE:g} minutes"
    require("timeframe", HOUR % market.interval == 0, "one that divides an hour", minutes)
    hour = market.tick * market.interval // HOUR
    first = int(hour[0])
    of_candle = hour - first
    n_hours = int(of_candle[-1]) + 1
    whole = np.bincount(of_candle) * market.interval / HOUR
    recorded = np.where(whole == 1.0, _recorded(liquidations, first, n_hours), np.nan)
    recorded[:, : _first_whole(of_candle, first_row)] = np.nan
    if last_row + 1 < of_candle.size:
        recorded[:, int(of_candle[last_row + 1]) :] = np.nan
    if np.all(np.isnan(recorded)):
        begun, ended = liquidations["date"].min(), liquidations["date"].max()
        message = f"liquidations must cover hours of the candles that are scored, received {begun} to {ended}"
        raise DataError(message)
    return Hours(
        first=first,
        of_candle=of_candle,
        whole=whole,
        recorded=recorded,
        path=np.stack([np.bincount(of_candle, p) for p in _paths(market)]),
        range=_log_range(market, of_candle, n_hours),
        volume=np.bincount(of_candle, market.volume).astype(np.float64),
    )


def scored_rows(
    candles: pd.DataFrame, config: HeatmapConfig, first: pd.Timestamp | None, last: pd.Timestamp | None
) -> tuple[int, int]:
    """First and last candle that is scored: after warm-up, and within the dates."""
    date = candles["date"]
    begin = config.warmup if first is None else max(int(date.searchsorted(first)), config.warmup)
    stop = len(candles) if last is None else int(date.searchsorted(last, side="right"))
    if stop - begin < 1:
        message = (
            f"candles must reach past the warm-up of {config.warmup} into the dates, received {len(candles)}"
        )
        raise DataError(message)
    return begin, stop - 1


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
        message = f"recorded and swept notional must be above 0, received {recorded:g} and {forced:g}"
        raise DataError(message)
    return recorded / forced


def _first_whole(of_candle: IntArray, row: int) -> int:
    """First hour that begins at `row` or later."""
    hour = int(of_candle[row])
    return hour + 1 if row > 0 and of_candle[row - 1] == hour else hour


def _paths(market: Market) -> FloatArray:
    """Relative fall and rise from the previous close, times volume; shape (2, n)."""
    before = np.concatenate([market.close[:1], market.close[:-1]])
    moves = np.stack([1.0 - market.low / before, market.high / before - 1.0])
    paths: FloatArray = np.maximum(moves, 0.0) * market.volume
    return paths


def _log_range(market: Market, of_candle: IntArray, n_hours: int) -> FloatArray:
    """Logarithm of each hour's high over its low; NaN without candles."""
    high, low = np.full(n_hours, np.nan), np.full(n_hours, np.nan)
    np.fmax.at(high, of_candle, market.high)
    np.fmin.at(low, of_candle, market.low)
    log_range: FloatArray = np.log(high / low)
    return log_range


def _recorded(liquidations: pd.DataFrame, first: int, n_hours: int) -> FloatArray:
    totals = totals_of(liquidations, HOUR, silence=LONGEST_SILENCE)
    if totals.period != HOUR:
        message = f"liquidations: periods must divide an hour, received {totals.period / MINUTE:g} minutes"
        raise DataError(message)
    hour = totals.begin // HOUR - first + np.arange(totals.amount.shape[1])
    inside = (hour >= 0) & (hour < n_hours)
    recorded = np.full((2, n_hours), np.nan)
    recorded[:, hour[inside]] = totals.amount[:, inside]
    return recorded
