"""Binance USD-M's stream of forced orders: what is sent, to whom, and when."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from liqfeature.sandbox.venue import Market, Venue

Message = dict[str, Any]

SECOND = 1000
"""Milliseconds within which Binance tells only the latest forced order of a symbol."""

ALL_SYMBOLS = "!forceOrder@arr"


@dataclass(slots=True)
class Subscriptions:
    """Names of the streams that one connection listens to.

    Parameters
    ----------
    names : dict of str to None
        In the order of subscription, each once.
    combined : bool
        Whether events are wrapped with the name of their stream, as on Binance's path `/stream`.
    """

    names: dict[str, None]
    combined: bool = False

    @classmethod
    def of_path(cls, path: str, streams: str = "") -> "Subscriptions | None":
        """Read a path such as `/ws/btcusdt@forceOrder`; None for one that is no stream's.

        Parameters
        ----------
        path : str
            `/ws` or `/stream`, after `/market` or `/public` where the client puts one; names follow. Other
            parts, such as the number with which ccxt tells its connections apart, name nothing.
        streams : str
            The parameter `streams` of a combined path: names between slashes.
        """
        parts = path.strip("/").split("/")
        if parts[0] in ("market", "public"):
            parts = parts[1:]
        if not parts or parts[0] not in ("ws", "stream"):
            return None
        names = [name for name in (*parts[1:], *streams.split("/")) if "@" in name]
        return cls(dict.fromkeys(names), combined=parts[0] == "stream")

    def answer(self, text: str) -> Message:
        """Obey a message of the client, and return what it is told."""
        try:
            request = json.loads(text)
        except json.JSONDecodeError as error:
            return {"error": {"code": 3, "msg": f"Invalid JSON: {error}"}}
        if not isinstance(request, dict):
            return {"error": {"code": 2, "msg": "Invalid request: request must be an object"}}
        number, names = request.get("id"), request.get("params", [])
        match request.get("method"):
            case "SUBSCRIBE" | "UNSUBSCRIBE" as method if _are_names(names):
                self._change(method, names)
                return {"result": None, "id": number}
            case "LIST_SUBSCRIPTIONS":
                return {"result": list(self.names), "id": number}
        message = f"Invalid request: method {request.get('method')!r} with params {names!r}"
        return {"error": {"code": 2, "msg": message}, "id": number}

    def _change(self, method: str, names: Sequence[str]) -> None:
        for name in names:
            if method == "SUBSCRIBE":
                self.names[name] = None
            else:
                self.names.pop(name, None)

    def messages(self, events: Iterable[Message]) -> list[Message]:
        """Return what of these events the client is sent: each once per stream that carries it."""
        told = []
        for event in events:
            for name in (ALL_SYMBOLS, f"{event['o']['s'].lower()}@forceOrder"):
                if name in self.names:
                    told.append({"stream": name, "data": event} if self.combined else event)
        return told


def _are_names(names: Any) -> bool:
    return isinstance(names, list) and all(isinstance(name, str) for name in names)


def forced_orders(venue: Venue, after: int, until: int) -> list[Message]:
    """Return events that became known in a span of time, in their order.

    Parameters
    ----------
    venue : Venue
        Its `liquidations` says whether every order is told, or as on Binance the latest of each symbol and
        second, once the second is over.
    after, until : int
        Milliseconds since 1970; the first is not part of the span, the second is.

    Returns
    -------
    list of dict
        Binance's `forceOrder`.
    """
    tell = _every if venue.liquidations == "all" else _latest_per_second
    events = [event for market in venue.markets.values() for event in tell(market, after, until)]
    return sorted(events, key=lambda event: int(event["E"]))


def _every(market: Market, after: int, until: int) -> list[Message]:
    first, stop = np.searchsorted(market.forced["time"], (after, until), side="right")
    return [_event(market, row, int(market.forced["time"][row])) for row in range(first, stop)]


def _latest_per_second(market: Market, after: int, until: int) -> list[Message]:
    told_at = market.forced["time"] // SECOND * SECOND + SECOND
    first, stop = np.searchsorted(told_at, (after, until), side="right")
    latest = first + np.flatnonzero(np.diff(told_at[first:stop], append=-1))
    return [_event(market, row, int(told_at[row])) for row in latest.tolist()]


def _event(market: Market, row: int, told_at: int) -> Message:
    """Tell one order: Binance sells a long's position at its bankruptcy price or better."""
    orders, filters = market.forced, market.filters
    amount = f"{orders['amount'][row]:.{filters.amount}f}"
    return {
        "e": "forceOrder",
        "E": told_at,
        "o": {
            "s": market.symbol,
            "S": "BUY" if orders["is_short"][row] else "SELL",
            "o": "LIMIT",
            "f": "IOC",
            "q": amount,
            "p": f"{orders['bankruptcy_price'][row]:.{filters.price}f}",
            "ap": f"{orders['price'][row]:.{filters.price}f}",
            "X": "FILLED",
            "l": amount,
            "z": amount,
            "T": int(orders["time"][row]),
        },
    }
