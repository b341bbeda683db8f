"""`liqfeature hyperopt`: Freqtrade's, with its epochs on several machines."""

import argparse

from liqfeature.cli.options import Commands, add_command
from liqfeature.cluster.workers import add_workers

_EXAMPLE = """\
example:
  liqfeature hyperopt --workers tcp://10.0.0.5:8786 -- --strategy LiquidationClusters --epochs 200 \\
    --spaces enter exit --timerange 20260101-20260401 --random-state 1

What stands after -- is given to freqtrade hyperopt, which asks for as many epochs at a time as there are
workers, or as its own -j says. Losses are those of the same -j and --random-state without workers.
"""


def add_to(commands: Commands) -> None:
    """Add `hyperopt` to a command line."""
    summary = "run freqtrade hyperopt with its epochs on workers of this or other machines"
    command = add_command(commands, "hyperopt", _hyperopt, summary, _EXAMPLE)
    add_workers(command)
    command.add_argument("options", nargs="*", metavar="-- OPTIONS", help="of freqtrade hyperopt")


def _hyperopt(args: argparse.Namespace) -> int:
    from liqfeature.cluster.hyperopt import hyperopt

    return hyperopt(args.options, args.workers)
