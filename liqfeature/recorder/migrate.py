"""From a directory of an earlier version, with a journal and a file for each day, into the database."""

import json
from collections.abc import Iterator
from pathlib import Path

from liqfeature.data.database import Database, Row
from liqfeature.data.kinds import LAG, LISTENED, ORDERS, Series
from liqfeature.data.prints import Print
from liqfeature.data.schema import RECORDED, SANDBOX_MARKER
from liqfeature.data.store import read_frame
from liqfeature.errors import DataError
from liqfeature.market.frames import require_column

_SOURCE = "migrated"


def migrate(directory: Path, path: Path) -> tuple[int, int]:
    """Add what a directory holds to a database, which may be done again; the directory stays as it is.

    Parameters
    ----------
    directory : Path
    path : Path
        Database, made where there is none.

    Returns
    -------
    added, damaged : int
        Liquidations that were new, and lines of the journal that hold none.

    Raises
    ------
    DataError
        If the directory is not a recorder's, or one of its files is damaged; then nothing is added.
    """
    if not (directory / "journal").is_dir():
        message = f"{directory} must be a directory that an earlier liqfeature record wrote, received another"
        raise DataError(message)
    damaged: list[str] = []
    with (
        Database(path, write=True, simulated=(directory / SANDBOX_MARKER).exists()) as database,
        database.writing(),
    ):
        added = 0
        for one in [*_of_days(directory), *_of_journal(directory, damaged)]:
            row = Row(one.time, one.time + LAG, one[3:])
            added += sum(database.add(Series(one.exchange, one.pair, ORDERS), _SOURCE, [row]))
        for series, row in _spans(directory):
            database.extend(series, _SOURCE, row)
    return added, len(damaged)


def _of_days(directory: Path) -> Iterator[Print]:
    for file in sorted(directory.glob("*/*/[0-9]*.parquet")):
        table = read_frame(file)
        for column in RECORDED:
            require_column(table, column, f"liquidations in {file}")
        times = table["date"].dt.as_unit("ms").astype("int64")
        table = table.assign(date=times)[list(RECORDED)].astype(object)
        for values in table.where(table.notna(), None).itertuples(index=False, name=None):
            yield Print(*values).checked()


def _of_journal(directory: Path, damaged: list[str]) -> Iterator[Print]:
    """Read the journal; what follows the last line's end was never finished."""
    for file in sorted((directory / "journal").glob("*.jsonl*")):
        for line in file.read_bytes().decode(errors="replace").split("\n")[:-1]:
            try:
                yield Print(**json.loads(line)).checked()
            except (ValueError, TypeError):
                damaged.append(line)


def _spans(directory: Path) -> Iterator[tuple[Series, Row]]:
    for file in sorted(directory.glob("*/listened.json")):
        try:
            held = json.loads(file.read_text(encoding="utf-8"))
            spans = [(pair, int(a), int(b)) for pair, spans in held.items() for a, b in spans]
        except (ValueError, TypeError, AttributeError) as error:
            message = f"{file} must hold spans of time by pair: {error}"
            raise DataError(message) from error
        for pair, since, until in spans:
            yield Series(file.parent.name, pair, LISTENED), Row(since, since + LAG, (until,))
