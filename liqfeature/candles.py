"""Candles, and what was known of open interest and funding at the close of each."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqfeature.errors import DataError
from liqfeature.join import join_funding, join_mark, join_open_interest
from liqfeature.liquidations import usual_liquidations
from liqfeature.tables import numbers, times
from liqfeature.types import BoolArray, FloatArray, IntArray

CANDLE_COLUMNS = ("date", "open", "high", "low", "close", "volume")
DAY = 86_400_000
"""Milliseconds."""

WIDEST_RANGE = 1e20
"""No market fell this far within one frame, but a wrong price did, and the grid has to span it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candles:
    """Candles and what was known at the close of each; every array has shape (n,) unless said.

    Parameters
    ----------
    interval : int
        Milliseconds from one candle to the next.
    tick : ndarray
        Number of the candle since 1970: its opening time over `interval`.
    high, low, close, volume : ndarray
        As received; volume in base currency.
    touched_high, touched_low : ndarray
        How far liquidations reached: high and low, or less far where the mark price did not follow, but at
        least to the close.
    open_interest : ndarray
        Base currency as the exchange counts it, of the last row usable at the candle's close; NaN where
        there is none or the last is older than `lookback` candles.
    staleness : ndarray
        Candles since that row became usable; NaN where there is none.
    late_first, late_stop : ndarray
        Rows (first, and one past the last) to which a change of open interest known with this candle belongs.
    funding : ndarray
        Sum of the funding rates that became usable with this candle, 0 where none did.
    liquidated : ndarray of shape (2, n)
        Recorded notional per candle, mean over `lookback`; NaN where it was not recorded. Longs first.
    """

    interval: int
    tick: IntArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    touched_high: FloatArray
    touched_low: FloatArray
    open_interest: FloatArray
    staleness: FloatArray
    late_first: IntArray
    late_stop: IntArray
    funding: FloatArray
    liquidated: FloatArray

    @property
    def candles_per_day(self) -> float:
        """Candles in a day."""
        return DAY / self.interval


def align(
    candles: pd.DataFrame,
    open_interest: pd.DataFrame | None,
    funding_rate: pd.DataFrame | None,
    *,
    lookback: int,
    mark: pd.DataFrame | None = None,
    liquidations: pd.DataFrame | None = None,
    in_contracts: bool = False,
) -> Candles:
    """Validate the frames and join them, using nothing at a candle that was not known at its close.

    Parameters
    ----------
    candles : DataFrame
        `date, open, high, low, close, volume`, ascending; any timeframe, which is read off `date`. Gaps are
        allowed.
    open_interest, funding_rate : DataFrame or None
        As for `join_open_interest` and `join_funding`.
    lookback : int
        Candles after which a row of open interest is too old to use.
    mark : DataFrame or None
        As for `join_mark`.
    liquidations : DataFrame or None
        As for `usual_liquidations`.
    in_contracts : bool
        Whether the exchange gives the amount of open interest in contracts instead of base currency.

    Returns
    -------
    Candles

    Raises
    ------
    MissingColumnError, DataError
        Naming the column, the rule and the value received.
    """
    time = times(candles, "candles")
    opening, high, low, close, volume = (numbers(candles, c, "candles") for c in CANDLE_COLUMNS[1:])
    _check_prices(time, open=opening, high=high, low=low, close=close, volume=volume)
    interval = interval_of(time)
    mark_high, mark_low = join_mark(mark, time, interval, high, low)
    known = join_open_interest(open_interest, time, close, interval, lookback, in_contracts=in_contracts)
    return Candles(
        interval=interval,
        tick=time // interval,
        high=high,
        low=low,
        close=close,
        volume=volume,
        touched_high=np.maximum(np.minimum(high, mark_high), close),
        touched_low=np.minimum(np.maximum(low, mark_low), close),
        open_interest=known.amount,
        staleness=known.staleness,
        late_first=known.late_first,
        late_stop=known.late_stop,
        funding=join_funding(funding_rate, time, interval),
        liquidated=usual_liquidations(liquidations, time, interval, lookback, delay=interval),
    )


def _check_prices(time: IntArray, **columns: FloatArray) -> None:
    for name, values in columns.items():
        least = 0.0 if name == "volume" else np.nextafter(0, 1)
        rule = "finite and at least 0" if name == "volume" else "finite and above 0"
        _require(np.isfinite(values) & (values >= least), f"column {name!r} must be {rule}", values, time)
    low, high = columns["low"], columns["high"]
    for name in ("open", "close", "high"):
        holds = columns[name] >= low
        _require(holds, f"column {name!r} must not lie under low", columns[name], time)
    least = float(np.max(high, initial=0.0)) / WIDEST_RANGE
    rule = f"column 'low' must not lie under {least:g}, the highest high over {WIDEST_RANGE:g}"
    _require(low >= least, rule, low, time)
    for name in ("open", "close"):
        holds = columns[name] <= high
        _require(holds, f"column {name!r} must not lie over high", columns[name], time)


def _require(holds: BoolArray, rule: str, values: FloatArray, time: IntArray) -> None:
    if not holds.all():
        row = int(np.argmin(holds))
        at = pd.Timestamp(int(time[row]), unit="ms", tz="UTC")
        msg = f"candles: {rule}, received {values[row]} in row {row} ({at})"
        raise DataError(msg)


def interval_of(time: IntArray) -> int:
    """Milliseconds from one candle to the next; a DataError where candles lie off that grid."""
    if time.size < 2:
        return DAY
    steps = np.diff(time)
    interval = int(steps.min())
    if (odd := np.flatnonzero((time - time[0]) % interval)).size:
        row = int(odd[0])
        at = pd.Timestamp(int(time[row]), unit="ms", tz="UTC")
        grid = f"a grid of {interval // 1000} seconds"
        msg = f"candles: column 'date' must lie on {grid}, received {at} in row {row}"
        raise DataError(msg)
    return interval
