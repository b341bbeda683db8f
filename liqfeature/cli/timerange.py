"""Ranges of time as Freqtrade reads them."""

import argparse
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

_FORMS = {8: "%Y%m%d", 13: "%Y%m%dT%H%M", 15: "%Y%m%dT%H%M%S"}
"""By length."""


class TimeRange(NamedTuple):
    """Opening of the first and of the last candle that belong to a range, UTC; None where it has no end.

    As Freqtrade has it, the candle that opens at the end belongs to the range: 20260101-20260201 ends with
    that of 1 February at 00:00.
    """

    first: datetime | None
    last: datetime | None

    def timestamps(self) -> "dict[str, pd.Timestamp | None]":
        """Return both as arguments `first` and `last`."""
        import pandas as pd

        return {name: value and pd.Timestamp(value) for name, value in self._asdict().items()}


EVERYTHING = TimeRange(None, None)


def time_range(text: str) -> TimeRange:
    """Read what `--timerange` takes: days, minutes or seconds as YYYYMMDD[THHMM[SS]], or time since 1970."""
    first, dash, last = text.partition("-")
    try:
        found = TimeRange(moment(first), moment(last))
    except (KeyError, ValueError):
        message = f"must hold dates such as 20260125-20260206, 20260125- or -20260206T1200, received {text!r}"
        raise argparse.ArgumentTypeError(message) from None
    backwards = found.first and found.last and found.first > found.last
    if text and (not dash or found == EVERYTHING or backwards):
        message = f"must be FROM-TO with FROM before TO, of which one may be left out, received {text!r}"
        raise argparse.ArgumentTypeError(message)
    return found


def moment(text: str) -> datetime | None:
    """Read a day, minute or second, or time since 1970, in UTC; None of nothing."""
    if re.fullmatch(r"\d{10}|\d{13}", text):  # in seconds or in milliseconds
        return datetime.fromtimestamp(int(text[:10]), UTC)
    return datetime.strptime(text, _FORMS[len(text)]).replace(tzinfo=UTC) if text else None
