"""What the commands share: how one is added, and options that several of them take."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeAlias

from liqfeature.cli.timerange import time_range
from liqfeature.errors import extra
from liqfeature.exchange.traits import EXCHANGES, canonical

if TYPE_CHECKING:
    from rich.console import Console

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_command(
    commands: Commands, name: str, run: Callable[[argparse.Namespace], int], summary: str, example: str = ""
) -> argparse.ArgumentParser:
    """Add a command.

    Parameters
    ----------
    commands : action of argparse
        What it is added to.
    name : str
        As it is typed.
    run : callable
        Does it; returns the exit code.
    summary : str
        What it does, begun with a small letter and without a full stop.
    example : str
        What stands at the end of its help, as it is.
    """
    command = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    return command


def add_time_range(options: "argparse._ActionsContainer") -> None:
    """Add `--timerange`, read by `time_range`."""
    told = "candles to take, as for freqtrade: 20260125-20260206, 20260125-, -20260206"
    options.add_argument("--timerange", type=time_range, metavar="FROM-TO", help=told)


def exchange(name: str) -> str:
    """Read the name of an exchange, in any case or by an alias."""
    known = canonical(name)
    if known not in EXCHANGES:
        message = f"must be one of {', '.join(EXCHANGES)}, received {name!r}"
        raise argparse.ArgumentTypeError(message)
    return known


@contextmanager
def working(told: str) -> Iterator[None]:
    """Say on standard error what takes its time: with the time that passes on a terminal, else in a line."""
    if not (sys.stderr.isatty() and find_spec("rich")):
        print(f"{told} ...", file=sys.stderr, flush=True)
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task(told, total=None)
        yield


def console_of(needed: str) -> "Console":
    """Return a console on standard error, whose package an extra brings."""
    with extra(needed):
        from rich.console import Console
    return Console(stderr=True, highlight=False, soft_wrap=True)
