"""Rules of parameters: each broken one is a ConfigError that names parameter, rule and value received."""

import dataclasses
from typing import Any, get_args, get_origin

from liqfeature.errors import ConfigError


def require(name: str, holds: bool, rule: str, value: object) -> None:
    """Raise ConfigError unless the rule holds."""
    if not holds:
        msg = f"{name} must be {rule}, received {value}"
        raise ConfigError(msg)


def require_at_least(minimum: float, **values: float) -> None:
    """Raise ConfigError unless every value is at least `minimum`; NaN is not."""
    for name, value in values.items():
        require(name, value >= minimum, f"at least {minimum}", value)


def require_share(**values: float) -> None:
    """Raise ConfigError unless every value lies between 0 and 1, both excluded."""
    for name, value in values.items():
        require(name, 0 < value < 1, "between 0 and 1", value)


def require_types(parameters: Any) -> None:
    """Raise ConfigError unless every field of a dataclass holds what it is annotated with.

    A whole number will do for a float, and a tuple holds numbers only.
    """
    for field in dataclasses.fields(parameters):
        value = getattr(parameters, field.name)
        if field.type is int:
            require(field.name, _is_whole(value), "a whole number", repr(value))
        elif field.type is float:
            require(field.name, _is_number(value), "a number", repr(value))
        elif get_origin(field.type) is tuple:
            whole = get_args(field.type)[0] is int
            holds = isinstance(value, tuple) and all((_is_whole if whole else _is_number)(v) for v in value)
            require(field.name, holds, f"a tuple of {'whole ' if whole else ''}numbers", repr(value))
        elif isinstance(field.type, type):
            require(field.name, isinstance(value, field.type), f"a {field.type.__name__}", repr(value))


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return _is_whole(value) or isinstance(value, float)
