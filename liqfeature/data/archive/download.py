"""Downloading what is missing of the archive, and what became of each file."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from liqfeature.data.archive.datasets import ArchivedFile, symbol_of
from liqfeature.data.archive.fetch import AT_ONCE, SECONDS, fetched
from liqfeature.data.archive.ledger import NO_FILE, Entry, Ledger
from liqfeature.data.database import Database
from liqfeature.durations import DAY
from liqfeature.errors import DataError, extra

SETTLED = 3 * DAY
"""Milliseconds after its span when a file that is not there will not come any more."""

WRITTEN_AT_ONCE = 64
"""Files that are written in one transaction: what a kill can cost."""


@dataclass(slots=True)
class Downloaded:
    """What became of the files of one data set of a pair.

    Parameters
    ----------
    pair, dataset : str
    fetched : int
        Files that were fetched now.
    replaced : list of str
        Dates of those of them that were here before, and have another content now.
    left : dict of str
        Reason for which a file could not be had, by its date; the next run tries again.
    """

    pair: str
    dataset: str
    fetched: int = 0
    replaced: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)


class Download:
    """Bring the files of some pairs into a database.

    Parameters
    ----------
    database : Database
    url : str
        Of the archive.
    check : bool
        Whether files that are here are compared with the archive's checksums, and fetched again where they
        were replaced; otherwise only those with remarks are.
    done : callable, optional
        Called with the number of files that were dealt with since the last call.
    """

    def __init__(
        self, database: Database, url: str, *, check: bool = False, done: Callable[[int], None] | None = None
    ) -> None:
        self._database, self._url, self._check = database, url.rstrip("/"), check
        self._done = done or (lambda count: None)

    async def run(
        self, pairs: Sequence[str], datasets: Sequence[str], first: int, last: int
    ) -> list[Downloaded]:
        """Fetch what is missing from `first` to before `last`, milliseconds since 1970.

        Raises
        ------
        MissingExtraError
            If aiohttp is not installed.
        """
        with extra("download"):
            from aiohttp import ClientSession, ClientTimeout, TCPConnector

        timeout, connector = ClientTimeout(total=SECONDS), TCPConnector(limit=AT_ONCE)
        async with ClientSession(timeout=timeout, connector=connector, trust_env=True) as self._session:
            return [await self._of(pair, name, first, last) for pair in pairs for name in datasets]

    async def _of(self, pair: str, dataset: str, first: int, last: int) -> Downloaded:
        """Deal with the files of one data set of a pair; what was fetched is kept, whatever happens then."""
        ledger, result = Ledger(self._database, pair, dataset), Downloaded(pair, dataset)
        known, found = ledger.entries(), []
        every = list(ledger.dataset.files(symbol_of(pair), first, last))
        wanted = [file for file in every if self._is_wanted(known.get(file.first))]
        self._done(len(every) - len(wanted))
        waiting = iter(wanted)

        async def work() -> None:
            for file in waiting:
                entry = await self._entry(file, known.get(file.first), result)
                found.extend([(file, entry)] if entry else [])
                if len(found) >= WRITTEN_AT_ONCE:
                    ledger.keep(found)
                    found.clear()
                self._done(1)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(work())
        finally:
            ledger.keep(found)
        return result

    def _is_wanted(self, entry: Entry | None) -> bool:
        return entry is None or self._check or bool(entry.sha256 and entry.remarks)

    async def _entry(self, file: ArchivedFile, before: Entry | None, result: Downloaded) -> Entry | None:
        """Fetch a file; None where there is nothing new to keep."""
        try:
            entry = await fetched(self._session, self._url, file, before.sha256 if before else "")
        except DataError as error:
            result.left[file.date] = str(error)
            return None
        if entry is None or (entry == NO_FILE and (before or time.time() * 1000 < file.end + SETTLED)):
            return None
        result.fetched += entry != NO_FILE
        if before and before.sha256:
            result.replaced.append(file.date)
        return entry
