"""Single trades, one small panel each: candles over the map, clusters at entry, stop, parts sold, exit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from liqfeature.chart.choice import Sale, sales
from liqfeature.columns.features import liquidation_features
from liqfeature.data.pair import PairData
from liqfeature.heatmap.export import column_candles
from liqfeature.heatmap.history import HeatmapHistory, heatmap_history
from liqfeature.market.frames import times
from liqfeature.sides import ahead, behind
from liqfeature.types import FloatArray

if TYPE_CHECKING:
    from collections.abc import Sequence

PADDING = 0.3
"""Time shown before the entry and after the exit, as a share of the trade's duration."""

LEAST_PADDING = 36
"""Candles shown there at least."""

MAP = {"max_times": 120, "max_prices": 120, "margin": 0.03}
"""Columns and rows of a panel at most, and how far beyond its prices the map reaches."""

OUTER = 0.03
"""Edges farther from the entry than the trade went, and than this fraction, are left out of the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """What is drawn of one trade.

    Parameters
    ----------
    title : str
        Pair, side, tag, reasons and profit.
    is_short : bool
    opened, closed : Timestamp
        UTC.
    entry, stop : float
        Quote per base; the stop where it stood last.
    sales : tuple of Sale
        Parts sold, and the exit.
    won : bool
    ahead, behind : tuple of float
        Near edge and far edge of the nearest cluster on either side when the trade was entered; NaN if none.
    history : HeatmapHistory
    bars : DataFrame
        `date, open, high, low, close`, one per column of the map.
    lowest, highest : float
        Prices between which all of it lies.
    """

    title: str
    is_short: bool
    opened: pd.Timestamp
    closed: pd.Timestamp
    entry: float
    stop: float
    sales: tuple[Sale, ...]
    won: bool
    ahead: tuple[float, float]
    behind: tuple[float, float]
    history: HeatmapHistory
    bars: pd.DataFrame
    lowest: float
    highest: float

    def density(self, side: int) -> FloatArray:
        """Return a side's map in share of open interest per 1 % of price, (n_prices, n_times).

        NaN where nothing rests.
        """
        history = self.history
        cells, width = history.sides[side], history.edge[1] / history.edge[0] - 1
        held = history.open_interest[cells.time] * history.price[cells.price]
        table = np.full((len(history.price), len(history.date)), np.nan)
        share = np.divide(cells.notional, held, out=np.full(held.shape, np.nan), where=held > 0)
        table[cells.price, cells.time] = share * 0.01 / width
        return table


def panels_of(trades: pd.DataFrame, sources: Mapping[str, PairData], unit: str) -> list[Panel]:
    """Gather what is drawn of trades.

    Parameters
    ----------
    trades : DataFrame
        As `load_backtest` returns them.
    sources : mapping
        Market of each pair.
    unit : str
        Of profits.
    """
    features = {
        pair: liquidation_features(source.candles, source.config, **source.inputs)
        for pair, source in sources.items()
        if pair in set(trades["pair"])
    }
    return [
        _panel(trade, sources[trade["pair"]], features[trade["pair"]], unit)
        for trade in trades.to_dict("records")
    ]


def _panel(trade: Mapping[Any, Any], source: PairData, features: pd.DataFrame, unit: str) -> Panel:
    candles = source.candles
    opened, closed = trade["open_date"], trade["close_date"]
    candle = candles["date"].iloc[1] - candles["date"].iloc[0]
    padding = max(PADDING * (closed - opened), LEAST_PADDING * candle)
    shown: dict[str, Any] = {"first": opened - padding, "last": closed + padding, **MAP, **source.inputs}
    history = heatmap_history(candles, source.config, **shown)
    bars = column_candles(history, candles)
    # the last candle closed before the entry, which is all that the strategy knew
    row = features.iloc[int(np.searchsorted(times(candles, "candles"), opened.value // 10**6, "left")) - 1]
    short, done = bool(trade["is_short"]), sales(trade)
    clusters = [
        (float(row[f"liq_near_{where}"]), float(row[f"liq_far_{where}"]))
        for where in (ahead(short), behind(short))
    ]
    entry, stop = float(trade["open_rate"]), float(trade["stop_loss_abs"])
    lowest, highest = _extent(bars, [stop, *(sale.price for sale in done)], clusters)
    reasons = ", ".join(sale.reason for sale in done)
    coin, side = trade["pair"].split("/")[0], "short" if short else "long"
    return Panel(
        title=f"{coin} {side}: {trade['enter_tag']} → {reasons}, {trade['profit_abs']:+.1f} {unit}",
        is_short=short,
        opened=opened,
        closed=closed,
        entry=entry,
        stop=stop,
        sales=tuple(done),
        won=bool(trade["profit_abs"] > 0),
        ahead=clusters[0],
        behind=clusters[1],
        history=history,
        bars=bars,
        lowest=lowest,
        highest=highest,
    )


def _extent(
    bars: pd.DataFrame, prices: "Sequence[float]", clusters: "Sequence[tuple[float, float]]"
) -> tuple[float, float]:
    """Lowest and highest price shown: all candles and orders, and clusters that are not far off them."""
    low, high = min(*prices, bars["low"].min()), max(*prices, bars["high"].max())
    for near, far in clusters:
        if low * (1 - OUTER) < near < high * (1 + OUTER):
            low, high = min(low, near, far), max(high, near, far)
    room = 0.04 * (high - low)
    return float(low - room), float(high + room)
