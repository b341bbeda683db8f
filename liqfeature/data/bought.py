"""What vendors gave on request: every revision of it, each with the moment when it was asked for."""

import pandas as pd

from liqfeature.data.database import Database
from liqfeature.data.kinds import OPEN_INTEREST, TOTALS, VENDORS, Kind, Series
from liqfeature.durations import MINUTE, minutes
from liqfeature.market.revisions import AVAILABLE


def bought_totals(
    database: Database, exchange: str, pair: str, period: int, since: int
) -> tuple[int, pd.DataFrame] | None:
    """Return the period of a vendor's finest totals, and all revisions of them.

    Parameters
    ----------
    database : Database
    exchange, pair : str
    period : int
        Milliseconds, which theirs must divide or be a multiple of.
    since : int
        Milliseconds since 1970; earlier periods are left out.

    Returns
    -------
    tuple or None
        Milliseconds, and a table `date, available, long, short`; None where there are none.
    """
    for length, series in _by_period(database, exchange, pair, TOTALS):
        if max(length, period) % min(length, period) == 0:
            rows = _dated(database.revisions(series, VENDORS, first=since // length * length))
            if len(rows):
                return length, rows
    return None


def bought_interest(database: Database, exchange: str, pair: str, since: int) -> pd.DataFrame:
    """Return a vendor's finest open interest, of each stamp the first that came.

    Returns
    -------
    DataFrame
        `date, available, amount, value`; no rows where there are none.
    """
    rows = pd.DataFrame()
    for _, series in _by_period(database, exchange, pair, OPEN_INTEREST):
        rows = _dated(database.revisions(series, VENDORS, first=since))
        if len(rows):
            break
    return rows.drop_duplicates("date") if len(rows) else rows


def joined(own: pd.DataFrame, bought: pd.DataFrame) -> pd.DataFrame:
    """Put a vendor's rows beside one's own, which count where both are there; by date, then by arrival."""
    rest = bought[~bought["date"].isin(own["date"])]
    both = pd.concat([own, rest]) if len(own) and len(rest) else (own if len(own) else rest)
    return both.sort_values(["date", AVAILABLE], ignore_index=True)


def _by_period(database: Database, exchange: str, pair: str, kind: Kind) -> list[tuple[int, Series]]:
    mine = [one for one in database.series() if one[:3] == (exchange, pair, kind)]
    return sorted(((minutes(one.timeframe) * MINUTE, one) for one in mine), key=lambda one: one[0])


def _dated(rows: pd.DataFrame) -> pd.DataFrame:
    dates = {
        name: pd.to_datetime(rows[column], unit="ms", utc=True).dt.as_unit("ms")
        for name, column in (("date", "stamp"), (AVAILABLE, "available"))
    }
    return rows.assign(**dates).drop(columns=["stamp", "source"])
