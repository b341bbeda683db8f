"""One exchange, listened to until told to stop: connections that come back, and when they stood."""

import asyncio
import logging
import random
from collections.abc import Mapping, Sequence
from typing import Any

from liqfeature.recorder.inbox import Inbox
from liqfeature.recorder.normalise import Contracts, received
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
    spans : Spans
        Takes note of when it was listened to.
    """

    def __init__(
        self, name: str, pairs: Sequence[str], options: Mapping[str, Any], inbox: Inbox, spans: Spans
    ) -> None:
        self.name, self.inbox, self.spans = name, inbox, spans
        self._tally = inbox.tally(name)
        self._contracts: Contracts = {}
        self._lost = 0
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
                    self.heard()
                    delay = FIRST_DELAY if loop.time() - began > LONGEST_DELAY else delay
                    _LOG.warning("%s: %s; connecting again in %.0f s", self.name, _first(group), delay)
                await asyncio.sleep(delay * random.uniform(0.5, 1.0))
                delay = min(2 * delay, LONGEST_DELAY)
        finally:
            await self._stream.close()

    def heard(self) -> str:
        """Take note of how long the present connection has stood; return all spans as their file has them."""
        if self._tally.lost > self._lost:
            self._lost = self._tally.lost
            self._stream.interrupt()
        elif span := self._stream.heard():
            self.spans.add(span)
        return self.spans.content()

    async def measure_clock(self) -> None:
        """Ask the exchange for the time; where it does not answer, its clock is taken to go as before."""
        from ccxt import BaseError

        try:
            await self._stream.measure_clock()
        except BaseError as error:
            _LOG.debug("%s: no time: %s", self.name, error)

    def _take(self, message: Any) -> None:
        found = received(self.name, message, self._contracts)
        for reason in found.malformed:
            _LOG.warning("%s: not understood: %s", self.name, reason)
        self.inbox.take(self.name, found)

    def _spoiled(self, reason: str) -> None:
        self._tally.malformed += 1
        _LOG.warning("%s: not understood: %s", self.name, reason)

    def _connected(self) -> None:
        self._tally.connections += 1


def _first(group: BaseException) -> str:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return f"{type(group).__name__} {group}"[:300]
