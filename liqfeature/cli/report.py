"""`liqfeature report`: a page on a backtest."""

import argparse
from pathlib import Path

from liqfeature.cli.market import add_backtest, load_markets, title_of
from liqfeature.cli.options import Commands, add_command, working

_EXAMPLE = """\
example:
  freqtrade backtesting --config configs/backtest.json --strategy LiquidationClusters --cache none
  liqfeature report --results user_data/backtest_results --datadir user_data/data/binance --out report.html

The page holds everything it needs and works offline. Exits are told apart by the tags of LiquidationClusters.
With --scores it ends with the scorecard that `liqfeature validate --out scores.json` wrote.
"""

_SIMULATED = "The market is simulated, so that profit and loss in it mean nothing."


def add_to(commands: Commands) -> None:
    """Add `report` to a command line."""
    summary = "write a page on a backtest: figures, equity, and its trades on the map of each pair"
    report = add_command(commands, "report", _report, summary, _EXAMPLE)
    add_backtest(report)
    scorecard = "scorecard to show: JSON of liqfeature validate --out"
    report.add_argument("--scores", type=Path, metavar="FILE", help=scorecard)


def _report(args: argparse.Namespace) -> int:
    from liqfeature.chart.page import write_page
    from liqfeature.chart.report import report_parts
    from liqfeature.chart.scores import score_parts
    from liqfeature.data.backtest import load_backtest
    from liqfeature.scoring.scorecard import read_scorecard

    card = read_scorecard(args.scores) if args.scores else None
    backtest = load_backtest(args.results)
    markets = load_markets(args, backtest)
    with working("drawing the report: about ten seconds"):
        parts = [*report_parts(backtest, markets, args.theme), *score_parts(card)]
    note = _SIMULATED if any(m.simulated for m in markets.values()) else "A backtest, not a forecast."
    first, last = (backtest.figures[f"backtest_{end}"][:10] for end in ("start", "end"))
    title = title_of(markets, f"backtest of {backtest.strategy}, {first} to {last}")
    write_page(parts, args.out, title=title, note=note, theme=args.theme)
    print(args.out)
    return 0
