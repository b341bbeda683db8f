"""Lengths of time in milliseconds, the unit of every time in an array."""

from liqfeature.checks import require

MINUTE = 60_000
HOUR = 3_600_000
DAY = 86_400_000
WEEK = 604_800_000

_MINUTES = {"m": 1, "h": 60, "d": 1440, "w": 10080}


def minutes(timeframe: str) -> int:
    """Return how long a timeframe such as "5m" is; a ConfigError where it is none."""
    number, unit = timeframe[:-1], timeframe[-1:]
    is_one = number.isdecimal() and int(number) > 0 and unit in _MINUTES
    require("timeframe", is_one, "such as 5m, 1h or 1d", repr(timeframe))
    return int(number) * _MINUTES[unit]
