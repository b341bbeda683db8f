"""Columns of every table that is recorded or simulated.

Times are UTC, amounts are base currency, notionals are quote currency, rates are fractions. `side` is always
the side of the *position*: liquidating a long sells.
"""

import re
from pathlib import Path

SANDBOX_MARKER = "SANDBOX"
"""File that the sandbox leaves in its data directory; it ends with `market` and a digest of the market."""

SIMULATED = f"{SANDBOX_MARKER}, simulated prices"
"""What titles say of its data."""

UNITS = ("quote", "base")
"""Of recorded totals."""

FORCED_ORDERS = {
    "date": "datetime64[ms, UTC]: when it was filled",
    "pair": "str: Freqtrade's name",
    "side": "str: long or short, the position's side",
    "price": "float64: average price of the fill",
    "bankruptcy_price": "float64: price at which the margin is exhausted, NaN where unknown",
    "amount": "float64: base currency",
    "notional": "float64: quote currency, amount times price",
}
"""One row per forced order."""

RECORDED = {
    "date": "datetime64[ms, UTC]: when it was filled, by the exchange's clock",
    "exchange": "str: Freqtrade's name, such as binance",
    "pair": "str: Freqtrade's and ccxt's name, such as BTC/USDT:USDT",
    "side": "str: long or short, the position's side",
    "price": "float64: average price of the fill, NaN where the exchange does not tell",
    "bankruptcy_price": "float64: where the margin is exhausted, NaN where the exchange does not tell",
    "amount": "float64: base currency, contract sizes applied",
    "notional": "float64: quote currency, amount times price, or times bankruptcy price where that is all",
    "copy": "int64: 0; 1, 2, ... for further equal prints of the same message, which are no repetitions",
}
"""One row per liquidation that `liqfeature record` received: `FORCED_ORDERS` and where they come from."""

POSITION_EVENTS = {
    "date": "datetime64[ms, UTC]: open of the minute in which it happened",
    "position": "int64: number of the position, unique within a pair",
    "side": "str: long or short",
    "change": "float64: base currency, above 0 where opened or added, below 0 where closed or liquidated",
    "liquidation_price": "float64: quote per base, from this event on; NaN where nothing would be liquidated",
    "reason": "str: open, close, stop, liquidation, margin (added), funding (paid or received)",
}
"""One row per change of a leveraged position; the map of any minute is rebuilt from it."""


def is_simulated(directory: Path) -> bool:
    """Whether a directory holds the sandbox's data: by what its marker says, not by a file's name alone."""
    marker = directory / SANDBOX_MARKER
    return marker.is_file() and bool(re.search(rb"\nmarket [0-9a-f]{16}\n\Z", marker.read_bytes()))
