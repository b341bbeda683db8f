"""`liqfeature report`: a page on a backtest."""

import argparse
import sys
from pathlib import Path
from typing import Any

from liqfeature.chart.colours import THEMES
from liqfeature.chart.page import write_page
from liqfeature.chart.report import report_parts
from liqfeature.chart.scores import score_parts
from liqfeature.config import EXCHANGES
from liqfeature.data.backtest import Backtest, load_backtest
from liqfeature.scoring.scorecard import read_scorecard
from liqfeature.source import Source, load_source

_EXAMPLE = """\
example:
  freqtrade backtesting --config configs/backtest.json --strategy LiquidationClusters --cache none
  liqfeature report --results user_data/backtest_results --datadir user_data/data/binance --out report.html

The page holds everything it needs and works offline. Exits are told apart by the tags of LiquidationClusters.
With --scores it ends with the scorecard that `liqfeature validate --out scores.json` wrote.
"""


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `report` to a command line."""
    report = commands.add_parser(
        "report",
        help="write a page on a backtest: figures, equity, and its trades on the map",
        description="Show what a backtest did, with its trades drawn on the map of each pair.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_backtest(report)
    told = "scorecard to show: JSON of liqfeature validate --out"
    report.add_argument("--scores", type=Path, metavar="FILE", help=told)
    report.set_defaults(run=_report)


def add_backtest(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which backtest is shown, on which map, and where."""
    add = parser.add_argument
    add("--results", type=Path, required=True, help="archive of a backtest, or a directory: its newest")
    add("--datadir", type=Path, required=True, help="as for freqtrade: .../data/binance")
    add("--out", type=Path, required=True, metavar="FILE", help="page to write, FILE.html")
    add("--theme", choices=list(THEMES), default="dark", help="default: %(default)s")
    parameters = parser.add_mutually_exclusive_group()
    parameters.add_argument("--exchange", choices=sorted(EXCHANGES), help="default: the directory's name")
    parameters.add_argument("--config", type=Path, metavar="FILE", help="every parameter as JSON")


def _report(args: argparse.Namespace) -> int:
    card = read_scorecard(args.scores) if args.scores else None
    backtest = load_backtest(args.results)
    sources = sources_of(args, backtest)
    parts = [*report_parts(backtest, sources, args.theme), *score_parts(card)]
    write_page(parts, args.out, title=_title(backtest, sources), note=_note(sources), theme=args.theme)
    sys.stdout.write(f"{args.out}\n")
    return 0


def sources_of(args: argparse.Namespace, backtest: Backtest) -> dict[str, Source]:
    """Read the market of each pair that was traded, with the options of `add_backtest`."""
    pairs = sorted(backtest.trades["pair"].unique()) if len(backtest.trades) else []
    return {pair: load_source(_of_pair(args, pair, backtest)) for pair in pairs}


def _of_pair(args: argparse.Namespace, pair: str, backtest: Backtest) -> argparse.Namespace:
    timeframe = backtest.figures.get("timeframe", "5m")
    return argparse.Namespace(**vars(args) | {"pair": pair, "timeframe": timeframe})


def _title(backtest: Backtest, sources: dict[str, Source]) -> str:
    first, last = (str(backtest.figures.get(f"backtest_{end}", "?"))[:10] for end in ("start", "end"))
    invented = "SANDBOX, invented prices: " if any(s.invented for s in sources.values()) else ""
    return f"{invented}backtest of {backtest.strategy}, {first} to {last}"


def _note(sources: dict[str, Source]) -> str:
    if any(source.invented for source in sources.values()):
        return "The market is invented, so that profit and loss in it mean nothing."
    return "A backtest, not a forecast."
