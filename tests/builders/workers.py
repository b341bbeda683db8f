"""Tasks that kill the process they run in, once, as a lack of memory would."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from liqfeature.cluster.pairs import PairTask, write_pair
from liqfeature.errors import DataError


def die_once(mark: Path) -> None:
    """Kill this process, unless that was done before."""
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Mortal:
    """A pair whose worker dies at its first attempt, after some of the file was written beside."""

    task: PairTask
    mark: Path


def write_mortally(mortal: Mortal) -> bool:
    if mortal.mark.name and not mortal.mark.exists():
        (mortal.task.out.parent / f".dead.{mortal.task.out.name}").write_bytes(b"ARROW1")
        die_once(mortal.mark)
    return write_pair(mortal.task)


def refuse(task: str) -> int:
    message = f"task {task} is refused"
    raise DataError(message)


def number(task: int) -> tuple[int, int]:
    return task, os.getpid()
