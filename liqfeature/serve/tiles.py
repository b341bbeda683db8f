"""The map in tiles: 256 columns of time at one of several resolutions, packed for the page."""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqfeature.checks import require
from liqfeature.data.pair import PairData
from liqfeature.durations import MINUTE, minutes
from liqfeature.errors import DataError
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.heatmap.export import column_candles
from liqfeature.heatmap.history import HeatmapHistory, heatmap_history
from liqfeature.market.frames import numbers
from liqfeature.market.liquidations import amounts_of
from liqfeature.sides import SHORT, SIDES
from liqfeature.types import FloatArray

COLUMNS = 256
"""Columns of a tile."""

SPANS = (1, 2, 4, 8, 16, 32, 64, 128)
"""Candles in a column, by level."""

ROW_BINS = (1, 1, 1, 2, 2, 3, 4, 6)
"""Bins of the grid in a row, by level."""

MARGIN = 0.12
"""Rows of a tile reach this fraction of price beyond its lowest low and its highest high."""

DOTS = 400
"""Recorded liquidations of a tile that are sent at most, the largest."""

ALL = "all"
"""Name of all leverages together."""

SHOWN = (
    *(f"liq_{what}_{where}" for what in ("fuel", "cascade", "hit") for where in ("above", "below")),
    "sigma",
    "liq_quality",
)
"""What the crosshair shows of the last candle of each column of time: columns, and `Outlook.sigma`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Which tile.

    Parameters
    ----------
    level : int
        Index into `SPANS`.
    number : int
        Of the tile since 1970 at that level.
    leverage : str
        A name of `leverage_classes`.
    """

    level: int
    number: int
    leverage: str = ALL

    def __post_init__(self) -> None:
        require("level", 0 <= self.level < len(SPANS), f"0 to {len(SPANS) - 1}", self.level)

    def range(self, interval: int) -> tuple[pd.Timestamp, pd.Timestamp]:
        """Return the openings of its first and of its last candle, UTC."""
        width = COLUMNS * SPANS[self.level] * interval
        first = self.number * width
        return _timestamp(first), _timestamp(first + width - interval)


def tile_number(date: pd.Timestamp, level: int, interval: int) -> int:
    """Return the number of the tile that holds a candle."""
    return int(date.value // 1_000_000 // (COLUMNS * SPANS[level] * interval))


def leverage_classes(config: HeatmapConfig) -> dict[str, tuple[float, float] | None]:
    """Return thirds of the leverages that occur, by the name that the page shows, after all of them."""
    levels = np.unique(config.leverage.levels())
    thirds = [part for part in np.array_split(levels, 3) if part.size]
    return {ALL: None} | {
        f"{part[0]:g} to {part[-1]:g}x": (float(part[0]), float(part[-1])) for part in thirds
    }


def make_tile(
    data: PairData, features: pd.DataFrame, spot: Spot, recorded: pd.DataFrame | None = None
) -> bytes:
    """Compute a tile and pack it.

    Parameters
    ----------
    data : PairData
    features : DataFrame
        Those of `SHOWN` of all its candles.
    spot : Spot
    recorded : DataFrame, optional
        Single liquidations, as `load_recorded` returns them.

    Returns
    -------
    bytes
        Length of the heading (unsigned, four bytes), heading (JSON, filled up with spaces to a multiple of
        four), then for longs and for shorts notional and age (float32) and time and row (unsigned, two
        bytes each), little-endian. The heading's `cells` says how many.

    Raises
    ------
    ConfigError, DataError
        If there is no such class of leverage or no such tile; if a gap in the candles fills it.
    """
    classes = leverage_classes(data.config)
    require("leverage", spot.leverage in classes, f"one of {', '.join(classes)}", repr(spot.leverage))
    date = data.candles["date"]
    warm = date.iloc[data.config.warmup - 1]
    oldest, newest = (tile_number(at, spot.level, _interval(data)) for at in (warm, date.iloc[-1]))
    require("number", oldest <= spot.number <= newest, f"{oldest} to {newest}", spot.number)
    first, last = spot.range(_interval(data))
    if date.searchsorted(max(first, warm)) == date.searchsorted(last, side="right"):
        message = (
            f"candles must not have a gap as long as tile {spot.number}, received none of {first} to {last}"
        )
        raise DataError(message)
    stop = int(date.searchsorted(last, side="right"))
    history = heatmap_history(
        data.candles,
        data.config,
        first=first,
        last=date.iloc[stop - 1],
        leverage=classes[spot.leverage],
        max_times=-(-_n_candles(date, first, warm, stop) // SPANS[spot.level]),
        margin=MARGIN,
        row_bins=ROW_BINS[spot.level],
        **data.inputs,
    )
    dots = [] if recorded is None else recorded_dots(recorded, history)
    return _packed(history, data, features, spot, dots)


def _n_candles(date: "pd.Series[pd.Timestamp]", first: pd.Timestamp, warm: pd.Timestamp, stop: int) -> int:
    return stop - int(date.searchsorted(max(first, warm), side="left"))


def recorded_dots(orders: pd.DataFrame, history: HeatmapHistory) -> list[tuple[int, int, int, float]]:
    """Sum recorded liquidations by column, row and side; the `DOTS` largest sums.

    Returns
    -------
    list of tuple
        Column, row, side of the position (0 long, 1 short), and notional.
    """
    opened = _milliseconds(history.date)
    stamp, _ = amounts_of(orders)  # several may have one stamp
    column = np.searchsorted(opened, stamp, "right") - 1
    row = np.searchsorted(history.edge, numbers(orders, "price", "liquidations"), "right") - 1
    ends = _milliseconds(history.last)[-1] + history.interval
    inside = (column >= 0) & (stamp < ends) & (row >= 0) & (row < len(history.price))
    places = {"column": column, "row": row, "side": (orders["side"] == SIDES[SHORT]).to_numpy(np.int64)}
    table = pd.DataFrame(places | {"notional": numbers(orders, "notional", "liquidations")})[inside]
    sums = table.groupby(list(places))["notional"].sum().nlargest(DOTS)
    rows = sums.reset_index().to_numpy(np.float64).tolist()
    return [(int(i), int(j), int(side), held) for i, j, side, held in rows]


def _packed(
    history: HeatmapHistory,
    data: PairData,
    features: pd.DataFrame,
    spot: Spot,
    dots: list[tuple[int, int, int, float]],
) -> bytes:
    bars = column_candles(history, data.candles)
    rows = features.iloc[data.candles["date"].searchsorted(history.last)]
    heading = {
        "level": spot.level,
        "number": spot.number,
        "span": history.span,
        "interval": history.interval,
        "date": _milliseconds(history.date),
        "last": _milliseconds(history.last),
        "edge": history.edge.tolist(),
        "bars": bars[["open", "high", "low", "close"]].to_numpy(np.float64).tolist(),
        "open_interest": plain(history.open_interest * history.close),
        "rows": {name: plain(rows[name].to_numpy(np.float64)) for name in SHOWN},
        "dots": dots,
        "cells": [cells.time.size for cells in history.sides],
    }
    text = json.dumps(heading, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    parts = [np.uint32(len(text)).astype("<u4").tobytes(), text]
    for cells in history.sides:
        parts += [cells.notional.astype("<f4").tobytes(), cells.age.astype("<f4").tobytes()]
        parts += [np.column_stack([cells.time, cells.price]).astype("<u2").tobytes()]
    return b"".join(parts)


def plain(values: FloatArray) -> list[float | None]:
    """Return numbers as JSON has them: None for NaN."""
    return [None if np.isnan(value) else value for value in values.tolist()]


def _interval(data: PairData) -> int:
    return minutes(data.timeframe) * MINUTE


def _milliseconds(date: pd.DatetimeIndex) -> list[int]:
    return [int(stamp.value // 1_000_000) for stamp in date]


def _timestamp(milliseconds: int) -> pd.Timestamp:
    return pd.Timestamp(milliseconds, unit="ms", tz="UTC")
