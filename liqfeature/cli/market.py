"""Options that say which market a command reads, and reading it."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from liqfeature.cli.output import PAGE, add_output
from liqfeature.cli.source import TIMEFRAME, Source, add_source, source_of
from liqfeature.data.schema import SIMULATED
from liqfeature.errors import ConfigError
from liqfeature.heatmap.colours import THEMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from liqfeature.data.backtest import Backtest
    from liqfeature.data.pair import PairData
    from liqfeature.data.venues import VenueSource


def add_market(command: argparse.ArgumentParser) -> "argparse._ActionsContainer":
    """Add the options that `load_market` reads.

    Returns the group of options one of which says where the market is, at first `--datadir` alone.
    """
    source = _add_data(command)
    told = "such as BTC/USDT:USDT, or BTC where one pair fits (default: the whitelist's first)"
    command.add_argument("--pair", help=told)
    told = f"of the candles (default: the configuration's, else {TIMEFRAME})"
    command.add_argument("--timeframe", help=told)
    told = "reckon liq_amplification_* with the order books in DIR/depth (`liqfeature download` fetches them)"
    command.add_argument("--depth", action="store_true", help=told)
    told = "database of `liqfeature import` and `liqfeature record`, for --source"
    command.add_argument("--recordings", type=Path, metavar="FILE", help=told)
    told = "whose maps in --recordings to read instead of the estimate, such as coinglass"
    command.add_argument("--source", metavar="NAME", help=told)
    return source


def _add_data(command: argparse.ArgumentParser) -> "argparse._ActionsContainer":
    source = add_source(command)
    parameters = "every parameter of the map as JSON, instead of the exchange's"
    command.add_argument("--heatmap", type=Path, metavar="FILE", help=parameters)
    others = "data directories of other exchanges, whose maps are added (default: the configuration's venues)"
    command.add_argument("--venues", type=Path, nargs="+", metavar="DIR", help=others)
    return source


def load_market(args: argparse.Namespace, pair: str = "", timeframe: str = "") -> "PairData":
    """Read what the options name, or another pair of it, and say what it is; an error says what is wrong."""
    from liqfeature.cluster.pairs import with_depth, with_maps
    from liqfeature.data.pair import PairData

    source = source_of(args)
    pair = pair or source.pair or _only_pair(source.datadir)
    timeframe = timeframe or source.timeframe
    venues = venues_of(args, source)
    market = PairData.load(
        source.datadir, pair, timeframe, exchange=source.exchange, config=args.heatmap, venues=venues
    )
    if getattr(args, "source", None):
        market = with_maps(market, args.recordings, args.source)
    if getattr(args, "depth", False):
        market = with_depth(market, source.datadir)
    used = ", ".join(name.replace("_", " ") for name, table in market.inputs.items() if table is not None)
    where = f"{market.pair} {market.timeframe} of {market.exchange}{', SANDBOX' if market.simulated else ''}"
    print(f"{where}: {len(market.candles)} candles, {used or 'nothing beside them'}", file=sys.stderr)
    return market


def venues_of(args: argparse.Namespace, source: Source) -> "VenueSource | None":
    """Return the other exchanges that options or the configuration name; None where neither does."""
    from liqfeature.data.venues import VenueSource

    return VenueSource.beside(args.venues) if args.venues else VenueSource.of(source.told, source.datadir)


def add_beside(command: argparse.ArgumentParser) -> None:
    """Add the option that `beside_of` reads."""
    told = "whose map in --recordings to draw beside, such as hyperliquid (measured positions)"
    command.add_argument("--beside", metavar="NAME", help=told)


def beside_of(args: argparse.Namespace, market: "PairData") -> "pd.DataFrame | None":
    """Read the maps that `--beside` names, where it is given."""
    from liqfeature.data.maps import load_maps

    if not args.beside:
        return None
    if args.recordings is None:
        message = "--recordings FILE must be given with --beside, received none"
        raise ConfigError(message)
    return load_maps(args.recordings, market.pair, args.beside)


def _only_pair(datadir: Path) -> str:
    """Return the pair of a directory that holds one; a ConfigError lists several."""
    from liqfeature.data.store import require_pairs

    pairs = require_pairs(datadir)
    if len(pairs) > 1:
        message = f"--pair must be one of {', '.join(pairs)}, which {datadir} has, received none"
        raise ConfigError(message)
    return pairs[0]


def add_page(command: argparse.ArgumentParser) -> None:
    """Add the options that say what page is written."""
    add_output(command, "--out", PAGE, "page to write, FILE.html", required=True)
    command.add_argument("--theme", choices=list(THEMES), default="dark", help="default: %(default)s")


def add_backtest(command: argparse.ArgumentParser) -> None:
    """Add the options that say which backtest is shown, on which map, and where."""
    results = "archive of a backtest, or a directory: its newest"
    command.add_argument("--results", type=Path, required=True, help=results)
    _add_data(command)
    add_page(command)


def load_markets(args: argparse.Namespace, backtest: "Backtest") -> "dict[str, PairData]":
    """Read the market of each pair that was traded, with the options of `add_backtest`."""
    pairs = sorted(backtest.trades["pair"].unique()) if len(backtest.trades) else []
    return {pair: load_market(args, pair, backtest.figures["timeframe"]) for pair in pairs}


def title_of(markets: "Mapping[str, PairData]", text: str) -> str:
    """Begin a title with a word on simulated prices where a market has them."""
    return f"{SIMULATED}: {text}" if any(market.simulated for market in markets.values()) else text
