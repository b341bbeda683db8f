"""How long the columns of a year of five-minute candles take, as ratios: `make bench`. Never a condition."""

import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from frames import random_candles
from rich.console import Console
from rich.progress import track
from rich.table import Table
from ta.volatility import average_true_range

from liqfeature import HeatmapConfig, liquidation_features

ROWS = 105_120
FIRST_CALL = """
import time
begun = time.perf_counter()
import numpy as np, pandas as pd
from liqfeature import HeatmapConfig, liquidation_features
n = HeatmapConfig().warmup
close = 100 + np.sin(np.arange(n) / 50)
frame = pd.DataFrame({"date": pd.date_range("2026-01-01", periods=n, freq="5min", tz="UTC"),
    "open": close, "high": close + 0.1, "low": close - 0.1, "close": close, "volume": 1.0})
liquidation_features(frame)
print(time.perf_counter() - begun)
"""


def main() -> None:
    """Time everything and print one table."""
    year = random_candles(ROWS, seed=1, volatility=0.001, jumps=0.0)
    newest = year.iloc[-HeatmapConfig().warmup :]
    high, low, close = year["high"], year["low"], year["close"]
    prices = [year[c].to_numpy() for c in ("open", "high", "low", "close", "volume")]
    calls: dict[str, tuple[Callable[[], object], int]] = {
        "plain pass: a running sum of each of the five columns": (lambda: [np.cumsum(p) for p in prices], 51),
        "average true range of ta": (lambda: average_true_range(high, low, close), 5),
        "all columns": (lambda: liquidation_features(year), 11),
        "all columns of the newest candle, from its warm-up": (lambda: liquidation_features(newest), 51),
    }
    timed = {name: seconds(*call) for name, call in track(calls.items(), "timing", transient=True)}
    plain, atr = list(timed.values())[:2]
    table = Table("", "median", "plain passes", "ATRs of ta", title=f"{ROWS} candles, one core")
    for name, value in timed.items():
        table.add_row(name, f"{1000 * value:.1f} ms", f"{value / plain:.0f}", f"{value / atr:.2f}")
    console = Console(width=110)
    console.print(table)
    console.print(f"memory above the frame: {peak_megabytes(lambda: liquidation_features(year)):.0f} MB")
    console.print(f"first call with a warm numba cache, import included: {first_call():.1f} s")


def seconds(call: Callable[[], object], rounds: int) -> float:
    """Median duration, after one call that does not count."""
    call()
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def peak_megabytes(call: Callable[[], object]) -> float:
    """Most memory in use during the call beyond what was in use before it."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def first_call() -> float:
    """Duration in a fresh process, the cache filled by another one before."""
    runs = [
        subprocess.run([sys.executable, "-c", FIRST_CALL], check=True, capture_output=True, text=True)
        for _ in range(2)
    ]
    return float(runs[-1].stdout)


if __name__ == "__main__":
    main()
