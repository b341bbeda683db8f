"""A market and what was liquidated in it, recorded or simulated: what `validate` and `calibrate` take."""

import argparse
import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from liqfeature.cli.market import add_market, load_market
from liqfeature.cli.options import add_time_range, working
from liqfeature.cli.source import TIMEFRAME
from liqfeature.cli.timerange import EVERYTHING
from liqfeature.data.schema import SANDBOX_MARKER, UNITS
from liqfeature.errors import ConfigError
from liqfeature.sandbox.simulation.scenario import SCENARIOS

if TYPE_CHECKING:
    from liqfeature.data.pair import PairData

_DAYS, _ARRIVALS = 150, 40.0
"""Long enough for a placebo test at 1 %, and enough traders that no single one makes a cluster."""


def add_truth(command: argparse.ArgumentParser) -> None:
    """Add the options that `truth_of` reads."""
    scenarios = f"instead of data, simulate: {', '.join(SCENARIOS)}"
    source = add_market(command)
    source.add_argument("--sandbox", metavar="SCENARIO", help=scenarios)
    add = command.add_argument
    recorded = "with --datadir: recorded totals or orders, or the directory of `liqfeature record`"
    add("--liquidations", type=Path, metavar="PATH", help=recorded)
    add("--unit", choices=UNITS, default="quote", help="of recorded totals (default: %(default)s)")
    add_time_range(command)
    add("--seed", type=int, default=1, help="of the sandbox (default: %(default)s)")
    add("--days", type=int, default=_DAYS, help="of the sandbox (default: %(default)s)")
    arrivals = "traders a minute in the sandbox (default: %(default)g)"
    add("--arrivals", type=float, default=_ARRIVALS, help=arrivals)


class Truth(NamedTuple):
    """Where a market comes from, and the arguments of `validate` that it makes."""

    about: dict[str, str]
    inputs: dict[str, Any]


def truth_of(args: argparse.Namespace, *, recorded: bool = False) -> Truth:
    """Read or simulate what the options name.

    Raises ConfigError where recorded liquidations are needed and there are none.
    """
    if recorded and not args.sandbox and args.liquidations is None:
        message = "--liquidations PATH must be given unless --sandbox is, received none"
        raise ConfigError(message)
    if args.source and (recorded or args.sandbox):
        message = f"--source goes with `validate --datadir` alone, received {args.source}"
        raise ConfigError(message)
    about, inputs = _simulated(args) if args.sandbox else _recorded(args)
    return Truth(about, {**inputs, **(args.timerange or EVERYTHING).timestamps()})


def about(market: "PairData", recorded: Path | None) -> dict[str, str]:
    """Say what a score of recorded data is made from."""
    return {
        "market": f"recorded: {recorded.name}" if recorded else "candles alone",
        "exchange": market.exchange,
        "pair": market.pair,
        "timeframe": market.timeframe,
    }


def _recorded(args: argparse.Namespace) -> Truth:
    from liqfeature.data.recorded import load_recorded

    market, path = load_market(args), args.liquidations
    inputs = {
        "candles": market.candles,
        "liquidations": load_recorded(path, market.pair, market.exchange) if path else None,
        "config": market.config,
        **market.inputs,
        "unit": args.unit,
        "hours_between": 1,
    }
    return Truth(about(market, path), inputs)


def _simulated(args: argparse.Namespace) -> Truth:
    from liqfeature.estimate.config import HeatmapConfig, load_config
    from liqfeature.estimate.reach import ReachRule
    from liqfeature.sandbox.simulation import frames, truth
    from liqfeature.sandbox.simulation.scenario import scenario
    from liqfeature.sandbox.simulation.simulate import simulate

    market = dataclasses.replace(scenario(args.sandbox), arrivals=args.arrivals)
    pair, timeframe = args.pair or "BTC/USDT:USDT", args.timeframe or TIMEFRAME
    with working(f"simulating {args.days} days of {pair}: about a second for three days"):
        tape = simulate(market, pair, start="2026-01-01", days=args.days, seed=args.seed)
    timeless = ReachRule(hours=(1.0,) * 24, weekend=1.0)  # it trades as much at night as by day
    steady = HeatmapConfig.for_pair(pair, args.exchange or "binance", reach=timeless)
    config = load_config(args.heatmap) if args.heatmap else steady
    inputs = {
        "candles": frames.candles(tape, timeframe),
        "liquidations": tape.forced_orders,
        "unit": "quote",
        "config": config,
        "open_interest": frames.open_interest(tape, timeframe),
        "funding_rate": frames.funding(tape),
        "true_maps": functools.partial(truth.true_maps, tape, width=config.grid.width),
    }
    told = f"seed {args.seed}, {args.days} days, {args.arrivals:g} traders a minute"
    name = f"{SANDBOX_MARKER} {args.sandbox}, {told}"
    return Truth({"market": name, "pair": pair, "timeframe": timeframe}, inputs)
