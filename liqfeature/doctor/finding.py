"""What a check found."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is: nothing, results suffer, results are wrong or there are none."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report.

    Parameters
    ----------
    check : str
        What was looked at.
    level : Level
    saw : str
        What is there.
    do : str
        What to do about it, with the command; empty where there is nothing to do.
    """

    check: str
    level: Level
    saw: str
    do: str = ""


def fine(check: str, saw: str) -> Finding:
    """Say that all is well."""
    return Finding(check, Level.OK, saw)


def warn(check: str, saw: str, do: str) -> Finding:
    """Say that results suffer."""
    return Finding(check, Level.WARN, saw, do)


def fail(check: str, saw: str, do: str) -> Finding:
    """Say that results are wrong, or that there are none."""
    return Finding(check, Level.FAIL, saw, do)
