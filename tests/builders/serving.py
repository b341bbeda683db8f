"""The live map's server as a program of its own, and its tiles as the page reads them."""

import json
import socket
import subprocess
import sys
import threading
from contextlib import closing, contextmanager

import httpx
import numpy as np
from websockets.sync.client import connect

from liqfeature.serve.access import Access
from liqfeature.serve.live import Live
from liqfeature.serve.maps import Maps
from liqfeature.serve.run import server_of


class Page:
    """A client of a server, as a browser is one."""

    def __init__(self, url):
        self.url = url
        self.http = httpx.Client(base_url=url, trust_env=False, timeout=60)
        self.get = self.http.get

    def listen(self, **options):
        return connect(self.url.replace("http", "ws") + "/ws", proxy=None, **options)

    @contextmanager
    def watch(self, pair):
        """Yield a socket that has sent the token and a pair."""
        with self.listen() as socket:
            socket.send(json.dumps({"token": self.get("/api/session").json()["token"]}))
            socket.send(json.dumps({"pair": pair}))
            yield socket


def until(socket, found):
    """Return the first message that fits."""
    while True:
        message = json.loads(socket.recv(timeout=60))
        if found(message):
            return message


@contextmanager
def served(source, bot=None, access=None, seconds=0.02, recordings=None):
    """Serve a source from a thread, and yield a client."""
    maps = Maps(source, recordings)
    server = server_of(maps, access or Access(), Live(maps, bot, seconds))
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        page = Page(f"http://127.0.0.1:{listening.getsockname()[1]}")
        try:
            yield page
        finally:
            page.http.close()
            server.should_exit = True
            thread.join(60)


def unpack_tile(tile):
    """Heading of a tile, and the cells of longs and of shorts."""
    length = int(np.frombuffer(tile, "<u4", 1)[0])
    heading, at = json.loads(tile[4 : 4 + length]), 4 + length
    sides = []
    for n in heading["cells"]:
        notional, age = np.frombuffer(tile, "<f4", 2 * n, at).reshape(2, n)
        time, row = np.frombuffer(tile, "<u2", 2 * n, at + 8 * n).reshape(n, 2).T
        sides.append({"notional": notional, "age": age, "time": time, "row": row})
        at += 12 * n
    assert at == len(tile)
    return heading, sides


@contextmanager
def program(*arguments, **options):
    """Run `liqfeature ARGUMENTS`, and yield the process and the address that it prints."""
    runner = "import sys; from liqfeature.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", runner, *map(str, arguments)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    try:
        url = running.stdout.readline().strip()
        assert url.startswith("http://"), running.stderr.read()
        yield running, url
    finally:
        running.terminate()
        running.communicate(timeout=100)
