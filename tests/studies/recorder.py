"""What the recorder's database stands, and how fast it is: `python tests/studies/recorder.py [--kills 20]`.

A recorder is killed without warning again and again while liquidations are streamed to it; readers are timed
while 5,000 rows a second are written and the file is checkpointed and vacuumed; a day's file is weighed, and
a year's totals are read.
"""

import argparse
import asyncio
import json
import multiprocessing
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[1]))

from builders.recordings import record
from builders.venues import bybit_orders, venues
from liqfeature.data.database import Database, Row
from liqfeature.data.kinds import ORDERS, TOTALS, Series
from liqfeature.data.prints import Print
from liqfeature.data.recordings import load_recording, load_totals

say = Console(highlight=False).print
PAIR = "BTC/USDT:USDT"
START = 1_767_225_600_000
DAY = 86_400_000
RECORD = [
    sys.executable,
    "-c",
    "import sys; from liqfeature.cli.main import main; sys.exit(main())",
    "record",
]


def prints(count: int, span: int, first: int = START) -> list[Print]:
    """Liquidations at random moments of a span of time."""
    rng = np.random.default_rng(count)
    times = np.sort(rng.integers(0, span, count))
    price, amount = 60_000 + rng.random(count) * 1000, 0.001 + rng.random(count)
    return [
        Print(first + int(t), "bybit", PAIR, ("long", "short")[i % 2], None, float(p), float(a), float(p * a))
        for i, (t, p, a) in enumerate(zip(times, price, amount, strict=True))
    ]


async def killed(folder: Path, kills: int) -> None:
    """Stream 250 liquidations a second to a recorder that is killed; look for what was sent before."""
    path, sent, deaths = folder / "killed.sqlite", [], []
    async with venues() as there:
        config = folder / "config.json"
        config.write_text(json.dumps({"exchange": {"name": "bybit", "ccxt_config": there.options("bybit")}}))
        command = [*RECORD, "--config", str(config), "--pairs", PAIR, "--out", str(path)]
        listening = False

        async def feed() -> None:
            while True:
                await there.send(bybit_orders(START + len(sent)))
                sent.append(time.monotonic() if listening else None)
                await asyncio.sleep(0.004)

        feeding = asyncio.create_task(feed())
        for kill in range(kills):
            process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
            await there.listened(kill + 1)
            listening = True
            await asyncio.sleep(random.uniform(1.2, 3.0))
            process.send_signal(signal.SIGKILL)
            deaths.append(time.monotonic())
            listening = False
            await process.wait()
        feeding.cancel()
    found = {int(t.timestamp() * 1000) - START for t in load_recording(path, PAIR)["date"]}
    lost = [
        next(death for death in deaths if death >= at) - at
        for number, at in enumerate(sent)
        if at is not None and number not in found
    ]
    heard = sum(at is not None for at in sent)
    say(f"{kills} kills: {heard} sent, {len(lost)} lost, sent at most {max(lost, default=0):.2f} s before")


def write_and_vacuum(path: Path, seconds: float) -> None:
    """Write 5,000 rows a second in two transactions, and rebuild the file in between."""
    series = Series("bybit", PAIR, ORDERS)
    with Database(path, write=True) as database:
        for half in range(int(2 * seconds)):
            began = time.monotonic()
            rows = [Row(one.time, one.time, one[3:]) for one in prints(2500, DAY, START + half)]
            with database.writing():
                database.add(series, "stream", rows)
            if half % 4 == 3:
                database.query("VACUUM" if half % 8 == 7 else "PRAGMA wal_checkpoint(TRUNCATE)")
            time.sleep(max(0.0, 0.5 - (time.monotonic() - began)))


def readers(folder: Path, seconds: float) -> None:
    """Time what a bot reads at each candle, and what waits for a lock alone."""
    path = record(folder / "read.sqlite", prints(100_000, DAY), [(START, START + DAY)], exchange="bybit")
    writer = multiprocessing.get_context("spawn").Process(target=write_and_vacuum, args=(path, seconds))
    first = pd.Timestamp(START + DAY - 3_600_000, unit="ms", tz="UTC")
    load_totals(path, PAIR, "5m", "bybit", first=first)
    writer.start()
    opened, read = [], []
    while writer.is_alive():
        began = time.monotonic()
        with Database(path) as database:
            database.query("SELECT * FROM liquidation_orders LIMIT 1")
        opened.append(time.monotonic() - began)
        load_totals(path, PAIR, "5m", "bybit", first=first)
        read.append(time.monotonic() - began - opened[-1])
    say(
        f"{len(read)} reads beside a writer: first row after {1e3 * np.median(opened):.1f} ms (at most "
        f"{1e3 * max(opened):.0f}), an hour's totals after {1e3 * np.median(read):.1f} ms (at most "
        f"{1e3 * max(read):.0f})"
    )


def sizes(folder: Path) -> None:
    """Weigh a day, and read years of totals."""
    began = time.monotonic()
    day = record(folder / "day.sqlite", prints(100_000, DAY), [(START, START + DAY)], exchange="bybit")
    say(
        f"100,000 liquidations: {day.stat().st_size / 1e6:.1f} MB, "
        f"written in {time.monotonic() - began:.1f} s"
    )
    year = record(
        folder / "year.sqlite", prints(500_000, 365 * DAY), [(START, START + 365 * DAY)], exchange="bybit"
    )
    given = [Row(START + i * 300_000, START + (i + 1) * 300_000, (1.0, 2.0)) for i in range(365 * 288)]
    with Database(year, write=True) as database, database.writing():
        database.add(Series("gate", PAIR, TOTALS, "5m"), "rest", given)
    for exchange, what in (("bybit", "from 500,000 liquidations"), ("gate", "as given")):
        began = time.monotonic()
        assert len(load_totals(year, PAIR, "5m", exchange)) == 365 * 288
        say(f"a year's totals of 5m, {what}: {time.monotonic() - began:.2f} s")


def main() -> None:
    """Run everything in a directory of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sizes(Path(folder))
        readers(Path(folder), args.seconds)
        asyncio.run(killed(Path(folder), args.kills))


if __name__ == "__main__":
    main()
