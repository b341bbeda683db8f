"""Where everything stands on the figure, on a wide screen and on a narrow one."""

import textwrap
from dataclasses import dataclass
from typing import Any

from liqfeature.chart.frames import frame_labels, span_shown
from liqfeature.chart.scene import Scene
from liqfeature.heatmap.colours import BLUE, ORANGE, Theme, side_scale

NARROW = 820
"""Pixels of width below which the narrow form is used."""

SLIDER = "xaxis9"
"""Axis of the range slider; its own pane has no height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Measures of one form of the figure, in pixels; `split` and `gap` are shares of the width."""

    top: int
    titled: int
    main: int
    pane: int
    between: int
    slider: int
    bottom: int
    left: int
    right: int
    split: float
    gap: float
    letters: int
    aside: str
    per_line: int


WIDE = Form(
    top=66,
    titled=70,
    main=450,
    pane=84,
    between=22,
    slider=42,
    bottom=16,
    left=78,
    right=26,
    split=0.815,
    gap=0.03,
    letters=12,
    aside="now: bars; cumulated: line",
    per_line=180,
)
SLIM = Form(
    top=96,
    titled=144,
    main=420,
    pane=84,
    between=24,
    slider=38,
    bottom=16,
    left=50,
    right=10,
    split=0.72,
    gap=0.07,
    letters=10,
    aside="resting now",
    per_line=56,
)

_DATES = 32
"""Pixels that the dates below the map take."""

Layout = dict[str, Any]


def layout(scene: Scene, theme: Theme, panes: list[str], words: dict[str, str], form: Form) -> Layout:
    """Lay out a scene, as plotly takes it.

    Parameters
    ----------
    scene : Scene
    theme : Theme
    panes : list of str
        Titles of the lower panes, top down.
    words : dict
        `unit` of amounts; `title` and `note`, empty where they stand elsewhere.
    form : Form
        `WIDE` or `SLIM`.
    """
    top = form.top + (form.titled if words["title"] else 0)
    height = form.main + _DATES + len(panes) * (form.pane + form.between) + 52 + form.slider
    return {
        "height": height + top + form.bottom,
        "margin": {"t": top, "b": form.bottom, "l": form.left, "r": form.right, "pad": 0},
        "paper_bgcolor": theme.paper,
        "plot_bgcolor": theme.plot,
        "font": {"color": theme.text, "size": form.letters, "family": "system-ui, DejaVu Sans, sans-serif"},
        "hovermode": "closest",
        "hoverlabel": {"bgcolor": theme.paper, "bordercolor": theme.faint, "font": {"color": theme.text}},
        "showlegend": False,
        "barmode": "overlay",
        "bargap": 0.0,
        "dragmode": "zoom",
        "uirevision": "kept",
        **_axes(scene, theme, len(panes), form, height),
        **_colour_axes(scene, theme, words["unit"], form, height),
        "annotations": _labels(scene, theme, panes, words, form, height),
        "shapes": [_price_line(scene, theme)],
    }


def _domains(n_panes: int, form: Form, height: int) -> list[tuple[float, float]]:
    """Bottom and top of the map and of each lower pane, as shares of the height."""
    edges, top = [(1 - form.main / height, 1.0)], form.main + form.between + _DATES
    for _ in range(n_panes):
        edges.append((1 - (top + form.pane) / height, 1 - top / height))
        top += form.pane + form.between
    return edges


def _axes(scene: Scene, theme: Theme, n_panes: int, form: Form, height: int) -> Layout:
    shared = {"gridcolor": theme.line, "linecolor": theme.line, "zeroline": False, "automargin": False}
    spike = {
        "showspikes": True,
        "spikemode": "across",
        "spikethickness": -1.5,  # below 0: without the broad outline of the other kind of line
        "spikedash": "dot",
        "spikecolor": theme.faint,
    }
    in_time = shared | spike | {"type": "date", "domain": [0, form.split], "showticklabels": False}
    domains = _domains(n_panes, form, height)
    edge = scene.history.edge
    axes: Layout = {
        "xaxis": in_time
        | {"anchor": "y", "rangeslider": {"visible": False}, "range": _range(scene), "showticklabels": True}
        | {"nticks": 9 if form is WIDE else 3},
        "yaxis": shared
        | spike
        | {"domain": domains[0], "range": [edge[0], edge[-1]], "tickformat": ",~r", "nticks": 10},
    }
    aside = shared | {
        "domain": [form.split + form.gap, 1],
        "nticks": 3 if form is WIDE else 2,
        "exponentformat": "B",
    }
    aside |= {"rangemode": "tozero", "tickangle": 0, "tickmode": "auto"}
    axes["xaxis2"] = aside | {"anchor": "y", "side": "bottom"}
    axes["xaxis3"] = aside | {
        "anchor": "y",
        "side": "top",
        "overlaying": "x2",
        "showgrid": False,
        "nticks": 3 if form is WIDE else 2,
    }
    for i, domain in enumerate(domains[1:], start=4):
        axes[f"xaxis{i}"] = in_time | {"anchor": f"y{i}", "matches": "x"}
        scale = {"domain": domain, "exponentformat": "B", "nticks": 4, "rangemode": "tozero"}
        axes[f"yaxis{i}"] = shared | scale | {"anchor": f"x{i}"}
    axes[SLIDER] = in_time | _slider(scene, theme, form, height)
    foot = domains[-1][0]  # a pane without height is refused, so it has next to none
    flat = {"domain": [foot, foot + 0.0005], "visible": False, "fixedrange": True}
    axes["yaxis9"] = flat | {"anchor": "x9"}
    return axes


def _range(scene: Scene) -> list[str]:
    return [date.isoformat() for date in span_shown(scene)]


def _slider(scene: Scene, theme: Theme, form: Form, height: int) -> Layout:
    bar: Layout = {
        "visible": True,
        "thickness": form.slider / height,
        "bgcolor": theme.plot,
        "bordercolor": theme.line,
    }
    return {
        "anchor": "y9",
        "matches": "x",
        "rangeslider": bar | {"borderwidth": 1, "range": _range(scene)},
        "showgrid": False,
        "showticklabels": True,
        "nticks": 9 if form is WIDE else 3,
    }


def _colour_axes(scene: Scene, theme: Theme, unit: str, form: Form, height: int) -> Layout:
    lift = 1 + (24 if form is WIDE else 50) / height
    length = 0.24 if form is WIDE else 0.47
    bar: Layout = {
        "orientation": "h",
        "thickness": 10,
        "lenmode": "fraction",
        "len": length,
        "y": lift,
        "yanchor": "bottom",
        "ypad": 0,
        "xpad": 0,
        "outlinecolor": theme.line,
        "outlinewidth": 1,
        "exponentformat": "B",
        "nticks": 4,
        "ticklabelposition": "outside bottom",
        "tickfont": {"size": form.letters - 1},
    }
    wide = form is WIDE
    short: Layout = {"x": length + 0.03, "xanchor": "left"} if wide else {"x": 1, "xanchor": "right"}
    axes = {}
    for name, side, hue, at in (
        ("coloraxis", "longs", BLUE, {"x": 0, "xanchor": "left"}),
        ("coloraxis2", "shorts", ORANGE, short),
    ):
        title = {"text": f"{side}, {unit}", "side": "top", "font": {"size": form.letters}}
        scale = {"colorscale": side_scale(theme, hue), "cmin": 0, "cmax": scene.full}
        axes[name] = scale | {"colorbar": bar | at | {"title": title}}
    return axes


def _price_line(scene: Scene, theme: Theme) -> Layout:
    close = float(scene.history.close[-1])
    line = {"color": theme.text, "width": 1, "dash": "dot"}
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "yref": "y",
        "y0": close,
        "y1": close,
        "line": line,
    }


def _labels(
    scene: Scene, theme: Theme, panes: list[str], words: dict[str, str], form: Form, height: int
) -> list[Layout]:
    left = {"xref": "paper", "yref": "paper", "showarrow": False, "xanchor": "left", "align": "left"}
    small = {"font": {"size": form.letters, "color": theme.faint}}
    close = float(scene.history.close[-1])
    price = {
        "text": f"{close:,.6g}",
        "x": 1,
        "xanchor": "right",
        "yref": "y",
        "y": close,
        "yanchor": "bottom",
        "bgcolor": theme.plot,
    }
    aside = {"text": form.aside, "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom", "yshift": 18}
    labels = frame_labels(scene, theme, form.main, form.letters)
    labels += [left | price | {"font": {"size": form.letters}}, left | aside | small]
    for text, (_, top) in zip(panes, _domains(len(panes), form, height)[1:], strict=True):
        labels.append(left | small | {"text": text, "x": 0, "y": top, "yanchor": "bottom", "yshift": 1})
    return labels + (_heading(words, theme, form) if words["title"] else [])


def _heading(words: dict[str, str], theme: Theme, form: Form) -> list[Layout]:
    """Title and note, wrapped by hand, since plotly does not wrap."""
    left = {"xref": "paper", "yref": "paper", "showarrow": False, "xanchor": "left", "align": "left"}
    at = left | {"x": 0, "xshift": 10 - form.left, "y": 1, "yanchor": "top"}
    title = textwrap.wrap(words["title"], form.per_line * 5 // 8)
    note = textwrap.wrap(words["note"], form.per_line)
    top = form.top + form.titled - 8
    below = top - (form.letters + 10) * len(title)
    big = {"text": f"<b>{'<br>'.join(title)}</b>", "yshift": top, "font": {"size": form.letters + 4}}
    small = {"text": "<br>".join(note), "yshift": below, "font": {"size": form.letters, "color": theme.faint}}
    return [at | big, at | small]
