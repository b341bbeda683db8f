"""Binance's public archive, data.binance.vision, over the same history as the REST routes.

Files are `/data/futures/um/{daily,monthly}/DATASET/SYMBOL[/INTERVAL]/NAME.zip`, each with a `.CHECKSUM`, and
there an hour after their span. Their numbers are those of the REST routes, digit for digit:

- `metrics`: the statistics of 5 minutes. A day's file holds those after its midnight, the next one included.
- `bookDepth`: the answers of `depth`, added up within percentages of price.
- `klines`, `markPriceKlines`, `fundingRate`.

Single trades are not simulated, and have no files.
"""

import hashlib
import io
import re
import zipfile
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np

from liqfeature.durations import HOUR, MINUTE
from liqfeature.sandbox.server.defects import Table, damaged
from liqfeature.sandbox.server.faults import DEFECTS, Fault, spoil
from liqfeature.sandbox.server.history import kline_rows, mark_price_rows
from liqfeature.sandbox.server.quotes import FUNDING_HOURS, level_amount
from liqfeature.sandbox.server.statistics import eight_digits
from liqfeature.sandbox.server.venue import Perpetual, Venue
from liqfeature.sandbox.simulation.bars import INTERVALS

_PATH = re.compile(
    r"/data/futures/um/(?P<every>daily|monthly)/(?P<dataset>\w+)/(?P<symbol>\w+)/((?P<interval>\w+)/)?"
    r"(?P<name>(?P=symbol)-(?(interval)(?P=interval)|(?P=dataset))-(?P<date>\d{4}-\d\d(-\d\d)?))\.zip(\.CHECKSUM)?"
)

_METRICS = (
    "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
    "sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio"
)
_KLINES = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    "taker_buy_quote_volume,ignore"
)

_BANDS = (0.2, 1.0, 2.0, 3.0, 4.0, 5.0)
"""Percent of price within which `bookDepth` adds up depth, on either side."""

_DEPTH_PERIOD = 30_000

_KEPT = 64
"""Files of a perpetual that are kept, so that a file and its checksum are made once."""


class Span(NamedTuple):
    """What a file is of: a perpetual from one time to another, milliseconds since 1970."""

    perpetual: Perpetual
    start: int
    end: int

    def before(self) -> "Span":
        """Return as long a span before this one."""
        return self._replace(start=2 * self.start - self.end, end=self.start)


def archived(venue: Venue, path: str, faults: tuple[Fault, ...]) -> bytes | None:
    """Return a file of the archive, or a file's checksum; None where there is none.

    Parameters
    ----------
    venue : Venue
        With its clock stopped.
    path : str
        Of the request.
    faults : tuple of Fault
        Those that strike it.
    """
    parts = _PATH.fullmatch(path)
    span = None if parts is None else _span(venue, parts)
    if parts is None or span is None or any(fault.kind == "missing_file" for fault in faults):
        return None
    file = path.removesuffix(".CHECKSUM")
    faults = tuple(fault for fault in faults if fault.kind in (*DEFECTS, "gap"))
    files, key = span.perpetual.files, (file, faults, venue.start_stamped)
    if key not in files:
        kinds = {fault.kind for fault in faults}
        held = span.before() if "duplicate_day" in kinds else span
        table = damaged(_table(venue, parts, held, faults), file, faults)
        if len(files) >= _KEPT:
            files.clear()
        files[key] = _zipped(parts["name"], table, span.end, kinds)
    if not files[key] or file == path:
        return files[key] or None
    digest = hashlib.sha256(files[key]).hexdigest()
    digest = digest[::-1] if any(fault.kind == "wrong_checksum" for fault in faults) else digest
    return f"{digest}  {parts['name']}.zip\n".encode()


def _span(venue: Venue, parts: re.Match[str]) -> Span | None:
    """Return what a path names; None where the venue has no such file, or not yet."""
    daily = parts["every"] == "daily"
    try:
        start = datetime.strptime(parts["date"], "%Y-%m-%d" if daily else "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        return None
    end = start + timedelta(days=1) if daily else (start + timedelta(days=31)).replace(day=1)
    first, last = (round(1000 * moment.timestamp()) for moment in (start, end))
    perpetual = venue.perpetuals.get(parts["symbol"])
    if perpetual is None or venue.now < last + HOUR:
        return None
    return Span(perpetual, first, last)


def _table(venue: Venue, parts: re.Match[str], span: Span, faults: tuple[Fault, ...]) -> Table:
    """Return the rows of a file, none where there is no such data set."""
    match parts["every"], parts["dataset"], parts["interval"]:
        case "daily", "metrics", None:
            return _metrics(venue, span)
        case "daily", "bookDepth", None:
            return _book_depth(span)
        case "monthly", "fundingRate", None:
            return _fundings(span)
        case _, "klines" | "markPriceKlines" as dataset, interval if interval in INTERVALS:
            rows = _candles(span, dataset, interval)
            rows = spoil(rows, f"/fapi/v1/{dataset}", faults, venue.now)
            return Table(_KLINES, [row[0] for row in rows], [[str(cell) for cell in row[1:]] for row in rows])
    return Table("", [], [])


def _metrics(venue: Venue, span: Span) -> Table:
    statistics = span.perpetual.statistics("5m")
    first, stop = np.searchsorted(statistics.time, (span.start, span.end), side="right")
    columns = (
        statistics.open_interest,
        statistics.open_interest_value,
        statistics.top_account_ratio,
        statistics.top_position_ratio,
        statistics.account_ratio,
        statistics.taker_ratio,
    )
    amount, value, *ratios = (eight_digits(column[first:stop]) for column in columns)
    cells = [
        [span.perpetual.symbol, f"{one_amount}00000000", f"{one_value}00000000", *rest]
        for one_amount, one_value, *rest in zip(amount, value, *ratios, strict=True)
    ]
    stamps = venue.stamps(statistics.time[first:stop], 5 * MINUTE)
    return Table(_METRICS, stamps.tolist(), cells, labels=1, dated=True)


def _book_depth(span: Span) -> Table:
    tape = span.perpetual.tape
    stamps: list[int] = []
    cells: list[list[str]] = []
    for opened in range(span.start, span.end, MINUTE):
        last = (opened - tape.start) // MINUTE - 1
        if 0 <= last < len(tape.close):
            bands = _bands(span.perpetual, last)
            for stamp in range(opened, opened + MINUTE, _DEPTH_PERIOD):
                stamps += [stamp] * len(bands)
                cells += bands
    return Table("timestamp,percentage,depth,notional", stamps, cells, labels=1, dated=True)


def _bands(perpetual: Perpetual, last: int) -> list[list[str]]:
    """Return percentage, amount and notional of the order book after a minute, from the lowest price up."""
    digits = perpetual.filters.price
    middle, tick = round(float(perpetual.tape.close[last]), digits), 10.0**-digits
    amount = float(level_amount(perpetual, last))
    rows = []
    for percent in (*(-band for band in reversed(_BANDS)), *_BANDS):
        levels = int(abs(percent) / 100 * middle / tick + 1e-9)
        step = tick if percent > 0 else -tick
        notional = amount * (levels * middle + step * levels * (levels + 1) / 2)
        rows.append([f"{percent:.2f}", f"{levels * amount:.8f}", f"{notional:.8f}"])
    return rows


def _fundings(span: Span) -> Table:
    tape = span.perpetual.tape
    first, stop = np.searchsorted(tape.funding_time, (span.start, span.end))
    cells = [[str(FUNDING_HOURS), rate] for rate in eight_digits(tape.funding_rate[first:stop])]
    header = "calc_time,funding_interval_hours,last_funding_rate"
    return Table(header, tape.funding_time[first:stop].tolist(), cells, labels=1)


def _candles(span: Span, dataset: str, interval: str) -> list[list[object]]:
    candles = span.perpetual.bars(interval, "last" if dataset == "klines" else "mark")
    first, stop = np.searchsorted(candles.open_time, (span.start, span.end))
    rows = candles.rows(slice(int(first), int(stop)))
    return kline_rows(span.perpetual, rows) if dataset == "klines" else mark_price_rows(rows)


def _zipped(name: str, table: Table, end: int, kinds: set[str]) -> bytes:
    """Return a table as a zip file, the same bytes each time; nothing where it has no row."""
    if not table.stamps:
        return b""
    stamps = np.array(table.stamps)
    if table.dated:
        stamps = np.char.replace(np.datetime_as_string(stamps.astype("datetime64[ms]"), unit="s"), "T", " ")
    lines = [] if "no_header" in kinds else [table.header]
    lines += [
        ",".join([str(stamp), *(cell or '""' for cell in row)])
        for stamp, row in zip(stamps.tolist(), table.cells, strict=True)
    ]
    written = datetime.fromtimestamp(end / 1000, UTC).timetuple()[:6]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(2 if "double_zip" in kinds else 1):
            member = zipfile.ZipInfo(f"{name}{'-copy' * number}.csv", written)
            member.compress_type, member.create_system = zipfile.ZIP_DEFLATED, 3
            archive.writestr(member, "\n".join([*lines, ""]))
    body = buffer.getvalue()
    return body[: len(body) // 2] if "truncated_zip" in kinds else body
