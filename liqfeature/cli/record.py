"""`liqfeature record`: which exchanges and pairs, from options and a bot's configuration."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from liqfeature.checks import require
from liqfeature.cli.options import Commands, add_command, console_of, exchange
from liqfeature.cli.output import RECORDED, add_output
from liqfeature.data.kinds import KINDS, ORDERS, Kind
from liqfeature.exchange.traits import canonical
from liqfeature.recorder.options import EXCHANGES, MOST_WAITING, POLLED

_EXAMPLE = """\
examples:
  liqfeature record --exchange binance bybit okx --pairs BTC/USDT:USDT ETH/USDT:USDT --out recordings.sqlite
  liqfeature record --config user_data/config.json --out recordings.sqlite
  liqfeature record --exchange hyperliquid --pairs BTC/USDC:USDC --out recordings.sqlite
  liqfeature record --exchange hyperliquid --pairs BTC/USDC:USDC --positions --out recordings.sqlite
  liqfeature record --backfill gate --pairs BTC/USDT:USDT --out recordings.sqlite
  liqfeature record --migrate recordings --out recordings.sqlite
  liqfeature record --export liquidations.parquet --out recordings.sqlite
  liqfeature validate --datadir user_data/data/bybit --pair BTC/USDT:USDT --liquidations recordings.sqlite

Rows are on disk within a second, in an SQLite database that may be read meanwhile. No key is needed. Ctrl-C
ends it; after a crash it goes on where it was. Binance and OKX send at most one liquidation a second and
pair, Bybit all of them. Of Hyperliquid it is open interest that is recorded, every 5 minutes. While the disk
is full, rows wait in memory (--most of them).
"""


def add_to(commands: Commands) -> None:
    """Add `record` to a command line."""
    summary = "record liquidations from exchanges' websockets into a database, until interrupted"
    record = add_command(commands, "record", _run, summary, _EXAMPLE)
    add = record.add_argument
    add("--exchange", nargs="+", type=exchange, metavar="NAME", help=f"of {', '.join((*EXCHANGES, *POLLED))}")
    pairs = "such as BTC/USDT:USDT; default: the whitelist of --config"
    add("--pairs", nargs="+", metavar="PAIR", help=pairs)
    add("--out", type=Path, required=True, metavar="FILE", help="database of the recordings")
    config = "Freqtrade's: exchange, whitelist, and ccxt_config (a proxy, or the sandbox)"
    add("--config", type=Path, nargs="+", action="extend", default=[], metavar="FILE", help=config)
    told = "Hyperliquid's positions too, as maps without addresses; accounts are met where they trade"
    add("--positions", action="store_true", help=told)
    add("--accounts", type=Path, metavar="FILE", help="with --positions: addresses to begin with, one a line")
    told = "with --positions: add every answer to it as received, with its address"
    add("--raw", type=Path, metavar="FILE", help=told)
    add("--migrate", type=Path, metavar="DIR", help="add what an earlier version recorded into a directory")
    add_output(record, "--export", RECORDED, "write what was recorded as .parquet or .feather")
    add("--backfill", choices=["gate"], help="fetch what an exchange still gives out of the last --days")
    days = "that are fetched (default: %(default)g, about what Gate keeps)"
    add("--days", type=float, default=90.0, help=days)
    kind = "what is exported (default: liquidation_orders) or fetched (default: all)"
    add("--kind", choices=KINDS, help=kind)
    add("--most", type=int, default=MOST_WAITING, help="rows kept in memory at most (default: %(default)s)")
    add("--save", type=float, default=0.5, help=argparse.SUPPRESS)
    add("--retry", type=float, default=5.0, help=argparse.SUPPRESS)
    add("--note", type=float, default=10.0, help=argparse.SUPPRESS)


def _run(args: argparse.Namespace) -> int:
    if args.migrate:
        from liqfeature.recorder.migrate import migrate

        added, damaged = migrate(args.migrate, args.out)
        print(f"{added} liquidations added to {args.out}; {damaged} damaged lines passed over")
    elif args.backfill:
        return _backfill(args)
    elif args.export:
        from liqfeature.data.recordings import export

        kind = args.kind or ORDERS.name
        rows = export(args.out, kind, args.export, exchanges=args.exchange, pairs=args.pairs)
        print(f"{rows} rows written to {args.export}")
    else:
        return _record(args)
    return 0


def _backfill(args: argparse.Namespace) -> int:
    import asyncio

    from rich.progress import Progress

    from liqfeature.recorder.backfill import FETCHED, Backfill, agreement

    kinds = [kind for kind in FETCHED if args.kind in (None, kind.name)]
    require("kind", bool(kinds), f"one of {', '.join(kind.name for kind in FETCHED)}", args.kind)
    require("days", args.days > 0, "above 0", args.days)
    options, pairs = _wanted(args, [args.backfill], [args.backfill])
    console = console_of("record")
    with Progress(console=console, transient=True) as bar:
        tasks = {
            (pair, kind): bar.add_task(f"{pair} {kind.name}", total=1) for pair in pairs for kind in kinds
        }

        def show(pair: str, kind: Kind, share: float) -> None:
            bar.update(tasks[pair, kind], completed=share)

        filled = asyncio.run(Backfill(args.out, options[args.backfill], show).run(pairs, args.days, kinds))
    for fault in filled.faults:
        console.print(fault, style="yellow", markup=False)
    added = ", ".join(f"{count} {name}" for name, count in filled.added.items())
    print(f"added to {args.out}: {added.replace('_', ' ') or 'nothing'}")
    for pair in pairs:
        long, short = (f"{share:.1%}" if share >= 0 else "-" for share in agreement(args.out, pair))
        print(f"{pair}: single liquidations are {long} of Gate's totals of longs, {short} of shorts")
    return 0


def _record(args: argparse.Namespace) -> int:
    from liqfeature.recorder.inbox import Inbox
    from liqfeature.recorder.session import Pace, Session
    from liqfeature.recorder.watch import watched

    exchanges, pairs = _wanted(args, args.exchange, (*EXCHANGES, *POLLED))
    pace = Pace(save=args.save, retry=args.retry, note=args.note)
    session = Session(args.out, pace, Inbox(args.most), _positions(args, list(exchanges)))
    console = console_of("record")
    return 1 if watched(session, exchanges, pairs, console) else 0


def _positions(args: argparse.Namespace, exchanges: Sequence[str]) -> dict[str, Any] | None:
    """Return what a poller of positions takes, where they are wanted."""
    if not args.positions:
        alone = args.accounts is None and args.raw is None
        require("accounts and raw", alone, "given with --positions", args.accounts or args.raw)
        return None
    holds = all(pollable in exchanges for pollable in POLLED)
    require("exchange", holds, f"{', '.join(POLLED)} for --positions", ", ".join(exchanges))
    seeds = args.accounts.read_text(encoding="utf-8").split() if args.accounts else []
    for seed in seeds:
        known = re.fullmatch(r"0x[0-9a-fA-F]{40}", seed)
        require("accounts", bool(known), "addresses such as 0x0123..., one a line", repr(seed))
    return {"seeds": seeds, "raw": args.raw}


def _wanted(
    args: argparse.Namespace, names: Sequence[str] | None, known: Sequence[str]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return what ccxt is given by exchange, and the pairs, from options and configuration."""
    from liqfeature.data.botconfig import ccxt_options, load_bot_config

    config = load_bot_config(args.config)
    venue = config.get("exchange", {})
    own = canonical(str(venue.get("name", "")))
    names = names or [own]
    for name in names:
        require("exchange", name in known, f"one of {', '.join(known)}", name or "none")
    pairs = args.pairs or venue.get("pair_whitelist", [])
    require("pairs", bool(pairs), "at least one (--pairs or the whitelist of --config)", "none")
    for pair in pairs:
        linear = isinstance(pair, str) and re.fullmatch(r"[\w-]+/(\w+):\1", pair)
        require("pairs", bool(linear), "linear futures such as BTC/USDT:USDT", repr(pair))
    return {name: ccxt_options(config) if name == own else {} for name in names}, list(pairs)
