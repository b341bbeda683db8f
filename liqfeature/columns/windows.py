"""Minutes to and since what is scheduled: funding, expiry of options, and events of a user's own."""

import math

import numpy as np
import pandas as pd

from liqfeature.columns.column import Column
from liqfeature.durations import DAY, HOUR, MINUTE
from liqfeature.errors import DataError
from liqfeature.market.candles import interval_of
from liqfeature.market.frames import numbers, require_column, times
from liqfeature.market.payments import funding_interval
from liqfeature.types import FloatArray, IntArray

EXPIRY_HOUR = 8
"""Hour of the day, UTC, at which Deribit's options expire, summer and winter."""

SCHEDULED = {
    "funding": "the next payment of funding, as often as the rows known at the close say",
    "daily_expiry": "expiry of Deribit's daily options, 08:00 UTC",
    "weekly_expiry": "expiry of Deribit's weekly options: Friday, 08:00 UTC",
    "monthly_expiry": "expiry of Deribit's monthly options: last Friday of the month, 08:00 UTC",
    "quarterly_expiry": "expiry of Deribit's quarterly options: last Friday of a quarter, 08:00 UTC",
    "event": "an event of the user's file that weighs enough",
}

WINDOWS: dict[str, Column] = {
    f"liq_{way}_{what}": Column("minutes", 0, math.inf, f"{way} {meaning}")
    for what, meaning in SCHEDULED.items()
    for way in ("until", "since")
}
"""Every column of `scheduled_windows`, in order."""


def scheduled_windows(
    candles: pd.DataFrame,
    *,
    funding_rate: pd.DataFrame | None = None,
    events: pd.DataFrame | None = None,
    least_weight: float = 0.0,
) -> pd.DataFrame:
    """Count the minutes from the close of each candle to what is scheduled next, and since the last of it.

    Parameters
    ----------
    candles : DataFrame
        `date`; any timeframe. Dates without a zone are UTC, as in `liquidation_features`.
    funding_rate : DataFrame, optional
        Freqtrade's frame: `date, funding_rate`. Payments fall due at multiples of their interval from
        midnight, UTC; the interval comes from the rows, see `funding_interval`.
    events : DataFrame, optional
        `time` (with a zone) and `weight`, as `load_events` reads them.
    least_weight : float
        Events that weigh less do not count.

    Returns
    -------
    DataFrame
        The columns of `WINDOWS`, float64, with the index of `candles`; 0 where it falls due at the very
        close. NaN where nothing is known: without funding or events, before their first and after their last.

    Raises
    ------
    MissingColumnError, DataError
        Naming the column, the rule and the value received.
    """
    time = times(candles, "candles")
    close = time + interval_of(time)
    columns = {"funding": _funding(candles, funding_rate, close)}
    columns |= {f"{name}_expiry": _around(close, due) for name, due in _expiries(close).items()}
    columns["event"] = _around(close, _due(events, least_weight))
    minutes = {
        f"liq_{way}_{what}": milliseconds / MINUTE
        for what, ways in columns.items()
        for way, milliseconds in zip(("until", "since"), ways, strict=True)
    }
    return pd.DataFrame(minutes, columns=list(WINDOWS), index=candles.index)


def _funding(
    candles: pd.DataFrame, funding_rate: pd.DataFrame | None, close: IntArray
) -> tuple[FloatArray, FloatArray]:
    every = funding_interval(candles, funding_rate).to_numpy() * HOUR
    since = close % DAY % every
    return np.where(since > 0, every - since, since), since


def _expiries(close: IntArray) -> dict[str, IntArray]:
    """Moments of expiry from more than a quarter before the candles to more than a quarter after."""
    first, last = (close[0], close[-1]) if close.size else (0, 0)
    days = np.arange(first // DAY - 100, last // DAY + 101)
    day = days.astype("datetime64[D]")
    month = day.astype("datetime64[M]").astype(np.int64)
    friday = (days + 3) % 7 == 4  # 1970 began on a Thursday; Monday is 0
    monthly = friday & ((day + 7).astype("datetime64[M]").astype(np.int64) != month)
    due = days * DAY + EXPIRY_HOUR * HOUR
    return {
        "daily": due,
        "weekly": due[friday],
        "monthly": due[monthly],
        "quarterly": due[monthly & (month % 3 == 2)],
    }


def _due(events: pd.DataFrame | None, least_weight: float) -> IntArray:
    if events is None or events.empty:
        return np.empty(0, dtype=np.int64)
    require_column(events, "time", "events")
    weight = numbers(events, "weight", "events")
    if not isinstance(events["time"].dtype, pd.DatetimeTZDtype):
        message = f"events: column 'time' must have a time zone, received dtype {events['time'].dtype}"
        raise DataError(message)
    if events["time"].isna().any() or not (weight >= 0).all():
        message = "events: column 'time' must not be empty, and 'weight' at least 0"
        raise DataError(message)
    moments = events["time"].dt.as_unit("ms").astype("int64").to_numpy()
    return np.unique(moments[weight >= least_weight])


def _around(close: IntArray, due: IntArray) -> tuple[FloatArray, FloatArray]:
    """Milliseconds to the first of ascending moments from each close on, and since the last one up to it."""
    if due.size == 0:
        nothing = np.full(close.size, np.nan)
        return nothing, nothing
    following, before = np.searchsorted(due, close, "left"), np.searchsorted(due, close, "right") - 1
    until = np.where(following < due.size, due[np.minimum(following, due.size - 1)] - close, np.nan)
    since = np.where(before >= 0, close - due[np.maximum(before, 0)], np.nan)
    return until, since
