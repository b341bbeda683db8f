"""The simulated exchange's clock: it stands, follows the time of day, or is set by a file."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from liqfeature.errors import ConfigError


class Clock(Protocol):
    """Tells the simulated exchange what time it is."""

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
    """A clock that runs with the time of day.

    Parameters
    ----------
    moment : int
        Milliseconds since 1970 that it shows when it is made.
    speed : float, default 1.0
        Simulated seconds per second.
    began : float, optional
        `time.monotonic()` when it showed the moment; now, where left out.
    """

    moment: int
    speed: float = 1.0
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        if not self.speed > 0:
            message = f"speed must be above 0, got {self.speed}"
            raise ConfigError(message)

    @classmethod
    def of_day(cls) -> "WallClock":
        """Make a clock that shows the time of day."""
        return cls(time.time_ns() // 1_000_000)

    def now(self) -> int:
        """Return the moment, and what has passed since."""
        return self.moment + int(1000 * self.speed * (time.monotonic() - self.began))


@dataclass(frozen=True, slots=True)
class FileClock:
    """A clock that shows what stands in a file, read anew each time: `set_clock` writes it.

    Parameters
    ----------
    path : Path
        Holds milliseconds since 1970, or a date in ISO 8601, UTC where it names no zone.
    """

    path: Path

    def now(self) -> int:
        """Return what stands in the file.

        Raises
        ------
        ConfigError
            If the file is missing, or holds something else.
        """
        try:
            return milliseconds(self.path.read_text(encoding="utf-8").strip())
        except (OSError, ValueError) as error:
            rule = "must hold milliseconds since 1970 or a date in ISO 8601"
            message = f"clock file {self.path} {rule}: {error}"
            raise ConfigError(message) from error


def milliseconds(text: str) -> int:
    """Return the moment that a text names, as in `FileClock`; a ValueError where it names none."""
    if text.isascii() and text.isdigit():
        return int(text)
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def set_clock(path: Path, moment: int) -> None:
    """Set a `FileClock`; a reader sees the former moment or this one, and nothing in between."""
    draft = path.with_name(path.name + ".new")
    draft.write_text(str(moment), encoding="utf-8")
    draft.replace(path)
