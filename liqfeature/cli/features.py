"""`liqfeature features`: the columns of a pair computed into a file, or those of many into a folder."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from liqfeature.cli.market import add_market, load_market, venues_of
from liqfeature.cli.options import Commands, add_command
from liqfeature.cli.output import TABLE, add_output
from liqfeature.cli.source import Source, source_of
from liqfeature.cluster.workers import add_workers
from liqfeature.errors import ConfigError, DataError

if TYPE_CHECKING:
    from liqfeature.cluster.pairs import PairTask

_EXAMPLE = """\
examples:
  freqtrade download-data --exchange binance --trading-mode futures -p BTC/USDT:USDT --days 29 \\
    -t 5m --candle-types futures open_interest
  liqfeature features --datadir user_data/data/binance --pair BTC/USDT:USDT --timeframe 5m --out btc.feather
  liqfeature features --datadir user_data/data/binance --pairs all --workers 4 --out-dir columns

Open interest and funding are used where the directory has them; without open interest, amounts are relative
and liq_quality falls to 0.5. The first rows are NaN until warm-up is done. With --out-dir, a file that was
made from the same candles, parameters and code is left alone, so that what was interrupted goes on.
"""


def add_to(commands: Commands) -> None:
    """Add `features` to a command line."""
    summary = "write a pair's candles with their liquidation columns to a file, or those of many pairs"
    command = add_command(commands, "features", _features, summary, _EXAMPLE)
    add_market(command)
    told = "instead of --pair, with --out-dir: names, or all that the directory has"
    command.add_argument("--pairs", nargs="+", metavar="PAIR", help=told)
    add_output(command, "--out", TABLE, "FILE.feather or FILE.parquet")
    told = "with --pairs: a file for each, such as DIR/BTC_USDT_USDT-5m.feather"
    command.add_argument("--out-dir", type=Path, metavar="DIR", help=told)
    add_workers(command)


def _features(args: argparse.Namespace) -> int:
    if args.pairs or args.out_dir:
        return _many(args)
    if args.out is None:
        message = "--out FILE must be given, or --pairs and --out-dir, received none"
        raise ConfigError(message)
    return _one(args)


def _one(args: argparse.Namespace) -> int:
    from liqfeature.cluster.pairs import with_columns
    from liqfeature.data.store import write_frame

    market = load_market(args)
    table = with_columns(market)
    write_frame(table, args.out)
    candles = len(table)
    warm = max(candles - market.config.warmup + 1, 0)
    columns = table.shape[1] - market.candles.shape[1]
    print(f"{args.out}: {candles} candles, {columns} columns, {warm} rows after warm-up")
    return 0


def _many(args: argparse.Namespace) -> int:
    from liqfeature.cluster.pairs import require_there, write_pair
    from liqfeature.cluster.work import outcomes

    tasks = _tasks(args)
    written, failed = 0, 0
    for task, outcome in outcomes(write_pair, tasks, args.workers, "pairs"):
        if isinstance(outcome, Exception):
            print(f"{task.pair}: {outcome}", file=sys.stderr)
            failed += 1
            continue
        require_there(task)
        written += outcome
    print(f"{args.out_dir}: {written} written, {len(tasks) - written - failed} as they were")
    if failed:
        message = f"{failed} of {len(tasks)} pairs failed, as said above"
        raise DataError(message)
    return 0


def _tasks(args: argparse.Namespace) -> "list[PairTask]":
    from liqfeature.cluster.pairs import PairTask
    from liqfeature.data.store import file_stem

    if not (args.pairs and args.out_dir) or args.out or args.pair:
        message = "--pairs and --out-dir must be given together, without --pair and --out"
        raise ConfigError(message)
    source = source_of(args)
    args.out_dir.mkdir(exist_ok=True)
    venues = venues_of(args, source)
    tasks = [
        PairTask(
            datadir=source.datadir,
            pair=pair,
            timeframe=source.timeframe,
            exchange=source.exchange,
            heatmap=args.heatmap,
            out=args.out_dir / f"{file_stem(pair)}-{source.timeframe}.feather",
            venues=venues,
            recordings=args.recordings,
            source=args.source,
            depth=args.depth,
        )
        for pair in _pairs(args.pairs, source)
    ]
    for task in tasks:
        TABLE.check(task.out, "--out-dir")
    return tasks


def _pairs(names: list[str], source: Source) -> list[str]:
    """Return the pairs meant, each once: for `all`, those that have candles of the timeframe."""
    from liqfeature.data.store import candle_files, find_pair, require_pairs

    if names != ["all"]:
        return list(dict.fromkeys(find_pair(source.datadir, name) for name in names))
    pairs = require_pairs(source.datadir)
    having = [pair for pair in pairs if source.timeframe in candle_files(source.datadir, pair, "futures")]
    if not having:
        message = (
            f"{source.datadir} must hold {source.timeframe} candles, received others of {len(pairs)} pairs"
        )
        raise DataError(message)
    return having
