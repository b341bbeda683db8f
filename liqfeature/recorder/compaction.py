"""From the journal into one file per exchange, pair and UTC day."""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from liqfeature.data.prints import Print, frame_of, without_repetitions
from liqfeature.data.recordings import day_file, read_segment
from liqfeature.data.store import read_frame, write_frame
from liqfeature.recorder.journal import sync_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """What `compact` did.

    Parameters
    ----------
    files : int
        Days' files that were written.
    added : int
        Prints that they did not hold before.
    damaged : int
        Lines of the journal that held no print; its files stay, renamed to `.damaged`.
    """

    files: int = 0
    added: int = 0
    damaged: int = 0


def compact(root: Path, journal: Iterable[Path]) -> Compacted:
    """Move what files of the journal hold into the days' files, then remove them.

    It may be killed at any point and run again: until all days' files are on disk the journal stays, and
    prints that are in both count once.

    Parameters
    ----------
    root : Path
        Directory of the recorder.
    journal : iterable of Path
        Files of the journal that are no longer written to.

    Raises
    ------
    OSError, DataError
        If a day's file cannot be written, or the one that is there is not a recorder's; then the journal
        stays.
    """
    contents = {segment: read_segment(segment) for segment in journal}
    days = by_day(one for prints, _ in contents.values() for one in prints)
    added = sum(_merge(day_file(root, *key), frame_of(rows)) for key, rows in days.items())
    for segment, (_, damaged) in contents.items():
        if damaged:
            segment.rename(segment.with_name(f"{segment.name}.damaged"))
        else:
            segment.unlink()
    return Compacted(files=len(days), added=added, damaged=sum(damaged for _, damaged in contents.values()))


def by_day(prints: Iterable[Print]) -> dict[tuple[str, str, str], list[Print]]:
    """Sort prints by exchange, pair and UTC day, such as "2026-01-31"."""
    days: dict[tuple[str, str, str], list[Print]] = defaultdict(list)
    for one in prints:
        day = datetime.fromtimestamp(one.time / 1000, UTC).strftime("%Y-%m-%d")
        days[one.exchange, one.pair, day].append(one)
    return dict(days)


def _merge(path: Path, rows: pd.DataFrame) -> int:
    """Replace a day's file by one that holds these rows too; return how many are new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    there = read_frame(path) if path.exists() else rows.iloc[:0]
    merged = without_repetitions(pd.concat([there, rows]) if len(there) else rows)
    if len(merged) > len(there):
        _replace(path, merged)
    return len(merged) - len(there)


def _replace(path: Path, table: pd.DataFrame) -> None:
    """Put a file in another's place only once the disk has all of it."""
    finished = path.with_name(f".{path.name}.new.parquet")
    try:
        write_frame(table, finished)
        with finished.open("rb+") as file:
            os.fsync(file.fileno())
        finished.replace(path)
    finally:
        finished.unlink(missing_ok=True)
    for folder in (path.parent, path.parent.parent, path.parent.parent.parent):
        sync_folder(folder)
