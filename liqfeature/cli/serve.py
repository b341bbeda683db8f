"""`liqfeature serve`: the live map, a page for all pairs."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liqfeature.checks import require
from liqfeature.cli.options import Commands, add_command, exchange
from liqfeature.exchange.traits import EXCHANGES

if TYPE_CHECKING:
    from liqfeature.serve.sources import Source

_EXAMPLE = """\
example:
  liqfeature serve --datadir user_data/data/binance
  liqfeature serve --datadir user_data/data/binance --datadir user_data/data/bybit
  liqfeature serve --config user_data/config.json --liquidations liquidations.sqlite
  liqfeature sandbox run --live --config-out user_data/sandbox/live.json -- \\
    liqfeature serve --config configs/binance.json --config user_data/sandbox/live.json

--datadir shows files, and shows them anew after each download; given several times, the page switches
between exchanges. --config asks the exchange of Freqtrade's configuration for the pairs of its
pair_whitelist. --liquidations puts single recorded liquidations on the map, as dots. Where a configuration,
or FREQTRADE__API_SERVER__ variables, switch on the REST API of a bot, its trades are on the map. Only this
machine reaches the page, unless --host says otherwise, which needs a password in the environment:
LIQFEATURE_PASSWORD; the user is liqfeature.
"""

_PASSWORD = "LIQFEATURE_PASSWORD"

_FILES, _CALM = 2.0, 15.0
"""Seconds between two looks at files, and at an exchange while price is calm."""


def add_to(commands: Commands) -> None:
    """Add `serve` to a command line."""
    summary = "show the map of all pairs as a page that moves"
    command = add_command(commands, "serve", _serve, summary, _EXAMPLE)
    source = command.add_mutually_exclusive_group(required=True)
    told = "as for freqtrade: .../data/binance; may be given several times"
    source.add_argument("--datadir", type=Path, action="append", metavar="DIR", help=told)
    config = "Freqtrade's configuration; may be given several times, later ones override"
    source.add_argument("--config", type=Path, action="append", metavar="FILE", help=config)
    known = f"of --datadir: {', '.join(EXCHANGES)} (default: the directory's name)"
    add = command.add_argument
    add("--exchange", type=exchange, metavar="NAME", help=known)
    add("--timeframe", default="5m", help="of the candles (default: %(default)s)")
    add("--days", type=float, default=30.0, help="history asked of an exchange (default: %(default)g)")
    recorded = "database of liqfeature record, or a table of liquidations"
    add("--liquidations", type=Path, metavar="PATH", help=recorded)
    calm = "between two looks (default: 2 at files, 15 at an exchange; each second while price runs)"
    add("--poll", type=float, metavar="SECONDS", help=calm)
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=8090, help="0 takes a free one (default: %(default)s)")


def _serve(args: argparse.Namespace) -> int:
    from liqfeature.data.botconfig import load_bot_config
    from liqfeature.serve.access import Access
    from liqfeature.serve.bot import bot_of
    from liqfeature.serve.live import Live
    from liqfeature.serve.maps import Maps
    from liqfeature.serve.run import serve

    poll = args.poll if args.poll is not None else _FILES if args.datadir else _CALM
    require("--poll", poll > 0, "above 0", poll)
    alone = args.exchange is None or len(args.datadir or ()) == 1
    require("--exchange", alone, "given with one --datadir", args.exchange)
    there = args.liquidations is None or args.liquidations.is_file()
    require("--liquidations", there, "a file", args.liquidations)
    require("--days", 0 < args.days <= 400, "above 0 and at most 400", args.days)
    access = Access(host=args.host, password=os.environ.get(_PASSWORD, ""))
    settings = load_bot_config(args.config) if args.config else {}
    maps = Maps(_source(args, settings), args.liquidations)
    live = Live(maps, bot_of(settings, os.environ), poll)
    serve(maps, access, live, port=args.port, ready=lambda url: print(url, flush=True))
    print("serve stopped", file=sys.stderr)
    return 0


def _source(args: argparse.Namespace, settings: dict[str, Any]) -> "Source":
    from liqfeature.serve.exchange import ExchangeSource
    from liqfeature.serve.sources import DirectorySource, Several

    look = {"timeframe": args.timeframe, "exchange": args.exchange}
    found = [DirectorySource(datadir=datadir, **look) for datadir in args.datadir or ()]
    if found:
        return Several(found) if len(found) > 1 else found[0]
    return ExchangeSource(settings, args.timeframe, args.days)
