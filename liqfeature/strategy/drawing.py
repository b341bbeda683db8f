"""What FreqUI and `freqtrade plot-dataframe` draw: columns, clusters as areas, a plan as lines."""

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from liqfeature.checks import require
from liqfeature.heatmap.clusters import Ladder, strongest
from liqfeature.market.frames import numbers
from liqfeature.strategy.plan import Plan

ABOVE, BELOW, NEITHER = "#d55e00", "#0072b2", "#009e73"
"""Colours that colour-blind readers tell apart (Okabe and Ito)."""

_COLOUR_AT = {"above": ABOVE, "below": BELOW}

_WHOSE = {"above": "shorts", "below": "longs"}

FAINTEST, STRONGEST = 0.12, 0.6
"""Opacities of an area."""

_OPACITY_PER_DENSITY = 2.0

_PANES = ("fuel", "cascade")
"""Drawn by default: more of them leave no room for candles."""

_DRAWN, _BEYOND = 3, 12
"""Clusters a side, and candles behind the last one to which they are drawn."""

Annotation = dict[str, Any]


def plot_config(*panes: str) -> dict[str, Any]:
    """Return a strategy's `plot_config`: cluster edges on the candles, one pane per idea below them.

    Parameters
    ----------
    *panes : str
        Of `fuel`, `cascade`, `hit`, `cleared`, `swept`, `quality`; default: the first two.

    Raises
    ------
    ConfigError
        If there is no such pane.

    Notes
    -----
    `liq_pierced_*` are dots on the candles: where a sweep began, and what a close back over it reclaims.
    `liq_vacuum_*` are left out: a few rows reach a hundred times the usual, which hides what is near 0.
    """
    edges = {
        f"liq_{edge}_{side}": {"color": color} | ({"fill_to": f"liq_near_{side}"} if edge == "far" else {})
        for side, color in _COLOUR_AT.items()
        for edge in ("near", "far")
    }
    began = {f"liq_pierced_{side}": {"color": color, "type": "scatter"} for side, color in _COLOUR_AT.items()}
    known = {
        what: {f"liq_{what}_{side}": {"color": color} for side, color in _COLOUR_AT.items()}
        for what in ("fuel", "cascade", "hit", "cleared")
    }
    known["swept"] = {"liq_swept_short": {"color": ABOVE}, "liq_swept_long": {"color": BELOW}}
    known["quality"] = {"liq_quality": {"color": NEITHER}}
    for name in panes:
        require("panes", name in known, f"of {', '.join(known)}", repr(name))
    return {"main_plot": edges | began, "subplots": {name: known[name] for name in panes or _PANES}}


def cluster_areas(rows: pd.DataFrame, ladder: Ladder | None = None) -> list[Annotation]:
    """Draw clusters at the last row.

    Parameters
    ----------
    rows : DataFrame
        `date`, and `liq_near_*`, `liq_far_*`, `liq_notional_*`, `liq_density_*`.
    ladder : Ladder, optional
        All clusters, as `self.cluster_feed.ladders[pair]` has them.

    Returns
    -------
    list of dict
        Areas in Freqtrade's form, from near to far edge; the denser, the less transparent. With a ladder of
        the last row the three strongest of either side: each begins where its positions were opened on
        average, and ends an hour's candles behind the last row, so that a new one can be seen. Else the
        nearest one of either side: from the first of the last rows whose nearest cluster overlaps it.

    Raises
    ------
    MissingColumnError
        If a column is missing.
    """
    if not len(rows):
        return []
    if ladder is not None and ladder.date == rows["date"].iloc[-1] and len(rows) > 1:
        sides = {"above": ladder.above, "below": ladder.below}
        return [
            _area(rows, where, rung.age, _BEYOND, (rung.near, rung.far, rung.notional, rung.density))
            for where, rungs in sides.items()
            for rung in strongest(rungs, _DRAWN)
        ]
    drawn = [_nearest(rows, where) for where in _COLOUR_AT]
    return [area for area in drawn if area is not None]


def _nearest(rows: pd.DataFrame, where: str) -> Annotation | None:
    near, far, notional, density = (
        numbers(rows, f"liq_{what}_{where}", "rows") for what in ("near", "far", "notional", "density")
    )
    if np.isnan(near[-1]):
        return None
    low, high = np.minimum(near, far), np.maximum(near, far)
    apart = np.flatnonzero(~((low <= high[-1]) & (high >= low[-1])))  # NaN overlaps nothing
    age = len(rows) - 1 - (int(apart[-1]) + 1 if apart.size else 0)
    return _area(rows, where, age, 0, (near[-1], far[-1], notional[-1], density[-1]))


def _area(
    rows: pd.DataFrame, where: str, age: float, beyond: int, held: tuple[float, float, float, float]
) -> Annotation:
    """Draw a cluster from `age` candles before the last row to `beyond` candles behind it."""
    near, far, notional, density = map(float, held)
    date = rows["date"]
    end = date.iloc[-1] + beyond * (date.iloc[-1] - date.iloc[-2]) if beyond else date.iloc[-1]
    opacity = min(FAINTEST + _OPACITY_PER_DENSITY * density, STRONGEST)
    return {
        "type": "area",
        "start": date.iloc[max(len(rows) - 1 - round(age), 0)].to_pydatetime(),
        "end": end.to_pydatetime(),
        "y_start": near,
        "y_end": far,
        "color": _transparent(_COLOUR_AT[where], opacity),
        "label": f"{_WHOSE[where]} {notional / 1e6:,.3g}M",
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
