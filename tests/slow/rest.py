"""Freqtrade's REST API as FreqUI uses it: a server on this machine, a log-in, and answers as JSON."""

import base64
import json
import secrets
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

PATIENCE = 900
"""Seconds after which a server counts as hung: many times what it takes on a busy machine."""

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_USER = "reader"


@dataclass
class Rest:
    """A server with a password of its own, and the command that serves it."""

    port: int
    log: Path
    server: subprocess.Popen | None = None
    password: str = field(default_factory=secrets.token_urlsafe)
    token: str | None = None
    user: str = _USER

    def settings(self):
        """Return what Freqtrade has to be told."""
        return {
            "enabled": True,
            "listen_ip_address": "127.0.0.1",
            "listen_port": self.port,
            "username": self.user,
            "password": self.password,
            "jwt_secret_key": secrets.token_hex(32),
        }

    def ask(self, path, body=None, timeout=PATIENCE, **query):
        """Answer to a GET, or to a POST where there is a body."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urlencode(query)}"
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(url, data, headers)
        with _OPENER.open(request, timeout=timeout) as answer:
            return json.load(answer)

    def log_in(self):
        """Exchange the password for a token, as FreqUI does."""
        words = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        url = f"http://127.0.0.1:{self.port}/api/v1/token/login"
        request = urllib.request.Request(url, b"", {"Authorization": f"Basic {words}"})
        with _OPENER.open(request, timeout=PATIENCE) as answer:
            self.token = json.load(answer)["access_token"]

    def answers(self):
        """Tell whether the server is up."""
        try:
            return self.ask("ping", timeout=5) == {"status": "pong"}
        except OSError:
            return False

    def until(self, holds, patience=PATIENCE):
        """Wait until something holds of the running server."""
        end = time.monotonic() + patience
        while not holds():
            assert self.server.poll() is None, self.log.read_text()[-4000:]
            assert time.monotonic() < end, self.log.read_text()[-4000:]
            time.sleep(0.2)

    def stop(self):
        """End the server, with force where it does not end by itself."""
        self.server.terminate()
        try:
            self.server.wait(PATIENCE / 5)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()


@contextmanager
def served(command, directory, **settings):
    """Run a command of Freqtrade that serves its API, from its first answer to the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        rest = Rest(free.getsockname()[1], directory / "api.log")
    overlay = directory / "api.json"
    overlay.write_text(json.dumps(settings | {"api_server": rest.settings()}))
    with rest.log.open("w") as log:
        line, output = [*command, f"--config={overlay}"], {"stdout": log, "stderr": subprocess.STDOUT}
        rest.server = subprocess.Popen(line, cwd=directory, stdin=subprocess.DEVNULL, **output)
        try:
            rest.until(rest.answers)
            yield rest
        finally:
            rest.stop()
