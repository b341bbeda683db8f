"""`liqfeature show`: the current clusters of a pair as a table in the terminal."""

import argparse
from typing import TYPE_CHECKING

from liqfeature.chart.colours import THEMES
from liqfeature.cli.market import add_market, load_market
from liqfeature.cli.options import Commands, add_command
from liqfeature.errors import extra

if TYPE_CHECKING:
    from rich.table import Table

    from liqfeature.heatmap.clusters import Ladder, Rung

_EXAMPLE = """\
example:
  liqfeature show --datadir user_data/data/binance --pair BTC/USDT:USDT

Above price rest liquidations of shorts, below it of longs. The longest bar is the heaviest cluster of either
side.
"""

_BAR = 20
"""Letters of the longest bar."""

_COLOURS = THEMES["dark"]


def add_to(commands: Commands) -> None:
    """Add `show` to a command line."""
    summary = "print the clusters above and below price as a table"
    add_market(add_command(commands, "show", _show, summary, _EXAMPLE))


def _show(args: argparse.Namespace) -> int:
    with extra("cli"):
        from rich.console import Console

    from liqfeature.heatmap.clusters import cluster_ladder

    market = load_market(args)
    ladder = cluster_ladder(market.candles, market.config, **market.inputs)
    Console().print(ladder_table(ladder, market.title))
    return 0


def ladder_table(ladder: "Ladder", title: str) -> "Table":
    """Lay the ladder out as a table, highest price first, with price between the sides."""
    from rich.table import Table

    caption = f"at the close of the candle of {ladder.date:%Y-%m-%d %H:%M} UTC; an estimate"
    table = Table(title=title, caption=caption, expand=False)
    for name in ("near", "far", "away", "notional", "of OI", "hit"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, min_width=_BAR)
    heaviest = max((rung.notional for rung in (*ladder.above, *ladder.below)), default=1.0)
    for rung in reversed(ladder.above):
        table.add_row(*_cells(rung, "+", heaviest), style=_COLOURS.short)
    table.add_row(f"{ladder.close:,.6g}", "", "", "", "", "", "price", style="bold")
    for rung in ladder.below:
        table.add_row(*_cells(rung, "-", heaviest), style=_COLOURS.long)
    return table


def _cells(rung: "Rung", sign: str, heaviest: float) -> list[str]:
    from liqfeature.chart.figure import amount

    return [
        f"{rung.near:,.6g}",
        f"{rung.far:,.6g}",
        f"{sign}{rung.distance:.2%}",
        amount(rung.notional),
        f"{rung.share:.2%}",
        f"{rung.hit:.0%}",
        _bar(rung.notional / heaviest),
    ]


def _bar(share: float) -> str:
    eighths = max(round(8 * _BAR * share), 1)
    whole, part = divmod(eighths, 8)
    return "█" * whole + " ▏▎▍▌▋▊▉"[part].strip()
