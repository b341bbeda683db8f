"""`liqfeature trades`: single trades of a backtest, drawn one by one."""

import argparse
import sys
from pathlib import Path
from typing import Any

from liqfeature.chart.choice import BY, typical_trades
from liqfeature.chart.page import Part, write_page
from liqfeature.chart.panel_traces import panels_figure
from liqfeature.chart.panels import panels_of
from liqfeature.chart.picture import take_picture
from liqfeature.chart.report_command import add_backtest, sources_of
from liqfeature.data.backtest import load_backtest
from liqfeature.errors import DataError

_EXAMPLE = """\
example:
  freqtrade backtesting --config configs/backtest.json --strategy LiquidationClusters --cache none
  liqfeature trades --results user_data/backtest_results --datadir user_data/data/binance \\
    --by exit_reason --out exits.html --picture exits.webp

By enter_tag it shows the median winner and the median loser of each tag, by exit_reason the median trade of
each reason: none is chosen for its looks.
"""

_WIDTH, _HEADING = 1000, 78
"""Pixels of a picture, and of a page's heading at that width."""

_NOTE = (
    "Candles over the estimated map, each panel from before the entry to after the exit; time in UTC, prices "
    "in {unit}. Frames: near to far edge of the nearest clusters, as they were known at the entry."
)


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `trades` to a command line."""
    trades = commands.add_parser(
        "trades",
        help="draw single trades of a backtest: the median winner and loser of each tag, or each exit",
        description="Draw single trades of a backtest over the map, one panel each.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_backtest(trades)
    trades.add_argument("--by", choices=BY, default=BY[0], help="which trades (default: %(default)s)")
    trades.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these tags or reasons")
    trades.add_argument(
        "--picture", type=Path, metavar="FILE", help=".png or .webp too; needs Chromium or Chrome"
    )
    trades.set_defaults(run=_trades)


def _trades(args: argparse.Namespace) -> int:
    backtest = load_backtest(args.results)
    chosen = typical_trades(backtest.trades, args.by, args.only)
    if chosen.empty:
        msg = f"{args.results} must hold a trade, received a backtest without any"
        raise DataError(msg)
    sources = sources_of(args, backtest)
    unit = str(backtest.figures.get("stake_currency", "quote"))
    figure = panels_figure(panels_of(chosen, sources, unit), theme=args.theme)
    invented = "SANDBOX, invented prices: " if any(s.invented for s in sources.values()) else ""
    title = f"{invented}trades of {backtest.strategy} by {args.by.replace('_', ' ')}"
    part = Part(facts={}, wide=figure)
    write_page([part], args.out, title=title, note=_NOTE.format(unit=unit), theme=args.theme)
    if args.picture:
        height = int(figure.layout.height) + _HEADING
        take_picture(args.out, args.picture, width=_WIDTH, height=height)
    sys.stdout.write("".join(f"{path}\n" for path in (args.out, args.picture) if path))
    return 0
