"""`liqfeature collect`: other exchanges' candles and open interest, as they come."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liqfeature.checks import require
from liqfeature.cli.options import Commands, add_command, console_of, exchange
from liqfeature.cli.source import TIMEFRAME
from liqfeature.exchange.traits import EXCHANGES, canonical

if TYPE_CHECKING:
    import asyncio

    from rich.console import Console

    from liqfeature.recorder.collect import Collector

_EXAMPLE = """\
examples:
  liqfeature collect --config user_data/config.json
  liqfeature collect --exchange bybit okx --pairs BTC/USDT:USDT ETH/USDT:USDT --out recordings.sqlite

With --config the exchanges are those of its `venues`, the pairs its whitelist, and the database its
`recordings`. No key is needed. At each close candles and open interest are on disk as soon as the exchange
gives them, with the moment of receipt. Ctrl-C ends it; started again, it fetches what it missed.
"""


def add_to(commands: Commands) -> None:
    """Add `collect` to a command line."""
    summary = "collect candles and open interest of other exchanges for a bot, until interrupted"
    add = add_command(commands, "collect", _run, summary, _EXAMPLE).add_argument
    config = "Freqtrade's; may be given several times"
    add("--config", type=Path, nargs="+", action="extend", default=[], metavar="FILE", help=config)
    names = f"of {', '.join(EXCHANGES)} (default: the configuration's venues)"
    add("--exchange", nargs="+", type=exchange, metavar="NAME", help=names)
    add("--pairs", nargs="+", metavar="PAIR", help="of the traded exchange (default: the whitelist)")
    add("--timeframe", help=f"of the candles (default: the configuration's, else {TIMEFRAME})")
    add("--out", type=Path, metavar="FILE", help="database (default: the configuration's recordings)")


def _run(args: argparse.Namespace) -> int:
    from liqfeature.data.botconfig import ccxt_options, is_sandbox, load_bot_config
    from liqfeature.data.venues import VenueSource
    from liqfeature.estimate.config import HeatmapConfig

    config = load_bot_config(args.config)
    traded = canonical(str(config.get("exchange", {}).get("name") or "binance"))
    told = VenueSource.of(config, Path())
    names = args.exchange or (list(told.directories) if told else [])
    require("exchange", bool(names), "at least one (--exchange or the venues of --config)", "none")
    pairs = args.pairs or config.get("exchange", {}).get("pair_whitelist", [])
    require("pairs", bool(pairs), "at least one (--pairs or the whitelist of --config)", "none")
    out = str(args.out or config.get("recordings") or "")
    require("out", bool(out), "a file (--out or the recordings of --config)", "none")
    heatmap = HeatmapConfig.for_exchange(traded)
    options = ccxt_options(config)
    given = {name: options if is_sandbox(options) else _network(options) for name in names}
    history = heatmap.warmup + 2 * heatmap.lookback
    timeframe = args.timeframe or str(config.get("timeframe") or TIMEFRAME)
    _collect(Path(out), given, pairs, traded, timeframe, history, console_of("record"))
    return 0


def _network(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the proxies of ccxt's options: all else is about one exchange."""
    return {name: value for name, value in options.items() if "proxy" in name.lower() or name == "proxies"}


def _collect(
    path: Path,
    exchanges: Mapping[str, Mapping[str, Any]],
    pairs: Sequence[str],
    traded: str,
    timeframe: str,
    history: int,
    console: "Console",
) -> None:
    import asyncio

    from liqfeature.recorder.collect import collect
    from liqfeature.recorder.watch import LOG_EVERY, logging_to, until_signal

    collectors: list[Collector] = []

    async def run(stop: "asyncio.Event") -> None:
        await collect(path, exchanges, pairs, traded, timeframe, history, stop, collectors.extend)

    async def show() -> None:
        while True:
            await asyncio.sleep(LOG_EVERY)
            console.print(_counts(collectors))

    with logging_to(console):
        asyncio.run(until_signal(run, show()))
    console.print(_counts(collectors))


def _counts(collectors: "Sequence[Collector]") -> str:
    told = (f"{one.name} {one.count} rows{' (silent)' if one.trouble else ''}" for one in collectors)
    return f"collected: {', '.join(told)}"
