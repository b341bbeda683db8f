"""Put a strategy, its loss and a configuration into a user directory of Freqtrade, and replace nothing."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from liqfeature.checks import require
from liqfeature.data.botconfig import load_bot_config
from liqfeature.errors import ConfigError
from liqfeature.exchange.traits import canonical, exchange_traits

SHIPPED = Path(__file__).parent

STRATEGIES = ("LiquidationClusters", "SampleWithClusters", "ClusterControls")
"""Those that need no more than a configuration; FreqAI's needs models set up."""

OVERLAY = "liqfeature.json"
"""Name of the configuration that is written into a user directory."""

_NEEDED = {
    "trading_mode": "futures",
    "margin_mode": "isolated",
    "analyze_per_epoch": True,
    "hyperopt_loss": "ClusterLoss",
    "disableparamexport": True,
}
"""What the strategies ask of a configuration, whatever else it holds."""

_TOGETHER = {"ClusterControls": ("LiquidationClusters",)}
"""Strategies whose files read another's."""


def strategy_files(name: str) -> dict[str, str]:
    """Return a shipped strategy, what it reads and its loss: text by path within a user directory."""
    paths = [f"strategies/{one}.py" for one in (name, *_TOGETHER.get(name, ()))] + [
        "hyperopts/ClusterLoss.py"
    ]
    return {path: (SHIPPED / path).read_text(encoding="utf-8") for path in paths}


def template_files(name: str) -> dict[str, str]:
    """Return a short strategy of the user's own around the columns, and the loss, as `strategy_files`."""
    is_class = re.fullmatch(r"[A-Za-z]\w*", name) and name not in STRATEGIES
    require("strategy-template", bool(is_class), "the name of a new class of Python such as MyStrategy", name)
    text = (SHIPPED / "template.txt").read_text(encoding="utf-8").replace("MyStrategy", name)
    loss = "hyperopts/ClusterLoss.py"
    return {f"strategies/{name}.py": text, loss: (SHIPPED / loss).read_text(encoding="utf-8")}


def overlay_of(config: Mapping[str, Any], exchange: str) -> dict[str, Any]:
    """Return what a configuration lacks for the strategies; a whole dry run where it is empty.

    Pairs of a spot market are replaced by the perpetuals of the same coins.
    """
    if not config:
        return _whole(exchange)
    overlay: dict[str, Any] = {name: value for name, value in _NEEDED.items() if config.get(name) != value}
    pairs = [str(pair) for pair in config.get("exchange", {}).get("pair_whitelist", [])]
    perpetuals = [_perpetual(pair) for pair in pairs]
    if perpetuals != pairs:
        overlay["exchange"] = {"pair_whitelist": perpetuals}
    return overlay


def exchange_of(config: Mapping[str, Any], wanted: str | None) -> str:
    """Return Freqtrade's name of the exchange, that of the configuration or the one wanted.

    Raises
    ------
    ConfigError
        If neither names one, they differ, or the columns do not know it.
    """
    named = str(config.get("exchange", {}).get("name", ""))
    require("exchange", bool(named or wanted), "given, by --exchange or by --config", "neither")
    if named and wanted:
        rule = f"that of --config, {named}, or left out"
        require("exchange", canonical(named) == canonical(wanted), rule, wanted)
    exchange_traits(named or str(wanted))
    return named or str(wanted)


def find_configs(userdir: Path, given: Iterable[Path], exchange: str | None) -> list[Path]:
    """Return configurations to build upon: those given, else the user directory's own where it fits."""
    paths, own = list(given), userdir / "config.json"
    if paths or not own.is_file():
        return paths
    named = str(load_bot_config([own]).get("exchange", {}).get("name", ""))
    return [own] if exchange is None or canonical(named) == canonical(exchange) else []


def install(userdir: Path, files: Mapping[str, str]) -> dict[Path, bool]:
    """Write files into a user directory; nothing is written where one of them is another's.

    Returns
    -------
    dict
        Whether it was written, by path; False where the same file is there already.

    Raises
    ------
    ConfigError
        If there is no such directory, it is none of Freqtrade's, or a file of other content is in the way.
    """
    require(
        "userdir", userdir.is_dir(), f"a directory (freqtrade create-userdir --userdir {userdir})", userdir
    )
    made = (userdir / "strategies").is_dir()
    require("userdir", made, f"one of Freqtrade's (freqtrade create-userdir --userdir {userdir})", userdir)
    targets = {userdir / name: text for name, text in files.items()}
    there = {path: path.exists() for path in targets}
    others = [str(path) for path, text in targets.items() if there[path] and not _holds(path, text)]
    if others:
        message = (
            f"nothing was written: {', '.join(others)} must be moved away or renamed first, as it differs"
        )
        raise ConfigError(message)
    for path, text in targets.items():
        if not there[path]:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return {path: not existed for path, existed in there.items()}


def as_json(config: Mapping[str, Any]) -> str:
    """Write a configuration as Freqtrade writes its own."""
    return json.dumps(config, indent=4) + "\n"


def _whole(exchange: str) -> dict[str, Any]:
    own = SHIPPED / "configs" / f"{canonical(exchange)}.json"
    config = load_bot_config([own if own.is_file() else SHIPPED / "configs" / "bybit.json"])
    return {**config, **_NEEDED, "exchange": {**config["exchange"], "name": exchange}}


def _perpetual(pair: str) -> str:
    """Name the perpetual of a spot pair; what is no plain spot pair stays."""
    spot = re.fullmatch(r"\w+/(\w+)", pair)
    return f"{pair}:{spot[1]}" if spot else pair


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()
