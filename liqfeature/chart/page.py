"""Figures as one file that works offline."""

import html
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liqfeature.chart.colours import THEMES
from liqfeature.chart.layout import NARROW
from liqfeature.errors import extra

if TYPE_CHECKING:
    import plotly.graph_objects as go

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
html {{ overflow-y: scroll }}
html, body {{ margin: 0; background: {paper}; color: {text} }}
body {{ font-family: system-ui, "DejaVu Sans", sans-serif }}
header, section {{ padding: 10px 12px 0 }}
h1 {{ margin: 0 0 4px; font-size: 17px }}
h2 {{ margin: 14px 0 4px; font-size: 15px }}
p {{ margin: 0; font-size: 12px; line-height: 1.45; color: {faint} }}
dl {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 8px; margin: 8px 0 }}
dt {{ font-size: 11px; color: {faint} }}
dd {{ margin: 0; font-size: 16px }}
.table {{ overflow-x: auto; margin: 8px 0 }}
table {{ border-collapse: collapse; font-size: 12px; font-variant-numeric: tabular-nums }}
th, td {{ padding: 3px 8px; text-align: right; white-space: nowrap; border-bottom: 1px solid {line} }}
th {{ font-weight: normal; color: {faint} }}
tr > :first-child {{ text-align: left; position: sticky; left: 0; background: {paper} }}
</style>
<script id="plotly">{plotly}</script>
</head>
<body>
<header><h1>{title}</h1><p>{note}</p></header>
{body}
<script type="application/json" id="figures">{figures}</script>
<script>
const figures = JSON.parse(document.getElementById("figures").textContent);
const charts = [...document.querySelectorAll(".chart")];
const narrow = matchMedia("(max-width: {narrow}px)");
const options = {{responsive: true, displaylogo: false, scrollZoom: false, displayModeBar: false}};
Plotly.setPlotConfig({{logging: 0}}); // it warns of every bar whose colour is a number, and draws it rightly
const layout = (figure) => structuredClone(narrow.matches ? figure.slim : figure.wide);
const drawOne = (figure, i) => Plotly.newPlot(charts[i], figure.data, layout(figure), options);
const draw = () => Promise.all(figures.map(drawOne));
narrow.addEventListener("change", draw);
draw();
</script>
</body>
</html>
"""


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
    wide, slim : Figure or None
        The same traces, laid out for a wide and for a narrow screen.
    """

    heading: str = ""
    note: str = ""
    facts: dict[str, str]
    table: list[list[str]] = field(default_factory=list)
    wide: "go.Figure | None" = None
    slim: "go.Figure | None" = None


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
    colours = THEMES[theme]
    figures = [_figure(part) for part in parts if part.wide is not None]
    text = _PAGE.format(
        title=html.escape(title),
        note=html.escape(note),
        paper=colours.paper,
        text=colours.text,
        faint=colours.faint,
        line=colours.line,
        plotly=get_plotlyjs(),
        body="\n".join(_section(part) for part in parts),
        figures=json.dumps(figures, separators=(",", ":")).replace("<", "\\u003c"),
        narrow=NARROW,
    )
    Path(path).write_text(text, encoding="utf-8")


def _figure(part: Part) -> dict[str, Any]:
    assert part.wide is not None
    wide = json.loads(part.wide.to_json())
    slim = json.loads((part.slim or part.wide).to_json())
    return {"data": wide["data"], "wide": wide["layout"], "slim": slim["layout"]}


def _section(part: Part) -> str:
    facts = "".join(
        f"<div><dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd></div>" for k, v in part.facts.items()
    )
    pieces = [
        f"<h2>{html.escape(part.heading)}</h2>" if part.heading else "",
        f"<p>{html.escape(part.note)}</p>" if part.note else "",
        f"<dl>{facts}</dl>" if facts else "",
        _table(part.table) if part.table else "",
    ]
    words = "".join(pieces)
    section = f"<section>{words}</section>" if words else ""
    return section + ('<div class="chart"></div>' if part.wide is not None else "")


def _table(rows: list[list[str]]) -> str:
    head, *body = [[html.escape(cell) for cell in row] for row in rows]
    lines = "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in body)
    names = "</th><th>".join(head)
    return f'<div class="table"><table><tr><th>{names}</th></tr>{lines}</table></div>'
