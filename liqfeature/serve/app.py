"""The server: a page, its data, and a websocket."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liqfeature.errors import ConfigError, DataError, extra
from liqfeature.serve.access import Access, Guard
from liqfeature.serve.live import Client, Live
from liqfeature.serve.look import look
from liqfeature.serve.maps import Maps
from liqfeature.serve.sources import market_of
from liqfeature.serve.tiles import ALL, COLUMNS, SPANS, Spot

if TYPE_CHECKING:
    from fastapi import FastAPI, Response, WebSocket

STATIC = Path(__file__).with_name("static")

_PATIENCE = 10.0
"""Seconds within which a client of the websocket must send the token."""

_LONGEST = 1_000
"""Letters of a message from a client."""

_ROOM = 123
"""Bytes of the reason with which a websocket is closed."""


def make_app(maps: Maps, access: Access, live: Live) -> "FastAPI":
    """Put the server together.

    Parameters
    ----------
    maps : Maps
    access : Access
    live : Live

    Returns
    -------
    FastAPI

    Raises
    ------
    MissingExtraError
        If FastAPI is not installed.
    """
    with extra("serve"):
        from fastapi import FastAPI
        from fastapi.staticfiles import StaticFiles
    routes = _Routes(maps, access, live)

    @contextlib.asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(live.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            maps.close()

    app = FastAPI(lifespan=running, openapi_url=None)
    app.add_middleware(Guard, access=access)
    app.add_api_route("/api/session", routes.session)
    app.add_api_route("/api/state", routes.state)
    app.add_api_route("/api/tile", routes.tile)
    app.router.add_websocket_route("/ws", routes.websocket)
    app.mount("/", StaticFiles(directory=STATIC, html=True))
    app.add_exception_handler(ConfigError, _refused)
    app.add_exception_handler(DataError, _refused)
    return app


async def _refused(_: Any, error: Exception) -> "Response":
    from fastapi.responses import JSONResponse

    return JSONResponse({"error": str(error)}, status_code=404 if isinstance(error, ConfigError) else 422)


class _Routes:
    def __init__(self, maps: Maps, access: Access, live: Live) -> None:
        self.maps, self.access, self.live = maps, access, live

    async def session(self) -> dict[str, Any]:
        """Return what the page needs to begin."""
        source = self.maps.source
        return {
            "token": self.access.token,
            "pairs": list(self.maps.table),
            "markets": {name: market_of(name) for name in self.maps.table},
            "look": look(),
            "title": source.title,
            "timeframe": source.timeframe,
            "simulated": source.simulated,
            "spans": SPANS,
            "columns": COLUMNS,
            "seconds": self.live.seconds,
            "bot": self.live.bot is not None,
        }

    async def state(self, pair: str) -> dict[str, Any]:
        """Return what stands at the newest candle of a pair."""
        return (await self.maps.pair(self.maps.known(pair))).state

    async def tile(self, pair: str, level: int, number: int, leverage: str = ALL) -> Any:
        """Return one tile of the map of a pair."""
        from fastapi.responses import Response

        spot = Spot(level=level, number=number, leverage=leverage)
        tile = await self.maps.tile(self.maps.known(pair), spot)
        return Response(tile, media_type="application/octet-stream")

    async def websocket(self, websocket: "WebSocket") -> None:
        """Send what changes, from when the client has sent the token and said which pair it looks at."""
        from starlette.websockets import WebSocketDisconnect

        await websocket.accept()
        client = Client()
        try:
            token = (await asyncio.wait_for(_message(websocket), _PATIENCE)).get("token")
            if not self.access.may_listen(token):
                await websocket.close(1008)
                return
            self.live.clients.add(client)
            async with asyncio.TaskGroup() as group:
                group.create_task(_send(websocket, client))
                group.create_task(self._receive(websocket, client))
        except* (WebSocketDisconnect, TimeoutError):
            pass
        except* (ConfigError, DataError) as refused:
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await websocket.close(1008, _reason(refused.exceptions[0]))
        finally:
            self.live.clients.discard(client)

    async def _receive(self, websocket: "WebSocket", client: Client) -> None:
        while True:
            client.pair = self.maps.known(str((await _message(websocket)).get("pair", "")))
            await self.live.greet(client)


def _reason(error: BaseException) -> str:
    """Return why a client is closed, in the bytes that the protocol has room for."""
    return str(error).encode(errors="replace")[:_ROOM].decode(errors="ignore")


async def _message(websocket: "WebSocket") -> dict[str, Any]:
    try:
        text = await websocket.receive_text() or ""
    except KeyError:
        text = ""  # bytes
    try:
        message = json.loads(text) if len(text) <= _LONGEST else None
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        error = f"message must be a JSON object of at most {_LONGEST} letters, received {text[:40]!r}"
        raise ConfigError(error)
    return message


async def _send(websocket: "WebSocket", client: Client) -> None:
    while not client.overrun.is_set():
        await websocket.send_text(await client.messages.get())
    await websocket.close(1013)
