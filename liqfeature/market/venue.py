"""Another exchange on which the same coin trades: what is known of it, and when it was."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import pandas as pd

from liqfeature.checks import require
from liqfeature.errors import DataError
from liqfeature.market.frames import moments, times
from liqfeature.market.rule import JoinRule
from liqfeature.types import BoolArray, FloatArray, IntArray

BASIS_CANDLES = 12
"""Closes over whose median the distance between two exchanges' prices is taken."""

WIDEST_BASIS = 0.25
"""Logarithm of the ratio of closes over which two exchanges' coins are not the same, or count otherwise."""

AVAILABLE = "available"
"""Column of a frame: when the row was received. Without it every row came in time."""


class Walked(Protocol):
    """A configuration of the estimate, as far as frames are joined by it."""

    @property
    def join_rule(self) -> JoinRule:
        """How the frames of a market are joined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """One more exchange for the map: its frames of the same timeframe, and its configuration.

    Parameters
    ----------
    candles : DataFrame
        As the traded exchange's: `date, open, high, low, close, volume`. A column `available`, moments, says
        when each row was received; a row that came after a later one is never used.
    config : HeatmapConfig
        `HeatmapConfig.for_pair` of that exchange: its `leverage` and its `flow` count, all else is that of
        the traded exchange.
    open_interest, funding_rate, mark : DataFrame, optional
        As in `Inputs`; `open_interest`, too, may say when it was `available`. Without open interest an
        exchange is never fresh.
    multiple : float
        Coins of that exchange in one of the traded pair: 1000 where 1000PEPE is traded, and PEPE there.
    wait : float
        Seconds after a candle's close that a bot waits for this exchange: a row that was available later
        counts for the next candle.
    """

    candles: pd.DataFrame
    config: Walked
    open_interest: pd.DataFrame | None = None
    funding_rate: pd.DataFrame | None = None
    mark: pd.DataFrame | None = None
    multiple: float = 1.0
    wait: float = 0.0

    def __post_init__(self) -> None:
        require("multiple", 0 < self.multiple < math.inf, "above 0", self.multiple)
        require("wait", 0 <= self.wait < math.inf, "at least 0", self.wait)


class Known(NamedTuple):
    """Frames of a venue without what came too late, and at which of the traded candles the rest was known.

    `stop[t]` counts the venue's candles that are known with the traded candle t.
    """

    candles: pd.DataFrame
    open_interest: pd.DataFrame | None
    stop: IntArray

    @classmethod
    def of(cls, venue: Venue, time: IntArray, interval: int) -> Self:
        """Find what a bot knew that waited as long after each close as the venue says.

        Parameters
        ----------
        venue : Venue
        time : ndarray of shape (n,)
            Opening of each traded candle in milliseconds.
        interval : int
            Milliseconds from one candle to the next.

        Raises
        ------
        MissingColumnError, DataError
        """
        last = time + interval + round(venue.wait * 1000)  # until when a bot waits
        first = int(time[0]) - venue.config.join_rule.lookback * interval if time.size else 0
        own = times(venue.candles, "candles")
        if (odd := np.flatnonzero((own - time[:1]) % interval)).size:
            grid, at = f"the traded grid of {interval // 1000} seconds", venue.candles["date"].iloc[odd[0]]
            message = f"candles: column 'date' must lie on {grid}, received {at} in row {odd[0]}"
            raise DataError(message)
        at = np.searchsorted(time, own, side="left")
        received = _received(venue.candles)
        if received is not None:
            at = np.maximum(at, np.searchsorted(last, received, side="left"))
        kept = (at < time.size) & (own >= first) & (at == _least_to_come(at))
        stop = np.searchsorted(at[kept], np.arange(time.size), side="right").astype(np.int64)
        interest = venue.open_interest
        if interest is not None and not interest.empty:
            interest = _only(interest, _in_time(interest, own[kept] + interval, last[at[kept]], first))
        return cls(_only(venue.candles, kept), interest, stop)


def _only(frame: pd.DataFrame, kept: BoolArray) -> pd.DataFrame:
    return frame if kept.all() else frame[kept]


def _in_time(rows: pd.DataFrame, closing: IntArray, due: IntArray, first: int) -> BoolArray:
    """Which rows of open interest were there when the first candle that could use them was walked."""
    stamp = times(rows, "open interest")
    in_time: BoolArray = stamp >= first
    received = _received(rows)
    if received is not None and stamp.size > 1 and closing.size:
        user = np.searchsorted(closing, stamp + int(np.diff(stamp).min()), side="left")
        in_time &= (user == closing.size) | (received <= due[np.minimum(user, closing.size - 1)])
    return in_time


def _received(frame: pd.DataFrame) -> IntArray | None:
    if AVAILABLE not in frame.columns:
        return None
    return moments(pd.DataFrame({"date": frame[AVAILABLE]}), f"column {AVAILABLE!r}")


def _least_to_come(at: IntArray) -> IntArray:
    """Least of each entry and all after it."""
    least: IntArray = np.minimum.accumulate(at[::-1])[::-1]
    return least


def basis_at(
    close: FloatArray, tick: IntArray, traded_close: FloatArray, traded_tick: IntArray, stop: IntArray
) -> FloatArray:
    """Return by how much a venue's price lies above the traded one: the median of the last closes.

    Parameters
    ----------
    close, tick : ndarray of shape (n_venue,)
        Of the venue's candles.
    traded_close, traded_tick : ndarray of shape (n,)
    stop : ndarray of shape (n,)
        Candles of the venue that are known with each traded one.

    Returns
    -------
    ndarray of shape (n,)
        Logarithm of the ratio of prices; 0 before there is a candle of both.

    Raises
    ------
    DataError
        If the closes cannot be of the same coin.
    """
    at = np.minimum(np.searchsorted(traded_tick, tick), max(traded_tick.size - 1, 0))
    both = traded_tick[at] == tick if tick.size else np.zeros(0, dtype=np.bool_)
    if not both.any():
        return np.zeros(traded_tick.size)
    ratio = np.log(close[both] / traded_close[at[both]])
    if abs(usual := float(np.median(ratio))) > WIDEST_BASIS:
        message = (
            "candles: column 'close' must be that of the traded coin, "
            f"received {math.exp(usual):.3g} times as much: another coin, or `multiple` must say how many"
        )
        raise DataError(message)
    padded = np.concatenate([np.full(BASIS_CANDLES - 1, ratio[0]), ratio])
    median = np.median(np.lib.stride_tricks.sliding_window_view(padded, BASIS_CANDLES), axis=1)
    known = np.concatenate([[0], np.cumsum(both)])[stop]
    return np.where(known > 0, median[np.maximum(known - 1, 0)], 0.0)


def venues_given(venues: Any) -> Mapping[str, Venue]:
    """Check what was given as `venues`: exchanges' names and a `Venue` of each; none where it is None.

    Raises
    ------
    DataError
    """
    given = {} if venues is None else venues
    if not isinstance(given, Mapping):
        message = f"venues must be a mapping of names to Venue, received {type(given).__name__}"
        raise DataError(message)
    for name, venue in given.items():
        if not isinstance(venue, Venue):
            message = f"venue {name} must be a Venue, received {type(venue).__name__}"
            raise DataError(message)
    return given
