"""Freqtrade's configuration files, read without Freqtrade."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from liqfeature.checks import require
from liqfeature.errors import ConfigError

_TEXT_OR_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TEXT_OR_LAST_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])')


def load_bot_config(paths: Iterable[Path]) -> dict[str, Any]:
    """Read configuration files, each of which overrules those before it.

    Comments and a comma after the last entry are allowed, and further files may be named in
    `add_config_files`, as Freqtrade has it. Environment variables are not looked at.

    Raises
    ------
    ConfigError
        If a file holds no JSON object, names itself among further files, or a part that is read here is of
        another kind.
    OSError
        If there is no such file.
    """
    config = _load([Path(path) for path in paths], ())
    _require("exchange", config.get("exchange", {}), dict)
    for name, kind in (("ccxt_config", dict), ("ccxt_async_config", dict), ("pair_whitelist", list)):
        _require(f"exchange.{name}", config.get("exchange", {}).get(name, kind()), kind)
    return config


def ccxt_options(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a configuration gives to ccxt."""
    venue = config.get("exchange", {})
    return {**venue.get("ccxt_config", {}), **venue.get("ccxt_async_config", {})}


def is_sandbox(options: Mapping[str, Any]) -> bool:
    """Whether ccxt's options lead to the sandbox rather than to an exchange."""
    return "://127.0.0.1" in str(options.get("urls", ""))


def _load(paths: Iterable[Path], above: tuple[Path, ...]) -> dict[str, Any]:
    """Merge files; `above` are those that name them, one in the other."""
    config: dict[str, Any] = {}
    for path in paths:
        if path.resolve() in above:
            message = f"{path} must not be named in add_config_files by what it names, received itself"
            raise ConfigError(message)
        own = _read(path)
        names = own.pop("add_config_files", [])
        _require("add_config_files", names, list)
        further = _load([path.parent / str(name) for name in names], (*above, path.resolve()))
        config = _merged(config, _merged(further, own))
    return config


def _require(name: str, value: object, kind: type) -> None:
    rule = "a JSON object" if kind is dict else "a list"
    require(f"{name} of a configuration", isinstance(value, kind), rule, repr(value))


def _read(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    try:
        text = _TEXT_OR_COMMENT.sub(lambda found: found[1] or "", content.decode())
        values = json.loads(_TEXT_OR_LAST_COMMA.sub(lambda found: found[1] or "", text))
    except (ValueError, RecursionError) as error:  # of the encoding or of JSON
        message = f"{path} must hold JSON: {error}"
        raise ConfigError(message) from error
    if not isinstance(values, dict):
        message = f"{path} must hold a JSON object, received {type(values).__name__}"
        raise ConfigError(message)
    return values


def _merged(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    both = dict(lower)
    for name, value in upper.items():
        under = lower.get(name)
        both[name] = _merged(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return both
