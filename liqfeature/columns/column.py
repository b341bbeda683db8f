"""What is said of a column, and the version of what all of them mean."""

from dataclasses import dataclass

from liqfeature.errors import ConfigError

SCHEMA = 2
"""Raised by one where a column goes, or means something else; a new column alone changes nothing.

It is written into tables and into the plans of trades; the changelog says what each version changed.
"""

SCHEMA_KEY = "liq_schema"
"""Under which a table has it, in `DataFrame.attrs`."""


def require_schema(version: int) -> None:
    """Raise ConfigError unless columns mean what they did in a version.

    Parameters
    ----------
    version : int
        `SCHEMA` of the package that a strategy was written for.

    Raises
    ------
    ConfigError
        If the installed package has another.
    """
    if version != SCHEMA:
        message = f"columns must be of schema {SCHEMA}, as installed (CHANGELOG.md), received {version}"
        raise ConfigError(message)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its unit, the closed range of its values (NaN apart), and its meaning in a sentence."""

    unit: str
    lowest: float
    highest: float
    meaning: str
