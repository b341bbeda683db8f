"""The websockets on which clients listen to forced orders, as the clock passes them."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from liqfeature.sandbox.faults import Faults
from liqfeature.sandbox.streams import Subscriptions, forced_orders
from liqfeature.sandbox.venue import Venue

if TYPE_CHECKING:
    from aiohttp import web

_TICK = 0.02
"""Seconds from one look at the clock to the next."""

_HEARTBEAT = 180.0
"""Seconds from one ping to the next, as on Binance; who does not answer is cut off."""


@dataclass(frozen=True, eq=False)
class Connections:
    """All websockets that are open.

    Parameters
    ----------
    venue : Venue
        Whose forced orders are told.
    faults : Faults
        A fault `drop` that begins cuts the connections that are open.
    sockets : set of aiohttp.web.WebSocketResponse
        Those that are open.
    """

    venue: Venue
    faults: Faults
    sockets: "set[web.WebSocketResponse]" = field(default_factory=set)

    async def serve(self, request: "web.Request", heard: Subscriptions) -> "web.WebSocketResponse":
        """Keep one connection until either side ends it.

        Parameters
        ----------
        request : aiohttp.web.Request
            With which the client asks for a websocket.
        heard : Subscriptions
            What it listens to from the first moment; its messages change that.
        """
        from aiohttp import WSMsgType, web

        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT)
        await socket.prepare(request)
        self.sockets.add(socket)
        try:
            async with asyncio.TaskGroup() as tasks:
                telling = tasks.create_task(self._tell(socket, heard, request))
                async for message in socket:
                    if message.type is WSMsgType.TEXT:
                        await socket.send_json(heard.answer(message.data))
                telling.cancel()
        finally:
            self.sockets.discard(socket)
        return socket

    async def _tell(
        self, socket: "web.WebSocketResponse", heard: Subscriptions, request: "web.Request"
    ) -> None:
        told, due = self.venue.now, self.faults.cuts(request.path, self.venue.now)
        with suppress(ConnectionResetError):  # the client has gone: the loop over its messages ends, too
            while True:
                await asyncio.sleep(_TICK)
                now = self.venue.now
                before, due = due, self.faults.cuts(request.path, now)
                if due and not before:
                    cut(request)
                    return
                for message in heard.messages(forced_orders(self.venue, told, now) if now > told else ()):
                    await socket.send_json(message)
                told = now

    async def close(self, *_: Any) -> None:
        """End all connections in an orderly way."""
        from aiohttp import WSCloseCode

        for socket in tuple(self.sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)


def cut(request: "web.Request") -> None:
    """Cut the connection of a request, as a broken wire does; what is answered then reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
