"""The doors from pandas: columns become contiguous arrays, or an error that names column, rule and value.

pandas hands out read-only and strided arrays, each of which would compile every kernel once more.
"""

import numpy as np
import pandas as pd

from liqfeature.errors import DataError, MissingColumnError
from liqfeature.types import FloatArray, IntArray


def require_column(frame: pd.DataFrame, column: str, name: str) -> None:
    """Raise MissingColumnError unless the frame, called `name` in the message, has the column."""
    if column not in frame.columns:
        msg = f"{name} lack column {column!r}; received {[str(c) for c in frame.columns]}"
        raise MissingColumnError(msg)


def numbers(frame: pd.DataFrame, column: str, name: str) -> FloatArray:
    """Column as contiguous float64 that may be written to; NaN where it is empty."""
    require_column(frame, column, name)
    values = pd.to_numeric(frame[column], errors="coerce")
    text = frame[column].notna() & values.isna()
    if text.any():
        msg = f"{name}: column {column!r} must hold numbers, received {frame[column][text].iloc[0]!r}"
        raise DataError(msg)
    return np.array(values.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64, order="C")


def times(frame: pd.DataFrame, name: str) -> IntArray:
    """Column `date` as milliseconds since 1970, strictly ascending."""
    require_column(frame, "date", name)
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
