"""Funding that is about to fall due."""

from datetime import datetime

from liqfeature.checks import require_at_least
from liqfeature.sides import sign_of

_HOUR = 3600.0
"""Seconds."""


def hours_to_funding(now: datetime, every: float = 8.0) -> float:
    """Return the hours until funding falls due, above 0 and at most `every`; counted from midnight, UTC.

    Parameters
    ----------
    now : datetime
        With a time zone.
    every : float, default 8.0
        Hours from one payment to the next, above 0.
    """
    require_at_least(1e-9, every=every)
    return every - now.timestamp() % (every * _HOUR) / _HOUR


def funding_is_adverse(rate: float, *, is_short: bool, least: float) -> bool:
    """Return whether a position would pay at least `least` of its notional; False where `rate` is NaN."""
    return bool(sign_of(is_short) * rate >= least)
