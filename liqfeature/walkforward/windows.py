"""Rolling windows: what is tuned on, and what is tested after it."""

from dataclasses import dataclass
from datetime import date, timedelta

from liqfeature.checks import require, require_at_least


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Tune from `begin` up to `test`, test from there up to `end`; each first day in, last day out."""

    begin: date
    test: date
    end: date


def rolling_windows(first: date, last: date, *, tune_days: int, test_days: int) -> list[Window]:
    """Return windows whose tests follow each other without overlap.

    Parameters
    ----------
    first, last : date
        First day, and the day after the last.
    tune_days, test_days : int
        Days to tune on, at least 0, and to test on after it, at least 1.

    Returns
    -------
    list of Window
        At least one; days at the end that fill no whole test are left out.

    Raises
    ------
    ConfigError
        If there is no room for one window.
    """
    require_at_least(0, tune_days=tune_days)
    require_at_least(1, test_days=test_days)
    n = ((last - first).days - tune_days) // test_days
    require("timerange", n >= 1, f"at least {tune_days} + {test_days} days", f"{(last - first).days} days")
    starts = [first + timedelta(days=i * test_days) for i in range(n)]
    tune, test = timedelta(days=tune_days), timedelta(days=test_days)
    return [Window(begin=start, test=start + tune, end=start + tune + test) for start in starts]
