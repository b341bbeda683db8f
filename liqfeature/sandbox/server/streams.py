"""Binance USD-M's stream of forced orders: subscriptions and messages."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from liqfeature.sandbox.server.venue import Perpetual, Venue

Message = dict[str, Any]

SECOND = 1000
"""Milliseconds within which Binance sends only the latest forced order of a symbol."""

ALL_SYMBOLS = "!forceOrder@arr"


@dataclass(slots=True)
class Subscriptions:
    """The streams that one connection subscribes to.

    Parameters
    ----------
    names : dict of str to None
        Names in the order of subscription.
    combined : bool
        Whether events come with the name of their stream, as on Binance's path `/stream`.
    """

    names: dict[str, None]
    combined: bool = False

    @classmethod
    def of_path(cls, path: str, streams: str = "") -> "Subscriptions | None":
        """Read a path such as `/ws/btcusdt@forceOrder`; None where it is not that of a stream.

        Parameters
        ----------
        path : str
            `/ws` or `/stream`, with or without `/market` or `/public` before it; names follow. Other parts,
            such as ccxt's number of a connection, name no stream.
        streams : str
            The parameter `streams` of a combined path: names separated by slashes.
        """
        parts = path.strip("/").split("/")
        if parts[0] in ("market", "public"):
            parts = parts[1:]
        if not parts or parts[0] not in ("ws", "stream"):
            return None
        names = [name for name in (*parts[1:], *streams.split("/")) if "@" in name]
        return cls(dict.fromkeys(names), combined=parts[0] == "stream")

    def answer(self, text: str) -> Message:
        """Apply a message of the client and return the reply."""
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
        """Return the messages for these events: one per stream that carries the event."""
        messages = []
        for event in events:
            for name in (ALL_SYMBOLS, f"{event['o']['s'].lower()}@forceOrder"):
                if name in self.names:
                    messages.append({"stream": name, "data": event} if self.combined else event)
        return messages


def _are_names(names: Any) -> bool:
    return isinstance(names, list) and all(isinstance(name, str) for name in names)


def forced_orders(venue: Venue, after: int, until: int) -> list[Message]:
    """Return the events of a span of time, in order.

    Parameters
    ----------
    venue : Venue
        Its `liquidations` says whether every order is sent, or as on Binance the latest of each symbol and
        second, once the second is over.
    after, until : int
        Milliseconds since 1970; the span excludes the first and includes the second.

    Returns
    -------
    list of dict
        Binance's `forceOrder`.
    """
    select = _every if venue.liquidations == "all" else _latest_per_second
    events = [event for perpetual in venue.perpetuals.values() for event in select(perpetual, after, until)]
    return sorted(events, key=lambda event: int(event["E"]))


def _every(perpetual: Perpetual, after: int, until: int) -> list[Message]:
    first, stop = np.searchsorted(perpetual.forced["time"], (after, until), side="right")
    return [_event(perpetual, row, int(perpetual.forced["time"][row])) for row in range(first, stop)]


def _latest_per_second(perpetual: Perpetual, after: int, until: int) -> list[Message]:
    sent = perpetual.forced["time"] // SECOND * SECOND + SECOND
    first, stop = np.searchsorted(sent, (after, until), side="right")
    latest = first + np.flatnonzero(np.diff(sent[first:stop], append=-1))
    return [_event(perpetual, row, int(sent[row])) for row in latest.tolist()]


def _event(perpetual: Perpetual, row: int, sent: int) -> Message:
    """Return one order; Binance sells a long position at its bankruptcy price or better."""
    orders, filters = perpetual.forced, perpetual.filters
    amount = f"{orders['amount'][row]:.{filters.amount}f}"
    return {
        "e": "forceOrder",
        "E": sent,
        "o": {
            "s": perpetual.symbol,
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
