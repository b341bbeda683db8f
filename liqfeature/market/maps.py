"""Maps made elsewhere: a vendor's, or positions that were measured. Which of them is known at a close."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from liqfeature.errors import DataError
from liqfeature.market.frames import amounts, moments, require_column
from liqfeature.market.revisions import arrivals
from liqfeature.sides import SIDES
from liqfeature.types import FloatArray, IntArray

BY_PRICE = "by price"
"""Side of a level that its map does not tell: shorts above price, longs below it."""

LEVEL_SIDES = (*SIDES, BY_PRICE)
"""What `side` may hold; the number of a side is its place here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownMaps:
    """Maps by the moment when they could be known, and which of them is in force at each candle.

    Parameters
    ----------
    first : ndarray of shape (n_maps + 1,)
        Where the levels of each map begin.
    side : ndarray of shape (n_levels,)
        Places in `LEVEL_SIDES`.
    low, high : ndarray of shape (n_levels,)
        Prices between which a level lies; the same where it is a single price.
    notional : ndarray of shape (n_levels,)
        Quote currency, or the map's own unit.
    newest : ndarray of shape (n,)
        Map in force at each candle's close; -1 where there is none, or the last is too old.
    age : ndarray of shape (n,)
        Candles since it was taken; NaN where there is none.
    """

    first: IntArray
    side: IntArray
    low: FloatArray
    high: FloatArray
    notional: FloatArray
    newest: IntArray
    age: FloatArray

    @classmethod
    def of(cls, frame: pd.DataFrame, time: IntArray, interval: int, lookback: int) -> Self:
        """Read maps, and find the one in force at the close of each candle.

        Parameters
        ----------
        frame : DataFrame
            `date, available, side, low, high, notional`: a row for each level of each map. `date` is when a
            map was taken, `available` when it could be known; rows that share both are one map. A row whose
            `notional` is 0 may stand for a map that holds nothing.
        time : ndarray of shape (n,)
            Opening of each candle in milliseconds.
        interval : int
            Milliseconds from one candle to the next.
        lookback : int
            Candles after which a map is too old.

        Raises
        ------
        MissingColumnError, DataError
            Naming the column, the rule and the value received.
        """
        taken, arrived = moments(frame, "maps"), arrivals(frame, "maps")
        side, order = _sides(frame), np.lexsort((taken, arrived))
        low, high, notional = (amounts(frame, name, "maps")[order] for name in ("low", "high", "notional"))
        wrong = ~((low > 0) & (high >= low) & (notional >= 0))
        if wrong.any():
            at = int(np.argmax(wrong))
            received = f"{low[at]:g}, {high[at]:g}, {notional[at]:g}"
            message = (
                f"maps: low must be above 0, high at least low, notional at least 0, received {received}"
            )
            raise DataError(message)
        taken, arrived = taken[order], arrived[order]
        begins = (np.diff(arrived, prepend=-1) != 0) | (np.diff(taken, prepend=-1) != 0)
        first = np.flatnonzero(begins)
        newer = taken[first] >= np.maximum.accumulate(taken[first])  # late ones change nothing any more
        which = np.flatnonzero(newer)
        place = np.searchsorted(arrived[first][which], time + interval, side="right") - 1
        newest = (
            np.where(place >= 0, which[np.maximum(place, 0)], -1) if which.size else np.full(time.size, -1)
        )
        age = (time + interval - taken[first][newest]) / interval
        known = (newest >= 0) & (age <= lookback)
        return cls(
            first=np.append(first, taken.size),
            side=side[order],
            low=low,
            high=high,
            notional=notional,
            newest=np.where(known, newest, -1),
            age=np.where(known, age, np.nan),
        )

    def levels(self, number: int) -> slice:
        """Return which levels a map has."""
        return slice(int(self.first[number]), int(self.first[number + 1]))


def join_maps(frame: pd.DataFrame | None, time: IntArray, interval: int, lookback: int) -> KnownMaps | None:
    """Return what `KnownMaps.of` does; None without a frame."""
    if frame is None or frame.empty:
        return None
    return KnownMaps.of(frame, time, interval, lookback)


def _sides(frame: pd.DataFrame) -> IntArray:
    require_column(frame, "side", "maps")
    given = pd.Categorical(frame["side"])
    side: IntArray = np.append(pd.Index(LEVEL_SIDES).get_indexer(given.categories), -1)[given.codes].astype(
        np.int64
    )
    if (wrong := side < 0).any():
        received = frame["side"].iloc[int(np.argmax(wrong))]
        message = f"maps: column 'side' must hold {', '.join(LEVEL_SIDES)}, received {received!r}"
        raise DataError(message)
    return side
