"""`liqfeature walkforward`: tune on one window, test on the next, beside controls on the same windows."""

import argparse
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

from liqfeature.errors import ConfigError
from liqfeature.walkforward.progress import Step, progress
from liqfeature.walkforward.runs import Freqtrade, backtested, tuned
from liqfeature.walkforward.table import comparison, daily_returns, markdown, verdict
from liqfeature.walkforward.windows import Window, rolling_windows

CONTROLS = ("FrozenPlans", "ShiftedColumns", "UsualDistances", "PathOnly", "RangeStops", "RandomEntries")

_EXAMPLE = """\
example:
  liqfeature walkforward --timerange 20260111-20260312 --tune-days 20 --test-days 10 --epochs 50 \\
    --out user_data/walkforward -- --userdir user_data --config configs/backtest.json

What stands after -- is given to every freqtrade command. Without --epochs nothing is tuned.
"""


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `walkforward` to a command line."""
    walk = commands.add_parser(
        "walkforward",
        help="judge a strategy on windows that it was not tuned on, beside controls",
        description="Run real Freqtrade over rolling windows: tune on one, test on the next.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = walk.add_argument
    add("--timerange", required=True, metavar="FROM-TO", help="days, as YYYYMMDD-YYYYMMDD")
    add("--tune-days", type=int, default=20, help="default: %(default)s")
    add("--test-days", type=int, default=10, help="default: %(default)s")
    add("--epochs", type=int, default=0, help="of hyperopt on each window (default: %(default)s, no tuning)")
    add("--strategy", default="LiquidationClusters", help="default: %(default)s")
    add("--controls", nargs="*", default=list(CONTROLS), metavar="NAME", help="default: %(default)s")
    add("--out", type=Path, required=True, metavar="DIR", help="results, log and report.md")
    add("options", nargs="*", metavar="-- OPTIONS", help="for every freqtrade command")
    walk.set_defaults(run=_walk)


def _walk(args: argparse.Namespace) -> int:
    first, last = _days(args.timerange)
    tune_days = args.tune_days if args.epochs else 0
    windows = rolling_windows(first, last, tune_days=tune_days, test_days=args.test_days)
    args.out.mkdir(parents=True, exist_ok=True)
    freqtrade = Freqtrade(options=tuple(args.options), directory=args.out)
    names = [args.strategy, *args.controls]
    with progress(len(windows) * (2 if args.epochs else 1)) as step:
        found = [_tested(freqtrade, names, window, args.epochs, step) for window in windows]
    report = _report(names, windows, found, args.epochs)
    (args.out / "report.md").write_text(report, encoding="utf-8")
    sys.stdout.write(report)
    return 0


def _tested(
    freqtrade: Freqtrade, names: list[str], window: Window, epochs: int, step: Step
) -> dict[str, Any]:
    parameters = {}
    if epochs:
        with step(f"tuning {window.begin} to {window.test}"):
            parameters = tuned(freqtrade, names[0], window.begin, window.test, epochs)
    with step(f"testing {window.test} to {window.end}"):
        return backtested(freqtrade, names, window.test, window.end, parameters)


def _report(names: list[str], windows: list[Window], found: list[dict[str, Any]], epochs: int) -> str:
    returns, trades = {}, {}
    for name in names:
        parts = [(w.test, w.end, f[name]) for w, f in zip(windows, found, strict=True)]
        returns[name] = daily_returns(parts)
        trades[name] = [trade for _, _, results in parts for trade in results["trades"]]
    table = comparison(returns, trades)
    tuning = f"{epochs} epochs of hyperopt before each" if epochs else "nothing was tuned"
    head = f"# {names[0]} beside controls\n\n{len(windows)} windows, {windows[0].test} to {windows[-1].end}; "
    said = "\n".join(f"- {line}" for line in verdict(table, returns))
    note = "Deflated against the strategies of this table only: count whatever else you tried."
    return f"{head}{tuning}.\n\n{markdown(table)}\n\n{said}\n- {note}\n"


def _days(timerange: str) -> tuple[date, date]:
    try:
        first, last = (datetime.strptime(day, "%Y%m%d").date() for day in timerange.split("-"))  # noqa: DTZ007
    except ValueError as error:
        msg = f"timerange must be YYYYMMDD-YYYYMMDD, received {timerange}"
        raise ConfigError(msg) from error
    return first, last
