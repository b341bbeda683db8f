"""`liqfeature show`: the current clusters of a pair as a table in the terminal."""

import argparse
from typing import TYPE_CHECKING

from liqfeature.cli.market import add_beside, add_market, beside_of, load_market
from liqfeature.cli.options import Commands, add_command
from liqfeature.errors import extra
from liqfeature.heatmap.colours import THEMES
from liqfeature.sides import LONG, SHORT

if TYPE_CHECKING:
    import pandas as pd
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
    command = add_command(commands, "show", _show, summary, _EXAMPLE)
    add_market(command)
    add_beside(command)


def _show(args: argparse.Namespace) -> int:
    with extra("cli"):
        from rich.console import Console

    from liqfeature.heatmap.beside import newest_levels
    from liqfeature.heatmap.clusters import cluster_ladder

    market = load_market(args)
    ladder = cluster_ladder(market.candles, market.config, least=_SHOWN, **market.inputs)
    maps, interval = beside_of(args, market), market.candles["date"].diff().min()
    beside = None
    if maps is not None:
        levels = newest_levels(maps, ladder.date + interval, market.config.lookback * interval)
        beside = (args.beside, levels)
    Console().print(ladder_table(ladder, market.title, beside))
    return 0


def ladder_table(ladder: "Ladder", title: str, beside: "tuple[str, pd.DataFrame] | None" = None) -> "Table":
    """Lay the ladder out as a table, highest price first, with price between the sides.

    `beside` is the name of another map and its levels: what it holds in each cluster has a column.
    """
    from rich.table import Table

    from liqfeature.heatmap.clusters import strongest

    caption = f"at the close of the candle of {ladder.date:%Y-%m-%d %H:%M} UTC; an estimate"
    if not all(rung.stands_out for rung in (*ladder.above, *ladder.below)):
        caption += "\ndim: a peak, no more than is usual there"
    table = Table(title=title, caption=caption, expand=False)
    for name in ("near", "far", "away", "notional", "of OI", "hit"):
        table.add_column(name, justify="right", no_wrap=True)
    length = _BAR // 2 if beside else _BAR  # of 80 letters, the other map's amounts take the rest
    table.add_column("", no_wrap=True, min_width=length)
    if beside:
        table.add_column(beside[0], justify="right", no_wrap=True)
    above, below = strongest(ladder.above, _SHOWN), strongest(ladder.below, _SHOWN)
    heaviest = max((rung.notional for rung in (*above, *below)), default=1.0)
    for rung in reversed(above):
        cells = _beside(rung, SHORT, ladder.close, beside)
        table.add_row(*_cells(rung, "+", heaviest, length), *cells, style=_style(rung, _COLOURS.short))
    table.add_row(f"{ladder.close:,.6g}", "", "", "", "", "", "price", style="bold")
    for rung in below:
        cells = _beside(rung, LONG, ladder.close, beside)
        table.add_row(*_cells(rung, "-", heaviest, length), *cells, style=_style(rung, _COLOURS.long))
    return table


def _style(rung: "Rung", colour: str) -> str:
    return colour if rung.stands_out else f"dim {colour}"


def _cells(rung: "Rung", sign: str, heaviest: float, length: int) -> list[str]:
    from liqfeature.chart.words import amount

    return [
        f"{rung.near:,.6g}",
        f"{rung.far:,.6g}",
        f"{sign}{rung.distance:.2%}",
        amount(rung.notional),
        f"{rung.share:.2%}",
        f"{rung.hit:.0%}",
        _bar(rung.notional / heaviest, length),
    ]


def _beside(rung: "Rung", side: int, close: float, beside: "tuple[str, pd.DataFrame] | None") -> list[str]:
    """Return what another map holds in a cluster; a dash where it is none or too old."""
    import numpy as np

    from liqfeature.chart.words import amount
    from liqfeature.heatmap.beside import held_between

    if beside is None:
        return []
    edge = np.array(sorted((rung.near, rung.far)))
    held = float(held_between(beside[1], edge, close)[side, 0])
    return [amount(held) if len(beside[1]) else "-"]


def _bar(share: float, length: int) -> str:
    eighths = max(round(8 * length * share), 1)
    whole, part = divmod(eighths, 8)
    return "█" * whole + " ▏▎▍▌▋▊▉"[part].strip()
