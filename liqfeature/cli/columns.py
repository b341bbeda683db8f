"""`liqfeature columns`: what each column means."""

import argparse
import math
from typing import TYPE_CHECKING

from liqfeature.cli.options import Commands, add_command

if TYPE_CHECKING:
    from liqfeature.columns.column import Column


def add_to(commands: Commands) -> None:
    """Add `columns` to a command line."""
    command = add_command(commands, "columns", _columns, "print what each column means")
    command.add_argument("--worth", action="store_true", help="print what each is worth to a trader instead")


def columns_table() -> str:
    """Every column as a Markdown table, one row for both sides."""
    from liqfeature.columns.features import DESCRIBED

    rows: dict[tuple[str, str], list[str]] = {}
    for name, column in DESCRIBED.items():
        rows.setdefault((_unit(column), column.meaning), []).append(f"`{name}`")
    lines = ["| column | unit | at the close of the row's candle |", "|---|---|---|"]
    lines += [f"| {', '.join(names)} | {unit} | {meaning} |" for (unit, meaning), names in rows.items()]
    return "\n".join(lines)


def worth_table() -> str:
    """Return what each column is worth as a Markdown table, one row for columns worth the same."""
    from liqfeature.columns.features import DESCRIBED
    from liqfeature.columns.worth import worth_of

    rows: dict[str, list[str]] = {}
    for name in DESCRIBED:
        rows.setdefault(worth_of(name), []).append(f"`{name}`")
    lines = ["| column | what it is worth |", "|---|---|"]
    lines += [f"| {', '.join(names)} | {worth} |" for worth, names in rows.items()]
    return "\n".join(lines)


def _unit(column: "Column") -> str:
    if column.unit not in ("ratio", "share"):
        return column.unit
    if math.isinf(column.highest):
        return f"{column.unit}, at least {column.lowest:g}"
    return f"{column.unit}, {column.lowest:g} to {column.highest:g}"


def _columns(args: argparse.Namespace) -> int:
    print(worth_table() if args.worth else columns_table())
    return 0
