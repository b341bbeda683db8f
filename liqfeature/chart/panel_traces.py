"""Panels as one figure: a grid with one scale of colours and one legend for all."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from liqfeature.chart.figure import plotly_objects
from liqfeature.chart.panels import Panel
from liqfeature.chart.traces import candle_traces, dates
from liqfeature.chart.trades import LOST, WON
from liqfeature.heatmap.colours import FULL, HIDDEN, THEMES, Theme, common_scale, hidden_below
from liqfeature.sides import LONG, SHORT

if TYPE_CHECKING:
    import plotly.graph_objects as go

HEIGHT, TOP, SLIM_TOP, BOTTOM, BETWEEN = 220, 150, 244, 34, 58
"""Pixels: of a panel, above the first (on a narrow screen too), below the last, and from one to the next."""

_GAP = 0.07
"""Between columns, as a share of the width."""


def panels_figure(panels: list[Panel], *, theme: str, columns: int = 2, narrow: bool = False) -> "go.Figure":
    """Draw panels from left to right and down.

    Parameters
    ----------
    panels : list of Panel
        At least one.
    theme : str
        "dark" or "light".
    columns : int, default 2
        At most.
    narrow : bool
        One below the other, with smaller letters.
    """
    go, colours, columns = plotly_objects(), THEMES[theme], 1 if narrow else min(columns, len(panels))
    top_margin, letters = (SLIM_TOP, 10) if narrow else (TOP, 12)
    rows = math.ceil(len(panels) / columns)
    height = rows * HEIGHT + (rows - 1) * BETWEEN
    look: dict[str, Any] = {
        "height": height + top_margin + BOTTOM,
        "margin": {"t": top_margin, "b": BOTTOM, "l": 62, "r": 14},
        "paper_bgcolor": colours.paper,
        "plot_bgcolor": colours.plot,
        "font": {"color": colours.text, "size": letters, "family": "system-ui, DejaVu Sans, sans-serif"},
        "legend": {"orientation": "h", "x": 0, "y": 1 + (top_margin - 4) / height, "yanchor": "top"},
        "annotations": [],
        **_colour_axes(panels, colours, height, narrow),
    }
    traces, named, width = [], set[str](), (1 - _GAP * (columns - 1)) / columns
    for i, panel in enumerate(panels):
        number = str(i + 1) if i else ""
        row, column = divmod(i, columns)
        left, top = column * (width + _GAP), 1 - row * (HEIGHT + BETWEEN) / height
        look[f"xaxis{number}"], look[f"yaxis{number}"] = _axes(panel, number, colours, narrow)
        look[f"xaxis{number}"]["domain"] = [left, left + width]
        look[f"yaxis{number}"]["domain"] = [top - HEIGHT / height, top]
        look["annotations"].append(_title(panel, left, top, letters + 1, narrow))
        for trace in _traces(panel, go, colours):
            trace.update(xaxis=f"x{number}", yaxis=f"y{number}")
            if trace.type == "scatter":
                trace.update(showlegend=trace.name not in named)
                named.add(trace.name)
            traces.append(trace)
    return go.Figure(traces, look)


def _axes(panel: Panel, number: str, theme: Theme, narrow: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the axes of time and of price of a panel, without their places."""
    axis = {"gridcolor": theme.line, "linecolor": theme.line, "zeroline": False}
    time = {
        "anchor": f"y{number}",
        "range": [panel.history.date[0].isoformat(), panel.history.last[-1].isoformat()],
        "rangeslider": {"visible": False},
        "type": "date",
        "nticks": 4 if narrow else 6,
        "tickangle": 0,
    }
    price = {
        "anchor": f"x{number}",
        "range": [panel.lowest, panel.highest],
        "tickformat": ",~r",
        "nticks": 6,
    }
    return axis | time, axis | price


def _title(panel: Panel, left: float, top: float, letters: int, narrow: bool) -> dict[str, Any]:
    at = {"xref": "paper", "yref": "paper", "x": left, "y": top, "xanchor": "left", "yanchor": "bottom"}
    words = {"text": panel.title, "showarrow": False, "font": {"size": letters}}
    return at | words | {"xshift": -54 if narrow else 0}


def _colour_axes(panels: list[Panel], theme: Theme, height: int, narrow: bool) -> dict[str, Any]:
    dense = np.concatenate([panel.density(side).ravel() for panel in panels for side in (LONG, SHORT)])
    held = dense[~np.isnan(dense)]
    least, full = np.quantile(held, [HIDDEN, FULL]) if held.size else (0.0, 1.0)
    words = f"share of open interest per 1 % of price; below {least:.2g}, {HIDDEN:.0%} of cells, hidden"
    words = words.replace("; ", "<br>") if narrow else words
    bar = {
        "title": {"text": words, "side": "top"},
        "orientation": "h",
        "thickness": 9,
        "len": 0.9 if narrow else 0.6,
        "x": 0,
        "xanchor": "left",
        "y": 1 + 36 / height,
        "yanchor": "bottom",
        "ypad": 0,
        "nticks": 4,
        "tickfont": {"size": 10},
        "outlinewidth": 0,
    }
    scale = hidden_below(common_scale(theme), float(least / full))
    return {"coloraxis": {"colorscale": scale, "cmin": 0, "cmax": float(full), "colorbar": bar}}


def _traces(panel: Panel, go: Any, theme: Theme) -> list[Any]:
    held = (panel.opened, panel.closed)
    stop = {"color": LOST, "dash": "dot", "width": 2}
    final = panel.sales[-1]
    sold = [(sale.date, sale.price) for sale in panel.sales[:-1]]
    up = "triangle-down" if panel.is_short else "triangle-up"
    drawn = [
        *(_map(panel, go, side) for side in (LONG, SHORT)),
        *candle_traces(panel.history, panel.bars, go, theme),
        _line(go, "stop, where it stood last", held, (panel.stop, panel.stop), stop),
        _cluster(go, "cluster ahead at entry", held, panel.ahead, {"color": theme.frame, "width": 1.8}),
        _cluster(
            go,
            "cluster behind at entry",
            held,
            panel.behind,
            {"color": theme.frame, "width": 1.4, "dash": "dash"},
        ),
        _marks(go, "entry, the way of the trade", [(panel.opened, panel.entry)], up, theme.text),
        _marks(go, "part sold", sold, "diamond", WON),
        _marks(
            go,
            "exit with a profit" if panel.won else "exit with a loss",
            [(final.date, final.price)],
            "circle" if panel.won else "x",
            WON if panel.won else LOST,
        ),
    ]
    return [trace for trace in drawn if trace is not None]


def _when(date: Any) -> str:
    return str(date.tz_localize(None).isoformat())


def _map(panel: Panel, go: Any, side: int) -> Any:
    edge, table = panel.history.edge, panel.density(side)
    inside = np.flatnonzero((edge[1:] > panel.lowest) & (edge[:-1] < panel.highest))
    rows = slice(inside[0], inside[-1] + 1)
    return go.Heatmap(
        x=dates(panel.history),
        y=edge[rows.start : rows.stop + 1],
        z=np.round(table[rows], 4),
        coloraxis="coloraxis",
        hoverongaps=False,
        zsmooth="best",
        hovertemplate="%{y:,.6~r}<br>%{x|%d %b %H:%M}<br>%{z:.4f} of open interest per 1 %<extra></extra>",
    )


def _line(go: Any, name: str, dates: Any, prices: Any, line: dict[str, Any]) -> Any:
    return go.Scatter(name=name, x=[_when(date) for date in dates], y=list(prices), mode="lines", line=line)


def _cluster(go: Any, name: str, held: Any, edges: tuple[float, float], line: dict[str, Any]) -> Any:
    """Frame a cluster for as long as the trade was open; None where there was none."""
    if math.isnan(edges[0]):
        return None
    near, far = edges
    begin, end = held
    return _line(go, name, (begin, end, end, begin, begin), (near, near, far, far, near), line)


def _marks(go: Any, name: str, points: list[tuple[Any, float]], symbol: str, colour: str) -> Any:
    if not points:
        return None
    marker = {"symbol": symbol, "size": 13, "color": colour, "line": {"width": 1.2, "color": "#000000"}}
    x, y = [_when(date) for date, _ in points], [price for _, price in points]
    return go.Scatter(name=name, x=x, y=y, mode="markers", marker=marker)
