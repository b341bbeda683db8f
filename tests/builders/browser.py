"""A headless browser on a pipe, driven with nothing but the standard library."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from builders.waiting import wait_until

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PROGRAM = next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """One page of a running browser."""

    def __init__(self, read: int, write: int) -> None:
        self._read, self._write = read, write
        self._number, self._rest = 0, b""
        self.session: str | None = None
        self.complaints: list[str] = []
        self.requested: list[str] = []

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        order = {"id": self._number, "method": method, "params": parameters}
        if self.session:
            order["sessionId"] = self.session
        os.write(self._write, json.dumps(order).encode() + b"\0")
        while True:
            message = self._message()
            if message.get("id") == self._number:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]
            self._note(message)

    def open(self, path: Path, width: int, height: int = 1100) -> None:
        self.visit(path.resolve().as_uri(), width, height)
        self.wait("document.readyState === 'complete' && !!document.querySelector('.main-svg')")

    def visit(self, url: str, width: int, height: int = 900) -> None:
        self.complaints.clear()
        self.requested.clear()
        self.resize(width, height)
        self.ask("Page.navigate", url=url)

    def resize(self, width: int, height: int = 900) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.ask("Emulation.setDeviceMetricsOverride", **metrics)

    def run(self, script: str) -> Any:
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, condition: str, seconds: float = 200) -> None:
        wait_until(lambda: self.run(condition), seconds)

    def move(self, x: float, y: float) -> None:
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, x: float, y: float) -> None:
        self.move(x, y)
        for action in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=action, x=x, y=y, button="left", clickCount=1)

    def shoot(self, path: Path) -> None:
        answer = self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self._read, 1 << 20)
            assert part, "the browser has ended"
            self._rest += part
        text, _, self._rest = self._rest.partition(b"\0")
        return json.loads(text)

    def _note(self, message: dict[str, Any]) -> None:
        method, told = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(told["exceptionDetails"].get("exception", {}).get("description", "?"))
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
            self.complaints.append(str([part.get("value") for part in told["args"]]))
        elif method == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.complaints.append(told["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requested.append(told["request"]["url"])


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """Run the browser with an empty profile, and end it."""
    assert PROGRAM is not None
    orders, answers = os.pipe(), os.pipe()
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--hide-scrollbars"]
    shell = f'exec 3<&{orders[0]} 4>&{answers[1]}; exec "$@"'
    command = ["bash", "-c", shell, "-", PROGRAM, *options, f"--user-data-dir={profile}", "about:blank"]
    running = subprocess.Popen(command, pass_fds=(orders[0], answers[1]), stderr=subprocess.DEVNULL)
    os.close(orders[0])
    os.close(answers[1])
    try:
        page = Page(answers[0], orders[1])
        target = page.ask("Target.createTarget", url="about:blank")["targetId"]
        page.session = page.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.ask(f"{domain}.enable")
        yield page
    finally:
        running.terminate()
        running.wait(100)
        os.close(answers[0])
        os.close(orders[1])
