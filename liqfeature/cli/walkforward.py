"""`liqfeature walkforward`: tune on one window, test on the next, beside controls on the same windows."""

import argparse
from datetime import date, time
from typing import TYPE_CHECKING, Any

from liqfeature.cli.options import Commands, add_command
from liqfeature.cli.output import REPORT, REPORT_SIGN, WALK, add_output
from liqfeature.cli.timerange import time_range

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

What stands after -- is given to every freqtrade command. Without --epochs nothing is tuned.
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
    with progress(len(windows) * (2 if args.epochs else 1)) as step:
        found = [_tested(freqtrade, names, window, args.epochs, step) for window in windows]
    report = _report(names, windows, found, args.epochs)
    (args.out / REPORT).write_text(report, encoding="utf-8")
    print(report, end="")
    return 0


def _tested(
    freqtrade: "Freqtrade", names: list[str], window: "Window", epochs: int, step: "Step"
) -> dict[str, Any]:
    from liqfeature.walkforward.runs import backtested, tuned

    parameters = {}
    if epochs:
        with step(f"tuning {window.begin} to {window.test}"):
            parameters = tuned(freqtrade, names[0], window.begin, window.test, epochs)
    with step(f"testing {window.test} to {window.end}"):
        return backtested(freqtrade, names, window.test, window.end, parameters)


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
