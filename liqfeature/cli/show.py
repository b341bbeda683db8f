"""`liqfeature show`: the current clusters of a pair as a table in the terminal."""

import argparse
from typing import TYPE_CHECKING

from liqfeature.cli.market import add_market, load_market
from liqfeature.cli.options import Commands, add_command
from liqfeature.errors import extra
from liqfeature.heatmap.colours import THEMES

if TYPE_CHECKING:
    from rich.table import Table

    from liqfeature.heatmap.clusters import Ladder, Rung

_EXAMPLE = """\
example:
  liqfeature show --datadir user_data/data/binance --pair BTC/USDT:USDT

Above price rest liquidations of shorts, below it of longs. The five heaviest clusters of either side; where
there are fewer, the highest peaks beside them, dim. The longest bar is the heaviest.
"""

_BAR = 20
"""Letters of the longest bar."""

_SHOWN = 5
"""Clusters a side at most."""

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
    ladder = cluster_ladder(market.candles, market.config, least=_SHOWN, **market.inputs)
    Console().print(ladder_table(ladder, market.title))
    return 0


def ladder_table(ladder: "Ladder", title: str) -> "Table":
    """Lay the ladder out as a table, highest price first, with price between the sides."""
    from rich.table import Table

    from liqfeature.heatmap.clusters import strongest

    caption = f"at the close of the candle of {ladder.date:%Y-%m-%d %H:%M} UTC; an estimate"
    if not all(rung.stands_out for rung in (*ladder.above, *ladder.below)):
        caption += "\ndim: a peak, no more than is usual there"
    table = Table(title=title, caption=caption, expand=False)
    for name in ("near", "far", "away", "notional", "of OI", "hit"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, min_width=_BAR)
    above, below = strongest(ladder.above, _SHOWN), strongest(ladder.below, _SHOWN)
    heaviest = max((rung.notional for rung in (*above, *below)), default=1.0)
    for rung in reversed(above):
        table.add_row(*_cells(rung, "+", heaviest), style=_style(rung, _COLOURS.short))
    table.add_row(f"{ladder.close:,.6g}", "", "", "", "", "", "price", style="bold")
    for rung in below:
        table.add_row(*_cells(rung, "-", heaviest), style=_style(rung, _COLOURS.long))
    return table


def _style(rung: "Rung", colour: str) -> str:
    return colour if rung.stands_out else f"dim {colour}"


def _cells(rung: "Rung", sign: str, heaviest: float) -> list[str]:
    from liqfeature.chart.words import amount

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
