"""Defects of files in the archive: those seen in Binance's, each a kind of fault.

Which rows a defect changes depends on the file and the kind alone, so that a file is the same each time. A
defect with `until` is that of a file which is replaced at that time.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from liqfeature.sandbox.server.faults import Fault
from liqfeature.types import IntArray


class Table(NamedTuple):
    """Rows of a file.

    Parameters
    ----------
    header : str
        Names of the columns, with commas.
    stamps : list of int
        First cells, milliseconds since 1970.
    cells : list of list of str
        Further cells of each row.
    labels : int, default 0
        Leading ones of the further cells that are no measured numbers.
    dated : bool, default False
        Whether stamps are written as dates.
    """

    header: str
    stamps: list[int]
    cells: list[list[str]]
    labels: int = 0
    dated: bool = False


def damaged(table: Table, file: str, faults: Iterable[Fault]) -> Table:
    """Apply the defects of rows.

    Parameters
    ----------
    table : Table
        As it should be.
    file : str
        Path of the file.
    faults : iterable of Fault
        Those that strike it; other kinds are ignored.
    """
    for fault in faults:
        if fault.kind in _DAMAGES and table.stamps:
            digest = hashlib.sha256(f"{fault.kind} {file}".encode()).digest()
            rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
            table = _DAMAGES[fault.kind](table, fault, rng)
    return table


def _short(table: Table, fault: Fault, rng: np.random.Generator) -> Table:
    del fault, rng
    return _chosen(table, range(len(table.stamps) * 9 // 16))


def _sparse(table: Table, fault: Fault, rng: np.random.Generator) -> Table:
    del fault, rng
    return _chosen(table, range(0, len(table.stamps), 3))


def _unordered(table: Table, fault: Fault, rng: np.random.Generator) -> Table:
    del fault
    return _chosen(table, rng.permutation(len(table.stamps)))


def _late(table: Table, fault: Fault, rng: np.random.Generator) -> Table:
    stamps = table.stamps.copy()
    for row in _struck(table, fault, rng):
        stamps[row] += 1000 * int(rng.integers(1, max(2, int(fault.seconds) + 1)))
    return table._replace(stamps=stamps)


def _twice(table: Table, fault: Fault, rng: np.random.Generator) -> Table:
    return _chosen(table, np.sort(np.concatenate([np.arange(len(table.stamps)), _struck(table, fault, rng)])))


def _conflicting(table: Table, fault: Fault, rng: np.random.Generator) -> Table:
    struck = _struck(table, fault, rng)
    both = _chosen(table, np.sort(np.concatenate([np.arange(len(table.stamps)), struck])))
    return _changed(both, struck + np.arange(1, len(struck) + 1), _raised)


def _blank(table: Table, fault: Fault, rng: np.random.Generator) -> Table:
    return _changed(table, _struck(table, fault, rng), lambda _: "")


def _other_numbers(table: Table, fault: Fault, rng: np.random.Generator) -> Table:
    return _changed(table, _struck(table, fault, rng), _raised)


def _other_symbol(table: Table, fault: Fault, rng: np.random.Generator) -> Table:
    if ",symbol," not in table.header:
        return table
    cells = [row.copy() for row in table.cells]
    for row in _struck(table, fault, rng):
        cells[row][0] = "OTHERUSDT"
    return table._replace(cells=cells)


def _struck(table: Table, fault: Fault, rng: np.random.Generator) -> IntArray:
    """Return the rows that a fault changes, at least one."""
    rows = np.flatnonzero(rng.random(len(table.stamps)) < fault.rows)
    return rows if len(rows) else rng.integers(len(table.stamps), size=1)


def _chosen(table: Table, rows: Iterable[int]) -> Table:
    chosen = list(rows)
    return table._replace(
        stamps=[table.stamps[row] for row in chosen], cells=[table.cells[row] for row in chosen]
    )


def _changed(table: Table, rows: Iterable[int], change: Callable[[str], str]) -> Table:
    cells = table.cells.copy()
    for row in rows:
        labels, numbers = cells[row][: table.labels], cells[row][table.labels :]
        cells[row] = [*labels, *map(change, numbers)]
    return table._replace(cells=cells)


def _raised(number: str) -> str:
    return f"{1.01 * float(number):.8f}" if number else number


_DAMAGES = {
    "short_file": _short,
    "wrong_period": _sparse,
    "blank_numbers": _blank,
    "other_numbers": _other_numbers,
    "other_symbol": _other_symbol,
    "late_stamps": _late,
    "duplicate_rows": _twice,
    "conflicting_rows": _conflicting,
    "unordered_rows": _unordered,
}
