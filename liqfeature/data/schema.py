"""Columns of every table that is recorded or simulated.

Times are UTC, amounts are base currency, notionals are quote currency, rates are fractions. `side` is always
the side of the *position*: liquidating a long sells.
"""

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

POSITION_EVENTS = {
    "date": "datetime64[ms, UTC]: open of the minute in which it happened",
    "position": "int64: number of the position, unique within a pair",
    "side": "str: long or short",
    "change": "float64: base currency, above 0 where opened or added, below 0 where closed or liquidated",
    "liquidation_price": "float64: quote per base, from this event on; NaN where nothing would be liquidated",
    "reason": "str: open, close, stop, liquidation, margin (added), funding (paid or received)",
}
"""One row per change of a leveraged position; the map of any minute is rebuilt from it."""
