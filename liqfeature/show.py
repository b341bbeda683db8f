"""`liqfeature show`: the current clusters of a pair as a table in the terminal."""

import argparse
from typing import TYPE_CHECKING, Any

from liqfeature.errors import MissingExtraError
from liqfeature.ladder import Ladder, Rung, cluster_ladder
from liqfeature.plot import ABOVE, BELOW
from liqfeature.source import Source, add_source, load_source

if TYPE_CHECKING:
    from rich.table import Table

_EXAMPLE = """\
example:
  liqfeature show --datadir user_data/data/binance --pair BTC/USDT:USDT

Above price rest liquidations of shorts, below it of longs. The longest bar is the heaviest cluster of either
side.
"""

_BAR = 20
"""Letters of the longest bar."""


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `show` to a command line."""
    show = commands.add_parser(
        "show",
        help="print the clusters above and below price as a table",
        description="Print every cluster within the configuration's band, highest price first.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_source(show)
    show.set_defaults(run=_show)


def _show(args: argparse.Namespace) -> int:
    try:
        from rich.console import Console
    except ImportError as error:
        message = "liqfeature show needs rich: pip install 'liqfeature[sandbox]'"
        raise MissingExtraError(message) from error
    source = load_source(args)
    ladder = cluster_ladder(source.candles, source.config, **source.inputs)
    Console().print(ladder_table(ladder, _title(source, args)))
    return 0


def _title(source: Source, args: argparse.Namespace) -> str:
    where = "SANDBOX, invented prices" if source.invented else source.exchange
    return f"{args.pair} {args.timeframe}, {where}"


def ladder_table(ladder: Ladder, title: str) -> "Table":
    """Lay the ladder out as a table, highest price first, with price between the sides."""
    from rich.table import Table

    caption = f"at the close of the candle of {ladder.date:%Y-%m-%d %H:%M} UTC; an estimate"
    table = Table(title=title, caption=caption, expand=False)
    for name in ("near", "far", "away", "notional", "of OI", "hit"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, min_width=_BAR)
    heaviest = max((rung.notional for rung in (*ladder.above, *ladder.below)), default=1.0)
    for rung in reversed(ladder.above):
        table.add_row(*_cells(rung, "+", heaviest), style=ABOVE)
    table.add_row(f"{ladder.close:,.6g}", "", "", "", "", "", "price", style="bold")
    for rung in ladder.below:
        table.add_row(*_cells(rung, "-", heaviest), style=BELOW)
    return table


def _cells(rung: Rung, sign: str, heaviest: float) -> list[str]:
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


def amount(notional: float) -> str:
    """Write an amount of money with three digits: 1.23M."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if notional >= size:
            return f"{notional / size:.3g}{letter}"
    return f"{notional:.3g}"
