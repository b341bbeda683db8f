"""What a chart shows, as numbers: the map, candles, columns and what rests now, on one axis of time."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from liqfeature.columns.features import liquidation_features
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.heatmap.beside import held_between, newest_levels
from liqfeature.heatmap.export import column_candles
from liqfeature.heatmap.history import HeatmapHistory, heatmap_history
from liqfeature.market.frames import times
from liqfeature.market.liquidations import amounts_of
from liqfeature.market.market import Inputs
from liqfeature.sides import LONG, SHORT
from liqfeature.types import FloatArray

FULL = 0.995
"""Share of the cells that is told apart by colour; those above look alike."""

LARGEST = ("fuel", "cascade")
"""Columns of which a pane shows the largest of the candles gathered in one column; of others, the last."""

EDGES = ("near", "far")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that is drawn; one entry per column of time unless said otherwise.

    Parameters
    ----------
    history : HeatmapHistory
    bars : DataFrame
        `date, open, high, low, close`.
    rows : DataFrame
        The columns of `liquidation_features` that are drawn: edges at the last candle of the column, fuel and
        cascade at their largest.
    open_interest : ndarray
        Quote currency, at the last candle's close; NaN where nothing was traded.
    recorded : ndarray of shape (2, n_times) or None
        Recorded liquidations by side of the position, quote currency.
    beside : ndarray of shape (2, n_prices) or None
        What another map holds in each row at the close of the last candle.
    full : float
        Notional from which on a cell has the strongest colour.
    """

    history: HeatmapHistory
    bars: pd.DataFrame
    rows: pd.DataFrame
    open_interest: FloatArray
    recorded: FloatArray | None
    full: float
    beside: FloatArray | None = None

    @property
    def cumulated(self) -> FloatArray:
        """What rests between price and each row, that row included; shape (2, n_prices)."""
        live = self.history.live
        return np.stack([np.cumsum(live[LONG][::-1])[::-1], np.cumsum(live[SHORT])])


def scene_of(
    candles: pd.DataFrame,
    config: HeatmapConfig,
    inputs: Inputs,
    *,
    beside: pd.DataFrame | None = None,
    **view: Any,
) -> Scene:
    """Compute what a chart shows; parameters as for `heatmap_figure`.

    `beside` are maps as `maps` of the inputs, of which the newest is drawn beside what rests now.
    """
    recorded = inputs.get("liquidations")
    if config.cascade.recorded_share == 0:  # what is recorded is drawn, and columns cannot refer to it
        inputs = {**inputs, "liquidations": None}
    history = heatmap_history(candles, config, **inputs, **view)
    begin = int(candles["date"].searchsorted(history.date[0]))
    stop = int(candles["date"].searchsorted(history.last[-1])) + 1
    used = candles.iloc[max(begin - config.warmup + 1, 0) : stop]
    features = liquidation_features(used, config, **inputs).iloc[-(stop - begin) :]
    return Scene(
        history=history,
        bars=column_candles(history, candles),
        rows=_gathered(features, history.span),
        open_interest=np.where(history.open_interest > 0, history.open_interest * history.close, np.nan),
        recorded=None if recorded is None else _by_column(recorded, history),
        full=_full(history),
        beside=None if beside is None else _beside(beside, history, config),
    )


def _beside(maps: pd.DataFrame, history: HeatmapHistory, config: HeatmapConfig) -> FloatArray:
    interval = pd.Timedelta(history.interval, unit="ms")
    levels = newest_levels(maps, history.last[-1] + interval, config.lookback * interval)
    return held_between(levels, history.edge, float(history.close[-1]))


def _gathered(features: pd.DataFrame, span: int) -> pd.DataFrame:
    wanted = [f"liq_{what}_{where}" for what in (*EDGES, *LARGEST) for where in ("below", "above")]
    column = np.arange(len(features)) // span
    groups = features[wanted].groupby(column)
    largest = [name for name in wanted if name.split("_")[1] in LARGEST]
    last = features[wanted].iloc[np.minimum((column[::span] + 1) * span, len(features)) - 1]
    return last.reset_index(drop=True).assign(**groups.max()[largest])


def _full(history: HeatmapHistory) -> float:
    """Quantile of all cells of both sides: a few very full ones must not darken the rest."""
    held = np.concatenate([cells.notional for cells in history.sides])
    return float(np.quantile(held, FULL)) if held.size else 1.0


def _by_column(liquidations: pd.DataFrame, history: HeatmapHistory) -> FloatArray:
    """Sum orders, or totals by the opening of their period, by column and side of the position."""
    stamp, amount = amounts_of(liquidations)
    opened = times(pd.DataFrame({"date": history.date}), "history")
    closed = int(history.last[-1].timestamp() * 1000) + history.interval
    column = np.searchsorted(opened, stamp, "right") - 1
    inside = (column >= 0) & (stamp < closed)
    recorded = np.nan_to_num(amount[:, inside])
    return np.stack([np.bincount(column[inside], side, opened.size) for side in recorded])
