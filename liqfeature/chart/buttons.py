"""Buttons that switch sides and scales."""

from typing import Any

from liqfeature.chart.colours import BLUE, ORANGE, Theme, common_scale, side_scale
from liqfeature.chart.layout import WIDE, Form
from liqfeature.chart.options import SHOWN

SIDED = 10
"""Traces that belong to a side come first: map, bars now, lines now, and two edges each."""


def visible_sides(choice: str) -> list[bool]:
    """Tell whether each of the first `SIDED` traces is shown."""
    long, short = choice != "short", choice != "long"
    return [long, short, long, short, long, short, long, long, short, short]


def scales(theme: Theme, choice: str, unit: str) -> dict[str, Any]:
    """Return the colour axes of a choice, by plotly's dotted names."""
    one = choice == "one"
    return {
        "coloraxis.colorscale": common_scale(theme) if one else side_scale(theme, BLUE),
        "coloraxis2.colorscale": common_scale(theme) if one else side_scale(theme, ORANGE),
        "coloraxis.showscale": choice != "short",
        "coloraxis2.showscale": choice in ("both", "short"),
        "coloraxis.colorbar.title.text": f"longs and shorts, {unit}" if one else f"longs, {unit}",
    }


def side_buttons(theme: Theme, side: str, unit: str, form: Form) -> list[dict[str, Any]]:
    """Return a row of buttons, of which the one called `side` is pressed."""
    return [
        {
            "type": "buttons",
            "direction": "right",
            "showactive": True,
            "active": list(SHOWN).index(side),
            "buttons": [_button(theme, choice, unit) for choice in SHOWN],
            "x": 0,
            "xanchor": "left",
            "y": 1,
            "yanchor": "bottom",
            "pad": {"b": 26 if form is WIDE else 106, "t": 0, "l": 0, "r": 0},
            "bgcolor": theme.button,
            "bordercolor": theme.button,
            "font": {"color": theme.pressed, "size": form.letters},
        }
    ]


def _button(theme: Theme, choice: str, unit: str) -> dict[str, Any]:
    arguments = [{"visible": visible_sides(choice)}, scales(theme, choice, unit), list(range(SIDED))]
    return {"label": SHOWN[choice], "method": "update", "args": arguments}
