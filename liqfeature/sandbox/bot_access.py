"""Access to a bot's REST API, made for one run and kept in no file afterwards."""

import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from liqfeature.sandbox.server.serve import HOST

_PREFIX = "FREQTRADE__API_SERVER__"
"""Freqtrade reads environment variables of this form as configuration."""


@dataclass(frozen=True, slots=True)
class Access:
    """Address and secrets of a bot's REST API.

    Parameters
    ----------
    port : int
        On 127.0.0.1.
    password_file : Path
        Holds the password; only its owner can read it.
    user : str
        Name to log in with.
    password, key : str
        Random; the key signs the bot's tokens.
    """

    port: int
    password_file: Path
    user: str = "freqtrader"
    password: str = field(default_factory=lambda: f"bot-{secrets.token_urlsafe(24)}", repr=False)
    key: str = field(default_factory=lambda: f"jwt-{secrets.token_hex(32)}", repr=False)

    @property
    def url(self) -> str:
        """Address of the bot."""
        return f"http://{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Variables that make Freqtrade serve its API on this machine only."""
        settings = {
            "ENABLED": "true",
            "LISTEN_IP_ADDRESS": HOST,
            "LISTEN_PORT": str(self.port),
            "USERNAME": self.user,
            "PASSWORD": self.password,
            "JWT_SECRET_KEY": self.key,
        }
        return {_PREFIX + name: value for name, value in settings.items()}


@contextmanager
def api_access() -> Iterator[Access]:
    """Make an access, its password in a file outside of any project, for as long as the context lasts.

    Yields
    ------
    Access
        With a port that was free.
    """
    with socket.create_server((HOST, 0)) as free:
        port = int(free.getsockname()[1])
    folder = Path(tempfile.mkdtemp(prefix="liqfeature-"))
    try:
        access = Access(port, folder / "password")
        access.password_file.touch(mode=0o600)
        access.password_file.write_text(access.password, encoding="utf-8")
        yield access
    finally:
        shutil.rmtree(folder)
