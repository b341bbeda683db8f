"""What a choice of sides shows: which traces, on which scale of colours."""

from collections.abc import Sequence
from typing import Any

from liqfeature.chart.options import SHOWN
from liqfeature.heatmap.colours import BLUE, ORANGE, Theme, common_scale, hidden_below, side_scale

SIDED = 8
"""Traces that belong to a side come first, longs before shorts: map, bars now, lines now, frames."""


def visible_sides(choice: str) -> list[bool]:
    """Tell whether each of the first `SIDED` traces is shown."""
    return [choice != "short", choice != "long"] * (SIDED // 2)


def scales(theme: Theme, choice: str, unit: str, hidden: float) -> dict[str, Any]:
    """Return the colour axes of a choice, by plotly's dotted names; `hidden` is a share of the greatest."""
    one = choice == "one"
    hues = (None, None) if one else (BLUE, ORANGE)
    scale = [common_scale(theme) if hue is None else side_scale(theme, hue) for hue in hues]
    return {
        "coloraxis.colorscale": hidden_below(scale[0], hidden),
        "coloraxis2.colorscale": hidden_below(scale[1], hidden),
        "coloraxis.showscale": choice != "short",
        "coloraxis2.showscale": choice in ("both", "short"),
        "coloraxis.colorbar.title.text": f"longs and shorts, {unit}" if one else f"longs, {unit}",
    }


def side_choices(theme: Theme, unit: str, hidden: float, sides: Sequence[int]) -> list[dict[str, Any]]:
    """Return for each choice what plotly is told when its button is pressed.

    `sides` are those of the labels of clusters, the first annotations of the layout.
    """
    return [
        {
            "name": choice,
            "label": label,
            "data": {"visible": visible_sides(choice)},
            "layout": scales(theme, choice, unit, hidden)
            | {f"annotations[{i}].visible": visible_sides(choice)[side] for i, side in enumerate(sides)},
        }
        for choice, label in SHOWN.items()
    ]
