"""The heatmap as an interactive figure."""

from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from liqfeature.chart import traces
from liqfeature.chart.frames import frame_traces, sides_of_labels
from liqfeature.chart.layout import SLIM, WIDE, Form, layout
from liqfeature.chart.options import SHOWN
from liqfeature.chart.scene import Scene, scene_of
from liqfeature.chart.sides import scales, visible_sides
from liqfeature.chart.words import amount
from liqfeature.checks import require
from liqfeature.errors import extra
from liqfeature.estimate.config import HeatmapConfig, configuration
from liqfeature.heatmap.colours import FULL, HIDDEN, THEMES

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
    side: Shown = "one",
    theme: Literal["dark", "light"] = "dark",
    narrow: bool = False,
    **view: Any,
) -> "go.Figure":
    """Draw the map with candles, frames of clusters, what rests now, and panes of columns below.

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
    side : {"one", "both", "long", "short"}, default "one"
        What is shown, where "one" is both sides on one scale, and "both" each on its own; buttons of a page
        that `liqfeature chart` writes switch.
    theme : {"dark", "light"}, default "dark"
    narrow : bool
        Arrange everything for a telephone's screen.
    **view
        `first`, `last`, `margin`, `leverage`, `max_times`, `max_prices`, as for `heatmap_history`; `beside`,
        maps as `load_maps` reads them, the newest of which is drawn beside what rests now.

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
    The same lightness is the same amount for longs and for shorts. The least amounts are hidden, 70 % of
    the cells; what they hold shows under the cursor.
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
        *frame_traces(scene, go, colours),
        *traces.candle_traces(scene.history, scene.bars, go, colours),
        *lower,
        traces.slider_trace(scene, go, colours),
        *traces.beside_traces(scene, go, colours, unit),
    ]
    words = {"title": title, "note": note(scene, unit), "unit": unit}
    figure = go.Figure(drawn, layout(scene, colours, panes, words, form))
    for trace, shown in zip(figure.data, visible_sides(side), strict=False):
        trace.visible = shown
    scale = scales(colours, side, unit, scene.least / scene.full)
    figure.update_layout({key.replace(".", "_"): value for key, value in scale.items()})
    for label, of in zip(figure.layout.annotations, sides_of_labels(scene), strict=False):
        label.visible = visible_sides(side)[of]
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
        f"An estimate, not exchange data. Colour: notional that would be liquidated within a row of "
        f"{width:.2%} of price, {when}. Less than {amount(scene.least)} {unit} is hidden, {HIDDEN:.0%} of "
        f"the cells; lightness grows in proportion up to {amount(scene.full)} {unit}, which "
        f"{1 - FULL:.1%} exceed. Frames: the strongest clusters at the last close."
    )


def plotly_objects() -> Any:
    """Import plotly's objects, or raise MissingExtraError."""
    with extra("chart"):
        import plotly.graph_objects as go
    return go
