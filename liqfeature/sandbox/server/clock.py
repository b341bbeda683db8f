"""The clock of the simulated exchange: fixed, running, or set by a file."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from liqfeature.checks import require
from liqfeature.sandbox.server.watched import Watched


class Clock(Protocol):
    """The time of the simulated exchange."""

    def now(self) -> int:
        """Return milliseconds since 1970."""


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that stands still.

    Parameters
    ----------
    moment : int
        Milliseconds since 1970.
    """

    moment: int

    def now(self) -> int:
        """Return the moment."""
        return self.moment


@dataclass(frozen=True, slots=True)
class WallClock:
    """A clock that runs.

    Parameters
    ----------
    moment : int
        Milliseconds since 1970 that it shows when it starts.
    speed : float, default 1.0
        Simulated seconds per second.
    began : float, optional
        `time.monotonic()` at its start; by default now.
    """

    moment: int
    speed: float = 1.0
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        require("speed", self.speed > 0, "above 0", self.speed)

    @classmethod
    def of_day(cls) -> "WallClock":
        """Return a clock that shows the time of day."""
        return cls(time.time_ns() // 1_000_000)

    def now(self) -> int:
        """Return the moment plus the time since."""
        return self.moment + int(1000 * self.speed * (time.monotonic() - self.began))


class FileClock:
    """A clock that shows the moment in a file, read each time; `set_clock` writes it.

    While the file is missing or bad, it shows the last good moment.

    Parameters
    ----------
    path : Path
        Holds milliseconds since 1970, or a date in ISO 8601, UTC where it names no zone.
    """

    def __init__(self, path: Path) -> None:
        self._file = Watched(
            path, lambda text: milliseconds(text.strip()), "milliseconds or a date in ISO 8601"
        )

    def now(self) -> int:
        """Return the moment in the file.

        Raises
        ------
        ConfigError
            If the file was missing or bad from the start.
        """
        return self._file.value()


def milliseconds(text: str) -> int:
    """Return the moment that a text names, as in `FileClock`; raise ValueError where it names none."""
    if text.isascii() and text.isdigit():
        return int(text)
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def set_clock(path: Path, moment: int) -> None:
    """Set a `FileClock`; a reader sees either the old moment or the new one."""
    draft = path.with_name(path.name + ".new")
    draft.write_text(str(moment), encoding="utf-8")
    draft.replace(path)
