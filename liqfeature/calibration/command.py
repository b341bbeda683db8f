"""`liqfeature calibrate`: fit the map to recorded liquidations, or odds to candles; write a configuration."""

import argparse
import json
from pathlib import Path
from typing import Any

from liqfeature.calibration.calibrate import Calibration, calibrate
from liqfeature.calibration.cascade import calibrate_cascade
from liqfeature.scoring.command import add_market, market_name, market_of, require_folder

_EXAMPLE = """\
example:
  liqfeature calibrate --datadir user_data/data/binance --pair BTC/USDT:USDT \\
    --liquidations recorded.parquet --out configs/btc.json
  liqfeature calibrate --target cascade --datadir user_data/data/binance --pair BTC/USDT:USDT \
    --out configs/btc.json
  liqfeature validate --datadir user_data/data/binance --pair BTC/USDT:USDT \\
    --liquidations recorded.parquet --config configs/btc.json --timerange 20260301-

Parameters are chosen on the first half of the recording, and only where they help in both halves of that;
scores on the second half are printed beside those before. The odds of a cascade need candles alone: its event
is that the map's own sweeps exceed their trailing 95 % level. Nothing is fitted while a strategy runs.
"""


INPUTS = ("candles", "config", "open_interest", "funding_rate", "first", "last")

TARGETS = ("liquidations", "cascade")


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `calibrate` to a command line."""
    command = commands.add_parser(
        "calibrate",
        help="fit turnover and leverage to recorded liquidations, and write a configuration",
        description="Write a configuration fitted to recorded liquidations, or to the sandbox's.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_market(command)
    command.add_argument(
        "--target",
        choices=TARGETS,
        default=TARGETS[0],
        help="what is fitted: the map, to recorded liquidations, or liq_cascade_* (default: %(default)s)",
    )
    command.add_argument(
        "--complete",
        action="store_true",
        help="the recording holds every liquidation: use amounts too, not only the order of hours",
    )
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="configuration to write")
    command.set_defaults(run=_calibrate)


def _calibrate(args: argparse.Namespace) -> int:
    require_folder(args.out)
    market = market_of(args, recorded=args.target == "liquidations")
    inputs = {name: market[name] for name in INPUTS}
    if args.target == "cascade":
        found = calibrate_cascade(**inputs)
    else:
        ranks_only = not (args.complete or args.sandbox)
        recorded = {name: market[name] for name in ("liquidations", "unit")}
        found = calibrate(**recorded, **inputs, ranks_only=ranks_only)
    _print(found)
    values = found.to_dict()
    values["provenance"] = {
        "market": market_name(args),
        "pair": args.pair,
        "timeframe": args.timeframe,
        **found.provenance,
    }
    args.out.write_text(json.dumps(values, indent=4) + "\n", encoding="utf-8")
    print(f"written to {args.out}")
    return 0


def _print(found: Calibration) -> None:
    provenance = found.provenance
    for step, note in provenance.get("steps", {"odds": found.config.cascade.odds}).items():
        print(f"{step:>8}: {note}")
    for where in ("in sample", "out of sample"):
        period = provenance[where]
        rows = " ".join(str(period[unit]) + " " + unit for unit in ("hours", "candles") if unit in period)
        print(f"{where}, {rows} from {period['from']} to {period['to']}")
        before, after = (provenance[f"scores {when}"][where] for when in ("before", "after"))
        for name, value in before.items():
            print(f"  {name:<17} {value:.4f} before, {after[name]:.4f} after")
