"""When an exchange was listened to: else a quiet hour and one that was not recorded would look alike."""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from liqfeature.data.recordings import LISTENED, Span, read_spans
from liqfeature.recorder.journal import sync_folder


def united(spans: Iterable[Span]) -> list[Span]:
    """Sort spans, and join those that touch or overlap."""
    joined: list[Span] = []
    for since, until in sorted(spans):
        if joined and since <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(until, joined[-1][1]))
        else:
            joined.append((since, until))
    return joined


class Spans:
    """The spans of one exchange, of earlier runs too.

    Parameters
    ----------
    root : Path
        Directory of the recorder.
    exchange : str
    pairs : sequence of str
        What is listened to in this run.
    """

    def __init__(self, root: Path, exchange: str, pairs: Sequence[str]) -> None:
        self._path = root / exchange / LISTENED
        self._held = read_spans(root, exchange)
        self._pairs = pairs

    def add(self, span: Span) -> None:
        """Take note that it was listened to, all that time."""
        for pair in self._pairs:
            self._held[pair] = united([*self._held.get(pair, []), span])

    def content(self) -> str:
        """Return what is known so far, as the file has it."""
        return json.dumps(self._held)

    def write(self, content: str) -> None:
        """Replace the file, at once or not at all.

        Raises
        ------
        OSError
            If it could not be written.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        finished = self._path.with_name(f".{self._path.name}.new")
        try:
            with finished.open("w", encoding="utf-8") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            finished.replace(self._path)
        finally:
            finished.unlink(missing_ok=True)
        sync_folder(self._path.parent)
