"""`liqfeature trades`: single trades of a backtest, drawn one by one."""

import argparse

from liqfeature.chart.options import BY
from liqfeature.cli.market import add_backtest, load_markets, title_of
from liqfeature.cli.options import Commands, add_command, working
from liqfeature.cli.output import PICTURE, add_output
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


def add_to(commands: Commands) -> None:
    """Add `trades` to a command line."""
    summary = "draw single trades of a backtest over the map: the median ones of each tag or each exit"
    trades = add_command(commands, "trades", _trades, summary, _EXAMPLE)
    add_backtest(trades)
    trades.add_argument("--by", choices=BY, default=BY[0], help="which trades (default: %(default)s)")
    trades.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these tags or reasons")
    add_output(trades, "--picture", PICTURE, "FILE.png or .webp to write too; needs Chromium or Chrome")


def _trades(args: argparse.Namespace) -> int:
    from liqfeature.chart.choice import typical_trades
    from liqfeature.chart.page import Part, write_page
    from liqfeature.chart.panel_traces import panels_figure
    from liqfeature.chart.panels import panels_of
    from liqfeature.chart.picture import take_picture
    from liqfeature.data.backtest import load_backtest

    backtest = load_backtest(args.results)
    chosen = typical_trades(backtest.trades, args.by, args.only)
    if chosen.empty:
        message = f"{args.results} must hold a trade, received a backtest without any"
        raise DataError(message)
    markets = load_markets(args, backtest)
    unit = backtest.figures["stake_currency"]
    with working("drawing trades: about ten seconds"):
        panels = panels_of(chosen, markets, unit)
        figure, slim = (panels_figure(panels, theme=args.theme, narrow=narrow) for narrow in (False, True))
    title = title_of(markets, f"trades of {backtest.strategy} by {args.by.replace('_', ' ')}")
    part = Part(facts={}, wide=figure, slim=slim)
    write_page([part], args.out, title=title, note=_NOTE.format(unit=unit), theme=args.theme)
    if args.picture:
        height = int(figure.layout.height) + _HEADING
        take_picture(args.out, args.picture, width=_WIDTH, height=height)
    print(*(path for path in (args.out, args.picture) if path), sep="\n")
    return 0
