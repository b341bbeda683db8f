"""`liqfeature record`: options, the live count, and an orderly end."""

import argparse
import asyncio
import contextlib
import logging
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liqfeature.botconfig import ccxt_options, load_bot_config
from liqfeature.checks import require
from liqfeature.errors import MissingExtraError
from liqfeature.recorder.inbox import MOST_WAITING, Inbox
from liqfeature.recorder.normalise import EXCHANGES
from liqfeature.recorder.session import Pace, Session
from liqfeature.recorder.show import counts_line, counts_table

if TYPE_CHECKING:
    from rich.console import Console

_EXAMPLE = """\
examples:
  liqfeature record --exchange binance bybit okx --pairs BTC/USDT:USDT ETH/USDT:USDT --out recordings
  liqfeature record --config user_data/config.json --out recordings
  liqfeature validate --datadir user_data/data/bybit --pair BTC/USDT:USDT --liquidations recordings

Liquidations cannot be downloaded later: what is not recorded is gone. Each UTC day of a pair becomes
DIR/EXCHANGE/PAIR/DAY.parquet; until then its rows lie in DIR/journal, on disk within a second. No key is
needed. Ctrl-C ends it; after a crash it goes on where it was. Binance and OKX send at most one liquidation a
second and pair, Bybit all of them. While the disk is full, rows wait in memory (--most of them).
"""

_LOG_EVERY = 60.0
"""Seconds between lines of counts where nobody watches a terminal."""


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `record` to a command line."""
    command = commands.add_parser(
        "record",
        help="record liquidations from exchanges' websockets into daily files",
        description="Record liquidations as Binance, Bybit and OKX send them, until interrupted.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = command.add_argument
    add("--exchange", nargs="+", choices=EXCHANGES, metavar="NAME", help=f"of {', '.join(EXCHANGES)}")
    add(
        "--pairs", nargs="+", metavar="PAIR", help="such as BTC/USDT:USDT; default: the whitelist of --config"
    )
    add("--out", type=Path, required=True, metavar="DIR", help="directory of the recordings")
    add(
        "--config",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="Freqtrade's: exchange, whitelist, and ccxt_config (a proxy, or the sandbox)",
    )
    add("--most", type=int, default=MOST_WAITING, help="rows kept in memory at most (default: %(default)s)")
    add("--save", type=float, default=0.5, help=argparse.SUPPRESS)
    add("--compact", type=float, default=300.0, help=argparse.SUPPRESS)
    add("--retry", type=float, default=5.0, help=argparse.SUPPRESS)
    add("--note", type=float, default=10.0, help=argparse.SUPPRESS)
    command.set_defaults(run=_record)


def _record(args: argparse.Namespace) -> int:
    exchanges, pairs = _wanted(args)
    pace = Pace(save=args.save, compact=args.compact, retry=args.retry, note=args.note)
    session = Session(args.out, pace, Inbox(args.most))
    console = _console()
    with _logging_to(console):
        left = asyncio.run(_until_signal(session, exchanges, pairs, console))
    console.print(counts_line(session))
    if left:
        console.print(f"[red]{left} prints could not be written and are lost[/]")
    return 1 if left else 0


def _wanted(args: argparse.Namespace) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return what ccxt is given by exchange, and the pairs, from options and configuration."""
    config = load_bot_config(args.config)
    venue = config.get("exchange", {})
    names = args.exchange or [venue.get("name")]
    for name in names:
        require("exchange", name in EXCHANGES, f"one of {', '.join(EXCHANGES)}", repr(name))
    pairs = args.pairs or venue.get("pair_whitelist", [])
    require("pairs", bool(pairs), "at least one (--pairs or the whitelist of --config)", "none")
    own = ccxt_options(config)
    return {name: own if name == venue.get("name") else {} for name in names}, list(pairs)


async def _until_signal(
    session: Session, exchanges: dict[str, dict[str, Any]], pairs: list[str], console: "Console"
) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C cancels the run instead
            loop.add_signal_handler(number, stop.set)
    watching = asyncio.create_task(_show(session, console))
    try:
        return await session.run(exchanges, pairs, stop)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _show(session: Session, console: "Console") -> None:
    """Keep the counts in sight: a table on a terminal, a line a minute elsewhere."""
    if not console.is_terminal:
        while True:
            await asyncio.sleep(_LOG_EVERY)
            console.print(counts_line(session))
    from rich.live import Live

    with Live(counts_table(session), console=console, auto_refresh=False, transient=True) as live:
        while True:
            live.update(counts_table(session), refresh=True)
            await asyncio.sleep(1.0)


@contextlib.contextmanager
def _logging_to(console: "Console") -> Iterator[None]:
    from rich.logging import RichHandler

    handler = RichHandler(console=console, show_path=False, log_time_format="%Y-%m-%d %H:%M:%S")
    logger = logging.getLogger("liqfeature.recorder")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _console() -> "Console":
    try:
        from rich.console import Console
    except ImportError as error:
        msg = "recording needs rich: pip install 'liqfeature[record]'"
        raise MissingExtraError(msg) from error
    return Console(stderr=True, highlight=False, soft_wrap=True)
