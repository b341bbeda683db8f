"""A directory that `liqfeature record` writes: where what lies, and reading it while it is written.

    DIR/binance/BTC_USDT_USDT/2026-01-31.parquet    one UTC day, columns of `schema.RECORDED`
    DIR/binance/listened.json                       [since, until] in milliseconds, by pair: when it listened
    DIR/journal/00000001.jsonl                      what no day's file holds yet, a line each

A day's file is only ever replaced by one that holds more. Rows go from the journal into it, and leave the
journal afterwards: who reads the journal first and the days' files then sees every row at least once.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from liqfeature.data.prints import SIDES, Print, frame_of, without_repetitions
from liqfeature.data.schema import RECORDED
from liqfeature.data.store import minutes, read_frame
from liqfeature.errors import DataError
from liqfeature.tables import require_column

JOURNAL = "journal"
LISTENED = "listened.json"

Span = tuple[int, int]
"""From when until when, in milliseconds since 1970 by the exchange's clock."""


def day_file(root: Path, exchange: str, pair: str, day: str) -> Path:
    """Path of one day's prints of one pair; `day` such as "2026-01-31"."""
    return root / exchange / _stem(pair) / f"{day}.parquet"


def segments(root: Path) -> list[Path]:
    """Files of the journal, oldest first."""
    return sorted((root / JOURNAL).glob("*.jsonl"))


def read_segment(path: Path) -> tuple[list[Print], int]:
    """Read one file of the journal.

    Returns
    -------
    prints : list of Print
    damaged : int
        Lines that hold none. What follows the last line's end does not count: there a recorder was killed
        while it wrote, and nobody was told that it had been written.
    """
    prints, damaged = [], 0
    for line in path.read_bytes().split(b"\n")[:-1]:
        try:
            prints.append(Print.from_line(line.decode()))
        except ValueError:  # DataError and UnicodeDecodeError among them
            damaged += 1
    return prints, damaged


def load_recording(
    path: str | Path, pair: str, exchange: str | None = None, *, first: pd.Timestamp | None = None
) -> pd.DataFrame:
    """Read what `liqfeature record` wrote of one pair.

    Parameters
    ----------
    path : path
        Directory of the recorder (its `--out`), one exchange's directory within it, or one parquet file.
    pair : str
        Freqtrade's name, such as "BTC/USDT:USDT".
    exchange : str, optional
        Whose prints, where a recorder's directory holds those of several. Of one exchange's directory or a
        single file everything is read.
    first : Timestamp, optional
        With a time zone. Leave out prints before it, without reading the files of earlier days.

    Returns
    -------
    DataFrame
        Columns of `liqfeature.data.schema.RECORDED`, by date ascending, without repetitions; no rows where
        there are none of the pair.

    Raises
    ------
    DataError
        If several exchanges were recorded and none of them is named, the one named was not, or a file is
        not a recorder's.
    """
    path = Path(path)
    if path.is_file():
        return _of_pair(read_frame(path), path, pair, first)
    root, exchange = place_of(path, exchange)
    waiting = frame_of([one for one in _journal(root) if one.exchange == exchange])
    days = sorted((root / exchange / _stem(pair)).glob("[0-9]*.parquet"))  # unfinished ones begin with a dot
    begin = "" if first is None else f"{first.tz_convert('UTC'):%Y-%m-%d}"
    tables = [read_frame(day) for day in days if day.stem >= begin]
    table = pd.concat([table for table in (*tables, waiting) if len(table)] or [waiting])
    return _of_pair(table, path, pair, first)


def load_totals(
    path: str | Path,
    pair: str,
    timeframe: str,
    exchange: str | None = None,
    *,
    first: pd.Timestamp | None = None,
    least: float = 0.9,
) -> pd.DataFrame:
    """Sum what was recorded over periods: what `liquidation_features` takes as `liquidations`.

    Parameters
    ----------
    path, pair, exchange, first
        As for `load_recording`; `path` must be a directory.
    timeframe : str
        Length of a period, such as "5m".
    least : float
        Share of a period during which the recorder must have listened: one that it reconnected in counts.

    Returns
    -------
    DataFrame
        `date, long, short`: opening of the period, and notional by side of the position. 0 where nothing was
        liquidated, NaN where the recorder did not listen; from the first period that it did to the last.

    Raises
    ------
    DataError
        As `load_recording`.
    """
    period = minutes(timeframe) * 60_000
    prints = load_recording(path, pair, exchange, first=first)
    root, name = place_of(Path(path), exchange)
    since = 0 if first is None else int(first.timestamp() * 1000)
    spans = [(max(a, since), b) for a, b in read_spans(root, name).get(pair, []) if b > since]
    begin, end = (spans[0][0] // period, -(-spans[-1][1] // period)) if spans else (0, 0)
    edges = np.arange(begin, end + 1, dtype=np.int64) * period
    listened = np.zeros(edges.size)
    for a, b in spans:
        listened += np.clip(edges, a, b) - a
    known = np.diff(listened) >= least * period
    totals: dict[str, Any] = {"date": pd.to_datetime(edges[:-1], unit="ms", utc=True).as_unit("ms")}
    row = prints["date"].astype("int64").to_numpy() // period - begin
    for side in SIDES:
        mine = (prints["side"] == side).to_numpy() & (row >= 0) & (row < end - begin)
        amount = np.bincount(row[mine], weights=prints["notional"].to_numpy()[mine], minlength=end - begin)
        totals[side] = np.where(known, amount[: end - begin], np.nan)
    return pd.DataFrame(totals)


def read_spans(root: Path, exchange: str) -> dict[str, list[Span]]:
    """Read when an exchange was listened to, by pair; ascending and apart."""
    path = root / exchange / LISTENED
    if not path.exists():
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return {pair: [(int(a), int(b)) for a, b in spans] for pair, spans in values.items()}
    except (ValueError, TypeError, AttributeError) as error:
        msg = f"{path} must hold spans of time by pair: {error}"
        raise DataError(msg) from error


def place_of(path: Path, exchange: str | None) -> tuple[Path, str]:
    """Return a recorder's directory and the exchange that is meant; see `load_recording`."""
    return (path, _one_of(path, exchange)) if is_root(path) else (path.parent, path.name)


def is_root(path: Path) -> bool:
    """Whether a directory is a recorder's own, rather than one exchange's within it."""
    return (path / JOURNAL).is_dir()


def _journal(root: Path) -> Iterable[Print]:
    for segment in segments(root):
        try:
            prints, _ = read_segment(segment)
        except FileNotFoundError:  # its rows went into the days' files just now, which are read next
            continue
        yield from prints


def _one_of(root: Path, exchange: str | None) -> str:
    found = {path.name for path in root.iterdir() if path.is_dir()} - {JOURNAL}
    found |= {one.exchange for one in _journal(root)}
    if exchange in found:
        return str(exchange)
    if exchange is None and len(found) == 1:
        return found.pop()
    wanted = "one exchange" if exchange is None else exchange
    msg = f"{root} must hold a recording of {wanted}, received {', '.join(sorted(found)) or 'none'}"
    raise DataError(msg)


def _of_pair(table: pd.DataFrame, path: Path, pair: str, first: pd.Timestamp | None) -> pd.DataFrame:
    for column in RECORDED:
        require_column(table, column, f"liquidations in {path}")
    mine = table[table["pair"].astype(str) == pair]
    return without_repetitions(mine if first is None else mine[mine["date"] >= first])


def _stem(pair: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]", "_", pair)
