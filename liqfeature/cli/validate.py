"""`liqfeature validate`: the scorecard as a table and as JSON."""

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from liqfeature.cli.market import load_market
from liqfeature.cli.options import Commands, add_command, working
from liqfeature.cli.output import SCORES, add_output
from liqfeature.cli.truth import about, add_truth, truth_of
from liqfeature.cluster.workers import add_workers
from liqfeature.errors import ConfigError

if TYPE_CHECKING:
    from liqfeature.scoring.scorecard import Scorecard

_EXAMPLE = """\
examples:
  liqfeature validate --datadir user_data/data/binance --pair BTC/USDT:USDT --liquidations recorded.parquet
  liqfeature validate --sandbox liquid --seed 1
  liqfeature validate --sandbox liquid --seeds 1 2 3 4 5 --workers 2

Recorded liquidations are hourly totals (date, long, short), single orders, or the directory that `liqfeature
record` writes, of which the exchange's own are taken. Every map, ours and what others do from the same
inputs, sees the same candles; nothing is fitted on the hours that are scored. In the sandbox the positions
are known, so that the map of the positions really open stands beside the estimates. Of several seeds every
score is the mean, and the figures in brackets are the smallest and the largest, no interval of confidence.
"""


def add_to(commands: Commands) -> None:
    """Add `validate` to a command line."""
    summary = "score the estimate and its baselines against recorded liquidations, or the sandbox's truth"
    command = add_command(commands, "validate", _validate, summary, _EXAMPLE)
    add_truth(command)
    positions = "with --datadir: snapshots of real positions instead, Hyperliquid's without --exchange"
    command.add_argument("--positions", type=Path, metavar="FILE", help=positions)
    seeds = "instead of --seed: the mean of several, each a task of --workers"
    command.add_argument("--seeds", type=int, nargs="+", metavar="N", help=seeds)
    add_workers(command)
    add_output(command, "--out", SCORES, "write the scores there: FILE.json or FILE.md")


def _validate(args: argparse.Namespace) -> int:
    from liqfeature.scoring.scorecard import print_scorecard, write_scorecard

    if args.seeds or args.workers != 1:
        card = _over_seeds(args)
    else:
        card = _against_positions(args) if args.positions else _against_truth(args)
    print_scorecard(card)
    print(", ".join(f"{name} {v}" for name, v in card.about.items() if name not in ("config", "orders")))
    if args.out:
        write_scorecard(card, args.out)
        print(f"written to {args.out}")
    return 0


def _against_truth(args: argparse.Namespace) -> "Scorecard":
    from liqfeature.scoring.validate import validate

    truth = truth_of(args)
    with working("scoring the estimate and its baselines: about a minute for 30 days of candles"):
        return _about(validate(**truth.inputs), truth.about)


def _over_seeds(args: argparse.Namespace) -> "Scorecard":
    from liqfeature.cluster.work import outcomes
    from liqfeature.scoring.seeds import over_seeds

    if not (args.sandbox and args.seeds) or args.positions:
        message = "--seeds N ... must be given with --sandbox, and --workers with --seeds, received less"
        raise ConfigError(message)
    tasks = [argparse.Namespace(**{**vars(args), "seed": seed}) for seed in dict.fromkeys(args.seeds)]
    cards = {}
    for task, outcome in outcomes(_against_truth, tasks, args.workers, "seeds"):
        if isinstance(outcome, Exception):
            raise outcome
        cards[task.seed] = outcome
    return over_seeds(dict(sorted(cards.items())))


def _against_positions(args: argparse.Namespace) -> "Scorecard":
    """Score with the prior of the exchange that the positions come from, whatever the candles'."""
    from liqfeature.estimate.config import HeatmapConfig
    from liqfeature.scoring.score_positions import load_positions, score_positions

    if args.sandbox:
        message = "--positions needs --datadir, received --sandbox"
        raise ConfigError(message)
    market = load_market(args)
    prior = HeatmapConfig.for_exchange(args.exchange or "hyperliquid")
    card = score_positions(
        market.candles,
        load_positions(args.positions, market.pair.partition("/")[0]),
        market.config if args.heatmap else prior,
        **market.inputs,
    )
    return _about(card, about(market, args.positions))


def _about(card: "Scorecard", market: dict[str, str]) -> "Scorecard":
    return dataclasses.replace(card, about={**market, **card.about})
