"""How FreqUI and `freqtrade plot-dataframe` draw the columns."""

from typing import Any

ABOVE, BELOW, NEITHER = "#d55e00", "#0072b2", "#009e73"
"""Told apart by colour-blind readers too (Okabe and Ito)."""


def plot_config() -> dict[str, Any]:
    """Return a strategy's `plot_config`: cluster edges on the candles, one pane per idea below them.

    `liq_pierced_*` are dots on the candles: where a sweep began, and what a close back over it reclaims.
    `liq_vacuum_*` are left out: a few rows reach a hundred times the usual, which hides what is near 0.
    """
    sides = {"above": ABOVE, "below": BELOW}
    edges = {
        f"liq_{edge}_{side}": {"color": color} | ({"fill_to": f"liq_near_{side}"} if edge == "far" else {})
        for side, color in sides.items()
        for edge in ("near", "far")
    }
    began = {f"liq_pierced_{side}": {"color": color, "type": "scatter"} for side, color in sides.items()}
    panes = {
        what: {f"liq_{what}_{side}": {"color": color} for side, color in sides.items()}
        for what in ("fuel", "cascade", "hit", "cleared")
    }
    swept = {"liq_swept_short": {"color": ABOVE}, "liq_swept_long": {"color": BELOW}}
    quality = {"liq_quality": {"color": NEITHER}}
    return {"main_plot": edges | began, "subplots": panes | {"swept": swept, "quality": quality}}
