"""How long the columns take, as ratios to what others compute in the same run: `make bench`.

Processor time of the fastest round, all taking turns, so that a busy machine slows all of them alike.
`--record` writes the ratios to `bench.json`; `--check` fails where one is half as large again as recorded.
"""

import argparse
import json
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pandas as pd
import talib
from rich.console import Console
from rich.progress import track
from rich.table import Table
from ta.volatility import average_true_range

from builders.frames import random_candles, random_funding, random_open_interest
from liqfeature import HeatmapConfig, heatmap_figure, liquidation_features

Calls = dict[str, Callable[[], object]]

YEAR, MONTH = 105_120, 8_640
OURS, NEWEST = "all columns", "all columns of the newest candle, from its warm-up"
OTHERS = (
    "a running sum of each of the five columns",
    "average true range of TA-Lib",
    "a rolling quantile of pandas",
    "levels beside spikes of volume, in numba",
    "average true range of ta",
)
RECORDED, MOST, TRIES = Path(__file__).with_suffix(".json"), 1.5, 3
FIRST_CALL = """
import time
begun = time.perf_counter()
from builders.frames import random_candles
from liqfeature import HeatmapConfig, liquidation_features
liquidation_features(random_candles(HeatmapConfig().warmup, 1))
print(time.perf_counter() - begun)
"""


def main() -> int:
    """Time everything and print it; 1 where `--check` finds a ratio too large."""
    parser = argparse.ArgumentParser(description="Time the columns of a year of five-minute candles.")
    parser.add_argument("--record", action="store_true", help="write the ratios that --check compares with")
    parser.add_argument("--check", action="store_true", help=f"fail at {MOST} times a recorded ratio")
    options, console = parser.parse_args(), Console(width=110)
    calls = calls_of_a_year()
    if options.check:
        return check(calls, json.loads(RECORDED.read_text(encoding="utf-8")), console)
    times = seconds(calls, rounds=7)
    show(times, console)
    console.print(f"memory above the frame: {peak_megabytes(calls[OURS]):.0f} MB")
    console.print(f"first call with a warm numba cache, import included: {first_call():.1f} s")
    if options.record:
        RECORDED.write_text(json.dumps(ratios_of(times), indent=2) + "\n", encoding="utf-8")
    return 0


def check(calls: Calls, recorded: dict[str, float], console: Console) -> int:
    """Compare with what was recorded; what is too slow is timed again, since a machine may hiccup."""
    least = dict.fromkeys(recorded, np.inf)
    for _ in range(TRIES):
        ratios = ratios_of(seconds(calls, rounds=3))
        least = {name: min(ratio, ratios[name]) for name, ratio in least.items()}
        slower = {name: ratio for name, ratio in least.items() if ratio > MOST * recorded[name]}
        if not slower:
            worst = max(ratio / recorded[name] for name, ratio in least.items())
            console.print(f"bench: {len(recorded)} ratios, at most {worst:.2f} times the recorded ones")
            return 0
    for name, ratio in slower.items():
        console.print(f"bench: {name}: {ratio:.3g}, more than {MOST} times the recorded {recorded[name]:.3g}")
    return 1


def calls_of_a_year() -> Calls:
    """What is timed: what others compute of a year, all columns of it, and of frames of other sizes."""
    config, year, minutes = HeatmapConfig(), candles_of_a_year("5min"), candles_of_a_year("1min")
    month, newest = year.iloc[-config.warmup - MONTH :], year.iloc[-config.warmup :]
    high, low, close, volume = (year[name] for name in ("high", "low", "close", "volume"))
    arrays = [year[name].to_numpy() for name in ("high", "low", "close", "volume", "open")]
    others: list[Callable[[], object]] = [
        lambda: [np.cumsum(values) for values in arrays],
        lambda: talib.ATR(high, low, close),
        lambda: volume.rolling(288).quantile(0.95),
        lambda: standing_levels(*arrays[:4]),
        lambda: average_true_range(high, low, close),
    ]
    wide = config.changed({"band": 2 * config.band})
    fine = config.changed({"grid.width": config.grid.width / 2})
    return dict(zip(OTHERS, others, strict=True)) | {
        OURS: columns_of(year, config),
        NEWEST: columns_of(newest, config),
        "half the candles": columns_of(year.iloc[: YEAR // 2], config),
        "candles of 1m": columns_of(minutes, config),
        "twice the band": columns_of(year, wide),
        "bins half as wide": columns_of(year, fine),
        "the map of a month as a figure": lambda: heatmap_figure(month, config),
    }


def candles_of_a_year(timeframe: str) -> pd.DataFrame:
    """As volatile in a day with any timeframe."""
    date = pd.date_range("2025-01-01", "2026-01-01", freq=timeframe, tz="UTC", inclusive="left")
    candles = random_candles(date.size, seed=1, volatility=0.001 * (YEAR / date.size) ** 0.5, jumps=0.0)
    return candles.assign(date=date)


def columns_of(candles: pd.DataFrame, config: HeatmapConfig) -> Callable[[], object]:
    """Return the call for candles with open interest and funding."""
    open_interest, funding = random_open_interest(candles, 1), random_funding(candles, 1, every=96, size=2e-4)
    return lambda: liquidation_features(candles, config, open_interest=open_interest, funding_rate=funding)


@numba.njit
def standing_levels(high: Any, low: Any, close: Any, volume: Any) -> Any:
    """Count the levels that stand after each candle: around closes of busy ones, until touched or old."""
    level, born, n = np.empty(100_000), np.empty(100_000, dtype=np.int64), 0
    count, usual = np.zeros(close.size), volume[0]
    for t in range(close.size):
        kept = 0
        for i in range(n):
            if not low[t] <= level[i] <= high[t] and t - born[i] < 1728:
                level[kept], born[kept] = level[i], born[i]
                kept += 1
        n = kept
        usual += (volume[t] - usual) / 288
        if volume[t] > 2 * usual:
            for distance in (-0.1, -0.04, -0.02, -0.01, 0.01, 0.02, 0.04, 0.1):
                level[n], born[n] = close[t] * (1 + distance), t
                n += 1
        count[t] = n
    return count


def seconds(calls: Calls, rounds: int) -> dict[str, float]:
    """Least processor time of each, all taking turns, after one round that does not count."""
    least = dict.fromkeys(calls, np.inf)
    for i in track(range(rounds + 1), "timing", transient=True):
        for name, call in calls.items():
            begun = time.process_time()
            call()
            if i > 0:
                least[name] = min(least[name], time.process_time() - begun)
    return least


def ratios_of(times: dict[str, float]) -> dict[str, float]:
    """Ours over each of the others, and each of ours over all columns of the year."""
    ratios = {f"{OURS} over {name}": times[OURS] / times[name] for name in OTHERS}
    ratios |= {
        f"{name} over {OURS}": times[name] / times[OURS] for name in times if name not in (*OTHERS, OURS)
    }
    return {name: float(f"{ratio:.3g}") for name, ratio in ratios.items()}


def show(times: dict[str, float], console: Console) -> None:
    """Print what each takes, and the ratios."""
    title = f"{YEAR} candles of 5m, one core, processor time"
    table = Table("", "ms", "running sums", "ATRs of ta", title=title)
    plain, atr = times[OTHERS[0]], times[OTHERS[-1]]
    for name, taken in times.items():
        table.add_row(name, f"{1000 * taken:.1f}", f"{taken / plain:.3g}", f"{taken / atr:.3g}")
    console.print(table)
    for name, ratio in ratios_of(times).items():
        console.print(f"{ratio:8.3g}  {name}")


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
    sys.exit(main())
