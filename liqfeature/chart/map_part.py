"""A map as a part of a page: its two forms, and what its buttons do."""

from collections.abc import Sequence
from typing import Any

from liqfeature.chart.figure import draw, note
from liqfeature.chart.frames import sides_of_labels
from liqfeature.chart.layout import SLIM, WIDE
from liqfeature.chart.options import SHOWN
from liqfeature.chart.page import Part
from liqfeature.chart.scene import Scene
from liqfeature.chart.sides import side_choices
from liqfeature.heatmap.colours import THEMES


def map_part(
    scene: Scene,
    *,
    unit: str,
    theme: str,
    side: str = next(iter(SHOWN)),
    heading: str = "",
    said: str = "",
    over: Sequence[Any] = (),
) -> Part:
    """Make the part of a page that shows a scene.

    Parameters
    ----------
    scene : Scene
    unit, theme, side : str
        As for `heatmap_figure`.
    heading, said : str
        Of the part, and what stands before the note on the colours; without a heading, neither.
    over : sequence of traces
        Drawn over the map.
    """
    look = {"title": "", "unit": unit, "side": side, "theme": theme}
    wide, slim = (draw(scene, **look, form=form) for form in (WIDE, SLIM))
    for figure in (wide, slim):
        figure.add_traces(list(over))
    return Part(
        heading=heading,
        note=said + note(scene, unit) if heading else "",
        facts={},
        wide=wide,
        slim=slim,
        sides=side_choices(THEMES[theme], unit, scene.least / scene.full, sides_of_labels(scene)),
        side=side,
    )
