"""`liqfeature calibrate`: fit the map to recorded liquidations, or odds to candles; write a configuration."""

import argparse
import json
from typing import TYPE_CHECKING

from liqfeature.cli.options import Commands, add_command, working
from liqfeature.cli.output import PARAMETERS, add_output
from liqfeature.cli.truth import add_truth, truth_of

if TYPE_CHECKING:
    from liqfeature.calibration.calibrate import Calibration

_EXAMPLE = """\
example:
  liqfeature calibrate --datadir user_data/data/binance --pair BTC/USDT:USDT \\
    --liquidations recorded.parquet --out configs/btc.json
  liqfeature calibrate --target cascade --datadir user_data/data/binance --pair BTC/USDT:USDT \\
    --out configs/btc.json
  liqfeature validate --datadir user_data/data/binance --pair BTC/USDT:USDT \\
    --liquidations recorded.parquet --heatmap configs/btc.json --timerange 20260301-

Parameters are chosen on the first half of the recording, and only where they help in both halves of that;
scores on the second half are printed beside those before. The odds of a cascade need candles alone: its event
is that the map's own sweeps exceed their trailing 95 % level. Nothing is fitted while a strategy runs.
"""

INPUTS = ("candles", "config", "open_interest", "funding_rate", "mark", "first", "last")

TARGETS = ("liquidations", "cascade")


def add_to(commands: Commands) -> None:
    """Add `calibrate` to a command line."""
    summary = "fit turnover and leverage to recorded liquidations, and write a configuration"
    command = add_command(commands, "calibrate", _calibrate, summary, _EXAMPLE)
    add_truth(command)
    add = command.add_argument
    target = "what is fitted: the map, to recorded liquidations, or liq_cascade_* (default: %(default)s)"
    add("--target", choices=TARGETS, default=TARGETS[0], help=target)
    complete = "the recording holds every liquidation: use amounts too, not only the order of hours"
    add("--complete", action="store_true", help=complete)
    add_output(command, "--out", PARAMETERS, "configuration to write, FILE.json", required=True)


def _calibrate(args: argparse.Namespace) -> int:
    from liqfeature.calibration.calibrate import calibrate
    from liqfeature.calibration.cascade import calibrate_cascade

    truth = truth_of(args, recorded=args.target == "liquidations")
    inputs = {name: truth.inputs[name] for name in INPUTS if name in truth.inputs}
    with working("fitting: about a minute for 30 days of candles"):
        if args.target == "cascade":
            found = calibrate_cascade(**inputs)
        else:
            ranks_only = not (args.complete or args.sandbox)
            recorded = {name: truth.inputs[name] for name in ("liquidations", "unit")}
            found = calibrate(**recorded, **inputs, ranks_only=ranks_only)
    _print(found)
    values = found.to_dict() | {"provenance": {**truth.about, **found.provenance}}
    args.out.write_text(json.dumps(values, indent=4) + "\n", encoding="utf-8")
    print(f"written to {args.out}")
    return 0


def _print(found: "Calibration") -> None:
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
