"""The one door from pandas: candles, open interest and funding become aligned, contiguous float64 arrays."""

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqfeature.errors import DataError, MissingColumnError
from liqfeature.types import BoolArray, FloatArray, IntArray

logger = logging.getLogger(__name__)

CANDLE_COLUMNS = ("date", "open", "high", "low", "close", "volume")
OPEN_INTEREST_COLUMNS = ("open_interest_amount", "open_interest_value")
DAY = 86_400_000
"""Milliseconds."""

PRICE_TOLERANCE = 2.0
"""Open-interest value over amount is a price: a row whose price is off by more belongs to another pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candles:
    """Candles and what was known at the close of each; every array has shape (n,).

    Parameters
    ----------
    interval : int
        Milliseconds from one candle to the next.
    tick : ndarray
        Number of the candle since 1970: its opening time over `interval`.
    high, low, close, volume : ndarray
        As received; volume in base currency.
    open_interest : ndarray
        Base currency as the exchange counts it, of the last row usable at the candle's close; NaN where
        there is none or the last is older than `lookback` candles.
    staleness : ndarray
        Candles since that row became usable; NaN where there is none.
    late_first, late_stop : ndarray
        Rows (first, and one past the last) to which a change of open interest known with this candle belongs.
    funding : ndarray
        Sum of the funding rates that became usable with this candle, 0 where none did.
    """

    interval: int
    tick: IntArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    open_interest: FloatArray
    staleness: FloatArray
    late_first: IntArray
    late_stop: IntArray
    funding: FloatArray

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
) -> Candles:
    """Validate the frames and join them, using nothing at a candle that was not known at its close.

    A row of open interest or funding stamped t, whose rows are a period T apart, is usable by the candle
    whose close is at or after t + T: a live bot drops the newest row as incomplete.

    Parameters
    ----------
    candles : DataFrame
        `date, open, high, low, close, volume`, ascending; any timeframe, which is read off `date`. Gaps are
        allowed.
    open_interest : DataFrame or None
        `date, open_interest_amount, open_interest_value`; either column may be absent or empty. The amount is
        preferred, since value mixes in price. Rows that are NaN or 0, or whose value over amount is not near
        the price, are passed over.
    funding_rate : DataFrame or None
        `date` and `funding_rate` (or `open`).
    lookback : int
        Candles after which a row of open interest is too old to use.

    Returns
    -------
    Candles

    Raises
    ------
    MissingColumnError, DataError
        Naming the column, the rule and the value received.
    """
    time = _times(candles, "candles")
    opening, high, low, close, volume = (_floats(candles, c, "candles") for c in CANDLE_COLUMNS[1:])
    _check_prices(time, open=opening, high=high, low=low, close=close, volume=volume)
    interval = _interval(time)
    closing = time + interval
    level, staleness, late_first, late_stop = _open_interest(open_interest, time, close, interval, lookback)
    return Candles(
        interval=interval,
        tick=time // interval,
        high=high,
        low=low,
        close=close,
        volume=volume,
        open_interest=level,
        staleness=staleness,
        late_first=late_first,
        late_stop=late_stop,
        funding=_funding(funding_rate, closing, interval),
    )


def _require_column(frame: pd.DataFrame, column: str, name: str) -> None:
    if column not in frame.columns:
        msg = f"{name} lack column {column!r}; received {[str(c) for c in frame.columns]}"
        raise MissingColumnError(msg)


def _floats(frame: pd.DataFrame, column: str, name: str) -> FloatArray:
    _require_column(frame, column, name)
    numbers = pd.to_numeric(frame[column], errors="coerce")
    text = frame[column].notna() & numbers.isna()
    if text.any():
        msg = f"{name}: column {column!r} must hold numbers, received {frame[column][text].iloc[0]!r}"
        raise DataError(msg)
    return np.array(numbers.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64, order="C")


def _times(frame: pd.DataFrame, name: str) -> IntArray:
    _require_column(frame, "date", name)
    if not pd.api.types.is_datetime64_any_dtype(frame["date"]):
        msg = f"{name}: column 'date' must hold dates, received dtype {frame['date'].dtype}"
        raise DataError(msg)
    if frame["date"].isna().any():
        row = int(np.argmax(frame["date"].isna()))
        msg = f"{name}: column 'date' must not be empty, received NaT in row {row}"
        raise DataError(msg)
    time = frame["date"].dt.as_unit("ms").astype("int64").to_numpy()
    if (wrong := np.flatnonzero(np.diff(time) <= 0)).size:
        row = int(wrong[0]) + 1
        msg = (
            f"{name}: column 'date' must ascend without duplicates, "
            f"received {frame['date'].iloc[row]} after {frame['date'].iloc[row - 1]} in row {row}"
        )
        raise DataError(msg)
    return np.array(time, dtype=np.int64)


def _check_prices(time: IntArray, **columns: FloatArray) -> None:
    for name, values in columns.items():
        least = 0.0 if name == "volume" else np.nextafter(0, 1)
        rule = "finite and at least 0" if name == "volume" else "finite and above 0"
        _require(np.isfinite(values) & (values >= least), f"column {name!r} must be {rule}", values, time)
    low, high = columns["low"], columns["high"]
    for name in ("open", "close", "high"):
        holds = columns[name] >= low
        _require(holds, f"column {name!r} must not lie under low", columns[name], time)
    for name in ("open", "close"):
        holds = columns[name] <= high
        _require(holds, f"column {name!r} must not lie over high", columns[name], time)


def _require(holds: BoolArray, rule: str, values: FloatArray, time: IntArray) -> None:
    if not holds.all():
        row = int(np.argmin(holds))
        at = pd.Timestamp(int(time[row]), unit="ms", tz="UTC")
        msg = f"candles: {rule}, received {values[row]} in row {row} ({at})"
        raise DataError(msg)


def _interval(time: IntArray) -> int:
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


def _open_interest(
    frame: pd.DataFrame | None, time: IntArray, close: FloatArray, interval: int, lookback: int
) -> tuple[FloatArray, FloatArray, IntArray, IntArray]:
    n = time.size
    level, staleness = np.full(n, np.nan), np.full(n, np.nan)
    rows = np.arange(n, dtype=np.int64)
    if frame is None or frame.empty or n == 0:
        return level, staleness, rows, rows
    stamp, amount = _amounts(frame, time, close)
    if stamp.size == 0:
        return level, staleness, rows, rows
    closing = time + interval
    usable = _usable_at(stamp, interval)
    used = np.searchsorted(usable, closing, side="right") - 1
    known = used >= 0
    at = stamp[np.maximum(used, 0)]
    known &= closing - at <= lookback * interval
    level[known] = amount[used[known]]
    staleness[known] = (closing - usable[np.maximum(used, 0)])[known] / interval
    previous = stamp[np.maximum(np.concatenate([used[:1], used[:-1]]), 0)]
    late_first = np.clip(np.searchsorted(time, previous, side="right") - 1, 0, rows)
    late_stop = np.clip(np.searchsorted(time, at, side="left"), late_first, rows)
    return level, staleness, late_first.astype(np.int64), late_stop.astype(np.int64)


def _usable_at(stamp: IntArray, interval: int) -> IntArray:
    """When each row may be used: a period after its stamp, the shorter of its last two steps.

    Neither a gap nor a later row changes it; the first row, which has no step, takes the candles' interval.
    """
    step = np.diff(stamp, prepend=stamp[:1] - interval)
    period = np.minimum(step, np.concatenate([step[:1], step[:-1]]))
    period[1:2] = step[1:2]
    return np.maximum.accumulate(stamp + period)


def _amounts(frame: pd.DataFrame, time: IntArray, close: FloatArray) -> tuple[IntArray, FloatArray]:
    """Stamps and amounts of the rows that can be used."""
    stamp = _times(frame, "open interest")
    present = [c for c in OPEN_INTEREST_COLUMNS if c in frame.columns]
    if not present:
        _require_column(frame, OPEN_INTEREST_COLUMNS[0], "open interest")
    columns = {c: _floats(frame, c, "open interest") for c in present}
    for name, values in columns.items():
        if (values < 0).any():
            msg = f"open interest: column {name!r} must be at least 0, received {values[values < 0][0]}"
            raise DataError(msg)
    absent = np.full(stamp.size, np.nan)
    amount, value = (columns.get(c, absent) for c in OPEN_INTEREST_COLUMNS)
    amount, value = np.where(amount > 0, amount, np.nan), np.where(value > 0, value, np.nan)
    price = close[np.clip(np.searchsorted(time, stamp, side="left") - 1, 0, None)]
    with np.errstate(divide="ignore", invalid="ignore"):
        off = value / amount / price
        foreign = (off > PRICE_TOLERANCE) | (off < 1 / PRICE_TOLERANCE)
        amount = np.where(np.isfinite(amount), amount, value / price)
    if foreign.any():
        logger.warning("Passed over %d rows of open interest that imply another pair's price.", foreign.sum())
    usable = np.isfinite(amount) & ~foreign
    return stamp[usable], amount[usable]


def _funding(frame: pd.DataFrame | None, closing: IntArray, interval: int) -> FloatArray:
    funding = np.zeros(closing.size)
    if frame is None or closing.size == 0 or frame.empty:
        return funding
    stamp = _times(frame, "funding")
    column = "funding_rate" if "funding_rate" in frame.columns else "open"
    rate = np.nan_to_num(_floats(frame, column, "funding"))
    usable = _usable_at(stamp, interval)
    row = np.searchsorted(closing, usable, side="left")
    inside = (row < closing.size) & (usable > closing[0] - interval)
    np.add.at(funding, row[inside], rate[inside])
    return funding
