"""`liqfeature download`: years of open interest from Binance's public archive, into Freqtrade's own files."""

import argparse
import re
import time
from pathlib import Path

from liqfeature.checks import require
from liqfeature.cli.options import Commands, add_command, add_time_range, console_of
from liqfeature.cli.source import add_configs, source_of
from liqfeature.cli.timerange import EVERYTHING
from liqfeature.data.archive.datasets import DATASETS, METRICS
from liqfeature.durations import DAY, minutes
from liqfeature.exchange.traits import EXCHANGES, canonical

_EXAMPLE = """\
examples:
  liqfeature download --config user_data/config.json --timerange 20240101-
  liqfeature download --pairs BTC/USDT:USDT ETH/USDT:USDT --datadir user_data/data/binance \\
    --timerange 20240101-
  freqtrade download-data --exchange binance --pairs BTC/USDT:USDT --trading-mode futures --days 29 \\
    --timeframes 5m --candle-types futures open_interest

Binance's REST API has open interest of the last 30 days, its archive of years: the last command goes on
from where the archive ends, a day or two ago. It may be interrupted, and run again to fetch what is new. What
it has fetched is kept in archive.sqlite in the data directory.
"""

EXCHANGE = "binance"

_ADDRESS = "https://data.binance.vision"


def add_to(commands: Commands) -> None:
    """Add `download` to a command line."""
    summary = "download years of open interest from Binance's public archive into Freqtrade's data directory"
    command = add_command(commands, "download", _download, summary, _EXAMPLE)
    add = command.add_argument
    add_configs(command)
    command.set_defaults(exchange=None)
    pairs = "such as BTC/USDT:USDT (default: the configuration's whitelist)"
    add("--pairs", nargs="+", default=[], metavar="PAIR", help=pairs)
    datadir = "as for freqtrade: user_data/data/binance (default: the configuration's)"
    add("--datadir", type=Path, metavar="DIR", help=datadir)
    add_time_range(command)
    add("--days", type=int, default=730, help="where there is no --timerange (default: %(default)s)")
    which = "which data sets (default: metrics: open interest and long/short ratios)"
    add("--datasets", nargs="+", choices=DATASETS, default=[METRICS.name], metavar="NAME", help=which)
    which = "of open interest, each with the rows at its boundaries (default: 5m)"
    add("--timeframes", nargs="+", default=["5m"], metavar="TF", help=which)
    add("--check", action="store_true", help="compare what is here with the archive's checksums, too")
    add("--url", default=_ADDRESS, help="of the archive, or of a sandbox (default: %(default)s)")


def _download(args: argparse.Namespace) -> int:
    import asyncio

    from liqfeature.data.archive.datasets import symbol_of
    from liqfeature.data.archive.download import Download
    from liqfeature.data.archive.files import write_files
    from liqfeature.data.archive.ledger import NAME, Ledger
    from liqfeature.data.archive.report import report
    from liqfeature.data.database import Database

    simulated = _complete(args)
    first, last = _span(args)
    console = console_of("download")
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    names = [(symbol_of(pair), DATASETS[name]) for pair in args.pairs for name in args.datasets]
    files = sum(len(list(dataset.files(symbol, first, last))) for symbol, dataset in names)
    with Database(args.datadir / NAME, write=True, simulated=simulated) as database:
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("files", total=files)
            download = Download(database, args.url, check=args.check, done=lambda n: bar.advance(task, n))
            results = asyncio.run(download.run(args.pairs, args.datasets, first, last))
        for result in results:
            ledger = Ledger(database, result.pair, result.dataset)
            held = ledger.held()
            written = write_files(args.datadir, result.pair, result.dataset, held, args.timeframes)
            print(*report(result, ledger.entries(), held, written), sep="\n")
    return 1 if any(result.left for result in results) else 0


def _complete(args: argparse.Namespace) -> bool:
    """Check options, and fill in what they leave to the configuration; return whether data are simulated."""
    from liqfeature.data.schema import is_simulated

    for timeframe in args.timeframes:
        known = re.fullmatch(r"\d+[mhd]", timeframe) and minutes(timeframe) % 5 == 0
        require("timeframes", bool(known), "multiples of 5m such as 15m or 1h", timeframe)
    require("days", args.days > 0, "above 0", args.days)
    source = source_of(args)
    args.datadir, args.pairs = source.datadir, args.pairs or source.whitelist
    require("pairs", bool(args.pairs), "at least one (--pairs or the configuration's whitelist)", "none")
    simulated = "://127.0.0.1" in args.url or "://localhost" in args.url
    if args.datadir.exists() or simulated:
        there = is_simulated(args.datadir)
        rule = "one that a sandbox has made" if simulated else "one of real data"
        require("datadir", there == simulated, f"{rule} for {args.url}", args.datadir)
    for name in (source.exchange, canonical(args.datadir.absolute().name)):
        other = name in EXCHANGES and name != EXCHANGE
        require("exchange", not other, f"{EXCHANGE}, whose archive this is", name)
    args.datadir.mkdir(parents=True, exist_ok=True)
    return simulated


def _span(args: argparse.Namespace) -> tuple[int, int]:
    """From when to when, milliseconds; up to today, of which there is no file yet."""
    today = int(time.time() * 1000) // DAY * DAY
    wanted = args.timerange or EVERYTHING
    last = min(today, round(wanted.last.timestamp() * 1000) if wanted.last else today)
    first = round(wanted.first.timestamp() * 1000) if wanted.first else last - args.days * DAY
    return first, last
