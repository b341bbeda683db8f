"""`liqfeature doctor`: options, and what it found as a table."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liqfeature.botconfig import load_bot_config
from liqfeature.config import load_config
from liqfeature.doctor.examine import Subject, examine
from liqfeature.doctor.finding import Finding, Level
from liqfeature.errors import MissingExtraError

if TYPE_CHECKING:
    from rich.table import Table

_EXAMPLE = """\
examples:
  liqfeature doctor --config user_data/config.json
  liqfeature doctor --config configs/backtest.json user_data/sandbox/exchange.json \\
    --datadir user_data/sandbox/data

Nothing is changed. The exit code is 1 where anything fails: results would be wrong, or there would be none.
"""

_COLOUR = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `doctor` to a command line."""
    command = commands.add_parser(
        "doctor",
        help="check a configuration, its data and this machine, and say what to do",
        description="Check Freqtrade's configuration and data directory for what the columns need.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = command.add_argument
    add("--config", type=Path, nargs="+", required=True, metavar="FILE", help="Freqtrade's, in its order")
    add("--userdir", type=Path, metavar="DIR", help="as for freqtrade (default: user_data)")
    add("--datadir", type=Path, metavar="DIR", help="as for freqtrade (default: USERDIR/data/EXCHANGE)")
    add("--timeframe", help="of the strategy (default: the configuration's, else 5m)")
    add("--heatmap", type=Path, metavar="FILE", help="parameters of the map as JSON, if not the exchange's")
    add("--all", action="store_true", help="show also what is well")
    command.set_defaults(run=_doctor)


def _doctor(args: argparse.Namespace) -> int:
    try:
        from rich.console import Console
    except ImportError as error:
        msg = "liqfeature doctor needs rich: pip install 'liqfeature[score]'"
        raise MissingExtraError(msg) from error
    findings = examine(subject_of(args))
    table = findings_table(findings, everything=args.all)
    Console(soft_wrap=False).print(table if table.rows else table.title)
    return 1 if any(found.level is Level.FAIL for found in findings) else 0


def subject_of(args: argparse.Namespace) -> Subject:
    """Name what the options mean."""
    config = load_bot_config(args.config)
    if args.timeframe:
        config["timeframe"] = args.timeframe
    userdir = args.userdir or Path(config.get("user_data_dir", "user_data"))
    exchange = str(config.get("exchange", {}).get("name", "")).lower()
    options = [f"--config {path}" for path in args.config]
    options += [f"--datadir {args.datadir}"] if args.datadir else []
    return Subject(
        config=config,
        datadir=args.datadir or userdir / "data" / exchange,
        userdir=userdir,
        heatmap=load_config(args.heatmap) if args.heatmap else None,
        options=" ".join(options),
    )


def findings_table(findings: Sequence[Finding], *, everything: bool) -> "Table":
    """Lay findings out as a table, the worst first."""
    from rich.table import Table

    counts = {level: sum(found.level is level for found in findings) for level in Level}
    table = Table(title=", ".join(f"{n} {level}" for level, n in counts.items()), show_lines=True)
    table.add_column("")
    for column in ("check", "saw", "do"):
        table.add_column(column, overflow="fold")
    order = list(reversed(Level))
    for found in sorted(findings, key=lambda one: order.index(one.level)):
        if everything or found.level is not Level.OK:
            mark = f"[{_COLOUR[found.level]}]{found.level}[/]"
            table.add_row(mark, *(text.replace("[", "\\[") for text in (found.check, found.saw, found.do)))
    return table
