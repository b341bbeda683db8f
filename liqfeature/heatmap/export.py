"""A map through time as a table, and in the shape of a common web interface."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from liqfeature.data.store import write_frame
from liqfeature.errors import ConfigError
from liqfeature.heatmap.history import HeatmapHistory
from liqfeature.market.frames import numbers, times

_FIGURES = 6
"""Significant digits of a notional as JSON."""


def history_frame(history: HeatmapHistory) -> pd.DataFrame:
    """Table with one row per cell.

    Parameters
    ----------
    history : HeatmapHistory

    Returns
    -------
    DataFrame
        `date` (opening of the column's first candle), `side` (of the position), `low` and `high` (prices
        between which the row lies), `notional` (quote), `age` (candles); by side, date and price.
    """
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "date": history.date[cells.time],
                    "side": side,
                    "low": history.edge[cells.price],
                    "high": history.edge[cells.price + 1],
                    "notional": cells.notional,
                    "age": cells.age,
                }
            )
            for side, cells in zip(("long", "short"), history.sides, strict=True)
        ],
        ignore_index=True,
    )


def history_json(history: HeatmapHistory, candles: pd.DataFrame) -> dict[str, Any]:
    """Plain lists in the shape in which CoinGlass answers a request for a heatmap, version 4.

    Parameters
    ----------
    history : HeatmapHistory
    candles : DataFrame
        Candles that cover it; `date, open, high, low, close, volume`.

    Returns
    -------
    dict
        `y_axis`: middle of each row; `liquidation_leverage_data`: time index, price index and notional of
        both sides, cell by cell; `price_candlesticks`: seconds since 1970, and open, high, low, close and
        volume (quote) as text, one per column; `update_time`: close of the last candle, milliseconds.
    """
    both = np.zeros((len(history.date), len(history.price)))
    for cells in history.sides:
        np.add.at(both, (cells.time, cells.price), cells.notional)
    time, price = np.nonzero(both)
    bars = column_candles(history, candles)
    opened = times(bars, "candles")
    texts = [[f"{x:.12g}" for x in numbers(bars, c, "candles")] for c in ("open", "high", "low", "close")]
    volume = [f"{x:.12g}" for x in bars["quote_volume"]]
    return {
        "y_axis": [float(x) for x in history.price],
        "liquidation_leverage_data": [
            [int(i), int(j), float(f"{both[i, j]:.{_FIGURES}g}")] for i, j in zip(time, price, strict=True)
        ],
        "price_candlesticks": [
            list(bar) for bar in zip((opened // 1000).tolist(), *texts, volume, strict=True)
        ],
        "update_time": int(history.last[-1].timestamp() * 1000) + history.interval,
    }


def column_candles(history: HeatmapHistory, candles: pd.DataFrame) -> pd.DataFrame:
    """One candle per column of a history.

    Parameters
    ----------
    history : HeatmapHistory
    candles : DataFrame
        Candles that cover it.

    Returns
    -------
    DataFrame
        `date, open, high, low, close, volume, quote_volume`; quote volume at each candle's close.
    """
    begin = int(candles["date"].searchsorted(history.date[0]))
    stop = int(candles["date"].searchsorted(history.last[-1])) + 1
    rows = candles.iloc[begin:stop].assign(quote_volume=lambda c: c["volume"] * c["close"])
    rules = {"date": "first", "open": "first", "high": "max", "low": "min", "close": "last"}
    column = np.arange(len(rows)) // history.span
    return rows.groupby(column).agg(rules | {"volume": "sum", "quote_volume": "sum"})


def write_history(history: HeatmapHistory, candles: pd.DataFrame, path: str | Path) -> None:
    """Write a history as a table (.parquet, .feather) or as JSON (.json), by the suffix.

    Parameters
    ----------
    history : HeatmapHistory
    candles : DataFrame
        Candles that cover it.
    path : path
        An older file is replaced.

    Raises
    ------
    ConfigError
        If the suffix is another one.
    """
    path = Path(path)
    if path.suffix == ".json":
        path.write_text(json.dumps(history_json(history, candles), separators=(",", ":")), encoding="utf-8")
    elif path.suffix in (".parquet", ".feather"):
        write_frame(history_frame(history), path)
    else:
        message = f"file must end in .parquet, .feather or .json, received {path.name}"
        raise ConfigError(message)
