"""The heatmap as an interactive figure."""

from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from liqfeature.chart import traces
from liqfeature.chart.buttons import scales, side_buttons, visible_sides
from liqfeature.chart.colours import THEMES
from liqfeature.chart.layout import SLIM, WIDE, Form, layout
from liqfeature.chart.options import SHOWN
from liqfeature.chart.scene import FULL, Scene, scene_of
from liqfeature.checks import require
from liqfeature.errors import extra
from liqfeature.estimate.config import HeatmapConfig, configuration

if TYPE_CHECKING:
    from collections.abc import Mapping

    import plotly.graph_objects as go

    from liqfeature.market.market import Inputs
    from liqfeature.market.venue import Venue

Shown = Literal["both", "one", "long", "short"]


def heatmap_figure(
    candles: pd.DataFrame,
    config: HeatmapConfig | None = None,
    *,
    open_interest: pd.DataFrame | None = None,
    funding_rate: pd.DataFrame | None = None,
    mark: pd.DataFrame | None = None,
    liquidations: pd.DataFrame | None = None,
    venues: "Mapping[str, Venue] | None" = None,
    title: str = "Estimated liquidations",
    unit: str = "USDT",
    side: Shown = "both",
    theme: Literal["dark", "light"] = "dark",
    narrow: bool = False,
    **view: Any,
) -> "go.Figure":
    """Draw the map with candles, clusters' edges, what rests now, and panes of columns below.

    Parameters
    ----------
    candles, config, open_interest, funding_rate, mark
        As for `liquidation_features`.
    liquidations : DataFrame, optional
        As for `liquidation_features`, drawn in a pane of their own. `liq_cascade_*` refers to them where
        `config.cascade.recorded_share` is known.
    venues : mapping of str to Venue, optional
        As for `liquidation_features`: the map is the sum of the exchanges'.
    title : str
        First line.
    unit : str
        Name of the quote currency.
    side : {"both", "one", "long", "short"}, default "both"
        What is shown at first, where "one" is both sides on one scale; buttons switch.
    theme : {"dark", "light"}, default "dark"
    narrow : bool
        Arrange everything for a telephone's screen.
    **view
        `first`, `last`, `margin`, `leverage`, `max_times`, `max_prices`, as for `heatmap_history`.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    ConfigError, DataError
        As for `heatmap_history`.
    MissingExtraError
        If plotly is not installed.

    Notes
    -----
    One scale holds for every part of a figure: the same colour is the same amount in the map and in the
    bars at its right, and the same lightness is the same amount for longs and for shorts.
    """
    inputs: Inputs = {
        "open_interest": open_interest,
        "funding_rate": funding_rate,
        "mark": mark,
        "liquidations": liquidations,
        "venues": venues,
    }
    scene = scene_of(candles, configuration(config), inputs, **view)
    return draw(scene, title=title, unit=unit, side=side, theme=theme, form=SLIM if narrow else WIDE)


def draw(scene: Scene, *, title: str, unit: str, side: str, theme: str, form: Form) -> "go.Figure":
    """Draw a scene; parameters as for `heatmap_figure`. Without a title, the note is left out too."""
    go = plotly_objects()
    require("theme", theme in THEMES, f"one of {', '.join(THEMES)}", repr(theme))
    require("side", side in SHOWN, f"one of {', '.join(SHOWN)}", repr(side))
    colours = THEMES[theme]
    panes, lower = traces.pane_traces(scene, go, colours, unit)
    drawn = [
        *traces.map_traces(scene, go, unit),
        *traces.profile_traces(scene, go, colours, unit),
        *traces.edge_traces(scene, go, colours),
        traces.candle_trace(scene.history, scene.bars, go, colours),
        *lower,
        traces.slider_trace(scene, go, colours),
    ]
    words = {"title": title, "note": note(scene, unit), "unit": unit}
    arranged = layout(scene, colours, panes, words, form)
    arranged["updatemenus"] = side_buttons(colours, side, unit, form)
    figure = go.Figure(drawn, arranged)
    for trace, shown in zip(figure.data, visible_sides(side), strict=False):
        trace.visible = shown
    figure.update_layout({key.replace(".", "_"): value for key, value in scales(colours, side, unit).items()})
    return figure


def note(scene: Scene, unit: str) -> str:
    """Say what the colours mean, in a few sentences."""
    history = scene.history
    width = history.edge[1] / history.edge[0] - 1
    when = (
        "at the close of each candle"
        if history.span == 1
        else f"the most at any close of the {history.span} candles that a column gathers"
    )
    return (
        f"An estimate, not exchange data. Colour: notional in {unit} that would be liquidated within a row "
        f"of {width:.2%} of price, {when}. Lightness grows in proportion to it, alike for longs and shorts, "
        f"up to {amount(scene.full)} {unit}; {1 - FULL:.1%} of the cells hold more. Dashes: edges of the "
        f"nearest cluster."
    )


def amount(notional: float) -> str:
    """Write an amount of money with three digits: 1.23M."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if notional >= size:
            return f"{notional / size:.3g}{letter}"
    return f"{notional:.3g}"


def plotly_objects() -> Any:
    """Import plotly's objects, or raise MissingExtraError."""
    with extra("chart"):
        import plotly.graph_objects as go
    return go
