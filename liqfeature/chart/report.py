"""What a backtest did, on one page: figures, equity, trades on the map, and what became of them."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from liqfeature.chart.colours import THEMES, Theme
from liqfeature.chart.figure import draw, note, plotly_objects
from liqfeature.chart.layout import SLIM, WIDE
from liqfeature.chart.page import Part
from liqfeature.chart.scene import scene_of
from liqfeature.chart.trades import LOST, OUTCOMES, WON, outcomes_by_density, trade_traces, with_entry_row
from liqfeature.columns.features import liquidation_features
from liqfeature.data.backtest import Backtest
from liqfeature.data.pair import PairData

if TYPE_CHECKING:
    import plotly.graph_objects as go

MAP = {"max_times": 480, "max_prices": 160}
"""Columns and rows of each pair's map: a report holds several."""

_FIGURES = {
    "total_trades": ("trades", "{:,.0f}"),
    "profit_total": ("profit", "{:+.2%}"),
    "winrate": ("won", "{:.0%}"),
    "profit_factor": ("profit factor", "{:.2f}"),
    "max_drawdown_account": ("largest drawdown", "{:.2%}"),
    "sharpe": ("Sharpe", "{:.2f}"),
    "sortino": ("Sortino", "{:.2f}"),
    "market_change": ("market", "{:+.2%}"),
}


def report_parts(backtest: Backtest, sources: dict[str, PairData], theme: str) -> list[Part]:
    """Make the parts of a report.

    Parameters
    ----------
    backtest : Backtest
    sources : dict
        Market of each traded pair, by its name.
    theme : str
        "dark" or "light".
    """
    unit = backtest.figures["stake_currency"]
    facts = {
        name: form.format(float(value))
        for key, (name, form) in _FIGURES.items()
        if (value := backtest.figures.get(key)) is not None
    }
    parts = [Part(facts=facts)]
    if backtest.trades.empty:
        return [*parts, Part(heading="No trades", facts={})]
    parts.append(_part(f"Equity, {unit}", "After each closed trade.", equity_figure(backtest, THEMES[theme])))
    known, maps = [], []
    for pair, source in sources.items():
        trades = backtest.trades[backtest.trades["pair"] == pair]
        features = liquidation_features(source.candles, source.config, **source.inputs)
        known.append(with_entry_row(trades, source.candles, features))
        maps.append(_map_part(pair, source, known[-1], backtest, theme, unit))
    table = outcomes_by_density(pd.concat(known))
    said = (
        "By the density of the cluster ahead at entry, as a share of open interest per 1 % of price, in "
        "groups of about equal size. Few trades say little."
    )
    hits = _part("What became of trades", said, outcome_figure(table, THEMES[theme]))
    return [*parts, hits, *maps]


def _part(heading: str, said: str, figure: "go.Figure") -> Part:
    return Part(heading=heading, note=said, facts={}, wide=figure)


def _map_part(
    pair: str, source: PairData, trades: pd.DataFrame, backtest: Backtest, theme: str, unit: str
) -> Part:
    span = [pd.Timestamp(backtest.figures[f"backtest_{end}"], tz="UTC") for end in ("start", "end")]
    view: dict[str, Any] = {"first": span[0], "last": span[1], **MAP}
    scene = scene_of(source.candles, source.config, source.inputs, **view)
    look = {"title": "", "unit": unit, "side": "both", "theme": theme}
    wide, slim = (draw(scene, **look, form=form) for form in (WIDE, SLIM))
    for figure in (wide, slim):
        figure.add_traces(trade_traces(trades, plotly_objects(), THEMES[theme]))
    said = (
        f"{len(trades)} trades. Triangles: entries, pointing the way of the trade; crosses: exits; lines "
        "between them: green won, pink lost; dots: stop (pink) and near edge ahead at entry (green). "
    )
    return Part(heading=pair, note=said + note(scene, unit), facts={}, wide=wide, slim=slim)


def equity_figure(backtest: Backtest, theme: Theme) -> "go.Figure":
    """Draw the balance after each closed trade."""
    go = plotly_objects()
    trades = backtest.trades.sort_values("close_date")
    start = float(backtest.figures["starting_balance"])
    balance = np.concatenate([[start], start + np.cumsum(trades["profit_abs"].to_numpy())])
    first = pd.Timestamp(backtest.figures["backtest_start"])
    x = [first.isoformat(), *(date.isoformat() for date in trades["close_date"].dt.tz_localize(None))]
    line = {"color": theme.neither, "width": 1.6, "shape": "hv"}
    hover = "%{y:,.2f}<br>%{x|%d %b %Y %H:%M}<extra></extra>"
    return go.Figure(go.Scatter(name="equity", x=x, y=balance, line=line, hovertemplate=hover), _plain(theme))


def outcome_figure(table: pd.DataFrame, theme: Theme) -> "go.Figure":
    """Draw counts of outcomes by density as stacked bars."""
    go = plotly_objects()
    colours = (WON, theme.long, LOST, theme.faint)
    bars = [
        go.Bar(
            name=outcome,
            x=table[outcome],
            y=list(table.index),
            orientation="h",
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate=f"{outcome}: %{{x}} trades<extra></extra>",
        )
        for outcome, colour in zip(OUTCOMES, colours, strict=True)
    ]
    legend = {
        "orientation": "h",
        "y": 1.02,
        "yanchor": "bottom",
        "x": 0,
        "xanchor": "left",
        "traceorder": "normal",
    }
    look = {"barmode": "stack", "bargap": 0.35, "showlegend": True, "legend": legend}
    return go.Figure(bars, _plain(theme) | look | {"margin": {"t": 60, "b": 30, "l": 100, "r": 26}})


def _plain(theme: Theme) -> dict[str, Any]:
    axis = {"gridcolor": theme.line, "linecolor": theme.line, "zeroline": False}
    return {
        "height": 230,
        "margin": {"t": 12, "b": 30, "l": 78, "r": 26},
        "paper_bgcolor": theme.paper,
        "plot_bgcolor": theme.plot,
        "font": {"color": theme.text, "size": 12, "family": "system-ui, DejaVu Sans, sans-serif"},
        "showlegend": False,
        "xaxis": axis,
        "yaxis": axis,
    }
