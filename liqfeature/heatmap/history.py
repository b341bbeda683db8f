"""The map through time: what rested where, candle after candle, as sparse cells."""

from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np
import pandas as pd

from liqfeature.checks import require
from liqfeature.errors import DataError
from liqfeature.estimate.config import HeatmapConfig, configuration
from liqfeature.estimate.prepare import prepare_scan
from liqfeature.estimate.scan import Scan
from liqfeature.heatmap.snapshot import live_moments, live_notional
from liqfeature.market.market import Inputs, Market
from liqfeature.sides import LONG, SHORT
from liqfeature.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Cells that hold something, by time and then price; every array has shape (n_cells,).

    Parameters
    ----------
    time : ndarray
        Index into `HeatmapHistory.date`.
    price : ndarray
        Index of the row; it lies between `HeatmapHistory.edge[price]` and the edge after it.
    notional : ndarray
        Quote currency, above 0.
    age : ndarray
        Candles since its opening, weighted by notional.
    """

    time: IntArray
    price: IntArray
    notional: FloatArray
    age: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatmapHistory:
    """Estimated notional by time and liquidation price.

    Parameters
    ----------
    date, last : DatetimeIndex
        Opening of the first and of the last candle of each column, UTC; shape (n_times,).
    interval : int
        Milliseconds from one candle to the next.
    span : int
        Candles in a column; the last column may hold fewer.
    edge : ndarray of shape (n_prices + 1,)
        Prices between the rows, ascending.
    close, open_interest : ndarray of shape (n_times,)
        At the close of each column's last candle; open interest in base currency, one side.
    long, short : Cells
        A cell holds the most that rested in its row at the close of any candle of its column.
    live : ndarray of shape (2, n_prices)
        Notional by side and row at the close of the last candle.
    """

    date: pd.DatetimeIndex
    last: pd.DatetimeIndex
    interval: int
    span: int
    edge: FloatArray
    close: FloatArray
    open_interest: FloatArray
    long: Cells
    short: Cells
    live: FloatArray

    @property
    def price(self) -> FloatArray:
        """Middle of each row, shape (n_prices,)."""
        return 0.5 * (self.edge[1:] + self.edge[:-1])

    @property
    def sides(self) -> tuple[Cells, Cells]:
        """Cells of longs and of shorts, by index of the side."""
        return self.long, self.short


def heatmap_history(
    candles: pd.DataFrame,
    config: HeatmapConfig | None = None,
    *,
    first: pd.Timestamp | None = None,
    last: pd.Timestamp | None = None,
    margin: float | None = None,
    leverage: tuple[float, float] | None = None,
    max_times: int = 720,
    max_prices: int = 240,
    row_bins: int | None = None,
    **inputs: Unpack[Inputs],
) -> HeatmapHistory:
    """Estimate what rested at which price, at the close of each of a range of candles.

    Parameters
    ----------
    candles, config
        As for `liquidation_features`; candles earlier than the warm-up of the first one change nothing.
    first, last : Timestamp, optional
        Opening of the first and of the last candle, UTC; default: all candles after the warm-up.
    margin : float, optional
        Rows reach this fraction of price under the lowest low of the range, and the same distance in
        logarithm over its highest high; default `config.band`.
    leverage : tuple of float, optional
        Lowest and highest leverage of the positions to show; default all. Parts add up to the whole.
    max_times, max_prices : int
        Columns and rows at most; where there are more candles or bins, they are gathered.
    row_bins : int, optional
        Bins in a row, whatever `max_prices` says; rows of several ranges then fit each other.
    **inputs
        As for `liquidation_features`.

    Returns
    -------
    HeatmapHistory

    Raises
    ------
    ConfigError, DataError
        If a parameter breaks its rule, no candle of the range is warmed up, or the frames break a rule.

    Notes
    -----
    Bins of the grid gathered in one row are added up, and of the candles gathered in one column the largest
    sum counts, with its age: a cluster keeps its peak however short it stood, and a column of several
    candles may hold more than ever rested at once. The positions of rows do not depend on the range.
    """
    config = configuration(config)
    require("max_times", max_times >= 1, "at least 1", max_times)
    require("max_prices", max_prices >= 1, "at least 1", max_prices)
    require("row_bins", row_bins is None or row_bins >= 1, "at least 1", row_bins)
    require("margin", margin is None or 0 <= margin < 1, "at least 0 and below 1", margin)
    shown, share = _of_leverage(config, leverage)
    begin, stop = _rows(candles, config, first, last)
    used = candles.iloc[max(begin - config.warmup + 1, 0) : stop]
    begin -= max(begin - config.warmup + 1, 0)
    market = Market.of(used, config.join_rule, **inputs)
    scan = prepare_scan(market, shown)
    view = _view(scan, begin, config.band if margin is None else margin, max_prices, row_bins)
    return _walk(scan, used["date"], view, begin, max_times, share)


@dataclass(frozen=True, slots=True)
class _View:
    """Bins that are shown: `size` to a row, from bin `first` to before bin `stop`."""

    first: int
    stop: int
    size: int

    def in_rows(self, values: FloatArray) -> FloatArray:
        """Sum over the bins of each row: (2, n_bins) to (2, n_prices)."""
        shown = values[:, self.first : self.stop]
        sums: FloatArray = shown.reshape(2, -1, self.size).sum(axis=2)
        return sums


def _of_leverage(config: HeatmapConfig, leverage: tuple[float, float] | None) -> tuple[HeatmapConfig, float]:
    """Give all weight to the levels that are shown, and tell which share of the weight they had."""
    if leverage is None:
        return config, 1.0
    lowest, highest = leverage
    prior = config.leverage
    levels = prior.levels()
    weight = np.where((levels >= lowest) & (levels <= highest), prior.shares(), 0.0)
    share = float(np.sum(weight))
    occur = f"a range with one of the leverages that occur, {', '.join(f'{x:g}' for x in levels)}"
    require("leverage", share > 0, occur, leverage)
    part = replace(prior, weight=tuple(float(w) for w in weight / share))
    return replace(config, leverage=part), share


def _rows(
    candles: pd.DataFrame, config: HeatmapConfig, first: pd.Timestamp | None, last: pd.Timestamp | None
) -> tuple[int, int]:
    date = candles["date"]
    begin = config.warmup - 1
    if first is not None:
        begin = max(begin, int(date.searchsorted(first, side="left")))
    stop = len(candles) if last is None else int(date.searchsorted(last, side="right"))
    if begin >= stop:
        message = (
            f"candles must hold one of the range with {config.warmup - 1} before it, the warm-up, "
            f"received {len(candles)} and the range {first} to {last}"
        )
        raise DataError(message)
    return begin, stop


def _view(scan: Scan, begin: int, margin: float, max_prices: int, row_bins: int | None) -> _View:
    """Rows hold a whole number of bins, and begin at multiples of it on the grid, whose phase is fixed."""
    reach = int(np.ceil(-np.log1p(-margin) / scan.config.grid.width))
    n_bins = scan.reading.centre.shape[1]
    lowest = int(np.floor(np.min(scan.candles.low[begin:]))) - reach
    highest = int(np.floor(np.max(scan.candles.high[begin:]))) + reach
    lowest, highest = max(lowest, 0), min(highest, n_bins - 1)
    size = row_bins or -(-(highest - lowest + 1) // max_prices)
    first = lowest - (lowest + scan.origin) % size
    stop = highest + 1 + (-(highest + 1 + scan.origin)) % size
    if first < 0:
        first += size
    if stop > n_bins:
        stop -= size
    return _View(first, max(stop, first), size)


def _walk(
    scan: Scan, date: "pd.Series[pd.Timestamp]", view: _View, begin: int, max_times: int, share: float
) -> HeatmapHistory:
    n = len(date)
    span = -(-(n - begin) // max_times)
    starts = np.arange(begin, n, span)
    lasts = np.minimum(starts + span, n) - 1
    scan.run(0, begin)
    columns = [_column(scan, view, int(start), min(int(start) + span, n)) for start in starts]
    held = np.array([notional for notional, _ in columns]) * share
    age = np.array([age for _, age in columns])
    return HeatmapHistory(
        date=pd.DatetimeIndex(date.iloc[starts]),
        last=pd.DatetimeIndex(date.iloc[lasts]),
        interval=scan.market.interval,
        span=span,
        edge=scan.reading.edge[SHORT, view.first : view.stop + 1 : view.size],
        close=scan.market.close[lasts],
        open_interest=scan.candles.open_interest[lasts],
        long=_cells(held[:, LONG], age[:, LONG]),
        short=_cells(held[:, SHORT], age[:, SHORT]),
        live=view.in_rows(live_notional(scan)) * share,
    )


def _column(scan: Scan, view: _View, start: int, stop: int) -> tuple[FloatArray, FloatArray]:
    """Walk a column's candles; return the most that each row held, and its age: (2, n_prices) each."""
    most, age = _state(scan, view, start)
    for t in range(start + 1, stop):
        notional, its_age = _state(scan, view, t)
        more = notional > most
        most[more] = notional[more]
        age[more] = its_age[more]
    return most, age


def _state(scan: Scan, view: _View, t: int) -> tuple[FloatArray, FloatArray]:
    """Walk one candle; return notional and age by side and row."""
    scan.run(t, t + 1)
    notional = view.in_rows(live_notional(scan))
    moment = view.in_rows(live_moments(scan))
    now = float(scan.candles.tick[t] - scan.exposure.current[0] * scan.reading.generation)
    with np.errstate(invalid="ignore", divide="ignore"):
        return notional, np.maximum(now - moment / notional, 0.0)


def _cells(held: FloatArray, age: FloatArray) -> Cells:
    """Cells of one side, of (n_times, n_prices) each."""
    time, price = np.nonzero(held)
    return Cells(time=time, price=price, notional=held[time, price], age=age[time, price])
