"""What `liqfeature record` wrote, as tables: single liquidations, and totals of periods."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from liqfeature.data.bought import bought_interest, bought_totals, joined
from liqfeature.data.database import Database
from liqfeature.data.kinds import (
    INTEREST_TIMEFRAME,
    KINDS,
    LISTENED,
    OPEN_INTEREST,
    ORDERS,
    SILENT,
    TOTALS,
    VENDORS,
    Series,
)
from liqfeature.data.schema import RECORDED
from liqfeature.data.store import write_frame
from liqfeature.durations import MINUTE, minutes
from liqfeature.errors import DataError
from liqfeature.exchange.traits import canonical
from liqfeature.market.liquidations import HEARD, LEAST_HEARD, totals_of
from liqfeature.sides import SIDES

Span = tuple[int, int]
"""From when until when, in milliseconds since 1970 by the exchange's clock."""

_SUMS = """SELECT stamp / ? * ?, side, sum(notional) FROM liquidation_orders
WHERE series = ? AND stamp >= ? AND available <= (stamp / ? + 2) * ? GROUP BY 1, 2"""


def load_recording(
    path: str | Path, pair: str, exchange: str | None = None, *, first: pd.Timestamp | None = None
) -> pd.DataFrame:
    """Read single liquidations of one pair.

    Parameters
    ----------
    path : path
        File that `liqfeature record` writes.
    pair : str
        Freqtrade's name, such as "BTC/USDT:USDT".
    exchange : str, optional
        Whose liquidations, where the file holds those of several.
    first : Timestamp, optional
        With a time zone. Leave out those before it.

    Returns
    -------
    DataFrame
        Columns of `liqfeature.data.schema.RECORDED`, by date ascending; no rows where there are none of the
        pair. `attrs` holds when the exchange was listened to, as `liqfeature.market.liquidations` wants it.

    Raises
    ------
    DataError
        If the file is not a recorder's, holds several exchanges and none of them is named, or not the one
        that is.
    """
    with Database(path) as database:
        series = Series(_one_of(database, exchange), pair, ORDERS)
        table = database.read(series, first=_milliseconds(first))
        spans = listened(database, series.exchange, pair)
    table = table.assign(date=_dates(table["stamp"]), exchange=series.exchange, pair=pair)[list(RECORDED)]
    if spans:
        table.attrs[HEARD] = spans
    return table


def load_liquidations(path: str | Path, pair: str, exchange: str | None = None) -> pd.DataFrame:
    """Read the single liquidations of one pair, or else the totals that the exchange gives.

    As `load_recording`, or `load_totals` of the shortest periods.
    """
    orders = load_recording(path, pair, exchange)
    with Database(path) as database:
        exchange = _one_of(database, exchange)
        spans = [one.timeframe for one in database.series() if one[:3] == (exchange, pair, TOTALS)]
    return orders if len(orders) or not spans else load_totals(path, pair, min(spans, key=minutes), exchange)


def load_totals(
    path: str | Path,
    pair: str,
    timeframe: str,
    exchange: str | None = None,
    *,
    first: pd.Timestamp | None = None,
    least: float = LEAST_HEARD,
) -> pd.DataFrame:
    """Sum what was recorded over periods: what `liquidation_features` takes as `liquidations`.

    What was known later than a period after the end of its own does not count, so that a backtest reads what
    a bot read. Periods in which nobody listened have the totals that the exchange gives, where they were
    recorded. Where a vendor's were imported, every row says when it was available, and all revisions are
    there; periods are then those of the vendor's finest totals, if nothing of this timeframe was recorded.

    Parameters
    ----------
    path, pair, exchange, first
        As for `load_recording`.
    timeframe : str
        Length of a period, such as "5m".
    least : float
        Share of a period during which the recorder must have listened: one that it reconnected in counts.

    Returns
    -------
    DataFrame
        `date, long, short`: opening of the period, and notional by side of the position. 0 where nothing was
        liquidated, NaN where it is not known; from the first period that something is known of to the last.
        With a vendor's, `available` too, and no rows where nothing is known.

    Raises
    ------
    DataError
        As `load_recording`.
    """
    period, since = minutes(timeframe) * MINUTE, _milliseconds(first)
    with Database(path) as database:
        exchange = _one_of(database, exchange)
        bought = bought_totals(database, exchange, pair, period, since)
        if bought is None:
            return _totals(database, exchange, pair, period, since, least)
        length, rows = bought
        own = _totals(database, exchange, pair, length, since, least).dropna()
    known = length + max(length - period, 0)  # what came within a period after the end is among them
    return joined(own.assign(available=own["date"] + pd.Timedelta(known, unit="ms")), rows)


def _totals(
    database: Database, exchange: str, pair: str, period: int, since: int, least: float
) -> pd.DataFrame:
    """Sum what was heard in time, and fill in what the exchange gave in time."""
    spans = listened(database, exchange, pair, period=period)
    sums = _sums(database, Series(exchange, pair, ORDERS), period, since)
    given = _given(database, exchange, pair, period, since)
    sums.attrs[HEARD] = [(max(since, a), b) for a, b in spans if b > since]
    totals = totals_of(sums, period, silence=0, least_heard=least).to_frame()
    if given.empty:
        return totals
    every = totals.set_index("date").combine_first(given).asfreq(f"{period}ms")
    return every.reset_index().astype(totals.dtypes)[list(totals.columns)]


def load_open_interest(
    path: str | Path, pair: str, exchange: str, *, first: pd.Timestamp | None = None
) -> pd.DataFrame:
    """Read open interest that a recorder asked for or a vendor gave: what `liquidation_features` takes.

    What a recorder knew later than a period after its stamp, when a bot first uses it, does not count. A
    vendor's rows count from when they were asked for, and of one stamp the first that came: a later one would
    be a change of open interest that nobody made.

    Parameters
    ----------
    path, pair, exchange, first
        As for `load_recording`.

    Returns
    -------
    DataFrame
        `date, open_interest_amount, open_interest_value`, the state at `date`; no rows where there are none.
        With a vendor's rows `available` too.

    Raises
    ------
    DataError
        If the file is not a recorder's.
    """
    since, period = _milliseconds(first), minutes(INTEREST_TIMEFRAME) * MINUTE
    with Database(path) as database:
        series = Series(exchange, pair, OPEN_INTEREST, INTEREST_TIMEFRAME)
        table = database.read(series, first=since, within=period)
        bought = bought_interest(database, exchange, pair, since)
    names = {"amount": "open_interest_amount", "value": "open_interest_value"}
    own = table[~table["source"].isin(VENDORS)] if len(bought) else table
    own = own.assign(date=_dates(own["stamp"])).rename(columns=names)[["date", *names.values()]]
    return own if bought.empty else joined(own.assign(available=own["date"]), bought.rename(columns=names))


def recorded_exchanges(path: str | Path) -> list[str]:
    """Return the exchanges of which a file holds anything, by Freqtrade's names."""
    with Database(path) as database:
        return sorted({series.exchange for series in database.series()})


def listened(database: Database, exchange: str, pair: str, *, period: int | None = None) -> list[Span]:
    """Return when an exchange was listened to and was not silent, ascending and apart.

    Parameters
    ----------
    database : Database
    exchange, pair : str
    period : int, optional
        Milliseconds. Leave out what was noted later than a period after the end of the one that it is in.
    """
    spans = []
    for kind in (LISTENED, SILENT):
        table = database.read(Series(exchange, pair, kind))
        since = table["stamp"].to_numpy()
        if period is not None:
            since = np.maximum(since, (-(-table["available"].to_numpy() // period) - 2) * period)
        rows = zip(since.tolist(), table["until"].tolist(), strict=True)
        spans.append(united((a, b) for a, b in rows if a < b))
    return without(*spans)


def united(spans: Iterable[Span]) -> list[Span]:
    """Sort spans, and join those that touch or overlap."""
    joined: list[Span] = []
    for since, until in sorted(spans):
        if joined and since <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(until, joined[-1][1]))
        else:
            joined.append((since, until))
    return joined


def without(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """Cut holes out of spans; both ascending and apart."""
    holes, left = list(holes), []
    for since, until in spans:
        for a, b in holes:
            if since < a < until:
                left.append((since, a))
            if a < until and since < b:
                since = b
        if since < until:
            left.append((since, until))
    return left


def export(
    path: Path,
    kind: str,
    out: Path,
    *,
    exchanges: Sequence[str] | None = None,
    pairs: Sequence[str] | None = None,
) -> int:
    """Write all rows of a kind as a table, or those of some exchanges and pairs; return how many there are.

    Raises
    ------
    DataError
        If the file is not a recorder's, or holds no such rows.
    """
    tables = []
    with Database(path) as database:
        for series in database.series():
            exchange, pair, of, timeframe = series
            if of.name == kind and exchange in (exchanges or [exchange]) and pair in (pairs or [pair]):
                table = database.read(series)
                names = {"exchange": exchange, "pair": pair, "timeframe": timeframe}
                dates = {"date": _dates(table["stamp"]), "available": _dates(table["available"])}
                tables.append(table.assign(**names, **dates))
    if not tables:
        message = f"{path} must hold {kind} of them, received none"
        raise DataError(message)
    whole = pd.concat(tables)
    first = ["date", "exchange", "pair", *(["timeframe"] if whole["timeframe"].any() else [])]
    whole = whole[[*first, *KINDS[kind].columns, "available", "source"]].sort_values(first, ignore_index=True)
    write_frame(whole, out)
    return len(whole)


def _sums(database: Database, series: Series, period: int, since: int) -> pd.DataFrame:
    """Sum single liquidations by period and side."""
    number = database.number(series)
    bounds = (period, period, number, since // period * period, period, period)
    rows = [] if number is None else database.query(_SUMS, bounds)
    table = pd.DataFrame.from_records(rows, columns=["date", "side", "notional"])
    return table.assign(date=_dates(table["date"]), notional=table["notional"].astype("float64"))


def _given(database: Database, exchange: str, pair: str, period: int, since: int) -> pd.DataFrame:
    """Totals that the exchange gives, by opening; NaN where it does not give all parts of a period."""
    totals = pd.DataFrame()
    for series in database.series():
        if (series.exchange, series.pair, series.kind) == (exchange, pair, TOTALS):
            part = minutes(series.timeframe) * MINUTE
            rows = database.read(series, first=since // period * period, period=period)
            rows = rows[~rows["source"].isin(VENDORS)].set_index("stamp")
            if period % part == 0 and len(rows):
                begin, end = rows.index[0] // period * period, (rows.index[-1] // period + 1) * period
                rows = rows[list(SIDES)].reindex(range(begin, end, part)).reset_index()
                rows["date"] = _dates(rows["stamp"])
                found = totals_of(rows, period, silence=0).to_frame().set_index("date")
                totals = found if totals.empty else totals.combine_first(found)
    return totals


def _dates(stamp: "pd.Series[int]") -> "pd.Series[pd.Timestamp]":
    return pd.to_datetime(stamp.astype("int64"), unit="ms", utc=True).dt.as_unit("ms")


def _milliseconds(first: pd.Timestamp | None) -> int:
    return 0 if first is None else int(first.timestamp() * 1000)


def _one_of(database: Database, exchange: str | None) -> str:
    """Return the exchange that is meant."""
    found = sorted({series.exchange for series in database.series()})
    if exchange is not None and (name := canonical(exchange)) in found:
        return name
    if exchange is None and len(found) == 1:
        return found[0]
    wanted = "one exchange" if exchange is None else exchange
    message = f"{database.path} must hold recordings of {wanted}, received {', '.join(found) or 'none'}"
    raise DataError(message)
