"""Binance's maintenance tiers: the table that ships with this package, and Freqtrade's where it is newer.

The table holds facts of the one in Freqtrade, as steps of highest notional, maintenance rate and highest
leverage; pairs of the same steps share them. `python -m liqfeature.exchange.binance_tiers` makes it anew
from the installed Freqtrade.
"""

import hashlib
import importlib.metadata
import importlib.util
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from liqfeature.exchange.tiers import LeverageTier, tiers_of_steps

SHIPPED = Path(__file__).with_name("binance_tiers.json")


@cache
def binance_tiers(pair: str) -> tuple[LeverageTier, ...]:
    """Return the tiers of a Binance pair; empty where the table does not list it.

    Parameters
    ----------
    pair : str
        As Freqtrade writes it, `BTC/USDT:USDT`.

    Returns
    -------
    tuple of LeverageTier
        Ascending. They are those of Freqtrade's table, whether Freqtrade is installed or not, except where an
        installed Freqtrade is newer than the table that ships with this package.
    """
    table = binance_table()
    number = table["pairs"].get(pair)
    return () if number is None else tiers_of_steps(table["steps"][number])


def source() -> str:
    """Say where the tiers come from."""
    return f"Binance's tiers as of Freqtrade {binance_table()['freqtrade']}"


@cache
def binance_table() -> dict[str, Any]:
    """Return the table in force: schedules as steps, and the number of each pair's."""
    shipped: dict[str, Any] = json.loads(SHIPPED.read_text(encoding="utf-8"))
    path, version = freqtrade_table()
    if path is None or _numbers(version) < _numbers(shipped["freqtrade"]):
        return shipped
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() == shipped["sha256"]:
        return shipped
    return compact(content, version)


def compact(content: bytes, version: str) -> dict[str, Any]:
    """Make the table from the content of Freqtrade's."""
    steps: dict[tuple[tuple[float, float, float], ...], int] = {}
    pairs = {}
    for pair, rows in sorted(json.loads(content).items()):
        of_pair = tuple(
            (_whole(row["maxNotional"]), row["maintenanceMarginRate"], _whole(row["maxLeverage"]))
            for row in rows
        )
        pairs[pair] = steps.setdefault(of_pair, len(steps))
    return {
        "source": "freqtrade/exchange/binance_leverage_tiers.json",
        "freqtrade": version,
        "sha256": hashlib.sha256(content).hexdigest(),
        "steps": list(steps),
        "pairs": pairs,
    }


def _whole(value: float) -> float:
    return int(value) if value == int(value) else value


def freqtrade_table() -> tuple[Path | None, str]:
    """Where the installed Freqtrade keeps its table, and its version."""
    # find_spec, not importlib.resources: the latter would import Freqtrade, which takes seconds.
    spec = importlib.util.find_spec("freqtrade")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder, "exchange", "binance_leverage_tiers.json")
        if path.is_file():
            return path, importlib.metadata.version("freqtrade")
    return None, ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
