"""How fast the live map is, and what it takes: `python tests/studies/live_map.py`, three minutes.

A random market of 42 days, a browser without a graphics card, everything on this machine.
"""

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from builders.browser import browser
from builders.frames import random_candles, random_open_interest
from builders.serving import Page, program, until
from liqfeature.durations import MINUTE
from liqfeature.sandbox.freqtrade_config import exchange_config
from liqfeature.sandbox.server.serve import running
from liqfeature.sandbox.server.venue import Venue
from liqfeature.sandbox.simulation.scenario import scenario
from liqfeature.sandbox.simulation.simulate import simulate

DAYS, PAIRS = 42, 100
TICKS = os.sysconf("SC_CLK_TCK")
READY = "!!window.liqfeature && liqfeature.map.settled > 0"
MONTH = "liqfeature.map.settled * liqfeature.map.span > 0.97 * 8640"
DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
FRAMES = """
new Promise((done) => {
  const scale = liqfeature.map.chart.timeScale(), at = [], n = 150;
  const begin = scale.getVisibleLogicalRange();
  const step = (now) => {
    at.push(now);
    const i = at.length, width = begin.to - begin.from;
    if (i > n) return done(at.slice(1).map((moment, k) => moment - at[k]));
    const [shift, grow] = %s;
    scale.setVisibleLogicalRange({ from: begin.from - shift, to: begin.to - shift - grow });
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})
"""
PAN = "[0.1 * width * Math.sin(i / 12), 0]"
ZOOM = "[0, 0.1 * width * (1 - Math.cos(i / 12))]"
LATENCY = """
(() => {
  window.late = [];
  const heard = liqfeature.socket.onMessage;
  liqfeature.socket.onMessage = (message) => {
    heard(message);
    if (message.type !== "forming") return;
    requestAnimationFrame(() => requestAnimationFrame(() => late.push(Date.now() - message.sent)));
  };
})()
"""


class SetClock:
    """A clock that the study sets."""

    moment = round(datetime(2026, 1, 20, 12, 1, tzinfo=UTC).timestamp() * 1000)

    def now(self):
        """Return the moment."""
        return self.moment


def write_pairs(folder, n):
    """Write the same random market under n names, and return the data directory and the names."""
    futures = folder / "binance" / "futures"
    futures.mkdir(parents=True)
    candles = random_candles(DAYS * 288, seed=5, volatility=0.001)
    tables = {"5m-futures": candles, "5m-open_interest": random_open_interest(candles, 6)}
    names = [f"C{i:03d}" for i in range(n)]
    for kind, table in tables.items():
        table.to_feather(futures / f"{names[0]}_USDT_USDT-{kind}.feather")
        for name in names[1:]:
            shutil.copy(
                futures / f"{names[0]}_USDT_USDT-{kind}.feather", futures / f"{name}_USDT_USDT-{kind}.feather"
            )
    return futures.parent, [f"{name}/USDT:USDT" for name in names]


def opened(page, url):
    """Seconds from the address to the first picture, and from the button to thirty days of it."""
    begun = time.perf_counter()
    page.visit(url, 1400)
    page.wait(READY)
    page.run(DRAWN)
    first = time.perf_counter() - begun
    begun = time.perf_counter()
    page.run("document.querySelector('[data-value=\"30d\"]').click()")
    page.wait(MONTH)
    page.run(DRAWN)
    return first, time.perf_counter() - begun


def frames_a_second(page, way):
    """Frames a second while the map is panned or zoomed, and the slowest of twenty."""
    between = sorted(page.run(FRAMES % way))
    return 1000 / statistics.mean(between), 1000 / between[int(0.95 * len(between))]


def of_the_renderers(profile):
    """Yield the memory in MB, shared pages by their share, of the processes that draw a browser's pages."""
    words, parent = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words[folder.name] = (folder / "cmdline").read_bytes().decode(errors="replace")
            parent[folder.name] = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:  # it has ended meanwhile
            continue
    for number, told in words.items():
        line = [number]
        while line[-1] in parent:
            line.append(parent[line[-1]])
        if "--type=renderer" in told and any(str(profile) in words.get(above, "") for above in line[1:]):
            rollup = Path(f"/proc/{number}/smaps_rollup").read_text().splitlines()
            yield next(int(row.split()[1]) for row in rollup if row.startswith("Pss:")) / 1024


def used(process):
    """Processor seconds of a process so far."""
    words = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS


def resident(process, name="VmRSS"):
    """Memory of a process in MB."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def of_the_page(folder):
    """Yield what a page costs that is opened, panned and zoomed."""
    datadir, _ = write_pairs(folder / "one", 1)
    profile = folder / "profile"
    with program("serve", "--datadir", datadir, "--port", 0) as (server, url), browser(profile) as page:
        before = used(server)
        first, month = opened(page, url)
        both = used(server) - before
        yield "first picture, nothing computed yet", f"{first:.2f} s", ""
        yield "30 days, from the button, not computed yet", f"{month:.2f} s", "2 s"
        yield "processor of the server for these two", f"{both:.2f} s", ""
        yield "30 days, computed before", f"{opened(page, url)[1]:.2f} s", ""
        for name, way in (("pan", PAN), ("zoom", ZOOM)):
            mean, slow = frames_a_second(page, way)
            yield f"{name} over 30 days, frames a second (95 % above)", f"{mean:.0f} ({slow:.0f})", "30"
        yield "browser, process of the page", f"{max(of_the_renderers(profile)):.0f} MB", "300 MB"
        heap = page.run("performance.memory.usedJSHeapSize")
        yield "of that, held by the page's script", f"{heap / 1e6:.0f} MB", ""


def of_messages(folder, n):
    """Yield how long a message of the exchange takes to the picture."""
    clock = SetClock()
    tape = simulate(
        scenario("liquid"), "BTC/USDT:USDT", start=datetime(2026, 1, 1, tzinfo=UTC), days=21, seed=4
    )
    with ExitStack() as stack:
        url = stack.enter_context(running(Venue.of([tape], clock=clock)))
        config = exchange_config(url)
        config["exchange"]["pair_whitelist"] = ["BTC/USDT:USDT"]
        (folder / "config.json").write_text(json.dumps(config))
        _, url = stack.enter_context(
            program("serve", "--config", folder / "config.json", "--poll", 0.05, "--port", 0)
        )
        page = stack.enter_context(browser(folder / "other"))
        page.visit(url, 1400)
        page.wait(READY)
        page.run(LATENCY)
        for i in range(n):
            clock.moment += MINUTE
            page.wait(f"late.length > {i}")
        late = sorted(page.run("late"))
        told = f"{statistics.median(late):.0f} ms ({late[int(0.95 * len(late))]:.0f})"
        yield "exchange's answer to picture, median (95 % below)", told, "200 ms"
        closes = []
        for _ in range(5):
            clock.moment = clock.moment // (5 * MINUTE) * 5 * MINUTE + 5 * MINUTE + 1000
            begun = time.perf_counter()
            page.wait(f"liqfeature.map.tiles.at(-1).last.at(-1) === {clock.moment - 1000 - 5 * MINUTE}")
            page.run(DRAWN)
            closes.append(time.perf_counter() - begun)
        yield "a candle closes to all of it drawn anew, median", f"{statistics.median(closes):.2f} s", ""


def of_the_server(folder, seconds):
    """Yield what a server of many pairs takes."""
    datadir, pairs = write_pairs(folder / "many", PAIRS)
    with program("serve", "--datadir", datadir, "--port", 0) as (process, url):
        page = Page(url)
        for pair in pairs:
            newest = page.get("/api/state", params={"pair": pair}).json()["tiles"]
            for level in (0, 3):
                page.get("/api/tile", params={"pair": pair, "level": level, "number": newest[level][1]})
        yield f"server, after {PAIRS} pairs were looked at", f"{resident(process):.0f} MB", "1 GB"
        yield "at most", f"{resident(process, 'VmHWM'):.0f} MB", "1 GB"
        with ExitStack() as stack:
            for pair in [*pairs[:5], *[pairs[0]] * 5]:
                until(stack.enter_context(page.watch(pair)), lambda message: message["type"] == "alive")
            before, begun = used(process), time.perf_counter()
            time.sleep(seconds)
            share = (used(process) - before) / (time.perf_counter() - begun)
        yield "processor, ten pages on five pairs, nothing new", f"{share:.1%}", "3 %"


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure the live map.")
    parser.add_argument("--seconds", type=float, default=20.0, help="of idling (default: %(default)g)")
    args = parser.parse_args()
    table = Table(title="The live map")
    for name in ("what", "measured", "wanted at most, or at least"):
        table.add_column(name)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for rows in (of_the_page(place), of_messages(place, 40), of_the_server(place, args.seconds)):
            for row in rows:
                table.add_row(*row)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
