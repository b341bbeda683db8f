"""The figure's traces: what is drawn, on which axes."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from liqfeature.chart.scene import Scene
from liqfeature.durations import HOUR
from liqfeature.heatmap.colours import Theme
from liqfeature.heatmap.history import HeatmapHistory
from liqfeature.sides import LONG, SHORT, SIDES

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from liqfeature.types import FloatArray

WHERE = ("below", "above")
"""By index of the side: where its liquidations rest."""

PANE = 4
"""Number of the first lower pane's axes."""


def map_traces(scene: Scene, go: Any, unit: str) -> list["go.Heatmap"]:
    """Draw cells of longs and of shorts, each on its own colour axis."""
    return [_map(scene, go, side, unit) for side in (LONG, SHORT)]


def _map(scene: Scene, go: Any, side: int, unit: str) -> "go.Heatmap":
    history = scene.history
    cells = history.sides[side]
    first, stop = (cells.price.min(), cells.price.max() + 1) if cells.price.size else (0, 1)
    table = np.full((3, stop - first, len(history.date)), np.nan, dtype=np.float32)
    at = (cells.price - first, cells.time)
    held = history.open_interest[cells.time] * history.price[cells.price]
    table[0][at], table[2][at] = cells.notional, cells.age * (history.interval / HOUR)
    table[1][at] = np.divide(cells.notional, held, out=np.full(held.shape, np.nan), where=held > 0)
    hover = (
        f"<b>{SIDES[side]}s liquidated at %{{y:,.6~r}}</b><br>%{{x|%d %b %Y %H:%M}}<br>%{{z:.3s}} {unit}<br>"
        "%{customdata[0]:.2%} of open interest<br>opened %{customdata[1]:.1f} h before<extra></extra>"
    )
    return go.Heatmap(
        name=f"{SIDES[side]}s",
        x=dates(scene.history),
        y=history.edge[first : stop + 1],
        z=table[0],
        customdata=np.moveaxis(table[1:], 0, -1),
        coloraxis="coloraxis" if side == LONG else "coloraxis2",
        hoverongaps=False,
        hovertemplate=hover,
    )


def dates(history: HeatmapHistory) -> Any:
    """Return openings of columns without a zone: plotly shows what it is given, which is UTC."""
    return history.date.tz_localize(None).to_numpy().astype("datetime64[s]").astype(str)


def candle_traces(
    history: HeatmapHistory, bars: pd.DataFrame, go: Any, theme: Theme
) -> list["go.Candlestick"]:
    """Draw one candle per column, over an outline that sets it off from bright cells."""
    outline, rise, fall = (
        {"line": {"color": c}, "fillcolor": c} for c in (theme.outline, theme.rise, theme.fall)
    )
    looks = (("outline", outline, outline, 3, "skip"), ("price", rise, fall, 1, "all"))
    return [
        go.Candlestick(
            name=name,
            x=dates(history),
            **{price: bars[price] for price in ("open", "high", "low", "close")},
            increasing=up,
            decreasing=down,
            whiskerwidth=0,
            showlegend=False,
            hoverinfo=hover,
        ).update(increasing_line_width=width, decreasing_line_width=width)
        for name, up, down, width, hover in looks
    ]


def profile_traces(scene: Scene, go: Any, theme: Theme, unit: str) -> list[Any]:
    """Draw what rests now by price, as bars, and cumulated away from price, as lines."""
    history, traces, colours = scene.history, [], (theme.long, theme.short)
    width = np.diff(history.edge)
    for side in (LONG, SHORT):
        live = history.live[side]
        used = live > 0
        hover = f"<b>{SIDES[side]}s at %{{y:,.6~r}}</b><br>%{{x:.3s}} {unit} now<extra></extra>"
        traces.append(
            go.Bar(
                name=f"{SIDES[side]}s now",
                x=live[used],
                y=history.price[used],
                width=width[used],
                orientation="h",
                xaxis="x2",
                yaxis="y",
                marker={"color": colours[side], "line": {"width": 0}},
                hovertemplate=hover,
            )
        )
    for side in (LONG, SHORT):
        beyond = _beyond(scene, side)
        hover = f"<b>{SIDES[side]}s from price to %{{y:,.6~r}}</b><br>%{{x:.3s}} {unit}<extra></extra>"
        traces.append(
            go.Scatter(
                name=f"{SIDES[side]}s cumulated",
                x=scene.cumulated[side][beyond],
                y=history.price[beyond],
                mode="lines",
                line={"color": colours[side], "width": 1.3},
                xaxis="x3",
                yaxis="y",
                hovertemplate=hover,
            )
        )
    return traces


def beside_traces(scene: Scene, go: Any, theme: Theme, unit: str) -> list[Any]:
    """Draw what another map holds now as marks on the scale of the bars, where there is one."""
    if scene.beside is None:
        return []
    traces = []
    for side in (LONG, SHORT):
        held = scene.beside[side]
        used = held > 0
        traces.append(
            go.Scatter(
                name=f"{SIDES[side]}s beside",
                x=held[used],
                y=scene.history.price[used],
                mode="markers",
                marker={"color": theme.text, "symbol": "line-ns-open", "size": 7},
                xaxis="x2",
                yaxis="y",
                hovertemplate=f"{SIDES[side]}s beside %{{y:,.6~r}}<br>%{{x:,.0f}} {unit}<extra></extra>",
            )
        )
    return traces


def _beyond(scene: Scene, side: int) -> Any:
    price, close = scene.history.price, scene.history.close[-1]
    return price < close if side == LONG else price > close


def pane_traces(scene: Scene, go: Any, theme: Theme, unit: str) -> tuple[list[str], list[Any]]:
    """Return titles of the lower panes, and their traces."""
    rows, colours = scene.rows, (theme.long, theme.short)
    titles = [f"fuel, {unit}: expected forced notional", "cascade, probability", f"open interest, {unit}"]
    traces = []
    for i, (what, shown) in enumerate((("fuel", f"%{{y:.3s}} {unit}"), ("cascade", "%{y:.1%}")), PANE):
        for side in (LONG, SHORT):
            name = f"{what} {WHERE[side]}"
            values = rows[f"liq_{what}_{WHERE[side]}"]
            traces.append(_line(scene, go, name, values, colours[side], i, shown))
    traces.append(
        _line(scene, go, "open interest", scene.open_interest, theme.neither, PANE + 2, f"%{{y:.3s}} {unit}")
    )
    if scene.recorded is not None:
        titles.append(f"recorded liquidations, {unit}: shorts up, longs down")
        traces += _recorded(scene, go, colours, unit)
    return titles, traces


def _line(scene: Scene, go: Any, name: str, values: Any, colour: str, axis: int, shown: str) -> "go.Scatter":
    return go.Scatter(
        name=name,
        x=dates(scene.history),
        y=values,
        mode="lines",
        line={"color": colour, "width": 1.4},
        xaxis=f"x{axis}",
        yaxis=f"y{axis}",
        hovertemplate=f"<b>{name}</b> {shown}<br>%{{x|%d %b %H:%M}}<extra></extra>",
    )


def _recorded(scene: Scene, go: Any, colours: tuple[str, str], unit: str) -> list["go.Bar"]:
    assert scene.recorded is not None
    traces = []
    for side in (LONG, SHORT):
        values: FloatArray = scene.recorded[side]
        shown = f"{SIDES[side]}s liquidated %{{customdata:.3s}} {unit}<br>%{{x|%d %b %H:%M}}"
        traces.append(
            go.Bar(
                name=f"recorded {SIDES[side]}s",
                x=dates(scene.history),
                y=-values if side == LONG else values,
                customdata=values,
                marker={"color": colours[side], "line": {"width": 0}},
                xaxis=f"x{PANE + 3}",
                yaxis=f"y{PANE + 3}",
                hovertemplate=f"{shown}<extra></extra>",
            )
        )
    return traces


def slider_trace(scene: Scene, go: Any, theme: Theme) -> "go.Scatter":
    """Draw closes for the range slider."""
    return go.Scatter(
        x=dates(scene.history),
        y=scene.bars["close"],
        mode="lines",
        line={"color": theme.faint, "width": 1},
        xaxis="x9",
        yaxis="y9",
        hoverinfo="skip",
    )
