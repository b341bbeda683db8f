"""A run of the recorder that is watched: its counts kept in sight, its log shown, and an orderly end."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from liqfeature.recorder.session import Session
from liqfeature.recorder.show import counts_line, counts_table

if TYPE_CHECKING:
    from rich.console import Console

Result = TypeVar("Result")

LOG_EVERY = 60.0
"""Seconds between lines of counts where nobody watches a terminal."""


def watched(
    session: Session, exchanges: dict[str, dict[str, Any]], pairs: list[str], console: "Console"
) -> int:
    """Record until a signal or Ctrl-C; return how many prints could not be written and are lost."""
    with logging_to(console):
        lost = asyncio.run(
            until_signal(lambda stop: session.run(exchanges, pairs, stop), _show(session, console))
        )
    console.print(counts_line(session))
    if lost:
        console.print(f"[red]{lost} prints could not be written and are lost[/]")
    return lost


async def until_signal(
    run: Callable[[asyncio.Event], Awaitable[Result]], shown: Coroutine[Any, Any, None]
) -> Result:
    """Run something until a signal stops it, and what shows how it goes beside it."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C cancels the run instead
            loop.add_signal_handler(number, stop.set)
    watching = asyncio.create_task(shown)
    try:
        return await run(stop)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _show(session: Session, console: "Console") -> None:
    """Keep the counts in sight: a table on a terminal, a line a minute elsewhere."""
    if not console.is_terminal:
        while True:
            await asyncio.sleep(LOG_EVERY)
            console.print(counts_line(session))
    from rich.live import Live

    with Live(counts_table(session), console=console, auto_refresh=False, transient=True) as live:
        while True:
            live.update(counts_table(session), refresh=True)
            await asyncio.sleep(1.0)


@contextlib.contextmanager
def logging_to(console: "Console") -> Iterator[None]:
    """Show what the recorder logs."""
    from rich.logging import RichHandler

    handler = RichHandler(console=console, show_path=False, log_time_format="%Y-%m-%d %H:%M:%S")
    logger = logging.getLogger("liqfeature.recorder")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
