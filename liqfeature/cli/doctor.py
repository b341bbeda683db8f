"""`liqfeature doctor`: options, and what it found as a table."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from liqfeature.checks import require
from liqfeature.cli.options import Commands, add_command
from liqfeature.cli.source import USERDIR, add_configs, config_paths, read_configs, userdir_of
from liqfeature.errors import extra

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from liqfeature.doctor.examine import Subject
    from liqfeature.doctor.finding import Finding

_EXAMPLE = """\
examples:
  liqfeature doctor --config user_data/config.json
  liqfeature doctor --config configs/backtest.json --config user_data/sandbox/exchange.json \\
    --datadir user_data/sandbox/data

Nothing is changed. The exit code is 1 where anything fails: results would be wrong, or there would be none.
"""


def add_to(commands: Commands) -> None:
    """Add `doctor` to a command line."""
    summary = "check Freqtrade's configuration, its data and this machine, and say what to do"
    command = add_command(commands, "doctor", _doctor, summary, _EXAMPLE)
    add_configs(command)
    add = command.add_argument
    add("--datadir", type=Path, metavar="DIR", help="as for freqtrade (default: USERDIR/data/EXCHANGE)")
    add("--timeframe", help="of the strategy (default: the configuration's, else 5m)")
    add("--heatmap", type=Path, metavar="FILE", help="parameters of the map as JSON, if not the exchange's")
    add("--all", action="store_true", help="show also what is in order")


def _doctor(args: argparse.Namespace) -> int:
    with extra("cli"):
        from rich.console import Console

    from liqfeature.doctor.examine import examine
    from liqfeature.doctor.finding import Level

    findings = examine(subject_of(args))
    table = findings_table(findings, everything=args.all)
    Console(soft_wrap=False).print(table if table.rows else table.title)
    return 1 if any(found.level is Level.FAIL for found in findings) else 0


def subject_of(args: argparse.Namespace) -> "Subject":
    """Name what the options mean."""
    from liqfeature.doctor.examine import Subject
    from liqfeature.estimate.config import load_config

    paths = config_paths(args)
    require("config", bool(paths), f"given where there is no {USERDIR / 'config.json'}", "none")
    config = read_configs(paths)
    if args.timeframe:
        config["timeframe"] = args.timeframe
    userdir = userdir_of(args, config)
    exchange = str(config.get("exchange", {}).get("name", "")).lower()
    options = [f"--config {path}" for path in paths]
    options += [f"--datadir {args.datadir}"] if args.datadir else []
    return Subject(
        config=config,
        datadir=args.datadir or userdir / "data" / exchange,
        userdir=userdir,
        heatmap=load_config(args.heatmap) if args.heatmap else None,
        options=" ".join(options),
    )


def findings_table(findings: "Sequence[Finding]", *, everything: bool) -> "Table":
    """Lay findings out as a table, the worst first."""
    from rich.table import Table

    from liqfeature.doctor.finding import Level

    colour = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}
    counts = {level: sum(found.level is level for found in findings) for level in Level}
    table = Table(title=", ".join(f"{n} {level}" for level, n in counts.items()), show_lines=True)
    table.add_column("")
    for column in ("check", "saw", "do"):
        table.add_column(column, overflow="fold")
    order = list(reversed(Level))
    for found in sorted(findings, key=lambda one: order.index(one.level)):
        if everything or found.level is not Level.OK:
            mark = f"[{colour[found.level]}]{found.level}[/]"
            table.add_row(mark, *(text.replace("[", "\\[") for text in (found.check, found.saw, found.do)))
    return table
