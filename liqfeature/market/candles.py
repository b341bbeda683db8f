"""Freqtrade's candles: validated columns, and the interval that their dates keep to."""

import numpy as np
import pandas as pd

from liqfeature.durations import DAY
from liqfeature.errors import DataError
from liqfeature.market.frames import BOUNDS, within_bounds
from liqfeature.types import BoolArray, FloatArray, IntArray

CANDLE_COLUMNS = ("date", "open", "high", "low", "close", "volume")

WIDEST_RANGE = 1e20
"""No market fell this far within one frame, but a wrong price did, and the grid has to span it."""


def check_prices(time: IntArray, **columns: FloatArray) -> None:
    """Raise DataError unless prices are above 0, volume at least 0, and low and high the extremes."""
    for name, values in columns.items():
        least = 0.0 if name == "volume" else np.nextafter(0, 1)
        rule = "finite and at least 0" if name == "volume" else "finite and above 0"
        _require(np.isfinite(values) & (values >= least), f"column {name!r} must be {rule}", values, time)
        _require(within_bounds(values), f"column {name!r} must be {BOUNDS}", values, time)
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
        message = f"candles: {rule}, received {values[row]} in row {row} ({at})"
        raise DataError(message)


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
