"""How FreqUI and `freqtrade plot-dataframe` draw the columns."""

from typing import Any

ABOVE, BELOW, NEITHER = "#d55e00", "#0072b2", "#009e73"
"""Told apart by colour-blind readers too (Okabe and Ito)."""


def plot_config() -> dict[str, Any]:
    """Return a strategy's `plot_config`: cluster edges on the candles, one pane per idea below them."""
    sides = {"above": ABOVE, "below": BELOW}
    edges = {
        f"liq_{edge}_{side}": {"color": color} | ({"fill_to": f"liq_near_{side}"} if edge == "far" else {})
        for side, color in sides.items()
        for edge in ("near", "far")
    }
    panes = {
        what: {f"liq_{what}_{side}": {"color": color} for side, color in sides.items()}
        for what in ("fuel", "cascade", "hit")
    }
    swept = {"liq_swept_short": {"color": ABOVE}, "liq_swept_long": {"color": BELOW}}
    quality = {"liq_quality": {"color": NEITHER}}
    return {"main_plot": edges, "subplots": panes | {"swept": swept, "quality": quality}}
