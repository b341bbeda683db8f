"""Saved answers of a vendor, added to a database: each row could be known from its request on."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from liqfeature.data.database import Database, Row
from liqfeature.data.kinds import MAPS, Series
from liqfeature.errors import DataError, parsing
from liqfeature.recorder.vendors import Answer, read_answer

_IN_NAME = re.compile(r"(?<!\d)(20\d{6})[T_-]?(\d{6})Z?(?!\d)")
"""Time of the request in the name of a file, such as heatmap-20260131T120500Z.json."""


@dataclass(slots=True)
class Imported:
    """What was added, and what was there before, by table."""

    added: dict[str, int] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)

    def count(self, kind: str, new: Sequence[bool]) -> None:
        """Add rows of one file."""
        self.added[kind] = self.added.get(kind, 0) + sum(new)
        self.known[kind] = self.known.get(kind, 0) + len(new) - sum(new)


def import_answers(
    path: Path,
    vendor: str,
    files: Sequence[Path],
    pair: str,
    *,
    exchange: str,
    name: str = "",
    requested: int | None = None,
    in_coin: bool = False,
) -> Imported:
    """Add saved answers to a database, all of them or, where one is refused, none.

    Parameters
    ----------
    path : Path
        Database, made where there is none.
    vendor : str
        One of `VENDORS`.
    files : sequence of Path
        JSON as received.
    pair : str
        Whose they are, by Freqtrade's name.
    exchange : str
        Whose open interest and liquidations they are.
    name : str
        Of the maps, where several sorts are kept apart; the vendor's by default.
    requested : int, optional
        Moment of the request in milliseconds; by default each file's name tells it.
    in_coin : bool
        Whether open interest was asked for in the coin instead of USD.

    Raises
    ------
    DataError
        If a file is none, does not tell when it was requested, or has another form; it names the file, and
        the key that is missing.
    """
    answers = []
    for file in files:
        moment = requested_at(file) if requested is None else requested
        answers.append((moment, _read(file, vendor, moment, in_coin)))
    found = Imported()
    with Database(path, write=True) as database, database.writing():
        for moment, answer in sorted(answers, key=lambda one: one[0]):
            whose = (name or vendor) if answer.kind is MAPS else exchange
            series = Series(whose, pair, answer.kind, answer.timeframe)
            rows = [Row(stamp, moment, content) for stamp, content in answer.rows]
            new = database.add(series, vendor, rows)
            _check_known(database, series, [row for row, is_new in zip(rows, new, strict=True) if not is_new])
            found.count(answer.kind.name, new)
    return found


def _check_known(database: Database, series: Series, rows: Sequence[Row]) -> None:
    """Raise DataError where something else is known to have been answered at the same moment."""
    for row in rows:
        known = database.read(series, first=row.stamp, last=row.stamp, as_of=row.available)
        content = known[list(series.kind.columns)].astype("object").iloc[0]
        if [None if value != value else value for value in content] != list(row.content):
            at = pd.Timestamp(row.available, unit="ms", tz="UTC")
            what = series.kind.name.replace("_", " ")
            message = (
                f"{what} of {series.exchange} requested at {at} must be one answer, received another: "
                f"keep sorts of maps apart by --as"
            )
            raise DataError(message)


def requested_at(file: Path) -> int:
    """Read from a file's name when it was requested, in milliseconds; a DataError if it does not tell."""
    told = _IN_NAME.search(file.stem)
    if told:
        with parsing(file, "a time in its name"):
            moment = pd.to_datetime("".join(told.groups()), format="%Y%m%d%H%M%S", utc=True)
            return int(moment.timestamp() * 1000)
    message = (
        f"{file} must tell when it was requested, as in heatmap-20260131T120500Z.json (UTC), or by "
        f"--requested, received {file.name!r}"
    )
    raise DataError(message)


def _read(file: Path, vendor: str, moment: int, in_coin: bool) -> Answer:
    with parsing(file, "an answer as JSON", json.JSONDecodeError):
        content = json.loads(file.read_text(encoding="utf-8"))
    try:
        return read_answer(vendor, content, moment, in_coin=in_coin)
    except DataError as error:
        message = f"{file}: {error}"
        raise DataError(message) from error
