"""The command line `liqfeature`: one file per command, each of which loads what it needs when it runs."""

import argparse
import importlib.metadata
import sys
from collections.abc import Sequence
from typing import NoReturn

from liqfeature.cli import (
    calibrate,
    chart,
    columns,
    doctor,
    download,
    features,
    hyperopt,
    import_,
    init,
    record,
    report,
    sandbox,
    serve,
    show,
    trades,
    validate,
    walkforward,
    warm,
)
from liqfeature.cli.output import check_outputs
from liqfeature.errors import LiqFeatureError

_COMMANDS = (
    *(init, columns, features, show, chart, serve),
    *(report, trades, walkforward, hyperopt),
    *(download, record, import_, validate, calibrate),
    *(sandbox, doctor, warm),
)

_BAD_USE = 2
_INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """A parser that reports a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(_BAD_USE, f"{self.prog}: {message} (see {self.prog} --help)\n")


class _Version(argparse.Action):
    """Looks the version up where it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        print(f"{parser.prog} {importlib.metadata.version('liqfeature')}")
        parser.exit()


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
        check_outputs(args)
        return int(args.run(args))
    except (LiqFeatureError, OSError) as error:
        print(f"liqfeature: {_plain(error)}", file=sys.stderr)
        return _BAD_USE
    except KeyboardInterrupt:
        return _INTERRUPTED


def _plain(error: Exception) -> str:
    """Name the file before what is wrong with it, where the system says so."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="liqfeature",
        description="Liquidation features for Freqtrade: where leveraged positions would be force-closed.",
        epilog="Each command explains itself: liqfeature COMMAND --help",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_to(commands)
    return parser
