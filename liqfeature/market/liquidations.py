"""Recorded liquidations, as totals or as single orders: totals per period, and how much was usual.

Totals hold NaN where nobody listened. Single orders do not show that by themselves: a recorder says when it
listened, or two orders that are not far apart show that somebody listened between them. A period then counts
if all of it lies between two such orders, and is known once the later one has come.

Totals that came late, or were revised, have a column `available`: `market/revisions.py`.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from liqfeature.errors import DataError
from liqfeature.market.frames import amounts, moments, times
from liqfeature.market.revisions import AVAILABLE, newest, own_period, usual_by_arrival
from liqfeature.market.rolling import trailing_sum
from liqfeature.sides import SIDES
from liqfeature.types import FloatArray, IntArray

HEARD = "heard"
"""Key in `attrs` of a table of orders: spans [since, until] in milliseconds in which somebody listened."""

LEAST_HEARD = 0.9
"""Share of a period that somebody must have listened to: one in which a recorder reconnected counts."""

_NEVER = 2**62
"""Milliseconds: after every order."""


class Totals(NamedTuple):
    """Notional per period, one period after the other, longs first."""

    begin: int  # milliseconds, opening of the first period
    period: int  # milliseconds
    amount: FloatArray  # (2, n_periods), quote currency; NaN where nobody listened
    known: IntArray  # (n_periods,), milliseconds from which each total is known, ascending
    held: int  # periods for which the last known total stands in for later ones

    def to_frame(self) -> pd.DataFrame:
        """Return `date, long, short`."""
        opening = self.begin + self.period * np.arange(self.amount.shape[1])
        date = pd.to_datetime(opening, unit="ms", utc=True).as_unit("ms")
        return pd.DataFrame({"date": date, **dict(zip(SIDES, self.amount, strict=True))})


def are_orders(liquidations: pd.DataFrame) -> bool:
    """Whether a table holds single orders rather than totals."""
    return {"side", "notional"} <= set(liquidations.columns)


def amounts_of(liquidations: pd.DataFrame) -> tuple[IntArray, FloatArray]:
    """Time of each row in milliseconds, (n,), and its notional by side of the position, (2, n).

    Totals stand at the opening of their period, and of revised ones the newest counts. Orders may come in any
    sequence.

    Raises
    ------
    MissingColumnError, DataError
        Naming the column, the rule and the value received.
    """
    if not are_orders(liquidations):
        liquidations = newest(liquidations)
        time = times(liquidations, "liquidations")
        return time, np.stack([amounts(liquidations, side, "liquidations") for side in SIDES])
    time, notional = moments(liquidations, "liquidations"), amounts(liquidations, "notional", "liquidations")
    side = liquidations["side"]
    if not (known := side.isin(SIDES)).all():
        message = f"liquidations: column 'side' must hold long or short, received {side[~known].iloc[0]!r}"
        raise DataError(message)
    return time, np.stack([np.where(side == name, notional, 0.0) for name in SIDES])


def totals_of(
    liquidations: pd.DataFrame, period: int, *, silence: int, least_heard: float = LEAST_HEARD
) -> Totals:
    """Sum recorded liquidations over periods.

    Parameters
    ----------
    liquidations : DataFrame
        Totals, `date, long, short`: opening of a period and the notional liquidated within it; NaN, or no
        row, where nobody listened. Or single orders, `date, side, notional`, the side being the position's,
        with `attrs["heard"]` where a recorder says when it listened.
    period : int
        Milliseconds. Totals of shorter periods are summed; those of longer ones, of a multiple, stay.
    silence : int
        Milliseconds between two orders after which nobody listened, where only the orders show it.
    least_heard : float
        Share of a period to which a recorder must have listened.

    Raises
    ------
    MissingColumnError, DataError
        Naming the column, the rule and the value received.
    """
    time, amount = amounts_of(liquidations)
    if not are_orders(liquidations):
        return _of_totals(time, amount, period)
    spans = liquidations.attrs.get(HEARD)
    if spans is not None:
        return _of_orders(time, amount, period, np.array(spans, dtype=np.int64), least_heard)
    order = np.sort(time)
    last = np.diff(order, append=_NEVER) > silence
    first = np.concatenate([[True], last])[:-1]
    heard = np.stack([order[first], order[last]], axis=1)
    totals = _of_orders(time, amount, period, heard, least_heard=1.0)
    confirmed = np.append(order, _NEVER)[np.searchsorted(order, totals.known)]
    return totals._replace(known=confirmed, held=silence // period)


def usual_liquidations(
    frame: pd.DataFrame | None, time: IntArray, interval: int, lookback: int, *, delay: int
) -> FloatArray:
    """Mean of what was recorded over the lookback before each candle.

    Parameters
    ----------
    frame : DataFrame or None
        Totals, of periods that divide the candles' timeframe or are a multiple of it, or single orders; see
        `totals_of`. Orders more than half a lookback apart show that nobody listened between them. With a
        column `available` a total counts from then on, until a row of the same date that came later.
    time : ndarray of shape (n,)
        Opening of each candle in milliseconds.
    interval : int
        Milliseconds from one candle to the next.
    lookback : int
        Candles.
    delay : int
        Milliseconds after which a total that could be known is used: what happens in a candle's last moment
        may reach a bot after it has analysed the candle.

    Returns
    -------
    ndarray of shape (2, n)
        Quote currency per candle, longs first; NaN where some of the lookback was not recorded. Where orders
        alone show that somebody listened, and where totals say when they were available, the lookback ends
        with the last period that is known, at most half a lookback ago.

    Raises
    ------
    MissingColumnError, DataError
        Naming the column, the rule and the value received.
    """
    usual = np.full((2, time.size), np.nan)
    if frame is None or frame.empty or time.size == 0:
        return usual
    now, silence = time + interval - delay, lookback * interval // 2
    if AVAILABLE in frame and not are_orders(frame):
        return usual_by_arrival(frame, now, interval, lookback, silence)
    totals = totals_of(frame, interval, silence=silence)
    window = lookback * interval // totals.period
    if window == 0:
        return usual
    known = ~np.isnan(totals.amount)
    count = np.stack([trailing_sum(side.astype(np.float64), window) for side in known])
    total = np.stack([trailing_sum(side, window) for side in np.nan_to_num(totals.amount)])
    mean = np.where(count == window, total / window * (interval / totals.period), np.nan)
    last = np.searchsorted(totals.known, now, side="right") - 1
    newest = (now - totals.begin) // totals.period - 1
    inside = (last >= 0) & (newest - last <= totals.held)
    usual[:, inside] = mean[:, last[inside]]
    return usual


def _of_totals(time: IntArray, amount: FloatArray, period: int) -> Totals:
    """Totals of their own period, or of `period` if that is longer; NaN where a part is missing."""
    own = own_period(time, period)
    longer = max(own, period)
    if not time.size:
        return Totals(0, longer, np.zeros((2, 0)), time, 0)
    begin, stop = time[0] // longer, time[-1] // longer + 1
    fine = np.full((2, int(stop - begin) * (longer // own)), np.nan)
    fine[:, (time - begin * longer) // own] = amount
    summed = np.sum(fine.reshape(2, -1, longer // own), axis=2)
    return Totals(int(begin * longer), longer, summed, longer * np.arange(begin + 1, stop + 1), 0)


def _of_orders(
    time: IntArray, amount: FloatArray, period: int, heard: IntArray, least_heard: float
) -> Totals:
    """Sum orders over periods from the first span that was heard, ascending and apart, to the last."""
    if not len(heard):
        return Totals(0, period, np.zeros((2, 0)), np.zeros(0, dtype=np.int64), 0)
    begin, stop = heard[0, 0] // period, -(-heard[-1, 1] // period)
    edges = period * np.arange(begin, stop + 1)
    length = heard[:, 1] - heard[:, 0]
    until = np.cumsum(length)
    covered = np.diff(np.interp(edges, heard.ravel(), np.stack([until - length, until], axis=1).ravel()))
    n = edges.size - 1
    row = time // period - begin
    inside = (row >= 0) & (row < n)
    sums = [np.bincount(row[inside], weights=side[inside], minlength=n) for side in amount]
    placed = np.where(covered >= least_heard * period, np.stack(sums), np.nan)
    return Totals(int(begin * period), period, placed, edges[1:], 0)
