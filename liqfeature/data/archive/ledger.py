"""What of the archive is here: a row of the database for each file, with what of it can be used."""

import time
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from liqfeature.data.archive.datasets import DATASETS, ArchivedFile
from liqfeature.data.archive.rows import Table
from liqfeature.data.database import Database, Row
from liqfeature.data.kinds import ARCHIVED, Series
from liqfeature.durations import DAY
from liqfeature.exchange.traits import exchange_traits
from liqfeature.types import BoolArray, FloatArray, IntArray

EXCHANGE, SOURCE = "binance", "archive"

NAME = "archive.sqlite"
"""Of the database, in a data directory."""

MISSING = "missing"
"""Remark of a file that is not there, and too old to come."""


class Entry(NamedTuple):
    """A file that was fetched; `sha256` is blank where there is none."""

    sha256: str
    remarks: tuple[str, ...]
    content: bytes

    @classmethod
    def of(cls, table: Table, sha256: str, remarks: tuple[str, ...]) -> "Entry":
        """Make the entry of a table."""
        matrix = np.column_stack([table.stamp.astype(np.float64), table.numbers])
        return cls(sha256, (*remarks, *table.remarks), zlib.compress(matrix.astype("<f8").tobytes()))

    def rows(self, columns: int) -> tuple[IntArray, FloatArray]:
        """Return stamps and numbers."""
        matrix = np.frombuffer(zlib.decompress(self.content) if self.content else b"", dtype="<f8")
        matrix = matrix.reshape(-1, 1 + columns).astype(np.float64)
        return matrix[:, 0].astype(np.int64), matrix[:, 1:]


NO_FILE = Entry("", (MISSING,), b"")


class Held(NamedTuple):
    """Rows of all files of a data set, by stamp: those of a file's own span before those of the one before.

    Parameters
    ----------
    stamp : ndarray of shape (n,)
        As the archive has it.
    numbers : ndarray of shape (n, columns)
    opens : ndarray of shape (n,)
        Whether the stamp is the opening of a row's period rather than its end.
    twice : int
        Stamps of which two files say different things.
    """

    stamp: IntArray
    numbers: FloatArray
    opens: BoolArray
    twice: int


class Ledger:
    """The files of one data set of a pair."""

    def __init__(self, database: Database, pair: str, dataset: str) -> None:
        self.database = database
        self.dataset = DATASETS[dataset]
        self._series = Series(EXCHANGE, pair, ARCHIVED, dataset)

    def entries(self) -> dict[int, Entry]:
        """Return what is here, by first moment, ascending."""
        table = self.database.read(self._series)
        rows = zip(table["stamp"], table["sha256"], table["remarks"], table["content"], strict=True)
        return {
            int(stamp): Entry(sha, tuple(filter(None, remarks.split("; "))), content)
            for stamp, sha, remarks, content in rows
        }

    def keep(self, found: Sequence[tuple[ArchivedFile, Entry]]) -> None:
        """Write files down, all or none."""
        now = round(time.time() * 1000)
        rows = [Row(file.first, now, (e.sha256, "; ".join(e.remarks), e.content)) for file, e in found]
        with self.database.writing():
            self.database.add(self._series, SOURCE, rows)

    def held(self) -> Held:
        """Return all rows."""
        width, opens = len(self.dataset.kept), None
        parts = [(np.zeros(0, dtype=np.int64), np.zeros((0, width)), np.zeros(0, dtype=np.bool_))]
        for first, entry in self.entries().items():
            stamp, numbers = entry.rows(width)
            opens = _opens(stamp, first, opens)
            parts.append((stamp, numbers, np.full(stamp.size, opens)))
        stamp, numbers, opening = (np.concatenate(part) for part in zip(*parts, strict=True))
        order = np.argsort(stamp, kind="stable")
        stamp, numbers, opening = stamp[order], numbers[order], opening[order]
        last = np.diff(stamp, append=np.inf) > 0
        both = np.flatnonzero(~last)
        differ = ~np.isclose(numbers[both], numbers[both + 1], rtol=0, atol=0, equal_nan=True).all(axis=1)
        return Held(stamp[last], numbers[last], opening[last], int(np.sum(differ)))


def _opens(stamp: IntArray, first: int, before: bool | None) -> bool:
    """Whether the stamps of a day are openings: then it holds its own midnight, and else the next one.

    Where it holds neither or both, it is as the day before; the first, as its date says.
    """
    midnights = np.isin((first, first + DAY), stamp)
    if midnights[0] != midnights[1]:
        return bool(midnights[0])
    if before is not None:
        return before
    since = datetime.fromisoformat(exchange_traits(EXCHANGE).open_interest_opening_since)
    return first >= since.replace(tzinfo=UTC).timestamp() * 1000
