"""Figures as one file that works offline."""

import html
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liqfeature.chart.layout import NARROW
from liqfeature.errors import extra
from liqfeature.heatmap.colours import THEMES

if TYPE_CHECKING:
    import plotly.graph_objects as go

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
<script id="plotly">{plotly}</script>
</head>
<body data-narrow="{narrow}">
<header><h1>{title}</h1>{note}</header>
{body}
<script type="application/json" id="figures">{figures}</script>
<script>
{script}</script>
</body>
</html>
"""

_LONG = 240
"""Letters of a note of which a telephone shows the first sentence only."""

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a page: heading, note, figures in a few words, table, picture; each may be missing.

    Parameters
    ----------
    heading, note : str
        Plain text.
    facts : dict
        Names and values, as text.
    table : list of list of str
        Rows of text, the first of them names.
    places : list of tuple of str
        Of each row of the table but the first, if a click leads there: heading of a part with a map, and the
        moments between which it was.
    wide, slim : Figure or None
        The same traces, laid out for a wide and for a narrow screen.
    sides : list of dict
        Of a map: what each choice of sides shows, as `liqfeature.chart.sides.side_choices`.
    side : str
        Name of the choice that is shown at first.
    """

    heading: str = ""
    note: str = ""
    facts: dict[str, str]
    table: list[list[str]] = field(default_factory=list)
    places: list[tuple[str, str, str]] = field(default_factory=list)
    wide: "go.Figure | None" = None
    slim: "go.Figure | None" = None
    sides: list[dict[str, Any]] = field(default_factory=list)
    side: str = ""


def write_page(parts: list[Part], path: str | Path, *, title: str, note: str, theme: str) -> None:
    """Write a page, plotly's script included.

    Parameters
    ----------
    parts : list of Part
        From top to bottom.
    path : path
        An older file is replaced.
    title, note : str
        Heading of the page, and what stands below it.
    theme : str
        Of the figures.
    """
    with extra("chart"):
        from plotly.offline import get_plotlyjs
    figures = [_figure(part) for part in parts if part.wide is not None]
    text = _PAGE.format(
        title=html.escape(title),
        note=_note(note),
        style=_colours(theme) + (_FOLDER / "page.css").read_text(encoding="utf-8"),
        plotly=get_plotlyjs(),
        body="\n".join(_section(part) for part in parts),
        figures=json.dumps(figures, separators=(",", ":")).replace("<", "\\u003c"),
        narrow=NARROW,
        script=(_FOLDER / "page.js").read_text(encoding="utf-8"),
    )
    Path(path).write_text(text, encoding="utf-8")


def _colours(theme: str) -> str:
    colours = THEMES[theme]
    names = ("paper", "text", "faint", "line", "button", "pressed")
    return f":root {{ {' '.join(f'--{name}: {getattr(colours, name)};' for name in names)} }}\n"


def _note(note: str) -> str:
    """Show the first sentence, and the others to those who ask, or at once where there is room."""
    first, _, rest = html.escape(note).partition(". ")
    if len(note) <= _LONG or not rest:
        return f"<p>{html.escape(note)}</p>"
    return f"<p>{first}.</p><details><summary>what this shows</summary><p>{rest}</p></details>"


def _figure(part: Part) -> dict[str, Any]:
    assert part.wide is not None
    wide = json.loads(part.wide.to_json())
    slim = json.loads((part.slim or part.wide).to_json())
    shown = {"sides": part.sides, "side": part.side}
    return {"data": wide["data"], "wide": wide["layout"], "slim": slim["layout"], **shown}


def _section(part: Part) -> str:
    facts = "".join(
        f"<div><dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd></div>" for k, v in part.facts.items()
    )
    pieces = [
        f"<h2>{html.escape(part.heading)}</h2>" if part.heading else "",
        _note(part.note) if part.note else "",
        f"<dl>{facts}</dl>" if facts else "",
        _table(part) if part.table else "",
    ]
    words = "".join(pieces)
    section = f"<section>{words}</section>" if words else ""
    name = html.escape(part.heading)
    return section + (f'<div class="chart" data-name="{name}"></div>' if part.wide is not None else "")


def _table(part: Part) -> str:
    head, *body = [[html.escape(cell) for cell in row] for row in part.table]
    places = [[html.escape(word) for word in place] for place in part.places]
    begins = [f'<tr data-chart="{c}" data-from="{a}" data-to="{b}">' for c, a, b in places]
    begins = begins or ["<tr>"] * len(body)
    lines = "".join(
        f"{begin}<td>{'</td><td>'.join(row)}</td></tr>" for begin, row in zip(begins, body, strict=True)
    )
    names = "</th><th>".join(head)
    sorts = ' class="sorts"' if part.places else ""
    return f'<div class="table"><table{sorts}><tr><th>{names}</th></tr>{lines}</table></div>'
