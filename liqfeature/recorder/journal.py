"""The journal: lines that are only ever added, each on disk before it counts as written."""

import os
from collections.abc import Sequence
from pathlib import Path

from liqfeature.data.prints import Print
from liqfeature.data.recordings import JOURNAL, segments


class Journal:
    """Append prints to numbered files, one of which is open.

    Parameters
    ----------
    root : Path
        Directory of the recorder; made where there is none.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folder = root / JOURNAL
        self._folder.mkdir(parents=True, exist_ok=True)
        self._file: int | None = None

    def append(self, prints: Sequence[Print]) -> None:
        """Write prints and wait until the disk has them.

        Raises
        ------
        OSError
            If not all of them could be written; then none of them is in the file, and the next call may
            write them.
        """
        if not prints:
            return
        file = self._file if self._file is not None else self._open()
        before = os.fstat(file).st_size
        try:
            _write(file, "".join(one.to_line() for one in prints).encode())
            os.fsync(file)
        except OSError:
            self._undo(file, before)
            raise

    def close(self) -> list[Path]:
        """End the open file, so that the next call of `append` begins another; return those that ended."""
        if self._file is not None:
            os.close(self._file)
        self._file = None
        return segments(self.root)

    def _open(self) -> int:
        used = [int(path.stem) for path in segments(self.root)]
        path = self._folder / f"{max(used, default=0) + 1:08d}.jsonl"
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
        sync_folder(self._folder)
        return self._file

    def _undo(self, file: int, size: int) -> None:
        """Cut off what a failed write left; where even that fails, begin another file next time.

        A line without its end is then passed over when the file is read.
        """
        try:
            os.ftruncate(file, size)
        except OSError:
            self.close()


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def sync_folder(folder: Path) -> None:
    """Wait until the disk has a folder's list of files."""
    if os.name == "nt":
        return  # Windows cannot open folders
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
