"""The sandbox's HTTP server: Binance USD-M's routes on 127.0.0.1, and nowhere else."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from liqfeature.errors import MissingExtraError
from liqfeature.sandbox import binance, quotes
from liqfeature.sandbox.connections import Connections, cut
from liqfeature.sandbox.faults import Fault, Faults, spoil
from liqfeature.sandbox.query import BinanceError
from liqfeature.sandbox.streams import Subscriptions
from liqfeature.sandbox.venue import Venue

if TYPE_CHECKING:
    from aiohttp import web

HOST = "127.0.0.1"
"""The only address that the sandbox listens on."""

ROUTES: dict[str, Callable[[Venue, Mapping[str, str]], Any]] = {
    "/fapi/v1/ping": quotes.ping,
    "/fapi/v1/time": quotes.time,
    "/fapi/v1/exchangeInfo": binance.exchange_info,
    "/fapi/v1/klines": binance.klines,
    "/fapi/v1/markPriceKlines": binance.mark_price_klines,
    "/fapi/v1/fundingRate": binance.funding_rate,
    "/fapi/v1/fundingInfo": quotes.funding_info,
    "/fapi/v1/premiumIndex": quotes.premium_index,
    "/fapi/v1/openInterest": quotes.open_interest,
    "/fapi/v1/depth": quotes.depth,
    "/fapi/v1/ticker/price": quotes.ticker_price,
    "/fapi/v1/ticker/bookTicker": quotes.ticker_book,
    "/fapi/v1/ticker/24hr": quotes.ticker_24hr,
    "/futures/data/openInterestHist": binance.open_interest_history,
}
"""What is answered, by path; everything else is refused as Binance refuses an unknown path."""

FAULTS = "/sandbox/faults"
"""Path of the one answer that is not Binance's: how many faults of each kind were dealt out."""


@contextmanager
def running(venue: Venue, port: int = 0, faults: Faults | None = None) -> Iterator[str]:
    """Serve a venue from a thread for as long as the context lasts.

    Parameters
    ----------
    venue : Venue
        What to answer from.
    port : int
        Port on 127.0.0.1; 0 takes a free one.
    faults : Faults, optional
        What goes wrong; nothing where left out.

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
    try:
        from aiohttp import web
    except ImportError as error:
        message = "the sandbox needs aiohttp: pip install liqfeature[sandbox]"
        raise MissingExtraError(message) from error
    connections = Connections(venue, faults)

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == FAULTS:
            return web.json_response(faults.dealt)
        present = venue.at_present()
        struck = faults.for_request(request.path, present.now)
        await asyncio.sleep(sum(fault.seconds for fault in struck if fault.kind == "delay"))
        if any(fault.kind == "drop" for fault in struck):
            cut(request)
            return web.Response()
        heard = Subscriptions.of_path(request.path, request.query.get("streams", ""))
        if heard is not None and web.WebSocketResponse().can_prepare(request):
            return await connections.serve(request, heard)
        told = _told(present, request.method, request.path, request.query, struck)
        return web.Response(
            text=told.text, status=told.status, headers=told.headers, content_type="application/json"
        )

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    app.on_shutdown.append(connections.close)
    return web.AppRunner(app, access_log=None, shutdown_timeout=1.0)


class _Told(NamedTuple):
    text: str
    status: int = 200
    headers: Mapping[str, str] = {}


def _told(venue: Venue, method: str, path: str, query: Mapping[str, str], struck: tuple[Fault, ...]) -> _Told:
    """Answer a request as far as the faults that strike it allow."""
    kinds = {fault.kind: fault for fault in struck}
    if "rate_limit" in kinds:
        wait = {"Retry-After": f"{kinds['rate_limit'].seconds:.0f}"}
        return _refusal(BinanceError(-1003, "Too many requests; current limit is 2400.", 429), wait)
    if "server_error" in kinds:
        return _refusal(BinanceError(-1008, "Server is currently overloaded. Please try again.", 503))
    try:
        body = spoil(_answer(venue, method, path, query), path, struck, venue.now)
    except BinanceError as error:
        return _refusal(error)
    text = json.dumps(body)
    return _Told(text[: len(text) // 2] if "malformed" in kinds else text)


def _refusal(error: BinanceError, headers: Mapping[str, str] | None = None) -> _Told:
    return _Told(json.dumps({"code": error.code, "msg": str(error)}), error.status, headers or {})


def _answer(venue: Venue, method: str, path: str, query: Mapping[str, str]) -> Any:
    route = ROUTES.get(path)
    if route is None or method != "GET":
        raise BinanceError(-5000, f"Path {path}, Method {method} is invalid", status=404)
    return route(venue, query)


async def _listen(runner: "web.AppRunner", port: int) -> int:
    from aiohttp import web

    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    return int(runner.addresses[0][1])
