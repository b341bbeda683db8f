"""A bar on standard error, for runs that take minutes."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from liqfeature.errors import MissingExtraError

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
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    except ImportError as error:
        message = "the walk-forward needs rich: pip install 'liqfeature[score]'"
        raise MissingExtraError(message) from error
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=total)

        @contextmanager
        def step(what: str) -> Iterator[None]:
            bar.update(task, description=what)
            yield
            bar.advance(task)

        yield step
