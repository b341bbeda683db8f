"""Film the live map of a simulated market, the picture in README and docs/live-map.md: `make picture`."""

import argparse
import base64
import struct
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from builders.browser import browser
from builders.serving import served
from liqfeature.durations import MINUTE
from liqfeature.sandbox.freqtrade_config import exchange_config
from liqfeature.sandbox.server.serve import running
from liqfeature.sandbox.server.venue import Venue
from liqfeature.sandbox.simulation.scenario import scenario
from liqfeature.sandbox.simulation.simulate import simulate
from liqfeature.serve.exchange import ExchangeSource

PAIR = "BTC/USDT:USDT"
START = datetime(2026, 1, 1, tzinfo=UTC)
SIZE = 1000, 600
SHOWN = 350
"""Milliseconds of each frame."""


class SetClock:
    """A clock that the film sets."""

    moment = round(datetime(2026, 2, 9, 20, tzinfo=UTC).timestamp() * 1000)

    def now(self):
        """Return the moment."""
        return self.moment


DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""What has been set is drawn with the next frame; the one after it follows a whole one."""


def frames(n, step, quality):
    """Yield the page as WebP, `step` minutes of the market apart."""
    clock = SetClock()
    tape = simulate(scenario("liquid"), PAIR, start=START, days=42, seed=1)
    with running(Venue.of([tape], clock=clock)) as url:
        config = exchange_config(url)
        config["exchange"]["pair_whitelist"] = [PAIR]
        with (
            served(ExchangeSource(config), seconds=0.1) as server,
            tempfile.TemporaryDirectory() as profile,
            browser(Path(profile)) as page,
        ):
            page.ask(
                "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}]
            )
            page.visit(server.url, *SIZE)
            page.wait("!!window.liqfeature && liqfeature.map.settled > 0")
            page.run("document.querySelector('[data-value=\"24h\"]').click()")
            page.wait("liqfeature.map.span === 1")
            for _ in range(n):
                opened = clock.moment // (5 * MINUTE) * 5 * MINUTE
                page.wait(f"liqfeature.map.forming?.opened === {opened}")
                page.wait(f"liqfeature.map.state.date === {opened - 5 * MINUTE}")
                page.wait(f"liqfeature.map.tiles.at(-1).last.at(-1) === {opened - 5 * MINUTE}")
                page.run(DRAWN)
                answer = page.ask("Page.captureScreenshot", format="webp", quality=quality)
                yield base64.b64decode(answer["data"])
                clock.moment += step * MINUTE


def chunk(name, body):
    """Return one chunk of a RIFF file."""
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def bitstream(still):
    """Return the chunk that holds the picture of a still."""
    at = 12
    while at < len(still):
        name, length = still[at : at + 4], struct.unpack_from("<I", still, at + 4)[0]
        if name in (b"VP8 ", b"VP8L"):
            return still[at : at + 8 + length + length % 2]
        at += 8 + length + length % 2
    raise ValueError("no picture in the still")


def animated(stills, milliseconds, size):
    """Put stills of WebP one after the other, by the WebP container specification."""
    width, height = (struct.pack("<I", side - 1)[:3] for side in size)
    parts = [
        chunk(b"VP8X", bytes([2, 0, 0, 0]) + width + height),
        chunk(b"ANIM", bytes([23, 17, 13, 255]) + struct.pack("<H", 0)),
    ]
    for i, still in enumerate(stills):
        shown = struct.pack("<I", milliseconds * (4 if i == len(stills) - 1 else 1))[:3]
        head = bytes(6) + width + height + shown + bytes([2])
        parts.append(chunk(b"ANMF", head + bitstream(still)))
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def main():
    """Write the film."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/live-map.webp"))
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--minutes", type=int, default=8, help="of the market from frame to frame")
    parser.add_argument("--quality", type=int, default=45)
    args = parser.parse_args()
    film = animated(list(frames(args.frames, args.minutes, args.quality)), SHOWN, SIZE)
    args.out.write_bytes(film)
    Console().print(f"{args.out}: {len(film) / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
