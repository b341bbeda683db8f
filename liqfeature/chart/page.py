"""A figure as one file that works offline."""

import html
import json
from pathlib import Path
from typing import TYPE_CHECKING

from liqfeature.chart.colours import THEMES
from liqfeature.chart.layout import NARROW

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
html, body {{ margin: 0; background: {paper}; color: {text} }}
body {{ font-family: system-ui, "DejaVu Sans", sans-serif }}
header {{ padding: 10px 12px 0 }}
h1 {{ margin: 0 0 4px; font-size: 17px }}
p {{ margin: 0; font-size: 12px; line-height: 1.45; color: {faint} }}
</style>
<script id="plotly">{plotly}</script>
</head>
<body>
<header><h1>{title}</h1><p>{note}</p></header>
<div id="chart"></div>
<script type="application/json" id="figure">{figure}</script>
<script>
const figure = JSON.parse(document.getElementById("figure").textContent);
const chart = document.getElementById("chart");
const narrow = matchMedia("(max-width: {narrow}px)");
const options = {{responsive: true, displaylogo: false, scrollZoom: false, displayModeBar: false}};
const layout = () => structuredClone(narrow.matches ? figure.slim : figure.wide);
const draw = () => Plotly.newPlot(chart, figure.data, layout(), options);
narrow.addEventListener("change", draw);
draw();
</script>
</body>
</html>
"""


def write_page(
    wide: "go.Figure", slim: "go.Figure", path: str | Path, *, title: str, note: str, theme: str
) -> None:
    """Write a figure in both of its forms as one page, plotly's script included.

    Parameters
    ----------
    wide, slim : Figure
        The same traces, laid out for a wide and for a narrow screen.
    path : path
        An older file is replaced.
    title : str
        Heading of the page.
    note : str
        What stands below it.
    theme : str
        Of the figure.
    """
    from plotly.offline import get_plotlyjs

    whole, narrow = json.loads(wide.to_json()), json.loads(slim.to_json())
    figure = {"data": whole["data"], "wide": whole["layout"], "slim": narrow["layout"]}
    colours = THEMES[theme]
    text = _PAGE.format(
        title=html.escape(title),
        note=html.escape(note),
        faint=colours.faint,
        paper=colours.paper,
        text=colours.text,
        plotly=get_plotlyjs(),
        figure=json.dumps(figure, separators=(",", ":")).replace("</", "<\\/"),
        narrow=NARROW,
    )
    Path(path).write_text(text, encoding="utf-8")
