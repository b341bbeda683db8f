"""The doors from pandas: columns become contiguous arrays, or an error that names column, rule and value.

pandas hands out read-only and strided arrays, each of which would compile every kernel once more.
"""

from typing import Any

import numpy as np
import pandas as pd

from liqfeature.errors import DataError, MissingColumnError
from liqfeature.types import BoolArray, FloatArray, IntArray

LEAST, MOST = 1e-100, 1e100
"""Of prices and amounts: products and ratios of a few of them are numbers, too."""


def as_frame(frame: object, name: str) -> pd.DataFrame:
    """Return what must be a DataFrame whose columns have one name each; a DataError for anything else."""
    if not isinstance(frame, pd.DataFrame):
        message = f"{name} must be a DataFrame, received {type(frame).__name__}"
        raise DataError(message)
    if frame.columns.nlevels > 1:
        message = f"{name} must have columns of one name each, received {list(frame.columns)[:6]}"
        raise DataError(message)
    return frame


def require_column(frame: pd.DataFrame, column: str, name: str) -> None:
    """Raise MissingColumnError unless the frame, called `name` in the message, has the column; once."""
    as_frame(frame, name)
    if column not in frame.columns:
        message = f"{name} lack column {column!r}; received {[str(c) for c in frame.columns]}"
        raise MissingColumnError(message)
    if not frame.columns.is_unique and (number := list(frame.columns).count(column)) > 1:
        message = f"{name}: column {column!r} must be there once, received {number} of that name"
        raise DataError(message)


def require_same_zone(frame: pd.DataFrame, candles: pd.DataFrame, name: str) -> None:
    """Raise DataError where one of two frames has dates with a time zone, and the other without.

    Dates without one may be of any: taken for UTC beside others, they would let the future in.
    """
    require_column(frame, "date", name)
    if not all(_holds_moments(one["date"].dtype) for one in (frame, candles)):
        return  # which `moments` refuses
    zone, other = (_zone(one["date"]) for one in (frame, candles))
    if (zone is None) != (other is None):
        has = "a" if zone is None else "no"
        message = (
            f"{name}: column 'date' must have {has} time zone, as candles have, received {zone or 'none'}"
        )
        raise DataError(message)


def _zone(dates: "pd.Series[Any]") -> Any:
    return dates.dtype.tz if isinstance(dates.dtype, pd.DatetimeTZDtype) else dates.dt.tz


def numbers(frame: pd.DataFrame, column: str, name: str) -> FloatArray:
    """Column as contiguous float64 that may be written to; NaN where it is empty."""
    require_column(frame, column, name)
    received = frame[column]
    if isinstance(plain := received.dtype, np.dtype) and plain.kind in "fiu":
        return np.array(received.to_numpy(), dtype=np.float64, order="C")
    readable = received.mask(received.map(_is_no_number)) if received.dtype == object else received
    values = pd.to_numeric(readable, errors="coerce")
    wrong = received.notna() & values.isna()
    if wrong.any():
        message = f"{name}: column {column!r} must hold numbers, received {received[wrong].iloc[0]!r:.40}"
        raise DataError(message)
    for dtype in (received.dtype, values.dtype):
        if dtype.kind in "Mmbc":  # dates, spans of time, truths and complex numbers turn into numbers
            message = f"{name}: column {column!r} must hold numbers, received dtype {dtype}"
            raise DataError(message)
    return np.array(values.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64, order="C")


def _is_no_number(value: object) -> bool:
    """Whether pandas would take a truth for 0 or 1, or a whole number that no float64 can hold."""
    too_large = isinstance(value, int) and value.bit_length() > np.finfo(np.float64).maxexp
    return isinstance(value, bool | np.bool_) or too_large


def amounts(frame: pd.DataFrame, column: str, name: str) -> FloatArray:
    """Column of amounts, NaN where it is empty; a DataError for what no amount can be."""
    values = numbers(frame, column, name)
    for holds, rule in (
        (np.isfinite(values) & (values >= 0), "finite and at least 0"),
        (within_bounds(values), BOUNDS),
    ):
        if (wrong := ~holds & ~np.isnan(values)).any():
            message = f"{name}: column {column!r} must be {rule}, received {values[wrong][0]}"
            raise DataError(message)
    return values


BOUNDS = f"0 or between {LEAST:g} and {MOST:g}"


def within_bounds(values: FloatArray) -> BoolArray:
    """Whether values are 0, or neither too small nor too large to be reckoned with."""
    size = np.abs(values)
    within: BoolArray = (size == 0) | ((size >= LEAST) & (size <= MOST))
    return within


def moments(frame: pd.DataFrame, name: str) -> IntArray:
    """Column `date` as milliseconds since 1970, in any order."""
    require_column(frame, "date", name)
    if not _holds_moments(frame["date"].dtype):
        message = f"{name}: column 'date' must hold dates, received dtype {frame['date'].dtype}"
        raise DataError(message)
    moment = frame["date"].to_numpy(dtype="datetime64[ms]")
    if (empty := np.isnat(moment)).any():
        message = f"{name}: column 'date' must not be empty, received NaT in row {int(np.argmax(empty))}"
        raise DataError(message)
    return moment.astype(np.int64)


def _holds_moments(dtype: Any) -> bool:
    """Whether it is one of moments; pyarrow has dtypes of days that go by the same letter."""
    return bool(dtype.kind == "M") and not str(dtype).startswith(("date32", "date64"))


def times(frame: pd.DataFrame, name: str) -> IntArray:
    """Column `date` as milliseconds since 1970, strictly ascending."""
    time = moments(frame, name)
    if (wrong := np.flatnonzero(np.diff(time) <= 0)).size:
        row = int(wrong[0]) + 1
        message = (
            f"{name}: column 'date' must ascend without duplicates, "
            f"received {frame['date'].iloc[row]} after {frame['date'].iloc[row - 1]} in row {row}"
        )
        raise DataError(message)
    return time
