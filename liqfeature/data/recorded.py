"""Recorded liquidations as one table, whichever form they were recorded in."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from liqfeature.checks import require
from liqfeature.data.recordings import load_liquidations
from liqfeature.data.schema import FORCED_ORDERS, RECORDED, UNITS
from liqfeature.data.store import SUFFIXES, read_frame
from liqfeature.durations import HOUR
from liqfeature.errors import DataError, MissingColumnError
from liqfeature.market.frames import numbers, require_column, times
from liqfeature.market.liquidations import are_orders
from liqfeature.sides import SIDES

_LOG = logging.getLogger(__name__)

TOTALS = ("date", *SIDES)
"""Columns of totals: opening of the period, and what was liquidated on each side of the position."""


_BINANCE_SIDE = {"SELL": "long", "BUY": "short"}
"""Liquidating a long sells."""


def load_recorded(path: str | Path, pair: str, exchange: str | None = None) -> pd.DataFrame:
    """Read recorded liquidations of one pair, totals or single orders, as `liquidations=` takes them.

    Parameters
    ----------
    path : path
        Database that `liqfeature record` writes, or a feather or parquet file. Totals have `date, long,
        short` (also named `liq_long, liq_short`); orders have the columns of
        `liqfeature.data.schema.FORCED_ORDERS`, or those of Binance's stream of forced orders (`symbol, side,
        avg_price, cum_fill_qty, ts`).
    pair : str
        Freqtrade's name, such as "BTC/USDT:USDT"; orders of other pairs are left out.
    exchange : str, optional
        Whose orders to take, where a database holds those of several.

    Returns
    -------
    DataFrame
        `date, long, short`, or the columns of `FORCED_ORDERS`, by date ascending. Where the exchange does not
        give the price of the fill, `price` is the bankruptcy price. Repeated orders count once. Of a database
        `attrs` holds when it listened, as `liqfeature.market.liquidations` wants it.

    Raises
    ------
    DataError
        If the file cannot be read, is of another form, or has no row of the pair.
    """
    path = Path(path)
    require("pair", "/" in pair, "such as BTC/USDT:USDT", repr(pair))
    table = read_frame(path) if path.suffix in SUFFIXES else load_liquidations(path, pair, exchange)
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
    mine = _once(mine, path)
    if "bankruptcy_price" in mine:
        mine = mine.assign(price=mine["price"].fillna(mine["bankruptcy_price"]))
    return mine.sort_values("date", ignore_index=True)


def _once(orders: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Keep one of each order; equal ones of one message differ in `copy`."""
    once = orders.drop_duplicates([name for name in RECORDED if name in orders])
    if repeated := len(orders) - len(once):
        what = "%d of %d liquidations in %s are repetitions, and are not counted"
        _LOG.warning(what, repeated, len(orders), path.name)
    return once


def in_quote(liquidations: pd.DataFrame | None, candles: pd.DataFrame, unit: str) -> pd.DataFrame | None:
    """Turn totals in base currency into quote, at the mean close of their period weighted by volume.

    NaN where nothing was traded. Single orders, whose notional is in quote, stay as they are.

    Raises
    ------
    ConfigError
        If `unit` is none of `UNITS`.
    """
    require("unit", unit in UNITS, f"one of {', '.join(UNITS)}", repr(unit))
    if liquidations is None or unit == "quote" or are_orders(liquidations):
        return liquidations
    period = np.min(np.diff(times(liquidations, "liquidations")), initial=HOUR)
    opening = candles["date"].dt.floor(pd.Timedelta(int(period), unit="ms"))
    turnover, volume = ((candles["volume"] * price).groupby(opening).sum() for price in (candles["close"], 1))
    price = (turnover / volume).reindex(liquidations["date"]).to_numpy()
    return liquidations.assign(
        **{side: numbers(liquidations, side, "liquidations") * price for side in SIDES}
    )


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
