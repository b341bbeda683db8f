"""What is recorded: one table of the database for each kind of row."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kind:
    """One kind of row, of which there is one object.

    Parameters
    ----------
    name : str
        Of its table.
    columns : dict
        SQLite's types by name: TEXT, REAL or INTEGER.
    events : bool
        Whether any number of rows may share a stamp, of which equal ones are one and the same. Otherwise a
        stamp has one state, and a row with other values revises it.
    """

    name: str
    columns: dict[str, str]
    events: bool = False

    @property
    def words(self) -> dict[str, str]:
        """What stands for the table, its columns and their values in a statement of SQL."""
        return {
            "kind": self.name,
            "columns": ", ".join(self.columns),
            "declared": ", ".join(f"{name} {declared}" for name, declared in self.columns.items()),
            "marks": ", ".join("?" * len(self.columns)),
        }


class Series(NamedTuple):
    """Rows of one kind about one pair; `timeframe`, such as "5m", where they have a period."""

    exchange: str
    pair: str
    kind: Kind
    timeframe: str = ""


ORDERS = Kind(
    name="liquidation_orders",
    columns={
        "side": "TEXT",
        "price": "REAL",
        "bankruptcy_price": "REAL",
        "amount": "REAL",
        "notional": "REAL",
        "copy": "INTEGER",
    },
    events=True,
)
"""Single liquidations, stamped with the time of the fill; `liqfeature.data.schema.RECORDED` says more."""

TOTALS = Kind(name="liquidation_totals", columns={"long": "REAL", "short": "REAL"})
"""Notional liquidated within a period, by side of the position, stamped with its opening."""

LISTENED = Kind(name="listened", columns={"until": "INTEGER"}, events=True)
"""From its stamp until then an exchange was listened to."""

SILENT = Kind(name="silent", columns={"until": "INTEGER"}, events=True)
"""From its stamp until then nothing came although price moved: what `LISTENED` says of it does not count."""

OPEN_INTEREST = Kind(name="open_interest", columns={"amount": "REAL", "value": "REAL"})
"""Base and quote currency, stamped as the exchange stamps it; what is collected has the amount as ccxt gives
it, which may count contracts."""

CANDLES = Kind(name="candles", columns=dict.fromkeys(("open", "high", "low", "close", "volume"), "REAL"))
"""A closed candle as ccxt gives it, stamped with its opening."""

INTEREST_TIMEFRAME = "5m"
"""Of open interest that a recorder asks for itself."""

ARCHIVED = Kind(name="archived", columns={"sha256": "TEXT", "remarks": "TEXT", "content": "BLOB"})
"""A file of an exchange's archive, stamped with the first moment of its span; `liqfeature.data.archive`."""

MAPS = Kind(name="maps", columns={"levels": "INTEGER", "content": "BLOB"})
"""What rested where at its stamp, by somebody else's map or as measured; `liqfeature.data.maps`."""

KINDS = {
    kind.name: kind for kind in (ORDERS, TOTALS, LISTENED, SILENT, OPEN_INTEREST, CANDLES, ARCHIVED, MAPS)
}

VENDORS = ("coinglass", "coinalyze", "hyblock")
"""Sources that give out history on request, and revise it: their rows count from when they were asked for."""

LAG = 60_000
"""Milliseconds in which a recorder has on disk what it hears; what is fetched later counts as if it had."""
