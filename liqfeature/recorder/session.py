"""Recording until told to stop: connections that come back, and a disk that may be full for a while."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liqfeature.botconfig import is_sandbox
from liqfeature.checks import require
from liqfeature.data.prints import Print
from liqfeature.errors import LiqFeatureError
from liqfeature.recorder.compaction import compact
from liqfeature.recorder.directory import claim, locked
from liqfeature.recorder.inbox import Inbox
from liqfeature.recorder.journal import Journal
from liqfeature.recorder.listener import Listener
from liqfeature.recorder.spans import Spans

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often what happens.

    Parameters
    ----------
    save : float
        Seconds from one write of the journal to the next; what was received longer ago is on disk.
    compact : float
        Seconds after which the journal goes into the days' files.
    retry : float
        Seconds to wait after the disk refused a write.
    note : float
        Seconds after which it is noted that an exchange was listened to.
    """

    save: float = 0.5
    compact: float = 300.0
    retry: float = 5.0
    note: float = 10.0

    def __post_init__(self) -> None:
        for name in ("save", "compact", "retry", "note"):
            require(name, getattr(self, name) > 0, "above 0 seconds", getattr(self, name))


class Session:
    """One run of the recorder; `trouble` says why the last write failed, None while all is well.

    Parameters
    ----------
    root : Path
        Directory to write to.
    pace : Pace, optional
    inbox : Inbox, optional
        Counts, and prints not on disk yet.
    """

    def __init__(self, root: Path, pace: Pace | None = None, inbox: Inbox | None = None) -> None:
        self.root, self.pace, self.inbox = root, pace or Pace(), inbox or Inbox()
        self.trouble: str | None = None
        self._listeners: list[Listener] = []
        self._saving: asyncio.Task[bool] | None = None
        self._compacting: asyncio.Task[None] | None = None

    async def run(
        self, exchanges: Mapping[str, Mapping[str, Any]], pairs: Sequence[str], stop: asyncio.Event
    ) -> int:
        """Record until `stop` is set.

        Parameters
        ----------
        exchanges : mapping
            ccxt's options by Freqtrade's name of the exchange.
        pairs : sequence of str
            Recorded at each of them.
        stop : Event

        Returns
        -------
        int
            Prints that could not be written in the end; 0 unless the disk is full.

        Raises
        ------
        ConfigError, DataError
            If another recorder writes to the directory, it holds something else, or a pair is unknown.
        """
        with locked(self.root):
            claim(self.root, invented=any(map(is_sandbox, exchanges.values())))
            self._begin()
            for name, options in exchanges.items():
                spans = Spans(self.root, name, pairs)
                self._listeners.append(Listener(name, pairs, options, self.inbox, spans))
            tasks = [asyncio.create_task(listener.run()) for listener in self._listeners]
            tasks += [
                asyncio.create_task(self._save_repeatedly()),
                asyncio.create_task(self._note_repeatedly()),
            ]
            stopped = asyncio.create_task(stop.wait())
            done, pending = await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
            left = await self._end()
            for task in done - {stopped}:
                task.result()  # it only ends by an error
            return left

    # Disk.

    def _begin(self) -> None:
        """Take in what an earlier run left in its journal."""
        self._journal = Journal(self.root)
        self._compact(self._journal.close())

    async def _save_repeatedly(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + self.pace.compact
        while True:
            saved = await self._save()
            if loop.time() >= due and (self._compacting is None or self._compacting.done()):
                ended = self._journal.close()
                self._compacting = asyncio.create_task(asyncio.to_thread(self._compact, ended))
                due = loop.time() + self.pace.compact
            await asyncio.sleep(self.pace.save if saved else self.pace.retry)

    async def _save(self) -> bool:
        """Write what waits; tell whether that went well. Being cancelled does not interrupt the write."""
        self._saving = asyncio.create_task(self._append(self.inbox.hand_out()))
        return await asyncio.shield(self._saving)

    async def _append(self, batch: list[Print]) -> bool:
        try:
            await asyncio.to_thread(self._journal.append, batch)
        except OSError as error:
            self.inbox.put_back(batch)
            self._tell(f"cannot write: {error}; {self.inbox.unwritten} prints kept in memory")
            return False
        self.inbox.written()
        if batch:
            self._recovered()
        return True

    async def _note_repeatedly(self) -> None:
        """Write down when exchanges were listened to, as far as all that was heard is on disk by now."""
        while True:
            before = [listener.heard() for listener in self._listeners]
            await asyncio.sleep(self.pace.note)
            if self.inbox.unwritten == 0 or self.trouble is None:
                self._note(before)
            for listener in self._listeners:
                await listener.measure_clock()

    def _note(self, contents: Sequence[str]) -> None:
        try:
            for listener, content in zip(self._listeners, contents, strict=True):
                listener.spans.write(content)
        except OSError as error:
            self._tell(f"cannot write: {error}; {self.inbox.unwritten} prints kept in memory")
        else:
            self._recovered()

    def _recovered(self) -> None:
        if self.trouble and self.inbox.unwritten == 0:
            _LOG.warning("writing again")
            self.trouble = None

    def _tell(self, trouble: str) -> None:
        if self.trouble is None:
            _LOG.error("%s (at most %d)", trouble, self.inbox.most)
        self.trouble = trouble

    def _compact(self, ended: Sequence[Path]) -> None:
        try:
            done = compact(self.root, ended)
        except (OSError, LiqFeatureError) as error:
            _LOG.error("the journal stays, its days' files cannot be written: %s", error)
            return
        if done.damaged:
            _LOG.warning("%d damaged lines in the journal, kept as .damaged", done.damaged)

    async def _end(self) -> int:
        for running in (self._saving, self._compacting):
            if running is not None:
                await running
        await self._save()
        if self.inbox.unwritten == 0:
            self._note([listener.heard() for listener in self._listeners])
        self._compact(self._journal.close())
        return self.inbox.unwritten
