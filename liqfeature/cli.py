"""The command line `liqfeature`: one function per command."""

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn

from liqfeature.calibration.command import add_commands as add_calibration
from liqfeature.chart.command import add_commands as add_chart
from liqfeature.chart.report_command import add_commands as add_report
from liqfeature.chart.trades_command import add_commands as add_trades
from liqfeature.columns import add_commands as add_columns
from liqfeature.doctor.command import add_commands as add_doctor
from liqfeature.errors import LiqFeatureError
from liqfeature.recorder.command import add_commands as add_recorder
from liqfeature.sandbox.command import add_commands as add_sandbox
from liqfeature.scoring.command import add_commands as add_scoring
from liqfeature.show import add_commands as add_show
from liqfeature.walkforward.command import add_commands as add_walkforward

_BAD_USE = 2
_INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """A parser that reports a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(_BAD_USE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        What stands behind the program's name; taken from the command line where left out.

    Returns
    -------
    int
        Exit code: 0 done, 1 where `doctor` finds a failure or `record` lost rows, 2 bad use or a missing file
        or package, 130 interrupted. `sandbox run` passes on that of its command.
    """
    args = _parser().parse_args(arguments)
    try:
        return int(args.run(args))
    except (LiqFeatureError, OSError) as error:
        print(f"liqfeature: {error}", file=sys.stderr)
        return _BAD_USE
    except KeyboardInterrupt:
        return _INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="liqfeature",
        description="Liquidation features for Freqtrade: where leveraged positions would be force-closed.",
        epilog="Each command explains itself: liqfeature COMMAND --help",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('liqfeature')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_columns(commands)
    add_scoring(commands)
    add_calibration(commands)
    add_recorder(commands)
    add_doctor(commands)
    add_chart(commands)
    add_show(commands)
    add_report(commands)
    add_trades(commands)
    add_walkforward(commands)
    add_sandbox(commands)
    return parser
