"""Everything that is recorded, in one SQLite file that is written and read at the same time.

Each kind of row has a table. A row is about its `stamp`, and could be known from `available` on; both are
milliseconds by the exchange's clock. Rows are only ever added: what is received again changes nothing, and a
revision is a further row, so that a backtest reads what a bot could know at each moment.

The file has a write-ahead log: readers and the writer do not wait for each other, and what is written
outlasts kill -9 and power cuts.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

import pandas as pd

from liqfeature.data.kinds import KINDS, Series
from liqfeature.errors import DataError

APPLICATION = int.from_bytes(b"liqf", "big")
"""Marks a file as ours, where SQLite keeps such a mark."""

VERSION = 1

PATIENCE = 10.0
"""Seconds to wait for another writer."""

_SCHEMA = (
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {VERSION}",
    "CREATE TABLE about (simulated INTEGER NOT NULL) STRICT",
    """CREATE TABLE series (
        id INTEGER PRIMARY KEY,
        exchange TEXT NOT NULL, pair TEXT NOT NULL, kind TEXT NOT NULL, timeframe TEXT NOT NULL,
        UNIQUE (exchange, pair, kind, timeframe)
    ) STRICT""",
)

_TABLE = """CREATE TABLE IF NOT EXISTS {kind} (
    series INTEGER NOT NULL REFERENCES series, stamp INTEGER NOT NULL, item INTEGER NOT NULL,
    available INTEGER NOT NULL, source TEXT NOT NULL, {declared},
    PRIMARY KEY (series, stamp, item)
) STRICT, WITHOUT ROWID"""
"""`item` tells rows of one stamp apart: events by a fingerprint, states by when they were known."""

_ADD = "INSERT INTO {kind} (series, stamp, item, available, source, {columns}) "

_ADD_EVENT = _ADD + "VALUES (?, ?, ?, ?, ?, {marks}) ON CONFLICT DO NOTHING"

_ADD_STATE = _ADD + (
    "SELECT ?, ?, ?, ?, ?, {marks} WHERE NOT EXISTS (SELECT 1 FROM (SELECT {columns} FROM {kind} "
    "WHERE series = ? AND stamp = ? AND item <= ? ORDER BY item DESC LIMIT 1) "
    "WHERE ({columns}) IS ({marks})) ON CONFLICT DO NOTHING"
)

_ADD_SPAN = _ADD + (
    "VALUES (?, ?, ?, ?, ?, {marks}) "
    "ON CONFLICT (series, stamp, item) DO UPDATE SET until = max(until, excluded.until)"
)

_READ = (
    "SELECT stamp, available, source, {columns}, max(item) FROM {kind} WHERE series = ? "
    "AND stamp BETWEEN ? AND ? AND available <= min(?, stamp + ?, (stamp / ? + 2) * ?) "
    "GROUP BY {row} ORDER BY {row}"
)
"""In a group, SQLite takes the other columns from the row that has the maximum."""

_EVER = 2**62 - 1

_TYPES = {"TEXT": "str", "REAL": "float64", "INTEGER": "int64", "BLOB": "object"}

_ADVICE = {
    "SQLITE_BUSY": "another program has been writing to it for too long",
    "SQLITE_CANTOPEN": "its directory must exist and let files be made",
    "SQLITE_CORRUPT": "it is damaged, `sqlite3 FILE .recover` saves what can be read",
    "SQLITE_FULL": "there is no space left",
    "SQLITE_NOTADB": "it must be one that liqfeature record writes",
}


class Row(NamedTuple):
    """What is recorded of one stamp; `content` in the order of the kind's columns."""

    stamp: int
    available: int
    content: Sequence[Any]


class Database:
    """A file of recordings.

    Parameters
    ----------
    path : path
    write : bool
        Whether it will be written to; then it is made where there is none.
    simulated : bool
        Whether what is written comes from the sandbox; a file holds either real or simulated data.

    Raises
    ------
    DataError
        If it is not such a file, is of a later version, or holds the other sort of data.
    """

    def __init__(self, path: str | Path, *, write: bool = False, simulated: bool = False) -> None:
        self.path = Path(path)
        if self.path.is_dir() or not (write or self.path.exists()):
            found = "a directory" if self.path.is_dir() else "no such file"
            message = f"{self.path} must be a file that liqfeature record writes, received {found}"
            raise DataError(message)
        address = self.path.absolute().as_uri() + ("" if write else "?mode=ro")
        with self._explained():
            self._connection = sqlite3.connect(
                address, uri=True, timeout=PATIENCE, isolation_level=None, check_same_thread=False
            )
            try:
                self._check(write=write, simulated=simulated)
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Have on disk at the end all that is added inside, or nothing of it.

        Raises
        ------
        DataError
            If it cannot be written; it may be tried again.
        """
        with self._explained():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def add(self, series: Series, source: str, rows: Iterable[Row]) -> list[bool]:
        """Add rows, inside of `writing`, and return which of them say something new.

        Of a state, a row that repeats what was known before it says nothing new.

        Parameters
        ----------
        series : Series
        source : str
            Where they come from, such as "stream".
        rows : iterable of Row
        """
        events, number, new = series.kind.events, self._number_for(series), []
        sql = (_ADD_EVENT if events else _ADD_STATE).format(**series.kind.words)
        for row in rows:
            key = (number, row.stamp, _fingerprint(row.content) if events else row.available)
            unless = () if events else (*key, *row.content)
            values = (*key, row.available, source, *row.content, *unless)
            new.append(self._connection.execute(sql, values).rowcount == 1)
        return new

    def extend(self, series: Series, source: str, row: Row) -> None:
        """Add a span of time, or let the one that began then last longer; inside of `writing`."""
        key = (self._number_for(series), row.stamp, row.available)
        sql = _ADD_SPAN.format(**series.kind.words)
        self._connection.execute(sql, (*key, row.available, source, *row.content))

    def read(
        self,
        series: Series,
        *,
        first: int = 0,
        last: int = _EVER,
        as_of: int = _EVER,
        within: int = _EVER // 2,
        period: int = _EVER // 2,
    ) -> pd.DataFrame:
        """Read a series; of states the newest revisions.

        Parameters
        ----------
        series : Series
        first, last : int
            Stamps between which rows are read, both included.
        as_of : int
            Read what could be known then.
        within : int
            Read only what was available at most this many milliseconds after its stamp.
        period : int
            Read what could be known a period after the end of the one that the stamp lies in: when a bot
            first uses it.

        Returns
        -------
        DataFrame
            `stamp, available, source` and the kind's columns, by stamp.
        """
        sql = _READ.format(**series.kind.words, row="stamp, item" if series.kind.events else "stamp")
        number = self.number(series)
        values = (number, first, last, as_of, within, period, period)
        return _table(series, [] if number is None else [row[:-1] for row in self.query(sql, values)])

    def revisions(self, series: Series, sources: Sequence[str] = (), *, first: int = 0) -> pd.DataFrame:
        """Read every revision of a series, in the order in which they could be known.

        Parameters
        ----------
        series : Series
        sources : sequence of str
            Where they come from; anywhere by default.
        first : int
            Stamp from which on rows are read.

        Returns
        -------
        DataFrame
            As `read` returns it, but that a stamp may have several rows.
        """
        words, number = series.kind.words, self.number(series)
        given = f"AND source IN ({', '.join('?' * len(sources))}) " if sources else ""
        sql = (
            f"SELECT stamp, available, source, {words['columns']} FROM {words['kind']} WHERE series = ? "
            f"AND stamp >= ? {given}ORDER BY available, stamp"
        )
        return _table(series, [] if number is None else self.query(sql, (number, first, *sources)))

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Ask in SQL."""
        with self._explained():
            return self._connection.execute(sql, values).fetchall()

    def series(self) -> list[Series]:
        """Return what there is, of kinds that are known here."""
        rows = self.query("SELECT exchange, pair, kind, timeframe FROM series ORDER BY 1, 2, 3, 4")
        return [Series(one, pair, KINDS[kind], time) for one, pair, kind, time in rows if kind in KINDS]

    def number(self, series: Series) -> int | None:
        """Return what stands in the column `series` of its rows; None where there are none."""
        sql = "SELECT id FROM series WHERE exchange = ? AND pair = ? AND kind = ? AND timeframe = ?"
        found = self.query(sql, series._replace(kind=series.kind.name))  # type: ignore[arg-type]
        return int(found[0][0]) if found else None

    def _number_for(self, series: Series) -> int:
        """Return the number of a series that will have rows."""
        number = self.number(series)
        if number is None:
            self._connection.execute(_TABLE.format(**series.kind.words))
            sql = "INSERT INTO series (exchange, pair, kind, timeframe) VALUES (?, ?, ?, ?)"
            self._connection.execute(sql, series._replace(kind=series.kind.name))  # type: ignore[arg-type]
            number = self.number(series)
        assert number is not None
        return number

    # The file.

    def _check(self, *, write: bool, simulated: bool) -> None:
        """Make a new file ours; refuse one that is not."""
        if write and self.query("PRAGMA application_id") == [(0,)]:
            self._create(simulated=simulated)
        if self.query("PRAGMA application_id") != [(APPLICATION,)]:
            message = f"{self.path} must be a file that liqfeature record writes, received another database"
            raise DataError(message)
        ((version,),) = self.query("PRAGMA user_version")
        if version > VERSION:
            message = f"{self.path} must be of version {VERSION}, received {version}: update liqfeature"
            raise DataError(message)
        if write:
            ((there,),) = self.query("SELECT simulated FROM about")
            if there != simulated:
                one, other = ("simulated", "real") if there else ("real", "simulated")
                message = f"{self.path} must hold {one} data, received {other}"
                raise DataError(message)
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "fullfsync = ON"):
                self.query(f"PRAGMA {pragma}")

    def _create(self, *, simulated: bool) -> None:
        with self.writing():
            if not self.query("SELECT 1 FROM sqlite_master"):  # else it is foreign, or somebody was faster
                for statement in _SCHEMA:
                    self._connection.execute(statement)
                self._connection.execute("INSERT INTO about VALUES (?)", (int(simulated),))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say of SQLite's errors which file they are about, and what can be done."""
        try:
            yield
        except sqlite3.Error as error:
            name = str(getattr(error, "sqlite_errorname", ""))
            advice = [text for code, text in _ADVICE.items() if name.startswith(code)]
            message = f"{self.path}: {': '.join([str(error), *advice])}"
            raise DataError(message) from error


def _table(series: Series, rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    types = {"stamp": "INTEGER", "available": "INTEGER", "source": "TEXT", **series.kind.columns}
    table = pd.DataFrame.from_records(rows, columns=list(types))
    return table.astype({name: _TYPES[declared] for name, declared in types.items()})


def _fingerprint(content: Sequence[Any]) -> int:
    """64 bits that equal content shares, on every machine."""
    digest = hashlib.blake2b(repr(tuple(content)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
