"""`liqfeature walkforward`: tune on one window, test on the next, beside controls on the same windows."""

import argparse
from dataclasses import replace
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liqfeature.cli.options import Commands, add_command
from liqfeature.cli.output import REPORT, REPORT_SIGN, WALK, add_output
from liqfeature.cli.timerange import time_range
from liqfeature.cluster.workers import add_workers
from liqfeature.errors import DataError

if TYPE_CHECKING:
    from liqfeature.walkforward.progress import Step
    from liqfeature.walkforward.runs import Freqtrade
    from liqfeature.walkforward.windows import Window

CONTROLS = (
    *("FrozenPlans", "PlainTargets", "ShiftedColumns", "UsualDistances"),
    *("PathOnly", "RangeStops", "RandomEntries"),
)

_EXAMPLE = """\
example:
  liqfeature walkforward --timerange 20260111-20260312 --tune-days 20 --test-days 10 --epochs 50 \\
    --out user_data/walkforward -- --userdir user_data --config configs/backtest.json

What stands after -- is given to every freqtrade command. Without --epochs nothing is tuned. With --workers
each window is a task with a user directory of its own, done windows are not done again, and hyperopt has one
job, unless --jobs says otherwise: the search, and so the result, depends on the number of jobs.
"""


def add_to(commands: Commands) -> None:
    """Add `walkforward` to a command line."""
    summary = "judge a strategy with real Freqtrade on windows that it was not tuned on, beside controls"
    walk = add_command(commands, "walkforward", _walk, summary, _EXAMPLE)
    add = walk.add_argument
    add("--timerange", type=_days, required=True, metavar="FROM-TO", help="days, as YYYYMMDD-YYYYMMDD")
    add("--tune-days", type=int, default=20, help="default: %(default)s")
    add("--test-days", type=int, default=10, help="default: %(default)s")
    add("--epochs", type=int, default=0, help="of hyperopt on each window (default: %(default)s, no tuning)")
    add("--jobs", type=int, metavar="N", help="of hyperopt (default: one a core, one with --workers)")
    add_workers(walk)
    add("--strategy", default="LiquidationClusters", help="default: %(default)s")
    add("--controls", nargs="*", default=list(CONTROLS), metavar="NAME", help="default: %(default)s")
    add_output(walk, "--out", WALK, "results, log and report.md", required=True)
    add("options", nargs="*", metavar="-- OPTIONS", help="for every freqtrade command")


def _days(text: str) -> tuple[date, date]:
    """Read a range of whole days that has both ends."""
    days = [moment.date() for moment in time_range(text) if moment and moment.time() == time.min]
    if len(days) < 2:
        message = f"must be whole days as YYYYMMDD-YYYYMMDD, received {text!r}"
        raise argparse.ArgumentTypeError(message)
    return days[0], days[1]


def _walk(args: argparse.Namespace) -> int:
    from liqfeature.walkforward.progress import progress
    from liqfeature.walkforward.runs import Freqtrade
    from liqfeature.walkforward.windows import rolling_windows

    first, last = args.timerange
    tune_days = args.tune_days if args.epochs else 0
    windows = rolling_windows(first, last, tune_days=tune_days, test_days=args.test_days)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / REPORT).write_text(f"# {args.strategy}{REPORT_SIGN}\nNot finished.\n", encoding="utf-8")
    freqtrade = Freqtrade(options=tuple(args.options), directory=args.out)
    names = [args.strategy, *args.controls]
    if args.workers == 1:
        with progress(len(windows) * (2 if args.epochs else 1)) as step:
            found = [_tested(freqtrade, names, window, args, step) for window in windows]
    else:
        found = _spread(freqtrade, names, windows, args)
    report = _report(names, windows, found, args.epochs)
    (args.out / REPORT).write_text(report, encoding="utf-8")
    print(report, end="")
    return 0


def _tested(
    freqtrade: "Freqtrade", names: list[str], window: "Window", args: argparse.Namespace, step: "Step"
) -> dict[str, Any]:
    from liqfeature.walkforward.runs import backtested, tuned

    parameters = {}
    if args.epochs:
        with step(f"tuning {window.begin} to {window.test}"):
            jobs = args.jobs or -1
            parameters = tuned(freqtrade, names[0], window.begin, window.test, args.epochs, jobs)
    with step(f"testing {window.test} to {window.end}"):
        return backtested(freqtrade, names, window.test, window.end, parameters)


def _spread(
    freqtrade: "Freqtrade", names: list[str], windows: "list[Window]", args: argparse.Namespace
) -> list[dict[str, Any]]:
    """Run the windows on workers; those that are done are left alone."""
    from liqfeature.cluster.windows import WindowTask, digest_of, remove_attempts, results_of, run_window
    from liqfeature.cluster.work import outcomes

    here = replace(freqtrade, directory=freqtrade.directory.absolute(), cwd=Path.cwd())
    common = {"freqtrade": here, "strategies": tuple(names), "epochs": args.epochs, "digest": digest_of(here)}
    tasks = [WindowTask(window=window, jobs=args.jobs or 1, **common) for window in windows]
    failed = []
    for task, outcome in outcomes(run_window, tasks, args.workers, "windows"):
        if isinstance(outcome, Exception):
            failed.append(f"{task.window.test} to {task.window.end}: {outcome}")
    remove_attempts(here.directory)
    if failed:
        raise DataError("\n".join(failed))
    return [results_of(task) for task in tasks]


def _report(names: list[str], windows: "list[Window]", found: list[dict[str, Any]], epochs: int) -> str:
    from liqfeature.walkforward.table import (
        comparison,
        daily_returns,
        markdown,
        rows_as_markdown,
        verdict,
    )
    from liqfeature.walkforward.trade_risk import hour_of, loss_rows, stop_rows, tag_of

    returns, trades = {}, {}
    for name in names:
        parts = [(w.test, w.end, f[name]) for w, f in zip(windows, found, strict=True)]
        returns[name] = daily_returns(parts)
        trades[name] = [trade for _, _, results in parts for trade in results["trades"]]
    table = comparison(returns, trades)
    tuning = f"{epochs} epochs of hyperopt before each" if epochs else "nothing was tuned"
    head = f"# {names[0]}{REPORT_SIGN}\n{len(windows)} windows, {windows[0].test} to {windows[-1].end}; "
    said = "\n".join(f"- {line}" for line in verdict(table, returns))
    note = "Deflated against the strategies of this table only: count whatever else you tried."
    tables = {
        "What the worst trades lost, in % of the mean stake": loss_rows(trades),
        "Stops hit, by entry tag": stop_rows(trades, tag_of),
        "Stops hit, by hour of the entry": stop_rows(trades, hour_of),
    }
    risk = "".join(f"\n## {title}\n\n{rows_as_markdown(rows)}\n" for title, rows in tables.items() if rows)
    return f"{head}{tuning}.\n\n{markdown(table)}\n\n{said}\n- {note}\n{risk}"
