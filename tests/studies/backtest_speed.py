"""What columns and plans cost in a long backtest: `python tests/studies/backtest_speed.py DIR PAIR FROM-TO`.

DIR is a Freqtrade data directory such as `data/binance`. Real Freqtrade tests `LiquidationClusters`, and the
same strategy with columns read from a file and a plan that is always the same; each twice, in turn, of which
the shorter counts. Printed are wall time, peak memory and trades of either. Markets come from a sandbox on
loopback; candles from DIR alone. Never a condition.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from liqfeature import HeatmapConfig, liquidation_features
from liqfeature.data.store import load_beside, load_candles, write_frame
from liqfeature.market.payments import last_funding
from liqfeature.sandbox.freqtrade_config import exchange_config
from liqfeature.sandbox.server.serve import running
from liqfeature.sandbox.server.venue import Venue
from liqfeature.sandbox.simulation.scenario import Scenario
from liqfeature.sandbox.simulation.simulate import simulate
from liqfeature.strategy.indicators import average_true_range

ROOT = Path(__file__).parents[2]
STRATEGIES = ROOT / "user_data" / "strategies"
RUNS = 2

PRECOMPUTED = """
import sys
sys.path.insert(0, {strategies!r})
import pandas as pd
from LiquidationClusters import LiquidationClusters
from liqfeature.strategy.plan import Plan


class Precomputed(LiquidationClusters):
    stops_tighten = targets_move = False

    def cluster_columns(self, dataframe, metadata):
        return dataframe.merge(pd.read_feather({columns!r}), on="date", how="left")

    def plan_entry(self, pair, rate, side):
        sign = -1 if side == "short" else 1
        prices = {{"stop": 0.98, "first_target": 1.015, "second_target": 1.02}}
        moved = {{name: rate * (1 + sign * (share - 1)) for name, share in prices.items()}}
        return Plan(side=side, entry_price=rate, **moved)
"""


@dataclass(frozen=True)
class Run:
    """One backtest: seconds, peak memory in MB, trades."""

    seconds: float
    memory: float
    trades: int


def main() -> None:
    """Run both strategies and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("datadir", type=Path)
    parser.add_argument("pair")
    parser.add_argument("timerange")
    options = parser.parse_args()
    found: dict[str, list[Run]] = {"LiquidationClusters": [], "Precomputed": []}
    tape = simulate(Scenario(), options.pair, start="2026-01-01", days=1, seed=1)
    with (
        tempfile.TemporaryDirectory(prefix="backtest speed ") as name,
        running(Venue.of([tape]), 0) as url,
    ):
        folder = Path(name)
        (folder / "exchange.json").write_text(json.dumps(exchange_config(url)), encoding="utf-8")
        precompute(options.datadir, options.pair, folder)
        for _ in range(RUNS):
            for strategy, runs in found.items():
                runs.append(backtest(strategy, options, folder))
    show({strategy: min(runs, key=lambda run: run.seconds) for strategy, runs in found.items()})


def precompute(datadir: Path, pair: str, folder: Path) -> None:
    """Write the columns of all candles, and a strategy that reads them."""
    candles = load_candles(datadir, pair, "5m")
    interest, funding = (load_beside(datadir, pair, "5m", name) for name in ("open_interest", "funding_rate"))
    config = HeatmapConfig.for_pair(pair)
    columns = liquidation_features(candles, config, open_interest=interest, funding_rate=funding)
    beside = {"funding": last_funding(candles, funding), "atr": average_true_range(candles)}
    write_frame(pd.concat([candles["date"], columns.assign(**beside)], axis=1), folder / "columns.feather")
    source = PRECOMPUTED.format(strategies=str(STRATEGIES), columns=str(folder / "columns.feather"))
    for name in ("LiquidationClusters", "Precomputed"):
        text = source if name == "Precomputed" else (STRATEGIES / f"{name}.py").read_text(encoding="utf-8")
        (folder / f"{name}.py").write_text(text, encoding="utf-8")


def backtest(strategy: str, options: argparse.Namespace, folder: Path) -> Run:
    """Run Freqtrade once in a process of its own."""
    results = folder / f"{strategy} {time.monotonic_ns()}"
    results.mkdir()
    configs = [ROOT / "configs" / "backtest.json", folder / "exchange.json"]
    command = [
        *(Path(sys.executable).with_name("freqtrade"), "backtesting", f"--userdir={folder}"),
        *(f"--config={path}" for path in configs),
        *(f"--strategy-path={folder}", f"--strategy={strategy}", "--cache=none"),
        *(f"--datadir={options.datadir}", "--pairs", options.pair, f"--timerange={options.timerange}"),
        f"--backtest-directory={results}",
    ]
    begun = time.monotonic()
    with (results / "log").open("w+") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - begun
        log.seek(0)
        said = log.read()
    if process.returncode or " - ERROR - " in said or "Unexpected error" in said:
        raise SystemExit(said[-3000:])
    last = json.loads((results / ".last_result.json").read_text())["latest_backtest"]
    with zipfile.ZipFile(results / last) as archive:
        report = json.loads(archive.read(f"{Path(last).stem}.json"))
    return Run(seconds, used.ru_maxrss / 1024, len(report["strategy"][strategy]["trades"]))


def show(best: dict[str, Run]) -> None:
    """Print the best run of either, and their ratio."""
    table = Table("strategy", *(f"{name}" for name in ("seconds", "peak MB", "trades")))
    for strategy, run in best.items():
        table.add_row(strategy, f"{run.seconds:.1f}", f"{run.memory:.0f}", f"{run.trades}")
    console = Console()
    console.print(table)
    ours, plain = best.values()
    console.print(f"ratio {ours.seconds / plain.seconds:.2f}")


if __name__ == "__main__":
    main()
