"""What a chart shows, as numbers: the map, candles, columns and what rests now, on one axis of time."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from liqfeature.columns.features import liquidation_features
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.heatmap.beside import held_between, newest_levels
from liqfeature.heatmap.clusters import Rung, cluster_ladder, strongest
from liqfeature.heatmap.colours import FULL, HIDDEN
from liqfeature.heatmap.export import column_candles
from liqfeature.heatmap.history import HeatmapHistory, heatmap_history
from liqfeature.market.frames import times
from liqfeature.market.liquidations import amounts_of
from liqfeature.market.market import Inputs
from liqfeature.sides import LONG, SHORT
from liqfeature.types import FloatArray

DRAWN = ("fuel", "cascade")
"""Columns that are drawn: the largest of the candles gathered in one column of time."""

FRAMED = 3
"""Clusters a side that are framed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that is drawn; one entry per column of time unless said otherwise.

    Parameters
    ----------
    history : HeatmapHistory
    bars : DataFrame
        `date, open, high, low, close`.
    rows : DataFrame
        The columns of `liquidation_features` that are drawn, at their largest.
    open_interest : ndarray
        Quote currency, at the last candle's close; NaN where nothing was traded.
    recorded : ndarray of shape (2, n_times) or None
        Recorded liquidations by side of the position, quote currency.
    clusters : tuple of two tuples of Rung
        The strongest of longs and of shorts at the end, nearest first; none of a class of leverage.
    least, full : float
        Notional below which a cell is hidden, and from which on it has the strongest colour.
    beside : ndarray of shape (2, n_prices) or None
        What another map holds in each row at the close of the last candle.
    """

    history: HeatmapHistory
    bars: pd.DataFrame
    rows: pd.DataFrame
    open_interest: FloatArray
    recorded: FloatArray | None
    clusters: tuple[tuple[Rung, ...], tuple[Rung, ...]]
    least: float
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
    all_of_it = view.get("leverage") is None
    least, full = _limits(history)
    return Scene(
        history=history,
        bars=column_candles(history, candles),
        rows=_gathered(features, history.span),
        open_interest=np.where(history.open_interest > 0, history.open_interest * history.close, np.nan),
        recorded=None if recorded is None else _by_column(recorded, history),
        clusters=_clusters(candles.iloc[:stop], config, inputs) if all_of_it else ((), ()),
        least=least,
        full=full,
        beside=None if beside is None else _beside(beside, history, config),
    )


def _beside(maps: pd.DataFrame, history: HeatmapHistory, config: HeatmapConfig) -> FloatArray:
    interval = pd.Timedelta(history.interval, unit="ms")
    levels = newest_levels(maps, history.last[-1] + interval, config.lookback * interval)
    return held_between(levels, history.edge, float(history.close[-1]))


def _gathered(features: pd.DataFrame, span: int) -> pd.DataFrame:
    wanted = [f"liq_{what}_{where}" for what in DRAWN for where in ("below", "above")]
    return features[wanted].groupby(np.arange(len(features)) // span).max()


def _clusters(
    candles: pd.DataFrame, config: HeatmapConfig, inputs: Inputs
) -> tuple[tuple[Rung, ...], tuple[Rung, ...]]:
    ladder = cluster_ladder(candles, config, **inputs)
    return strongest(ladder.below, FRAMED), strongest(ladder.above, FRAMED)


def _limits(history: HeatmapHistory) -> tuple[float, float]:
    """Quantiles of all cells of both sides: a few very full ones must not darken the rest."""
    held = np.concatenate([cells.notional for cells in history.sides])
    least, full = np.quantile(held, [HIDDEN, FULL]) if held.size else (0.0, 1.0)
    return float(least), float(full)


def _by_column(liquidations: pd.DataFrame, history: HeatmapHistory) -> FloatArray:
    """Sum orders, or totals by the opening of their period, by column and side of the position."""
    stamp, amount = amounts_of(liquidations)
    opened = times(pd.DataFrame({"date": history.date}), "history")
    closed = int(history.last[-1].timestamp() * 1000) + history.interval
    column = np.searchsorted(opened, stamp, "right") - 1
    inside = (column >= 0) & (stamp < closed)
    recorded = np.nan_to_num(amount[:, inside])
    return np.stack([np.bincount(column[inside], side, opened.size) for side in recorded])
