"""Make the table of Binance's tiers that ships with this package anew, from the installed Freqtrade's.

Run as `python -m liqfeature.exchange.refresh_tiers`.
"""

import json
from datetime import UTC, datetime
from typing import Any

from liqfeature.exchange.binance_tiers import SHIPPED, compact, freqtrade_table


def refresh() -> None:
    """Write the table that ships with this package from the installed Freqtrade's."""
    path, version = freqtrade_table()
    if path is None:
        message = "Freqtrade is not installed: there is no table of Binance's tiers to take"
        raise SystemExit(message)
    table = {"taken": datetime.now(UTC).date().isoformat()} | compact(path.read_bytes(), version)
    SHIPPED.write_text(_text(table), encoding="utf-8")


def _text(table: dict[str, Any]) -> str:
    """JSON with a line for each schedule and each pair, so that a change shows."""
    one = json.JSONEncoder(ensure_ascii=False).encode
    fields = [f"{one(name)}: {one(table[name])}" for name in ("taken", "source", "freqtrade", "sha256")]
    steps = ",\n".join(one(steps) for steps in table["steps"])
    pairs = ",\n".join(f"{one(pair)}: {number}" for pair, number in table["pairs"].items())
    return "{\n" + ",\n".join([*fields, f'"steps": [\n{steps}\n]', f'"pairs": {{\n{pairs}\n}}']) + "\n}\n"


if __name__ == "__main__":
    refresh()
