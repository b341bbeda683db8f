"""When an exchange was listened to: else a quiet hour and one that was not recorded would look alike."""

from collections.abc import Mapping

from liqfeature.data.database import Row
from liqfeature.data.kinds import LAG, LISTENED, SILENT, Kind


class Spans:
    """What was heard of one exchange and is on its way to the disk.

    The row of a connection grows as long as each addition reaches the disk within `LAG` of what it is about.
    What comes later gets a row of its own, known only then: a bot had not seen it before.
    """

    def __init__(self) -> None:
        self._until: dict[int, int] = {}
        self._last: dict[int, Row] = {}
        self._silent: dict[int, int] = {}

    def hear(self, since: int, until: int) -> None:
        """Take note that a connection, named by its beginning, has been alive until then."""
        self._until[since] = until

    def deny(self, since: int, until: int) -> None:
        """Take note that it was silent, and that nothing was heard."""
        self._silent[since] = until

    def rows(self, now: int) -> dict[tuple[Kind, int], Row]:
        """Return the rows to write now, by kind and beginning; once they are on disk, call `written`."""
        rows = {(SILENT, since): Row(since, now, (until,)) for since, until in self._silent.items()}
        for since, until in self._until.items():
            last = self._last.get(since)
            start = last.content[0] if last else since
            if until <= start:
                continue
            rows[LISTENED, since] = Row(start, max(now, start + LAG), (until,))
            if last and now <= start + LAG and last.available == last.stamp + LAG:
                rows[LISTENED, since] = last._replace(content=(until,))
        return rows

    def written(self, rows: Mapping[tuple[Kind, int], Row]) -> None:
        """Go on from these rows, and forget connections that have ended."""
        self._last |= {since: row for (kind, since), row in rows.items() if kind is LISTENED}
        for kind, since in rows:
            if kind is SILENT:
                del self._silent[since]
        for since in sorted(self._until)[:-1]:
            if since in self._last and self._last[since].content == (self._until[since],):
                del self._until[since], self._last[since]
