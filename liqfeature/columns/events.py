"""Events of a user's own file, such as CPI and FOMC: when they are due, and how much they weigh."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from liqfeature.errors import DataError
from liqfeature.market.frames import numbers, require_column

EVENT_COLUMNS = ("time", "name", "weight")


def load_events(path: str | Path) -> pd.DataFrame:
    """Read the times at which something is due.

    An event counts before its time too, in backtests as in a bot: only what is announced ahead belongs into
    the file.

    Parameters
    ----------
    path : str or Path
        CSV of `time, name, weight`, in any order of rows. A time has an offset, as in
        `2026-03-11T08:30-04:00` or `2026-03-11 12:30Z`, or the name of a zone after it, as in
        `2026-03-11 08:30 America/New_York`; one without either is refused, since it could be of any zone.
        Weights are numbers of the user's own, at least 0.

    Returns
    -------
    DataFrame
        `time` (UTC, ascending), `name`, `weight`; empty where the file has no rows.

    Raises
    ------
    MissingColumnError, DataError
        Naming the file, the row, the rule and the value received: also for a time that clocks of its zone
        skip or show twice as summer time begins or ends.
    OSError
        Where the file cannot be read.
    """
    try:
        rows = pd.read_csv(
            path,
            dtype=str,
            keep_default_na=False,
            skipinitialspace=True,
            index_col=False,
            encoding="utf-8-sig",
        ).fillna("")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        message = f"{path} must be CSV with columns {', '.join(EVENT_COLUMNS)}: {error}"
        raise DataError(message) from error
    for column in EVENT_COLUMNS:
        require_column(rows, column, str(path))
    time = [_moment(text, f"{path}: row {row}") for row, text in enumerate(rows["time"], start=1)]
    events = pd.DataFrame(
        {
            "time": pd.to_datetime(pd.Series(time, dtype=object), utc=True).dt.as_unit("ms"),
            "name": rows["name"].str.strip(),
            "weight": numbers(rows, "weight", str(path)),
        }
    )
    if (wrong := ~(events["weight"] >= 0)).any():
        row = int(wrong.to_numpy().argmax())
        received = rows["weight"].iloc[row]
        message = f"{path}: row {row + 1}: weight must be a number of at least 0, received {received!r}"
        raise DataError(message)
    return events.sort_values("time", kind="stable", ignore_index=True)


def _moment(text: str, place: str) -> datetime:
    day_and_hour, _, zone = text.strip().rpartition(" ")
    try:
        if zone[:1].isalpha():
            return _of_zone(datetime.fromisoformat(day_and_hour), ZoneInfo(zone))
        moment = datetime.fromisoformat(text.strip())
    except (ValueError, ZoneInfoNotFoundError) as error:
        message = f"{place}: time must be such as 2026-03-11T08:30-04:00, received {text!r}: {error}"
        raise DataError(message) from error
    if moment.tzinfo is None:
        message = f"{place}: time must have an offset or a zone, such as {text.strip()}Z, received {text!r}"
        raise DataError(message)
    return moment


def _of_zone(clock: datetime, zone: ZoneInfo) -> datetime:
    """Moment at which clocks of a zone show a time; a ValueError where none is, or two are."""
    if clock.tzinfo is not None:
        message = "it has an offset and a zone"
        raise ValueError(message)
    first, second = (clock.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.timestamp() != second.timestamp():
        message = f"clocks of {zone.key} {'skip it' if second < first.astimezone(UTC) else 'show it twice'}"
        raise ValueError(message)
    return first
