"""`liqfeature import`: saved answers of a vendor, put into the database of recordings."""

import argparse
from datetime import datetime
from pathlib import Path

from liqfeature.checks import require
from liqfeature.cli.options import Commands, add_command, exchange
from liqfeature.cli.timerange import moment
from liqfeature.data.kinds import VENDORS
from liqfeature.exchange.pairs import linear_pair

_EXAMPLE = """\
examples:
  liqfeature import coinglass heatmap-20260131T120500Z.json --pair BTC/USDT:USDT --exchange binance \\
    --out recordings.sqlite
  liqfeature import coinalyze liquidations.json --requested 20260131T120500 --unit usd --pair BTC/USDT:USDT \\
    --exchange binance --out recordings.sqlite
  liqfeature features --datadir user_data/data/binance --pair BTC/USDT:USDT --recordings recordings.sqlite \\
    --source coinglass --out btc.feather

CoinGlass: open interest and liquidation history of a pair or aggregated, heatmap (models 1 to 3), liquidation
map. Coinalyze: open-interest-history and liquidation-history of one symbol. Hyblock: liquidationHeatmap and
liquidationLevels. No key is needed, and nothing is asked for. What was answered counts from its request on,
in UTC, which each file's name tells, or --requested: import it at once, a bot knows it only then.
"""


def add_to(commands: Commands) -> None:
    """Add `import` to a command line."""
    summary = "put saved answers of CoinGlass, Coinalyze or Hyblock into the database of recordings"
    command = add_command(commands, "import", _import, summary, _EXAMPLE)
    add = command.add_argument
    add("vendor", choices=VENDORS, help="whose answers they are")
    add("files", nargs="+", type=Path, metavar="FILE", help="an answer as received, JSON")
    add("--pair", required=True, metavar="PAIR", help="whose they are, such as BTC/USDT:USDT")
    told = "whose open interest and liquidations they are; of aggregated ones, the one that you trade on"
    add("--exchange", required=True, type=exchange, metavar="NAME", help=told)
    add("--out", type=Path, required=True, metavar="FILE", help="database of the recordings")
    add("--requested", type=_moment, metavar="TIME", help="UTC, such as 20260131T120500, of all files")
    units = "of amounts: usd (for Coinalyze ask with convert_to_usd=true), or coin, for open interest alone"
    add("--unit", choices=["usd", "coin"], help=f"{units} (default: usd; needed for coinalyze)")
    add("--as", dest="name", default="", metavar="NAME", help="of the maps (default: the vendor's)")


def _moment(text: str) -> datetime:
    try:
        found = moment(text)
    except (KeyError, ValueError):
        found = None
    if found is None:
        told = f"must be a time such as 20260131T120500, received {text!r}"
        raise argparse.ArgumentTypeError(told)
    return found


def _import(args: argparse.Namespace) -> int:
    from liqfeature.recorder.imported import import_answers

    linear_pair(args.pair)
    require("unit", args.unit is not None or args.vendor != "coinalyze", "usd or coin for coinalyze", "none")
    found = import_answers(
        args.out,
        args.vendor,
        args.files,
        args.pair,
        exchange=args.exchange,
        name=args.name,
        requested=args.requested and int(args.requested.timestamp() * 1000),
        in_coin=args.unit == "coin",
    )
    for kind, added in found.added.items():
        print(f"{kind.replace('_', ' ')}: {added} rows added to {args.out}, {found.known[kind]} known before")
    return 0
