"""One command and all processes that it starts, ended together."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end a program in an orderly way: Ctrl-C, `kill`, a closed terminal."""

_GRACE = 10.0
"""Seconds in which processes of a signalled command may end by themselves."""


@contextmanager
def handling(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Send the stop signals to a function for as long as the context lasts."""
    before = [(signum, signal.signal(signum, handler)) for signum in STOP_SIGNALS]
    try:
        yield
    finally:
        for signum, former in before:
            signal.signal(signum, former)


def run_child(command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Run a command to its end, passing on the signals that would end this process.

    The command leads its own process group: a signal from a terminal or from `kill` reaches it once, and its
    children too. Outside the terminal's foreground it would wait forever for keyboard input, so it gets none.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    environment : mapping of str to str, optional
        Variables in addition to those of this process.

    Returns
    -------
    int
        Its exit code; 128 plus the signal's number where a signal ended it.

    Raises
    ------
    OSError
        If the program cannot be started.
    """
    child: subprocess.Popen[bytes] | None = None
    received: list[int] = []

    def forward(signum: int, frame: FrameType | None) -> None:
        del frame
        received.append(signum)
        if child is not None:
            _signal_group(child.pid, signum)

    with handling(forward):
        everything = os.environ | (environment or {})
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0, env=everything)
        for signum in received:  # those from before the child started
            _signal_group(child.pid, signum)
        code = child.wait()
        if received:
            _outlast_group(child.pid)
    return 128 - code if code < 0 else code


def _signal_group(group: int, signum: int) -> bool:
    """Signal a process group; return whether any of it is left."""
    with suppress(ProcessLookupError, PermissionError):  # macOS denies it for a group of dead processes
        os.killpg(group, signum)
        return True
    return False


def _outlast_group(group: int) -> None:
    """End what an interrupted command left: background jobs of a shell, for example, ignore Ctrl-C."""
    _signal_group(group, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE
    while time.monotonic() < deadline:
        if not _signal_group(group, 0):
            return
        time.sleep(0.05)
    _signal_group(group, signal.SIGKILL)
