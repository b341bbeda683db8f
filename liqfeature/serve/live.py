"""What changes, sent to whoever looks: one look at a market for all of them."""

import asyncio
import contextlib
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from liqfeature.durations import MINUTE, minutes
from liqfeature.serve.maps import Maps
from liqfeature.serve.sources import Look

_LOG = logging.getLogger(__name__)

_QUEUED = 64
"""Messages that wait for a slow client at most; then it is let go, and reconnects."""

FAST = 0.025
"""Change of price within a minute from which on it runs, as a fraction."""

QUICK = 1.0
"""Seconds between two looks at most while it does."""

_MINUTE, _AFTER = 60.0, 0.3

_BOT_EVERY = 5.0
"""Seconds between two questions to a bot."""


@dataclass(eq=False)
class Client:
    """One open page.

    Parameters
    ----------
    pair : str
        What it looks at; empty for none.
    messages : Queue
        Waiting to be sent.
    overrun : Event
        Set where messages wait for longer than there is room.
    """

    pair: str = ""
    messages: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(_QUEUED))
    overrun: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, text: str) -> None:
        """Queue a message; a client that is too slow is marked."""
        try:
            self.messages.put_nowait(text)
        except asyncio.QueueFull:
            self.overrun.set()


def moves(seen: "deque[tuple[float, float]]", now: float) -> bool:
    """Tell whether price ran within the last minute: by more than `FAST`; older prices are dropped.

    `seen` holds moments in seconds and prices.
    """
    while seen and seen[0][0] < now - _MINUTE:
        seen.popleft()
    prices = [price for _, price in seen]
    return bool(prices) and max(prices) > (1 + FAST) * min(prices)


class Live:
    """Looks at what is watched, and tells it.

    Parameters
    ----------
    maps : Maps
    bot : callable or None
        Blocks, and returns the trades of a bot.
    seconds : float
        Between two looks while price is calm; where it runs, at most `QUICK`.
    """

    def __init__(
        self, maps: Maps, bot: Callable[[], Mapping[str, Any]] | None = None, seconds: float = 2.0
    ) -> None:
        self.maps = maps
        self.bot = bot
        self.seconds = seconds
        self.clients: set[Client] = set()
        self._last: dict[str, Look] = {}
        self._seen: dict[str, deque[tuple[float, float]]] = {}
        self._due: dict[str, float] = {}
        self._came = asyncio.Event()

    async def run(self) -> None:
        """Go on until cancelled."""
        await asyncio.gather(self._watch_markets(), self._watch_bot())

    async def greet(self, client: Client) -> None:
        """Tell a client that begins to look at a pair what stands there."""
        pair = client.pair
        await self._tell_state(pair, [client])
        if pair in self._last:
            client.put(_forming(pair, self._last[pair]))
        self._came.set()

    async def _watch_markets(self) -> None:
        now = asyncio.get_running_loop().time
        while True:
            watched = {client.pair for client in self.clients} - {""}
            self._due = {pair: self._due.get(pair, 0.0) for pair in sorted(watched)}
            for pair in [pair for pair, due in self._due.items() if due <= now()]:
                await self._look(pair, [client for client in self.clients if client.pair == pair])
                self._due[pair] = now() + self._pause(pair, now())
            self._came.clear()
            wait = min(self._due.values(), default=now() + self.seconds) - now()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._came.wait(), max(wait, 0.0))

    def _pause(self, pair: str, now: float) -> float:
        """Seconds until the next look: soon where price runs, and right after the forming candle's end."""
        look = self._last.get(pair)
        if look is None or look.forming is None:
            return self.seconds
        seen = self._seen.setdefault(pair, deque())
        seen.append((now, look.forming.close))
        pause = min(self.seconds, QUICK) if moves(seen, now) else self.seconds
        interval = minutes(self.maps.source.timeframe) * MINUTE
        left = (look.forming.opened + interval) / 1000 - time.time()
        return min(pause, left + _AFTER) if left > 0 else pause  # a simulated market has a clock of its own

    async def _look(self, pair: str, clients: list[Client]) -> None:
        try:
            look = await self.maps.look(pair)
            last = self._last.get(pair)
            if last is not None and look.version != last.version:
                await self._tell_state(pair, clients)
            self._last[pair] = look
            _tell(clients, _text(type="alive", pair=pair) if look == last else _forming(pair, look))
        except Exception as error:  # whatever a source or an exchange stumbles over: it is tried again
            _LOG.warning("%s: %s", pair, error)
            _tell(clients, _text(type="trouble", pair=pair, text=f"{type(error).__name__}: {error}"[:300]))

    async def _tell_state(self, pair: str, clients: list[Client]) -> None:
        loaded = await self.maps.pair(pair)
        _tell(clients, _text(type="state", pair=pair, state=loaded.state))

    async def _watch_bot(self) -> None:
        if self.bot is None:
            return
        while True:
            if self.clients:
                try:
                    trades = await asyncio.to_thread(self.bot)
                    _tell(self.clients, _text(type="trades", **trades))
                except Exception as error:  # a bot that is away, or answers nonsense: it is asked again
                    _LOG.warning("bot: %s", error)
                    _tell(self.clients, _text(type="trades", trouble=f"{type(error).__name__}"))
            await asyncio.sleep(_BOT_EVERY)


def _forming(pair: str, look: Look) -> str:
    return _text(type="forming", pair=pair, forming=look.forming and asdict(look.forming))


def _text(**message: Any) -> str:
    return json.dumps(
        {**message, "sent": time.time_ns() // 1_000_000}, separators=(",", ":"), allow_nan=False
    )


def _tell(clients: Any, text: str) -> None:
    for client in list(clients):
        client.put(text)
