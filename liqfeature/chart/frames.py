"""Frames around the strongest clusters, from the last close on, and their labels."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from liqfeature.chart.scene import Scene
from liqfeature.chart.words import cluster_words
from liqfeature.heatmap.colours import Theme
from liqfeature.sides import LONG, SHORT, SIDES

if TYPE_CHECKING:
    import plotly.graph_objects as go

AHEAD = 0.06
"""Room for frames behind the last close, as a share of the time shown."""

_APART = 16
"""Pixels from one label to the next at least."""


def frame_traces(scene: Scene, go: Any, theme: Theme) -> list["go.Scatter"]:
    """Frame the strongest clusters of either side, from the last close on."""
    begin, end = scene.history.last[-1], span_shown(scene)[1]
    traces = []
    for side in (LONG, SHORT):
        x: list[str | None] = []
        y: list[float | None] = []
        for rung in scene.clusters[side]:
            x += [_text(date) for date in (begin, end, end, begin, begin)] + [None]
            y += [rung.near, rung.near, rung.far, rung.far, rung.near, None]
        line = {"color": theme.frame, "width": 1}
        look = {"mode": "lines", "line": line, "hoverinfo": "skip"}
        traces.append(go.Scatter(name=f"clusters of {SIDES[side]}s", x=x, y=y, **look))
    return traces


def span_shown(scene: Scene) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return where the map begins and where the room for frames behind its last close ends."""
    first, last = scene.history.date[0], scene.history.last[-1]
    return first, last + AHEAD * (last - first)


def _text(date: pd.Timestamp) -> str:
    return str(date.tz_localize(None).isoformat())


def sides_of_labels(scene: Scene) -> list[int]:
    """Return the side of each label, in their order."""
    return [side for side in (LONG, SHORT) for _ in scene.clusters[side]]


def frame_labels(scene: Scene, theme: Theme, main: int, letters: int) -> list[dict[str, Any]]:
    """Put a label before each frame, from price outward; `main` is the height of the map in pixels."""
    price_per_pixel = (scene.history.edge[-1] - scene.history.edge[0]) / main
    labels, at = [], _text(scene.history.last[-1])
    for side in (LONG, SHORT):
        outward, last = (-1 if side == LONG else 1), 0.0
        for rung in scene.clusters[side]:
            middle = 0.5 * (rung.near + rung.far)
            wanted = outward * (middle - scene.history.close[-1]) / price_per_pixel
            last = max(wanted, last + _APART)
            labels.append(
                {
                    "text": cluster_words(rung, side),
                    "x": at,
                    "y": middle,
                    "yshift": outward * (last - wanted),
                    "xanchor": "right",
                    "yanchor": "middle",
                    "showarrow": False,
                    "bgcolor": theme.label,
                    "borderpad": 1,
                    "font": {"size": letters - 1, "color": theme.text},
                }
            )
    return labels
