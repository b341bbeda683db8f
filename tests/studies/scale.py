"""How columns of many pairs go with the number of workers; every file is compared with a plain loop's.

Wall time, processor time of all processes, and how busy the machine was meanwhile, since on a busy one wall
time says little.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from builders.frames import random_candles, random_open_interest
from liqfeature.cli.main import main as liqfeature
from liqfeature.data.store import write_frame


def main() -> int:
    """Time a plain loop and workers, twice in turns; 1 where a file differs."""
    parser = argparse.ArgumentParser(description="Time columns of many pairs on workers.")
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--rows", type=int, default=105_120, help="five-minute candles, default a year")
    parser.add_argument("--workers", nargs="+", default=["1", "2"], help="numbers or addresses of schedulers")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    same = True
    with tempfile.TemporaryDirectory() as folder:
        datadir = Path(folder) / "binance"
        write_pairs(datadir, options.pairs, options.rows)
        for number in range(options.rounds):
            plain: dict[str, bytes] = {}
            for workers in options.workers:
                out = Path(folder) / f"{number}-{workers.replace('/', '-')}"
                timed(datadir, out, workers)
                found = {path.name: path.read_bytes() for path in out.iterdir()}
                plain = plain or found
                same &= found == plain
    print("every file as the first wrote it" if same else "FILES DIFFER")  # noqa: T201
    return int(not same)


def write_pairs(datadir: Path, pairs: int, rows: int) -> None:
    """Write candles and open interest of a random market, as Freqtrade would."""
    futures = datadir / "futures"
    futures.mkdir(parents=True)
    for seed in range(pairs):
        candles = random_candles(rows, seed=seed, volatility=0.001)
        write_frame(candles, futures / f"P{seed}_USDT_USDT-5m-futures.feather")
        known = random_open_interest(candles, seed)
        write_frame(known, futures / f"P{seed}_USDT_USDT-5m-open_interest.feather")


def timed(datadir: Path, out: Path, workers: str) -> None:
    """Compute all pairs and print how long it took."""
    used, begun = processor_seconds(), time.perf_counter()
    words = ["--datadir", str(datadir), "--pairs", "all", "--out-dir", str(out), "--workers", workers]
    assert liqfeature(["features", *words]) == 0
    wall, used = time.perf_counter() - begun, processor_seconds() - used
    print(f"workers {workers}: {wall:.1f} s, processor {used:.1f} s, load {os.getloadavg()[0]:.1f}")  # noqa: T201


def processor_seconds() -> float:
    """Of this process and of those that it has started and that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


if __name__ == "__main__":
    sys.exit(main())
