"""Everything that liqfeature raises on purpose.

- LiqFeatureError
    - ConfigError (also ValueError): a parameter breaks its rule
    - DataError (also ValueError): candles, open interest or funding break a rule
        - MissingColumnError: a frame lacks a column
    - MissingExtraError (also ImportError): an optional dependency is not installed

A message names the thing, the rule and the value received.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class LiqFeatureError(Exception):
    """Base of every error that liqfeature raises on purpose."""


class ConfigError(LiqFeatureError, ValueError):
    """A parameter breaks its rule."""


class DataError(LiqFeatureError, ValueError):
    """Input data break a rule."""


class MissingColumnError(DataError):
    """A frame lacks a column."""


class MissingExtraError(LiqFeatureError, ImportError):
    """An optional dependency is not installed."""


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Raise MissingExtraError, which names an extra to install, where a package imported inside is missing.

    A package that is there and broken raises what it raises: installing it once more might not help.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        message = f"{package} is not installed: pip install 'liqfeature[{name}]'"
        raise MissingExtraError(message) from error


@contextmanager
def parsing(path: Path, rule: str, *further: type[Exception]) -> Iterator[None]:
    """Raise DataError, which names a file and its rule, where what is inside stumbles over its content.

    Parameters
    ----------
    path : Path
    rule : str
        What the file must hold.
    *further : type of Exception
        What a library raises beside Python's own errors of values, keys and types.
    """
    pythons = (ArithmeticError, AttributeError, EOFError, LookupError, RuntimeError, TypeError, ValueError)
    stumbles: tuple[type[Exception], ...] = (*pythons, StopIteration, *further)
    try:
        yield
    except stumbles as error:
        message = f"{path} must hold {rule}: {error!r}"
        raise DataError(message) from error
