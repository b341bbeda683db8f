"""Where a command finds its market: options, and what they leave out from Freqtrade's configuration."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from liqfeature.cli.options import exchange
from liqfeature.data.botconfig import load_bot_config
from liqfeature.errors import ConfigError
from liqfeature.exchange.traits import EXCHANGES

USERDIR = Path("user_data")

TIMEFRAME = "5m"
"""Where neither an option nor a configuration names one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A data directory, and what is read from it.

    Parameters
    ----------
    datadir : Path
    exchange : str or None
        None where the directory's name says it.
    pair : str
        Empty where neither an option nor a whitelist names one.
    timeframe : str
    whitelist : tuple of str
        Pairs that a configuration names.
    told : mapping
        The configuration; empty without one.
    """

    datadir: Path
    exchange: str | None
    pair: str
    timeframe: str
    whitelist: tuple[str, ...] = ()
    told: Mapping[str, Any] = field(default_factory=dict)


def add_configs(command: argparse.ArgumentParser) -> None:
    """Add `--config` and `--userdir`, as Freqtrade has them."""
    add = command.add_argument
    told = "Freqtrade's, in its order; may be given several times (default: USERDIR/config.json)"
    add("--config", type=Path, nargs="+", action="extend", default=[], metavar="FILE", help=told)
    add("--userdir", type=Path, metavar="DIR", help=f"as for freqtrade (default: {USERDIR})")


def add_source(command: argparse.ArgumentParser) -> "argparse._ActionsContainer":
    """Add the options that `source_of` reads; return the group of which one may be given, of `--datadir`."""
    add_configs(command)
    source = command.add_mutually_exclusive_group()
    told = "as for freqtrade: .../data/binance (default: the configuration's)"
    source.add_argument("--datadir", type=Path, metavar="DIR", help=told)
    known = f"{', '.join(EXCHANGES)} (default: the configuration's, or the data directory's name)"
    command.add_argument("--exchange", type=exchange, metavar="NAME", help=known)
    return source


def config_paths(args: argparse.Namespace) -> list[Path]:
    """Return the configurations that were given, else the user directory's own if there is one."""
    own = (args.userdir or USERDIR) / "config.json"
    return list(args.config) or [own] * own.is_file()


def userdir_of(args: argparse.Namespace, config: Mapping[str, Any]) -> Path:
    """Return the user directory of the options, else of the configuration, else Freqtrade's usual one."""
    return args.userdir or Path(config.get("user_data_dir") or USERDIR)


def source_of(args: argparse.Namespace) -> Source:
    """Return where the options, and the configuration behind them, say that the market is.

    With `--datadir` and without `--config` no configuration is looked for.

    Raises
    ------
    ConfigError
        If nothing says where the data are, or a file that is no configuration of Freqtrade is given as one.
    """
    config = {} if args.datadir and not args.config else read_configs(config_paths(args))
    venue = config.get("exchange", {})
    name = args.exchange or (exchange_named(venue) if venue.get("name") else None)
    plain = [str(pair) for pair in venue.get("pair_whitelist", []) if "*" not in str(pair)]
    return Source(
        datadir=args.datadir or _datadir(args, config),
        exchange=name,
        pair=getattr(args, "pair", None) or (plain[0] if plain else ""),
        timeframe=getattr(args, "timeframe", None) or str(config.get("timeframe") or TIMEFRAME),
        whitelist=tuple(plain),
        told=config,
    )


def read_configs(paths: list[Path]) -> dict[str, Any]:
    """Read configurations of Freqtrade; a ConfigError where one holds parameters of the map instead."""
    for path in paths:
        alone = load_bot_config([path])
        if "grid" in alone or "provenance" in alone or "leverage" in alone:
            message = f"--config must be a configuration of Freqtrade: give parameters as --heatmap {path}"
            raise ConfigError(message)
    return load_bot_config(paths)


def exchange_named(venue: Mapping[str, Any]) -> str:
    """Return the name of a configuration's exchange that the columns know."""
    try:
        return exchange(str(venue["name"]))
    except argparse.ArgumentTypeError as error:
        message = f"exchange of the configuration {error}"
        raise ConfigError(message) from None


def _datadir(args: argparse.Namespace, config: Mapping[str, Any]) -> Path:
    if config.get("datadir"):
        return Path(config["datadir"])
    name = config.get("exchange", {}).get("name") or args.exchange
    if not name:
        own = (args.userdir or USERDIR) / "config.json"
        message = f"--datadir DIR or --config FILE must be given where there is no {own}, received neither"
        raise ConfigError(message)
    return userdir_of(args, config) / "data" / str(name)
