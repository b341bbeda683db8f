"""Recorded liquidations as one table, whichever form they were recorded in."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from liqfeature.checks import require
from liqfeature.data.recordings import load_recording, load_totals
from liqfeature.data.schema import FORCED_ORDERS
from liqfeature.data.store import read_frame
from liqfeature.errors import DataError, MissingColumnError
from liqfeature.tables import numbers, require_column, times

TOTALS = ("date", "long", "short")
"""Columns of hourly totals: opening of the hour, and what was liquidated on each side of the position."""

UNITS = ("quote", "base")

HEARD = "heard"
"""Key in a table's `attrs`: openings of the hours, milliseconds, in which a recorder listened."""

_BINANCE_SIDE = {"SELL": "long", "BUY": "short"}
"""Liquidating a long sells."""


def load_recorded(path: str | Path, pair: str, exchange: str | None = None) -> pd.DataFrame:
    """Read recorded liquidations of one pair: totals per hour, or single orders.

    Parameters
    ----------
    path : path
        Directory that `liqfeature record` writes, or one exchange's directory within it; or a feather or
        parquet file. Totals have `date, long, short` (also named `liq_long, liq_short`); orders
        have the columns of `liqfeature.data.schema.FORCED_ORDERS`, or those of Binance's stream of forced
        orders (`symbol, side, avg_price, cum_fill_qty, ts`).
    pair : str
        Freqtrade's name, such as "BTC/USDT:USDT"; orders of other pairs are left out.
    exchange : str, optional
        Whose orders to take, where a recorder's directory holds those of several.

    Returns
    -------
    DataFrame
        `date, long, short`, or the columns of `FORCED_ORDERS`, by date ascending. Where the exchange does not
        tell the price of the fill, `price` is the bankruptcy price. Of a recorder's directory, `attrs`
        tells `hourly_totals` in which hours it listened.

    Raises
    ------
    DataError
        If the file cannot be read, is of another form, or has no row of the pair.
    """
    path = Path(path)
    table = load_recording(path, pair, exchange) if path.is_dir() else read_frame(path)
    require("pair", "/" in pair, "such as BTC/USDT:USDT", repr(pair))
    named = table.rename(columns={"liq_long": "long", "liq_short": "short"})
    if set(TOTALS) <= set(named.columns):
        return named[list(TOTALS)].sort_values("date", ignore_index=True)
    orders = _of_binance(table, pair) if {"symbol", "avg_price"} <= set(table.columns) else table
    if not are_orders(orders):
        message = (
            f"{path} must have the columns {', '.join(TOTALS)} or {', '.join(FORCED_ORDERS)}, "
            f"received {', '.join(map(str, table.columns))}"
        )
        raise MissingColumnError(message)
    for column in FORCED_ORDERS:
        if column != "bankruptcy_price":
            require_column(orders, column, "liquidations")
    mine = orders[orders["pair"].astype(str) == pair]
    if mine.empty:
        message = f"{path} must hold liquidations of {pair}, received none"
        raise DataError(message)
    if "bankruptcy_price" in mine:
        mine = mine.assign(price=mine["price"].fillna(mine["bankruptcy_price"]))
    mine = mine.sort_values("date", ignore_index=True)
    if path.is_dir():
        mine.attrs[HEARD] = _heard(path, pair, exchange)
    return mine


def _heard(path: Path, pair: str, exchange: str | None) -> tuple[int, ...]:
    totals = load_totals(path, pair, "1h", exchange)
    return tuple(times(totals, "liquidations")[totals["long"].notna().to_numpy()].tolist())


def are_orders(liquidations: pd.DataFrame) -> bool:
    """Whether a table holds single orders rather than totals."""
    return {"date", "side", "price", "notional"} <= set(liquidations.columns)


def hourly_totals(liquidations: pd.DataFrame) -> pd.DataFrame:
    """Totals per hour from totals or orders; `date, long, short`.

    Hours without any order count as 0: those between the first and the last with one, or, of a recorder's
    directory, those in which it listened; then the others are NaN.

    Raises
    ------
    MissingColumnError, DataError
        Naming the column, the rule and the value received.
    """
    if not are_orders(liquidations):
        times(liquidations, "liquidations")
        return liquidations[list(TOTALS)]
    known = liquidations["side"].isin(["long", "short"])
    if not known.all():
        message = (
            "liquidations: column 'side' must hold long or short, "
            f"received {liquidations['side'][~known].iloc[0]!r}"
        )
        raise DataError(message)
    hour = liquidations["date"].dt.floor("1h")
    totals: dict[str, Any] = {
        side: liquidations["notional"].where(liquidations["side"] == side, 0.0).groupby(hour).sum()
        for side in ("long", "short")
    }
    found = pd.DataFrame(totals).resample("1h").sum()
    if heard := liquidations.attrs.get(HEARD):
        date = pd.to_datetime(pd.Index(heard), unit="ms", utc=True)
        everything = pd.date_range(date[0], date[-1], freq="1h", unit="ms")
        found = found.reindex(everything, fill_value=0.0)
        found[~everything.isin(date)] = np.nan
    return found.rename_axis("date").reset_index()


def _of_binance(table: pd.DataFrame, pair: str) -> pd.DataFrame:
    """Orders of one pair from rows of Binance's stream."""
    base, quote = pair.split(":")[0].split("/")
    for column in ("side", "ts"):
        require_column(table, column, "liquidations")
    mine = table[table["symbol"] == base + quote]
    if not mine["side"].isin(list(_BINANCE_SIDE)).all():
        odd = mine["side"][~mine["side"].isin(list(_BINANCE_SIDE))].iloc[0]
        message = f"liquidations: column 'side' must hold {' or '.join(_BINANCE_SIDE)}, received {odd!r}"
        raise DataError(message)
    amount, price = (numbers(mine, column, "liquidations") for column in ("cum_fill_qty", "avg_price"))
    return pd.DataFrame(
        {
            "date": pd.to_datetime(mine["ts"].to_numpy(), unit="ms", utc=True),
            "pair": pair,
            "side": mine["side"].map(_BINANCE_SIDE).to_numpy(),
            "price": price,
            "bankruptcy_price": numbers(mine, "price", "liquidations"),
            "amount": amount,
            "notional": np.multiply(amount, price),
        }
    )
