"""One exchange, listened to until stopped: connections that come back, and when they stood."""

import asyncio
import logging
import random
from collections.abc import Mapping, Sequence
from typing import Any

from liqfeature.data.database import Row
from liqfeature.data.kinds import Kind
from liqfeature.durations import MINUTE
from liqfeature.recorder.inbox import Inbox
from liqfeature.recorder.normalise import Contracts, received
from liqfeature.recorder.silence import Silence
from liqfeature.recorder.spans import Spans
from liqfeature.recorder.stream import Stream

_LOG = logging.getLogger(__name__)

FIRST_DELAY, LONGEST_DELAY = 1.0, 60.0
"""Seconds before the first attempt to connect again, and at most; each failure doubles them."""


class Listener:
    """Put what an exchange sends into the inbox.

    Parameters
    ----------
    name : str
        Freqtrade's name of the exchange.
    pairs : sequence of str
    options : mapping
        For ccxt.
    inbox : Inbox

    Attributes
    ----------
    spans : Spans
        When it was listened to.
    """

    def __init__(self, name: str, pairs: Sequence[str], options: Mapping[str, Any], inbox: Inbox) -> None:
        self.name, self.pairs, self.inbox = name, pairs, inbox
        self.spans = Spans()
        self._tally = inbox.tally(name)
        self._contracts: Contracts = {}
        self._lost = 0
        self._silence = Silence()
        self._stream = Stream(name, pairs, self._take, self._spoiled, options)

    async def run(self) -> None:
        """Listen, and connect again after each failure; only a mistake in the options ends it."""
        from ccxt import BaseError

        loop, delay = asyncio.get_running_loop(), FIRST_DELAY
        try:
            while True:
                began = loop.time()
                try:
                    self._contracts = self._contracts or await self._stream.contracts()
                    await self._stream.follow(self._connected)
                except* BaseError as group:
                    self._hear()
                    delay = FIRST_DELAY if loop.time() - began > LONGEST_DELAY else delay
                    _LOG.warning("%s: %s; connecting again in %.0f s", self.name, _first(group), delay)
                await asyncio.sleep(delay * random.uniform(0.5, 1.0))
                delay = min(2 * delay, LONGEST_DELAY)
        finally:
            await self._stream.close()

    def now(self) -> int:
        """Milliseconds by the exchange's clock."""
        return self._stream.now()

    def spans_to_write(self) -> dict[tuple[Kind, int], Row]:
        """Return the rows that say until when it was listened, as `Spans.rows` does."""
        self._hear()
        return self.spans.rows(self.now())

    def _hear(self) -> None:
        """Take note of how long the present connection, or else the last one, has stood."""
        if self._tally.lost > self._lost:
            self._lost = self._tally.lost
            self._stream.interrupt()
        elif not self._silence.suspected and (span := self._stream.heard()):
            self.spans.hear(*span)

    async def look(self) -> None:
        """Ask the exchange for the time, and for prices where nothing has come for long.

        Where it does not answer, its clock is taken to go as before.
        """
        from ccxt import BaseError

        try:
            await self._stream.measure_clock()
            since = self._silence.due(self.now())
            if since is not None:
                self._judge(since, *await self._stream.moved(since))
        except BaseError as error:
            _LOG.debug("%s: no answer: %s", self.name, error)

    def _judge(self, since: int, moved: float, pair: str) -> None:
        if self._silence.judge(self.now(), moved):
            self.spans.deny(since, self.now())
            _LOG.error(
                "%s: connected, but nothing came for %d minutes in which %s moved by %.1f %%: the stream may "
                "be dead (an address of its own in ccxt_config, or an old ccxt); until something comes, this "
                "is not listened to",
                *(self.name, (self.now() - since) // MINUTE, pair, 100 * moved),
            )

    def _take(self, message: Any) -> None:
        if self._silence.suspected:
            _LOG.warning("%s: something comes again", self.name)
            self._stream.interrupt()
        self._silence.end(self.now())
        found = received(self.name, message, self._contracts)
        for reason in found.malformed:
            _LOG.warning("%s: not understood: %s", self.name, reason)
        self.inbox.take(self.name, found)

    def _spoiled(self, reason: str) -> None:
        self._tally.malformed += 1
        _LOG.warning("%s: not understood: %s", self.name, reason)

    def _connected(self) -> None:
        self._silence.begin(self.now())
        self._tally.connections += 1


def _first(group: BaseException) -> str:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return f"{type(group).__name__} {group}"[:300]
