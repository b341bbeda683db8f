"""What the server answers: Binance USD-M's routes and archive, as far as faults let them through."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from liqfeature.sandbox.server import history, quotes, statistics
from liqfeature.sandbox.server.archive import archived
from liqfeature.sandbox.server.faults import Fault, spoil
from liqfeature.sandbox.server.query import BinanceError
from liqfeature.sandbox.server.venue import Venue

ROUTES: dict[str, Callable[[Venue, Mapping[str, str]], Any]] = {
    "/fapi/v1/ping": quotes.ping,
    "/fapi/v1/time": quotes.time,
    "/fapi/v1/exchangeInfo": history.exchange_info,
    "/fapi/v1/klines": history.klines,
    "/fapi/v1/markPriceKlines": history.mark_price_klines,
    "/fapi/v1/fundingRate": history.funding_rate,
    "/fapi/v1/fundingInfo": quotes.funding_info,
    "/fapi/v1/premiumIndex": quotes.premium_index,
    "/fapi/v1/openInterest": quotes.open_interest,
    "/fapi/v1/depth": quotes.depth,
    "/fapi/v1/ticker/price": quotes.ticker_price,
    "/fapi/v1/ticker/bookTicker": quotes.ticker_book,
    "/fapi/v1/ticker/24hr": quotes.ticker_24hr,
    **statistics.ROUTES,
}
"""All that is answered, by path; other paths are refused as Binance refuses an unknown one."""


_NO_SUCH_KEY = b"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"


class Answer(NamedTuple):
    """Body, HTTP status, headers and type of the content."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = {}
    content_type: str = "application/json"

    def halved(self) -> "Answer":
        """Return the answer with half of its body."""
        return self._replace(body=self.body[: len(self.body) // 2])


def answer(
    venue: Venue, method: str, path: str, query: Mapping[str, str], faults: tuple[Fault, ...]
) -> Answer:
    """Return the answer to a request.

    Parameters
    ----------
    venue : Venue
        With its clock stopped.
    method, path, query : str, str, mapping
        The request.
    faults : tuple of Fault
        Those that strike it.
    """
    kinds = {fault.kind: fault for fault in faults}
    if "rate_limit" in kinds:
        wait = {"Retry-After": f"{kinds['rate_limit'].seconds:.0f}"}
        return _refusal(BinanceError(-1003, "Too many requests; current limit is 2400.", 429), wait)
    if "server_error" in kinds:
        return _refusal(BinanceError(-1008, "Server is currently overloaded. Please try again.", 503))
    spans = tuple((fault.since, fault.until) for fault in faults if fault.kind == "start_stamps")
    venue = replace(venue, start_stamped=venue.start_stamped + spans)
    try:
        found = (
            _file(venue, path, faults)
            if path.startswith("/data/")
            else _reply(venue, method, path, query, faults)
        )
    except BinanceError as error:
        return _refusal(error)
    return found.halved() if "malformed" in kinds else found


def _file(venue: Venue, path: str, faults: tuple[Fault, ...]) -> Answer:
    body = archived(venue, path, faults)
    if body is None:
        return Answer(_NO_SUCH_KEY, 404, content_type="application/xml")
    return Answer(body, content_type="text/plain" if path.endswith(".CHECKSUM") else "application/zip")


def _reply(
    venue: Venue, method: str, path: str, query: Mapping[str, str], faults: tuple[Fault, ...]
) -> Answer:
    route = ROUTES.get(path)
    if route is None or method != "GET":
        raise BinanceError(-5000, f"Path {path}, Method {method} is invalid", status=404)
    return Answer(json.dumps(spoil(route(venue, query), path, faults, venue.now)).encode())


def _refusal(error: BinanceError, headers: Mapping[str, str] | None = None) -> Answer:
    body = json.dumps({"code": error.code, "msg": str(error)}).encode()
    return Answer(body, error.status, headers or {})
