"""`liqfeature validate`: options, data, and the scorecard as a table and as JSON."""

import argparse
import dataclasses
import functools
import re
from pathlib import Path
from typing import Any

import pandas as pd

from liqfeature.cascade import CascadeRule
from liqfeature.checks import require
from liqfeature.config import EXCHANGES, HeatmapConfig, load_config
from liqfeature.errors import ConfigError
from liqfeature.scoring.positions import load_positions, score_positions
from liqfeature.scoring.recorded import UNITS, load_recorded
from liqfeature.scoring.scorecard import Scorecard, print_scorecard, write_scorecard
from liqfeature.scoring.validate import validate
from liqfeature.source import load_source

_EXAMPLE = """\
examples:
  liqfeature validate --datadir user_data/data/binance --pair BTC/USDT:USDT --liquidations recorded.parquet
  liqfeature validate --sandbox liquid --seed 1

Recorded liquidations are hourly totals (date, long, short), single orders, or the directory that `liqfeature
record` writes, of which the exchange's own are taken. Every map, ours and what others do from the same
inputs, sees the same candles; nothing is fitted on the hours that are scored. In the sandbox the positions
are known, so that the map of the positions really open stands beside the estimates.
"""

SANDBOX_DAYS, SANDBOX_ARRIVALS = 150, 40.0
"""Long enough for a placebo test at 1 %, and enough traders that no single one makes a cluster."""

TIMELESS = CascadeRule(hours=(1.0,) * 24, weekend=1.0)
"""The simulated market trades as much at night as by day."""


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `validate` to a command line."""
    command = commands.add_parser(
        "validate",
        help="score the estimate and its baselines against recorded liquidations, or the sandbox's truth",
        description="Print how well every map tells when and where liquidations happen.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_market(command)
    command.add_argument(
        "--positions",
        type=Path,
        metavar="FILE",
        help="with --datadir, instead of liquidations: snapshots of real positions",
    )
    command.add_argument(
        "--out", type=Path, metavar="FILE", help="write the scores there: FILE.json or FILE.md"
    )
    command.set_defaults(run=_validate)


def add_market(command: argparse.ArgumentParser) -> None:
    """Add the options that name candles and the truth to score them against."""
    add = command.add_argument
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--datadir", type=Path, help="as for freqtrade: .../data/binance")
    source.add_argument(
        "--sandbox", metavar="SCENARIO", help="simulate: liquid, reflexive, squeeze, black_swan"
    )
    add("--pair", default="BTC/USDT:USDT", help="default: %(default)s")
    add("--timeframe", default="5m", help="of the candles (default: %(default)s)")
    add(
        "--liquidations",
        type=Path,
        metavar="PATH",
        help="with --datadir: recorded totals or orders, or the directory of `liqfeature record`",
    )
    add("--unit", choices=UNITS, default="quote", help="of recorded totals (default: %(default)s)")
    add(
        "--timerange",
        type=_timerange,
        default=(None, None),
        metavar="FROM-TO",
        help="such as 20240720-20240820",
    )
    add("--seed", type=int, default=1, help="of the sandbox (default: %(default)s)")
    add("--days", type=int, default=SANDBOX_DAYS, help="of the sandbox (default: %(default)s)")
    add(
        "--arrivals",
        type=float,
        default=SANDBOX_ARRIVALS,
        help="traders a minute in the sandbox (default: %(default)g)",
    )
    parameters = command.add_mutually_exclusive_group()
    parameters.add_argument(
        "--exchange", choices=sorted(EXCHANGES), help="default: the data directory's name, else binance"
    )
    parameters.add_argument(
        "--config", type=Path, metavar="FILE", help="every parameter as JSON, instead of the exchange's"
    )


def market_of(args: argparse.Namespace, *, recorded: bool = False) -> dict[str, Any]:
    """Arguments of `validate` that the options of `add_market` name.

    Raises ConfigError where recorded liquidations are needed and there are none.
    """
    if recorded and not args.sandbox and args.liquidations is None:
        message = "--datadir needs --liquidations PATH, received none"
        raise ConfigError(message)
    first, last = args.timerange
    return {**(_simulated(args) if args.sandbox else _recorded(args)), "first": first, "last": last}


def _recorded(args: argparse.Namespace) -> dict[str, Any]:
    source = load_source(args)
    recorded = load_recorded(args.liquidations, args.pair, source.exchange) if args.liquidations else None
    return {
        "candles": source.candles,
        "liquidations": recorded,
        "config": source.config,
        **source.inputs,
        "unit": args.unit,
        "hours_between": 1,
    }


def _simulated(args: argparse.Namespace) -> dict[str, Any]:
    from liqfeature.sandbox import history, truth
    from liqfeature.sandbox.market import simulate
    from liqfeature.sandbox.scenario import scenario

    market = dataclasses.replace(scenario(args.sandbox), arrivals=args.arrivals)
    tape = simulate(market, args.pair, start="2026-01-01", days=args.days, seed=args.seed)
    exchange = args.exchange or "binance"
    steady = HeatmapConfig.for_pair(args.pair, exchange, cascade=TIMELESS)
    config = load_config(args.config) if args.config else steady
    return {
        "candles": history.candles(tape, args.timeframe),
        "liquidations": tape.forced_orders,
        "unit": "quote",
        "config": config,
        "open_interest": history.open_interest(tape, args.timeframe),
        "funding_rate": history.funding(tape),
        "true_maps": functools.partial(truth.true_maps, tape, width=config.grid.width),
    }


def require_folder(path: Path | None) -> None:
    """Refuse a file that could not be written, before minutes of work are lost to it."""
    if path is not None:
        require("folder", path.absolute().parent.is_dir(), "one that exists", path.parent)


def _validate(args: argparse.Namespace) -> int:
    require_folder(args.out)
    card = _against_positions(args) if args.positions else validate(**market_of(args))
    about = {"market": market_name(args), "pair": args.pair, "timeframe": args.timeframe, **card.about}
    card = dataclasses.replace(card, about=about)
    print_scorecard(card)
    print(", ".join(f"{name} {value}" for name, value in about.items() if name not in ("config", "orders")))
    if args.out:
        write_scorecard(card, args.out)
        print(f"written to {args.out}")
    return 0


def _against_positions(args: argparse.Namespace) -> Scorecard:
    """Score with the prior of the exchange that the positions come from, whatever the candles'."""
    if args.sandbox:
        message = "--positions needs --datadir, received --sandbox"
        raise ConfigError(message)
    source = load_source(args)
    prior = HeatmapConfig.for_exchange(args.exchange or "hyperliquid")
    return score_positions(
        source.candles,
        load_positions(args.positions, args.pair.partition("/")[0]),
        source.config if args.config else prior,
        **source.inputs,
    )


def market_name(args: argparse.Namespace) -> str:
    """Say where candles and truth come from."""
    if not args.sandbox:
        recorded = getattr(args, "positions", None) or args.liquidations
        return f"recorded: {recorded.name}" if recorded else "candles alone"
    return f"SANDBOX {args.sandbox}, seed {args.seed}, {args.days} days, {args.arrivals:g} traders a minute"


def _timerange(text: str) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    if not re.fullmatch(r"(\d{8})?-(\d{8})?", text):
        message = f"must be FROM-TO with dates such as 20240720-20240820, received {text!r}"
        raise argparse.ArgumentTypeError(message)
    first, last = (pd.Timestamp(day, tz="UTC") if day else None for day in text.split("-"))
    return first, last
