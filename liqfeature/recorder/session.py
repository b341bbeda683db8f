"""Recording until it is stopped: connections that come back, and a disk that may be full for a while."""

import asyncio
import itertools
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liqfeature.checks import require
from liqfeature.data.botconfig import is_sandbox
from liqfeature.data.database import Database, Row
from liqfeature.data.kinds import ORDERS, Kind, Series
from liqfeature.data.prints import Print
from liqfeature.errors import DataError
from liqfeature.recorder.inbox import Inbox
from liqfeature.recorder.listener import Listener
from liqfeature.recorder.options import POLLED
from liqfeature.recorder.poll import Poller, States
from liqfeature.recorder.positions import EXCHANGE, PositionPoller

_LOG = logging.getLogger(__name__)

SOURCE, ASKED = "stream", "rest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often what happens.

    Parameters
    ----------
    save : float
        Seconds from one write to the next; what was received longer ago is on disk.
    retry : float
        Seconds to wait after the disk refused a write.
    note : float
        Seconds after which it is noted that an exchange was listened to.
    """

    save: float = 0.5
    retry: float = 5.0
    note: float = 10.0

    def __post_init__(self) -> None:
        for name in ("save", "retry", "note"):
            require(name, getattr(self, name) > 0, "above 0 seconds", getattr(self, name))


class Session:
    """One run of the recorder; `trouble` says why the last write failed, None while writing works.

    Parameters
    ----------
    path : Path
        Database to write to.
    pace : Pace, optional
    inbox : Inbox, optional
        Counts, and prints not on disk yet.
    positions : mapping, optional
        What `PositionPoller` takes beside pairs and options; positions are not asked for without it.
    """

    def __init__(
        self,
        path: Path,
        pace: Pace | None = None,
        inbox: Inbox | None = None,
        positions: Mapping[str, Any] | None = None,
    ) -> None:
        self._positions = positions
        self.path, self.pace, self.inbox = path, pace or Pace(), inbox or Inbox()
        self.trouble: str | None = None
        self._database: Database
        self._listeners: dict[str, Listener] = {}
        self.pollers: dict[str, Poller | PositionPoller] = {}
        self._saving: list[asyncio.Task[bool]] = []
        self._note_due = False

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
            If the file is something else, or a pair is unknown.
        """
        simulated = any(map(is_sandbox, exchanges.values()))
        with Database(self.path, write=True, simulated=simulated) as self._database:
            for name, options in exchanges.items():
                if name in POLLED:
                    self.pollers[name] = Poller(name, pairs, options)
                else:
                    self._listeners[name] = Listener(name, pairs, options, self.inbox)
            if self._positions is not None:
                poller = PositionPoller(pairs, exchanges[EXCHANGE], **self._positions)
                self.pollers[poller.name] = poller
            sources: list[Listener | Poller | PositionPoller] = [
                *self._listeners.values(),
                *self.pollers.values(),
            ]
            tasks = [asyncio.create_task(source.run()) for source in sources]
            tasks += [
                asyncio.create_task(self._save_repeatedly()),
                asyncio.create_task(self._note_repeatedly()),
            ]
            stopped = asyncio.create_task(stop.wait())
            done, pending = await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, *self._saving, return_exceptions=True)
            self._note_due = True
            await self._write()
            for task in done - {stopped}:
                task.result()  # it only ends by an error
            return self.inbox.unwritten

    async def _save_repeatedly(self) -> None:
        while True:
            self._saving = [asyncio.create_task(self._write())]  # which being cancelled does not interrupt
            saved = await asyncio.shield(self._saving[0])
            await asyncio.sleep(self.pace.save if saved else self.pace.retry)

    async def _note_repeatedly(self) -> None:
        while True:
            await asyncio.sleep(self.pace.note)
            self._note_due = True
            await asyncio.gather(*(listener.look() for listener in self._listeners.values()))

    async def _write(self) -> bool:
        """Write what waits and, where due, until when it was listened; return whether it went well."""
        noted = {name: one.spans_to_write() for name, one in self._listeners.items() if self._note_due}
        polled = {name: states for name, one in self.pollers.items() if (states := one.waiting())}
        batch, self._note_due = self.inbox.hand_out(), False
        due = bool(batch or noted or polled)
        try:
            new = await asyncio.to_thread(self._store, batch, noted, polled) if due else []
        except DataError as error:
            self.inbox.put_back(batch)
            self._note_due = bool(noted)
            self._report(f"cannot write: {error}; {self.inbox.unwritten} prints kept in memory")
            return False
        self.inbox.written(batch, new)
        for name, rows in noted.items():
            self._listeners[name].spans.written(rows)
        for name, states in polled.items():
            self.pollers[name].written(states)
        if self.trouble and due:
            _LOG.warning("writing again")
            self.trouble = None
        return True

    def _store(
        self,
        batch: Sequence[Print],
        noted: Mapping[str, Mapping[tuple[Kind, int], Row]],
        polled: Mapping[str, States],
    ) -> list[Print]:
        """Write to the database; return the prints that it did not hold before."""
        new: list[Print] = []
        with self._database.writing():
            for (exchange, pair), prints in _by_market(batch).items():
                now = self._listeners[exchange].now()
                rows = [Row(one.time, now, one[3:]) for one in prints]
                added = self._database.add(Series(exchange, pair, ORDERS), SOURCE, rows)
                new += itertools.compress(prints, added)
            for exchange, spans in noted.items():
                for pair, ((kind, _), row) in itertools.product(
                    self._listeners[exchange].pairs, spans.items()
                ):
                    self._database.extend(Series(exchange, pair, kind), SOURCE, row)
            for exchange, states in polled.items():
                now = self.pollers[exchange].now()
                for (series, stamp), values in states.items():
                    self._database.add(series, ASKED, [Row(stamp, now, values)])
        return new

    def _report(self, trouble: str) -> None:
        if self.trouble is None:
            _LOG.error("%s (at most %d)", trouble, self.inbox.most)
        self.trouble = trouble


def _by_market(batch: Sequence[Print]) -> dict[tuple[str, str], list[Print]]:
    groups: dict[tuple[str, str], list[Print]] = defaultdict(list)
    for one in batch:
        groups[one.exchange, one.pair].append(one)
    return groups
