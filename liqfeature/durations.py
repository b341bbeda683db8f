"""Lengths of time in milliseconds, the unit of every time in an array."""

MINUTE = 60_000
HOUR = 3_600_000
DAY = 86_400_000
WEEK = 604_800_000

_MINUTES = {"m": 1, "h": 60, "d": 1440, "w": 10080}


def minutes(timeframe: str) -> int:
    """Return how long a timeframe such as "5m" is."""
    return int(timeframe[:-1]) * _MINUTES[timeframe[-1]]
