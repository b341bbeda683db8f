"""Parameters of a request, and the errors with which Binance refuses bad ones."""

import re
from collections.abc import Mapping

import numpy as np

from liqfeature.errors import LiqFeatureError
from liqfeature.types import IntArray

_NUMBER = re.compile(r"[0-9]{1,20}")


class BinanceError(LiqFeatureError):
    """A request that Binance refuses, in Binance's words.

    Attributes
    ----------
    code : int
        Binance's number for the kind of error.
    status : int
        HTTP status of the answer.
    """

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


INVALID_INTERVAL = (-1120, "Invalid interval.")
INVALID_SYMBOL = (-1121, "Invalid symbol.")
START_AFTER_END = (-1023, "Start time is greater than end time.")


def mandatory(query: Mapping[str, str], name: str) -> str:
    """Return a parameter that must be present."""
    value = query.get(name, "")
    if not value:
        message = f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
        raise BinanceError(-1102, message)
    return value


def number(query: Mapping[str, str], name: str) -> int | None:
    """Return a whole number, or None where it was not sent."""
    value = query.get(name)
    if value is None:
        return None
    if not _NUMBER.fullmatch(value):
        message = f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'."
        raise BinanceError(-1100, message)
    return int(value)


def limit(query: Mapping[str, str], *, default: int, most: int, refusal: str) -> int:
    """Return the number of rows that a request asks for.

    Parameters
    ----------
    query : mapping
        Parameters of the request.
    default, most : int
        Rows where none were sent; most rows.
    refusal : str
        Message for a limit outside 1 to `most`.
    """
    rows = number(query, "limit")
    if rows is None:
        return default
    if not 1 <= rows <= most:
        raise BinanceError(-1130, refusal)
    return rows


def window(times: IntArray, query: Mapping[str, str], rows: int) -> slice:
    """Select rows between `startTime` and `endTime`, both included.

    With a `startTime` these are the first rows from there on, else the last ones.

    Parameters
    ----------
    times : ndarray of shape (n,)
        Ascending milliseconds since 1970.
    query : mapping
        Parameters of the request.
    rows : int
        Most rows.
    """
    start, end = number(query, "startTime"), number(query, "endTime")
    if start is not None and end is not None and start > end:
        raise BinanceError(*START_AFTER_END)
    stop = len(times) if end is None else int(np.searchsorted(times, end, side="right"))
    if start is None:
        return slice(max(0, stop - rows), stop)
    first = int(np.searchsorted(times, start, side="left"))
    return slice(first, min(stop, first + rows))
