"""Run the server until it is interrupted."""

import contextlib
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from liqfeature.errors import extra
from liqfeature.serve.access import Access
from liqfeature.serve.app import make_app
from liqfeature.serve.live import Live
from liqfeature.serve.maps import Maps

if TYPE_CHECKING:
    import uvicorn

_LARGEST = 4096
"""Bytes of a message from a client."""


def serve(maps: Maps, access: Access, live: Live, *, port: int, ready: Callable[[str], object]) -> None:
    """Serve until interrupted.

    Parameters
    ----------
    maps : Maps
    access : Access
    live : Live
    port : int
        0 takes a free one.
    ready : callable
        Called with the address as soon as it is listened on.

    Raises
    ------
    OSError
        If the port is taken.
    MissingExtraError
        If FastAPI or uvicorn is not installed.
    """
    server = server_of(maps, access, live)
    family = socket.AF_INET6 if ":" in access.host else socket.AF_INET
    with contextlib.closing(socket.create_server((access.host, port), family=family)) as listening:
        shown = f"[{access.host}]" if family == socket.AF_INET6 else access.host
        ready(f"http://{shown}:{listening.getsockname()[1]}")
        server.run(sockets=[listening])


def server_of(maps: Maps, access: Access, live: Live) -> "uvicorn.Server":
    """Return the server, which does not run yet; parameters as for `serve`."""
    with extra("serve"):
        import uvicorn
    return uvicorn.Server(
        uvicorn.Config(
            make_app(maps, access, live),
            log_level="warning",
            access_log=False,
            ws="websockets-sansio",
            ws_max_size=_LARGEST,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
    )
