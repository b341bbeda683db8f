"""A directory that belongs to one recorder, and holds either real liquidations or invented ones."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from liqfeature.data.recordings import is_root
from liqfeature.errors import ConfigError, DataError
from liqfeature.source import SANDBOX_MARKER

_LOCK = ".lock"
_UNFINISHED = ("*/*/.[0-9]*.parquet.new.parquet", "*/*/..[0-9]*.parquet.new.parquet.part")


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Keep a directory to this process; the system lets go of it however the process ends.

    Raises
    ------
    ConfigError
        If another process has it.
    """
    root.mkdir(parents=True, exist_ok=True)
    with (root / _LOCK).open("w") as file:
        if os.name != "nt":  # there is no such lock on Windows
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                msg = f"{root} must belong to one recorder, received a second one"
                raise ConfigError(msg) from error
        yield


def claim(root: Path, *, invented: bool) -> None:
    """Make a directory a recorder's, and remove what a killed one left half written.

    Raises
    ------
    DataError
        If it holds something else, or real liquidations where invented ones are to come, or the other way
        around.
    """
    marker = root / SANDBOX_MARKER
    if is_root(root):
        if marker.exists() != invented:
            there, coming = ("invented", "real") if marker.exists() else ("real", "invented")
            msg = f"{root} must hold liquidations of one kind, received {coming} ones for {there} ones"
            raise DataError(msg)
    elif others := sorted(path.name for path in root.iterdir() if path.name != _LOCK):
        msg = f"{root} must be empty or a recorder's directory, received one with {others[0]}"
        raise DataError(msg)
    elif invented:
        marker.write_text("The liquidations in this directory are invented.\n", encoding="utf-8")
    for pattern in _UNFINISHED:
        for unfinished in root.glob(pattern):
            unfinished.unlink()
