"""The sandbox's HTTP server, on 127.0.0.1 and nowhere else."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from liqfeature.errors import extra
from liqfeature.sandbox.server.connections import Connections, cut
from liqfeature.sandbox.server.faults import Faults
from liqfeature.sandbox.server.hyperliquid import Hyperliquid, answered
from liqfeature.sandbox.server.routes import answer
from liqfeature.sandbox.server.streams import Subscriptions
from liqfeature.sandbox.server.venue import Venue

if TYPE_CHECKING:
    from aiohttp import web

HOST = "127.0.0.1"
"""The only address that the sandbox listens on."""

FAULTS = "/sandbox/faults"
"""Path of the one answer that is not Binance's: how many faults of each kind have struck."""


HYPERLIQUID = "/hyperliquid/"
"""Under it are `info` and `ws` of another exchange over the same market, which tells positions."""


@contextmanager
def running(venue: Venue, port: int = 0, faults: Faults | None = None) -> Iterator[str]:
    """Serve a venue from a thread for as long as the context lasts.

    Parameters
    ----------
    venue : Venue
        What to answer from.
    port : int, default 0
        Port on 127.0.0.1; 0 takes a free one.
    faults : Faults, optional
        What goes wrong; by default nothing.

    Yields
    ------
    str
        Address of the server, such as "http://127.0.0.1:8080".

    Raises
    ------
    MissingExtraError
        If aiohttp is not installed.
    OSError
        If the port is taken.
    """
    runner = _runner(venue, faults or Faults())
    loop = asyncio.new_event_loop()
    try:
        bound = loop.run_until_complete(_listen(runner, port))
        thread = threading.Thread(target=loop.run_forever, name="liqfeature-sandbox", daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{bound}"
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
    finally:
        loop.run_until_complete(runner.cleanup())
        loop.close()


def _runner(venue: Venue, faults: Faults) -> "web.AppRunner":
    with extra("sandbox"):
        from aiohttp import web
    connections = Connections(venue, faults)
    tapes = {perpetual.base: perpetual.tape for perpetual in venue.perpetuals.values()}
    hyperliquid = Hyperliquid(tapes, venue.clock)

    async def respond(request: web.Request) -> web.StreamResponse:
        if request.path == FAULTS:
            return web.json_response(faults.struck)
        if request.path.startswith(HYPERLIQUID):
            told: web.StreamResponse = await answered(hyperliquid, request)
            return told
        present = venue.at_present()
        due = faults.for_request(request.path, present.now)
        await asyncio.sleep(sum(fault.seconds for fault in due if fault.kind == "delay"))
        if any(fault.kind == "drop" for fault in due):
            cut(request)
            return web.Response()
        subscriptions = Subscriptions.of_path(request.path, request.query.get("streams", ""))
        if subscriptions is not None and web.WebSocketResponse().can_prepare(request):
            return await connections.serve(request, subscriptions)
        found = answer(present, request.method, request.path, request.query, due)
        return web.Response(**found._asdict())

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", respond)
    app.on_shutdown.append(connections.close)
    return web.AppRunner(app, access_log=None, shutdown_timeout=1.0)


async def _listen(runner: "web.AppRunner", port: int) -> int:
    from aiohttp import web

    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    return int(runner.addresses[0][1])
