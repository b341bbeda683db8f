"""A bar on standard error, for runs that take minutes."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from liqfeature.errors import extra

Step = Callable[[str], AbstractContextManager[None]]
"""`with step("what is done"):` counts as done once the block is left without an error."""


_PERIOD = 86_400.0
"""Seconds whose steps tell how long the rest takes: all of a run's, since one may take minutes."""


@contextmanager
def progress(total: int) -> Iterator[Step]:
    """Show how many of `total` steps are done, which one runs and how long the rest takes.

    Where there is no terminal, the end alone.

    Raises
    ------
    MissingExtraError
        If rich is not installed.
    """
    with extra("cli"):
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
    told = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*told, *times, console=console, speed_estimate_period=_PERIOD) as bar:
        task = bar.add_task("", total=total)

        @contextmanager
        def step(what: str) -> Iterator[None]:
            bar.update(task, description=what)
            yield
            bar.advance(task)

        yield step
