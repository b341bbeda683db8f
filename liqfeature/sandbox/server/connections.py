"""The open websockets: each gets the forced orders that it subscribes to as the clock passes them."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from liqfeature.sandbox.server.faults import Faults
from liqfeature.sandbox.server.streams import Subscriptions, forced_orders
from liqfeature.sandbox.server.venue import Venue

if TYPE_CHECKING:
    from aiohttp import web

_TICK = 0.02
"""Seconds between two readings of the clock."""

_HEARTBEAT = 180.0
"""Seconds between two pings, as on Binance; a client that does not answer is disconnected."""


@dataclass(frozen=True, eq=False)
class Connections:
    """All open websockets.

    Parameters
    ----------
    venue : Venue
        Source of forced orders.
    faults : Faults
        A fault `drop` cuts open connections when it begins.
    sockets : set of aiohttp.web.WebSocketResponse
        The open ones.
    """

    venue: Venue
    faults: Faults
    sockets: "set[web.WebSocketResponse]" = field(default_factory=set)

    async def serve(self, request: "web.Request", subscriptions: Subscriptions) -> "web.WebSocketResponse":
        """Serve one connection until either side ends it.

        Parameters
        ----------
        request : aiohttp.web.Request
            The client's request for a websocket.
        subscriptions : Subscriptions
            Those at the start; messages of the client change them.
        """
        from aiohttp import WSMsgType, web

        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT)
        await socket.prepare(request)
        self.sockets.add(socket)
        try:
            async with asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(self._send(socket, subscriptions, request))
                async for message in socket:
                    if message.type is WSMsgType.TEXT:
                        await socket.send_json(subscriptions.answer(message.data))
                sending.cancel()
        finally:
            self.sockets.discard(socket)
        return socket

    async def _send(
        self, socket: "web.WebSocketResponse", subscriptions: Subscriptions, request: "web.Request"
    ) -> None:
        sent, due = self.venue.now, self.faults.cuts(request.path, self.venue.now)
        with suppress(ConnectionResetError):  # the client is gone; the loop over its messages ends too
            while True:
                await asyncio.sleep(_TICK)
                now = self.venue.now
                before, due = due, self.faults.cuts(request.path, now)
                if due and not before:
                    cut(request)
                    return
                events = forced_orders(self.venue, sent, now) if now > sent else ()
                for message in subscriptions.messages(events):
                    await socket.send_json(message)
                sent = now

    async def close(self, *_: Any) -> None:
        """Close all connections properly."""
        from aiohttp import WSCloseCode

        for socket in tuple(self.sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)


def cut(request: "web.Request") -> None:
    """Cut the connection of a request without an answer."""
    if request.transport is not None:
        request.transport.abort()
