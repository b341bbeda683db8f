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
  liqfeature serve --config user_data/config.json
  liqfeature sandbox run --live --config-out user_data/sandbox/live.json -- \\
    liqfeature serve --config configs/binance.json --config user_data/sandbox/live.json

--datadir shows files, and shows them anew after each download. --config asks the exchange of Freqtrade's
configuration for the pairs of its pair_whitelist. Where it, or FREQTRADE__API_SERVER__ variables, switch on
the REST API of a bot, its trades are on the map. Only this machine reaches the page, unless --host says
otherwise, which needs a password in the environment: LIQFEATURE_PASSWORD; the user is liqfeature.
"""

_PASSWORD = "LIQFEATURE_PASSWORD"


def add_to(commands: Commands) -> None:
    """Add `serve` to a command line."""
    summary = "show the map of all pairs as a page that moves"
    command = add_command(commands, "serve", _serve, summary, _EXAMPLE)
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--datadir", type=Path, help="as for freqtrade: .../data/binance")
    config = "Freqtrade's configuration; may be given several times, later ones override"
    source.add_argument("--config", type=Path, action="append", metavar="FILE", help=config)
    known = f"of --datadir: {', '.join(EXCHANGES)} (default: the directory's name)"
    add = command.add_argument
    add("--exchange", type=exchange, metavar="NAME", help=known)
    add("--timeframe", default="5m", help="of the candles (default: %(default)s)")
    add("--days", type=float, default=30.0, help="history asked of an exchange (default: %(default)g)")
    add("--poll", type=float, default=2.0, metavar="SECONDS", help="between two looks (default: %(default)g)")
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=8090, help="0 takes a free one (default: %(default)s)")


def _serve(args: argparse.Namespace) -> int:
    from liqfeature.data.botconfig import load_bot_config
    from liqfeature.serve.access import Access
    from liqfeature.serve.bot import bot_of
    from liqfeature.serve.live import Live
    from liqfeature.serve.maps import Maps
    from liqfeature.serve.run import serve

    require("--poll", args.poll > 0, "above 0", args.poll)
    require("--days", 0 < args.days <= 400, "above 0 and at most 400", args.days)
    access = Access(host=args.host, password=os.environ.get(_PASSWORD, ""))
    settings = load_bot_config(args.config) if args.config else {}
    maps = Maps(_source(args, settings))
    live = Live(maps, bot_of(settings, os.environ), args.poll)
    serve(maps, access, live, port=args.port, ready=lambda url: print(url, flush=True))
    print("serve stopped", file=sys.stderr)
    return 0


def _source(args: argparse.Namespace, settings: dict[str, Any]) -> "Source":
    from liqfeature.serve.exchange import ExchangeSource
    from liqfeature.serve.sources import DirectorySource

    if args.datadir:
        return DirectorySource(datadir=args.datadir, timeframe=args.timeframe, exchange=args.exchange)
    return ExchangeSource(settings, args.timeframe, args.days)
