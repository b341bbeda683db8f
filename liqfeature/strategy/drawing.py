"""What FreqUI and `freqtrade plot-dataframe` draw: columns, clusters as areas, a plan as lines."""

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from liqfeature.market.frames import numbers
from liqfeature.strategy.plan import Plan

ABOVE, BELOW, NEITHER = "#d55e00", "#0072b2", "#009e73"
"""Colours that colour-blind readers tell apart (Okabe and Ito)."""

_COLOUR_AT = {"above": ABOVE, "below": BELOW}

_WHOSE = {"above": "shorts", "below": "longs"}

FAINTEST, STRONGEST = 0.12, 0.6
"""Opacities of an area."""

_OPACITY_PER_DENSITY = 2.0

Annotation = dict[str, Any]


def plot_config() -> dict[str, Any]:
    """Return a strategy's `plot_config`: cluster edges on the candles, one pane per idea below them.

    `liq_pierced_*` are dots on the candles: where a sweep began, and what a close back over it reclaims.
    `liq_vacuum_*` are left out: a few rows reach a hundred times the usual, which hides what is near 0.
    """
    edges = {
        f"liq_{edge}_{side}": {"color": color} | ({"fill_to": f"liq_near_{side}"} if edge == "far" else {})
        for side, color in _COLOUR_AT.items()
        for edge in ("near", "far")
    }
    began = {f"liq_pierced_{side}": {"color": color, "type": "scatter"} for side, color in _COLOUR_AT.items()}
    panes = {
        what: {f"liq_{what}_{side}": {"color": color} for side, color in _COLOUR_AT.items()}
        for what in ("fuel", "cascade", "hit", "cleared")
    }
    swept = {"liq_swept_short": {"color": ABOVE}, "liq_swept_long": {"color": BELOW}}
    quality = {"liq_quality": {"color": NEITHER}}
    return {"main_plot": edges | began, "subplots": panes | {"swept": swept, "quality": quality}}


def cluster_areas(rows: pd.DataFrame) -> list[Annotation]:
    """Draw the nearest cluster on either side of price at the last row.

    Parameters
    ----------
    rows : DataFrame
        `date`, and `liq_near_*`, `liq_far_*`, `liq_notional_*`, `liq_density_*`.

    Returns
    -------
    list of dict
        Areas in Freqtrade's form, from near to far edge; the denser, the less transparent. Each begins at
        the first of the last rows whose nearest cluster overlaps it, and ends at the last row.

    Raises
    ------
    MissingColumnError
        If a column is missing.
    """
    drawn = [_area(rows, where) for where in _COLOUR_AT] if len(rows) else []
    return [area for area in drawn if area is not None]


def _area(rows: pd.DataFrame, where: str) -> Annotation | None:
    near, far, notional, density = (
        numbers(rows, f"liq_{what}_{where}", "rows") for what in ("near", "far", "notional", "density")
    )
    if np.isnan(near[-1]):
        return None
    low, high = np.minimum(near, far), np.maximum(near, far)
    apart = np.flatnonzero(~((low <= high[-1]) & (high >= low[-1])))  # NaN overlaps nothing
    begin = int(apart[-1]) + 1 if apart.size else 0
    opacity = min(FAINTEST + _OPACITY_PER_DENSITY * float(density[-1]), STRONGEST)
    return {
        "type": "area",
        "start": rows["date"].iloc[begin].to_pydatetime(),
        "end": rows["date"].iloc[-1].to_pydatetime(),
        "y_start": float(near[-1]),
        "y_end": float(far[-1]),
        "color": _transparent(_COLOUR_AT[where], opacity),
        "label": f"{_WHOSE[where]} {notional[-1] / 1e6:,.3g}M",
    }


def _transparent(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:.2f})"


def plan_lines(plan: Plan, opened: datetime, dates: pd.Series) -> list[Annotation]:
    """Draw the stop and the targets of a trade.

    Parameters
    ----------
    plan : Plan
    opened : datetime
        When the trade was opened, UTC.
    dates : Series
        Dates of the candles shown, UTC, in order.

    Returns
    -------
    list of dict
        Lines in Freqtrade's form, inside the dates; none where the trade was opened later. The last date
        begins a candle that has closed, and one more may be under way: a trade opened in either belongs to
        the last candle shown.
    """
    if dates.empty:
        return []
    first, before, last = (pd.Timestamp(dates.iloc[i]) for i in (0, max(-2, -len(dates)), -1))
    if opened > last + 2 * (last - before):
        return []
    start = max(min(pd.Timestamp(opened), before), first).to_pydatetime()
    prices = {
        "stop": plan.current_stop,
        "first target": plan.first_target,
        "second target": plan.second_target,
    }
    return [
        {
            "type": "line",
            "start": start,
            "end": last.to_pydatetime(),
            "y_start": price,
            "y_end": price,
            "color": _OF_PRICE[name],
            "label": f"{plan.side} {name}",
            "width": 1,
            "line_style": "dashed",
        }
        for name, price in prices.items()
        if not np.isnan(price)
    ]


_OF_PRICE = {"stop": "#cc79a7", "first target": NEITHER, "second target": NEITHER}
"""Purple and green of the same palette as the sides' colours."""
