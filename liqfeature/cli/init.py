"""`liqfeature init`: a strategy, its loss and a configuration for a Freqtrade that is there already."""

import argparse
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liqfeature.cli.options import Commands, add_command, exchange

if TYPE_CHECKING:
    from liqfeature.doctor.finding import Finding

_EXAMPLE = """\
examples:
  liqfeature init --userdir user_data
  liqfeature init --userdir user_data --exchange bybit --strategy-template MyStrategy

USERDIR/config.json is read where there is one and --config names no other; it is not changed. What it lacks
is written to USERDIR/liqfeature.json, which Freqtrade takes as a further --config. A file that differs is
never replaced: then nothing is written.
"""

_DEFAULT, _TEMPLATE = "LiquidationClusters", "MyStrategy"

_DAYS = 29
"""Days to download: exchanges tell about 30 of open interest."""


def add_to(commands: Commands) -> None:
    """Add `init` to a command line."""
    summary = "put a strategy and its configuration into Freqtrade's user directory, and say what comes next"
    command = add_command(commands, "init", _init, summary, _EXAMPLE)
    add = command.add_argument
    add("--userdir", type=Path, required=True, metavar="DIR", help="as for freqtrade: user_data")
    add("--exchange", type=exchange, metavar="NAME", help="where no configuration names it")
    configs = "Freqtrade's, in its order; may be given several times (default: USERDIR/config.json)"
    add("--config", type=Path, nargs="+", action="extend", default=[], metavar="FILE", help=configs)
    which = command.add_mutually_exclusive_group()
    which.add_argument("--strategy", default=_DEFAULT, metavar="NAME", help="default: %(default)s")
    template = "write a short strategy of your own instead (default name: %(const)s)"
    which.add_argument("--strategy-template", nargs="?", const=_TEMPLATE, metavar="NAME", help=template)


def _init(args: argparse.Namespace) -> int:
    from liqfeature.checks import require
    from liqfeature.data.botconfig import load_bot_config
    from liqfeature.userdir import install

    rule = f"one of {', '.join(install.STRATEGIES)}"
    require("strategy", args.strategy in install.STRATEGIES, rule, repr(args.strategy))
    configs = install.find_configs(args.userdir, args.config, args.exchange)
    config = load_bot_config(configs)
    venue = install.exchange_of(config, args.exchange)
    own = args.strategy_template
    files = install.template_files(own) if own else install.strategy_files(args.strategy)
    overlay = install.overlay_of(config, venue)
    found = install.install(args.userdir, {**files, install.OVERLAY: install.as_json(overlay)})
    for path, written in found.items():
        print(f"{'wrote' if written else 'there already:'} {path}")
    _print_versions()
    whole = load_bot_config([*configs, args.userdir / install.OVERLAY])
    print("\nNext:")
    paths = [*configs, args.userdir / install.OVERLAY]
    for line in next_commands(whole, args.userdir, paths, own or args.strategy):
        print(f"  {line}")
    return 0


def next_commands(
    config: Mapping[str, Any], userdir: Path, configs: Sequence[Path], strategy: str
) -> list[str]:
    """Return the commands that lead to a first backtest, ready to paste.

    Parameters
    ----------
    config : mapping
        The files of `configs`, merged.
    userdir : Path
    configs : sequence of Path
        In Freqtrade's order.
    strategy : str
        Name of the class.
    """
    from liqfeature.exchange.traits import exchange_traits

    common = ["--userdir", str(userdir), *(word for path in configs for word in ("--config", str(path)))]
    venue, timeframe = config["exchange"], str(config.get("timeframe") or "5m")
    pairs = [] if venue.get("pair_whitelist") else ["--pairs", f"BTC/{_stake(config)}:{_stake(config)}"]
    span = ["--days", str(_DAYS), "--timeframes"]
    traits = exchange_traits(str(venue["name"]))
    lines = [["freqtrade", "download-data", *common, *pairs, *span, timeframe]]
    if traits.open_interest:
        interest = [traits.interest_timeframe(timeframe), "--candle-types", "open_interest"]
        lines.append(["freqtrade", "download-data", *common, *pairs, *span, *interest])
    lines.append(["freqtrade", "backtesting", *common, *pairs, "--strategy", strategy, "--cache", "none"])
    return [shlex.join(line) for line in lines]


def _stake(config: Mapping[str, Any]) -> str:
    return str(config.get("stake_currency") or "USDT")


def _print_versions() -> None:
    """Say which packages that the strategies need are missing here, or too old."""
    for finding in _missing():
        print(f"{finding.check} here: {finding.saw}. {finding.do}")


def _missing() -> "list[Finding]":
    import importlib.metadata

    from liqfeature.doctor.finding import Level
    from liqfeature.doctor.machine import check_versions

    installed = {
        found.name.lower(): found.version for found in importlib.metadata.distributions() if found.name
    }
    return [found for found in check_versions(installed) if found.level is not Level.OK]
