"""A file of the archive, from its bytes to numbers: what is wrong with it is reported, and stays out.

About a quarter of the files of `metrics` has some defect: blank numbers, a wrong period, rows twice or late,
another day, no header. None of it may enter a column.
"""

import csv
import hashlib
import io
import math
import zipfile
import zlib
from typing import NamedTuple

import numpy as np

from liqfeature.data.archive.datasets import DEPTH, DEPTH_PERCENTS, METRICS, ArchivedFile
from liqfeature.durations import MINUTE
from liqfeature.errors import DataError
from liqfeature.types import BoolArray, FloatArray, IntArray

MOST_LATE = MINUTE
"""Milliseconds by which a stamp may be late and still mean the round time before it."""

TAKEN_WITHIN = MINUTE
"""Milliseconds before a boundary within which an order book must have been looked at."""


class Table(NamedTuple):
    """Rows of a file that can be used, by stamp, and what was wrong with the others.

    `stamp` in milliseconds, (n,); `numbers` (n, columns), NaN where blank; `remarks` in words.
    """

    stamp: IntArray
    numbers: FloatArray
    remarks: tuple[str, ...]


def unzipped(body: bytes, checksum: str, file: ArchivedFile) -> tuple[bytes, tuple[str, ...]]:
    """Return the table that a zip file holds, and remarks; nothing in it is used as a path.

    Raises
    ------
    DataError
        In words, if the file is not what its checksum says, or holds no such table.
    """
    published = checksum.split()[0].lower() if checksum.strip() else "nothing"
    if hashlib.sha256(body).hexdigest() != published:
        message = "another checksum than published"
        raise DataError(message)
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as opened:
            members = opened.infolist()
            wanted = [member for member in members if member.filename == f"{file.name}.csv"]
            if len(wanted) != 1:
                message = f"no table {file.name}.csv in the zip file"
                raise DataError(message)
            with opened.open(wanted[0]) as stream:
                table = stream.read(file.dataset.most_bytes + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        message = f"a damaged zip file ({error})"
        raise DataError(message) from error
    if len(table) > file.dataset.most_bytes:
        message = f"a table of more than {file.dataset.most_bytes:,} bytes"
        raise DataError(message)
    return table, (f"{len(members)} tables in the zip file",) if len(members) > 1 else ()


def rows_of(table: bytes, file: ArchivedFile) -> Table:
    """Read a table.

    Raises
    ------
    DataError
        In words, if it has other columns.
    """
    cells, remarks = _columns(table, file)
    names = list(file.dataset.columns)
    stamp = _stamps(cells[names[0]])
    late = stamp % file.dataset.period
    readable, kept = stamp > 0, late <= MOST_LATE
    inside = (stamp - late >= file.first) & (stamp - late <= file.end)
    own = np.array(
        [cell == file.symbol for cell in cells.get("symbol", [file.symbol] * stamp.size)], dtype=bool
    )
    for rows, words in (
        (~readable, "without a time"),
        (readable & ~own, "of another symbol"),
        (readable & own & ~inside, "of another time"),
        (readable & own & inside & ~kept, f"more than {MOST_LATE // 1000} s late"),
        (readable & own & inside & kept & (late >= 1000) & (file.dataset is METRICS), "some seconds late"),
    ):
        remarks += _counted(rows, words)
    good = readable & own & inside & kept
    numbers = _numbers(cells, file)
    remarks += _counted(good & np.isnan(numbers).any(axis=1), "with blank or impossible numbers")
    if file.dataset is DEPTH:
        return _depth(stamp[good], numbers[good], remarks)
    return _once((stamp - late)[good], numbers[good], file, remarks)


def _columns(table: bytes, file: ArchivedFile) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """Cells by the names of their columns, or by their places where there is no header."""
    try:
        lines = [line for line in csv.reader(io.StringIO(table.decode())) if line]
    except (csv.Error, UnicodeDecodeError) as error:
        message = f"no table ({error})"
        raise DataError(message) from error
    if not lines:
        message = "no table (it is empty)"
        raise DataError(message)
    wanted = list(file.dataset.columns)
    headed = not lines[0][0].strip()[:1].isdigit()
    names = [name.strip() for name in lines[0]] if headed else wanted
    if missing := [name for name in wanted if name not in names]:
        message = f"no column {missing[0]}"
        raise DataError(message)
    rows = [line for line in lines[headed:] if len(line) == len(names)]
    other = len(lines) - headed - len(rows)
    if other and not rows:
        message = f"rows of {len(lines[headed])} cells"
        raise DataError(message)
    cells = {name: [line[names.index(name)] for line in rows] for name in wanted}
    return cells, (() if headed else ("no header",)) + _counted(np.ones(other, dtype=bool), "of other cells")


def _stamps(cells: list[str]) -> IntArray:
    """Milliseconds; 0 where a cell holds no time."""
    try:
        return _times(cells)
    except ValueError:
        return np.array([_time_or_0(cell) for cell in cells], dtype=np.int64)


def _times(cells: list[str]) -> IntArray:
    """Milliseconds as they are, or from dates."""
    if all(map(str.isdigit, cells)):
        return np.array(cells, dtype=np.int64)
    return np.array(cells, dtype="datetime64[ms]").astype(np.int64)


def _time_or_0(cell: str) -> int:
    try:
        return int(_times([cell])[0])
    except ValueError:
        return 0


def _numbers(cells: dict[str, list[str]], file: ArchivedFile) -> FloatArray:
    """Numbers with NaN for what is none, (rows, numbers)."""
    columns = {name: cells[column] for column, name in file.dataset.columns.items() if name}
    values = np.array([[_number(cell) for cell in column] for column in columns.values()]).T
    values = np.where(np.isfinite(values), values, np.nan)
    for place, name in enumerate(columns):
        if name in file.dataset.positive:
            values[~(values[:, place] > 0), place] = np.nan
        elif name.endswith("ratio"):
            values[~(values[:, place] >= 0), place] = np.nan
    return values


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _once(stamp: IntArray, numbers: FloatArray, file: ArchivedFile, remarks: tuple[str, ...]) -> Table:
    """Sort rows and keep one of each stamp: the first, or what no two contradict where rows have no order.

    A flow over another period than its own is unknown.
    """
    order = np.argsort(stamp, kind="stable")
    unordered = bool((order != np.arange(order.size)).any())
    remarks += ("rows out of order",) if unordered else ()
    stamp, numbers = stamp[order], numbers[order]
    again = np.diff(stamp, prepend=-1) == 0
    first = np.maximum.accumulate(np.where(again, 0, np.arange(stamp.size)))
    same = np.isclose(numbers, numbers[first], rtol=0, atol=0, equal_nan=True).all(axis=1)
    remarks += _counted(again & same, "twice") + _counted(again & ~same, "twice, with other numbers")
    if unordered:
        numbers[first[again & ~same]] = np.nan
    stamp, numbers = stamp[~again], numbers[~again]
    if file.dataset is METRICS and stamp.size > 1:
        period = int(np.median(np.diff(stamp)))
        if period != METRICS.period:
            remarks += (f"a row every {period // MINUTE} minutes",)
            numbers[:, METRICS.numbers.index("taker_ratio")] = np.nan
    return Table(stamp, numbers, remarks)


def _depth(stamp: IntArray, numbers: FloatArray, remarks: tuple[str, ...]) -> Table:
    """Take the last look at the order book before every five minutes: notional within 1 to 5 % of price."""
    percent, notional = numbers[:, 0], numbers[:, 2]
    boundary = -(-stamp // METRICS.period) * METRICS.period
    near = (boundary - stamp <= TAKEN_WITHIN) & np.isin(percent, DEPTH_PERCENTS)
    order = np.argsort(stamp[near], kind="stable")
    at, row = np.unique(boundary[near][order], return_inverse=True)
    depth = np.full((at.size, len(DEPTH_PERCENTS)), np.nan)
    depth[row, np.searchsorted(DEPTH_PERCENTS, percent[near][order])] = notional[near][
        order
    ]  # the last stays
    return Table(at, depth, remarks)


def _counted(rows: BoolArray, words: str) -> tuple[str, ...]:
    count = int(np.sum(rows))
    return (f"{count} row{'s' if count > 1 else ''} {words}",) if count else ()
