"""Who may read the page: this machine alone, or whoever knows the password; and what the page may load."""

import base64
import binascii
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from liqfeature.checks import require

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Names of this machine."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may read.

    Parameters
    ----------
    host : str
        Address that is listened on.
    user, password : str
        Needed where the address is not this machine's; an empty password is none.
    token : str
        For the websocket, of this run; the page asks for it.
    """

    host: str = LOOPBACK[0]
    user: str = "liqfeature"
    password: str = field(default="", repr=False)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    def __post_init__(self) -> None:
        needed = self.host in LOOPBACK or bool(self.password)
        require("password", needed, f"given where the page is served on {self.host}", "none")

    def names_us(self, host: str) -> bool:
        """Whether a request's Host is ours: another one is a foreign page that points its name at us."""
        name = urlsplit(f"//{host}").hostname or ""
        return name in LOOPBACK if self.host in LOOPBACK else bool(name)

    def knows(self, authorization: str) -> bool:
        """Whether a header holds the password, where one is needed."""
        if not self.password:
            return True
        kind, _, words = authorization.partition(" ")
        try:
            given = base64.b64decode(words, validate=True)
        except (binascii.Error, ValueError):
            return False
        return kind.lower() == "basic" and secrets.compare_digest(
            given, f"{self.user}:{self.password}".encode()
        )

    def may_listen(self, token: object) -> bool:
        """Whether a client of the websocket sent the token."""
        return isinstance(token, str) and secrets.compare_digest(
            token.encode(errors="replace"), self.token.encode()
        )


class Guard:
    """Stands before an application: refuses strangers, and tells the browser what the page may load.

    Parameters
    ----------
    app : ASGI application
    access : Access
    """

    def __init__(self, app: App, access: Access) -> None:
        self.app = app
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = headers.get("host", ""), headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc != host
        if not self.access.names_us(host) or foreign:
            await _refuse(scope, send, 403, {})
        elif scope["type"] == "http" and not self.access.knows(headers.get("authorization", "")):
            await _refuse(scope, send, 401, {"WWW-Authenticate": 'Basic realm="liqfeature", charset="UTF-8"'})
        else:
            await self.app(scope, receive, _with_headers(send))


def _with_headers(send: Send) -> Send:
    async def further(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *_raw(_HEADERS)]
        await send(message)

    return further


async def _refuse(scope: Scope, send: Send, status: int, headers: dict[str, str]) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    raw = _raw({**_HEADERS, **headers, "Content-Type": "text/plain"})
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": b"refused"})


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
