"""Candles of any interval that Binance offers, gathered from the minutes of a tape."""

from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Literal, Self

import numpy as np

from liqfeature.durations import MINUTE
from liqfeature.sandbox.simulation.tape import Tape
from liqfeature.types import FloatArray, IntArray

INTERVALS = {
    "1m": 1,
    "3m": 3,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1h": 60,
    "2h": 120,
    "4h": 240,
    "6h": 360,
    "8h": 480,
    "12h": 720,
    "1d": 1440,
    "3d": 4320,
    "1w": 10080,
}
"""Minutes per interval; of Binance's intervals only the calendar month is left out."""

_FIRST_MONDAY = 4 * 1440
"""Minutes from 1970-01-01, a Thursday, to the Monday on which Binance's weeks start."""

Price = Literal["last", "mark"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Candles of one interval; every array has one entry per candle.

    Parameters
    ----------
    interval : int
        Milliseconds per candle.
    open_time : ndarray of shape (n_bars,)
        Milliseconds since 1970.
    open, high, low, close : ndarray of shape (n_bars,)
        Quote per base.
    volume, quote_volume, taker_buy_volume : ndarray of shape (n_bars,)
        Base, quote, base; of trades, also for bars of the mark price.
    """

    interval: int
    open_time: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    quote_volume: FloatArray
    taker_buy_volume: FloatArray

    def rows(self, selected: slice) -> Self:
        """Return some of the candles."""
        return self._of({name: getattr(self, name)[selected] for name in _PER_CANDLE})

    def then(self, later: Self) -> Self:
        """Return these candles and later ones of the same interval."""
        both = {name: np.concatenate([getattr(self, name), getattr(later, name)]) for name in _PER_CANDLE}
        return self._of(both)

    def _of(self, columns: dict[str, Any]) -> Self:
        return type(self)(interval=self.interval, **columns)


_PER_CANDLE = tuple(field.name for field in fields(Bars) if field.name != "interval")


def bars(tape: Tape, interval: str, price: Price = "last") -> Bars:
    """Gather minutes into whole candles that open where Binance's open.

    Parameters
    ----------
    tape : Tape
        Minutes of one pair.
    interval : str
        A key of `INTERVALS`.
    price : {"last", "mark"}
        Which price the candles show.

    Returns
    -------
    Bars
        None where the tape holds no whole candle.
    """
    minutes = INTERVALS[interval]
    skipped = (_phase(interval) - tape.start // MINUTE) % minutes
    count = max(0, (len(tape.close) - skipped) // minutes)
    gather = partial(_by_bar, skipped=skipped, shape=(count, minutes))
    prefix = "mark_" if price == "mark" else ""
    return Bars(
        interval=minutes * MINUTE,
        open_time=tape.start + (skipped + minutes * np.arange(count, dtype=np.int64)) * MINUTE,
        open=gather(getattr(tape, prefix + "open"))[:, 0],
        high=gather(getattr(tape, prefix + "high")).max(axis=1),
        low=gather(getattr(tape, prefix + "low")).min(axis=1),
        close=gather(getattr(tape, prefix + "close"))[:, -1],
        volume=gather(tape.volume).sum(axis=1),
        quote_volume=gather(tape.quote_volume).sum(axis=1),
        taker_buy_volume=gather(tape.taker_buy_volume).sum(axis=1),
    )


def forming(tape: Tape, interval: str, now: int, price: Price = "last") -> Bars:
    """Gather the candle that is still open.

    Parameters
    ----------
    tape : Tape
        Minutes of one pair.
    interval : str
        A key of `INTERVALS`.
    now : int
        Milliseconds since 1970. Of a minute that is still open only its first price is known.
    price : {"last", "mark"}
        Which price the candle shows.

    Returns
    -------
    Bars
        One candle; none where the tape ends at `now` or before, or begins inside the candle.
    """
    minutes, minute = INTERVALS[interval], now // MINUTE
    opened = minute - (minute - _phase(interval)) % minutes
    first, running = opened - tape.start // MINUTE, minute - tape.start // MINUTE
    if first < 0 or running >= len(tape.close):
        return bars(tape, interval, price).rows(slice(0, 0))
    over = slice(first, running)
    prefix = "mark_" if price == "mark" else ""
    opens, highs, lows = (getattr(tape, prefix + name) for name in ("open", "high", "low"))
    current = float(opens[running])
    return Bars(
        interval=minutes * MINUTE,
        open_time=np.array([opened * MINUTE]),
        open=opens[first : first + 1],
        high=np.array([highs[over].max(initial=current)]),
        low=np.array([lows[over].min(initial=current)]),
        close=np.array([current]),
        volume=np.array([tape.volume[over].sum()]),
        quote_volume=np.array([tape.quote_volume[over].sum()]),
        taker_buy_volume=np.array([tape.taker_buy_volume[over].sum()]),
    )


def open_interest_at(tape: Tape, interval: str) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return open interest at round times.

    Parameters
    ----------
    tape : Tape
        Minutes of one pair; its open interest is known at the close of each.
    interval : str
        A key of `INTERVALS`.

    Returns
    -------
    time : ndarray of shape (n_rows,)
        Milliseconds since 1970; the row is the state at this time.
    amount : ndarray of shape (n_rows,)
        Base.
    value : ndarray of shape (n_rows,)
        Quote, at the mark price of the same time.
    """
    minutes = INTERVALS[interval]
    closes = tape.start // MINUTE + 1
    rows = np.arange((-closes) % minutes, len(tape.open_interest), minutes, dtype=np.int64)
    amount = tape.open_interest[rows]
    return (closes + rows) * MINUTE, amount, amount * tape.mark_close[rows]


def _phase(interval: str) -> int:
    return _FIRST_MONDAY if interval == "1w" else 0


def _by_bar(minutes: FloatArray, *, skipped: int, shape: tuple[int, int]) -> FloatArray:
    return minutes[skipped : skipped + shape[0] * shape[1]].reshape(shape)
