"""Freqtrade's configuration files, read without Freqtrade."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

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
        If a file holds no JSON object.
    OSError
        If there is no such file.
    """
    config: dict[str, Any] = {}
    for path in paths:
        own = _read(Path(path))
        further = [Path(path).parent / name for name in own.pop("add_config_files", [])]
        config = _merged(config, _merged(load_bot_config(further), own))
    return config


def ccxt_options(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a configuration gives to ccxt."""
    venue = config.get("exchange", {})
    return {**venue.get("ccxt_config", {}), **venue.get("ccxt_async_config", {})}


def is_sandbox(options: Mapping[str, Any]) -> bool:
    """Whether ccxt's options lead to the sandbox rather than to an exchange."""
    return "://127.0.0.1" in str(options.get("urls", ""))


def _read(path: Path) -> dict[str, Any]:
    text = _TEXT_OR_COMMENT.sub(lambda found: found[1] or "", path.read_text(encoding="utf-8"))
    try:
        values = json.loads(_TEXT_OR_LAST_COMMA.sub(lambda found: found[1] or "", text))
    except json.JSONDecodeError as error:
        msg = f"{path} must hold JSON: {error}"
        raise ConfigError(msg) from error
    if not isinstance(values, dict):
        msg = f"{path} must hold a JSON object, received {type(values).__name__}"
        raise ConfigError(msg)
    return values


def _merged(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    both = dict(lower)
    for name, value in upper.items():
        under = lower.get(name)
        both[name] = _merged(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return both
