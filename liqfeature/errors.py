"""Everything that liqfeature raises on purpose.

- LiqFeatureError
    - ConfigError (also ValueError): a parameter breaks its rule
    - DataError (also ValueError): candles, open interest or funding break a rule
        - MissingColumnError: a frame lacks a column
    - MissingExtraError (also ImportError): an optional dependency is not installed

A message names the thing, the rule and the value received.
"""


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
