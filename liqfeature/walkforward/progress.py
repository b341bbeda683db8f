"""A bar on standard error, for runs that take minutes."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from liqfeature.errors import extra

Step = Callable[[str], AbstractContextManager[None]]
"""`with step("what is done"):` counts as done once the block is left without an error."""


@contextmanager
def progress(total: int) -> Iterator[Step]:
    """Show how many of `total` steps are done and which one runs; where there is no terminal, the end alone.

    Raises
    ------
    MissingExtraError
        If rich is not installed.
    """
    with extra("cli"):
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=total)

        @contextmanager
        def step(what: str) -> Iterator[None]:
            bar.update(task, description=what)
            yield
            bar.advance(task)

        yield step
