"""What a backtest did, on one page: figures, equity, trades on the map, and what became of them."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from liqfeature.chart.equity import equity_figure, plain
from liqfeature.chart.figure import plotly_objects
from liqfeature.chart.map_part import map_part
from liqfeature.chart.page import Part
from liqfeature.chart.scene import scene_of
from liqfeature.chart.trades import LOST, OUTCOMES, WON, outcomes_by_density, trade_traces, with_entry_row
from liqfeature.columns.features import liquidation_features
from liqfeature.data.backtest import Backtest
from liqfeature.data.pair import PairData
from liqfeature.heatmap.colours import THEMES, Theme

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

_TRADE = ("entered, UTC", "pair", "side", "entry", "exit", "hours", "tag", "reason", "profit")
"""Columns of the table of trades."""


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
    candles = [source.candles for source in sources.values()]
    equity = equity_figure(backtest, THEMES[theme], candles)
    told = "After each closed trade, beside the traded pairs held from the start; below, the drawdown."
    parts.append(_part(f"Equity, {unit}", told, equity))
    known, maps = [], []
    for pair, source in sources.items():
        trades = backtest.trades[backtest.trades["pair"] == pair]
        features = liquidation_features(source.candles, source.config, **source.inputs)
        known.append(with_entry_row(trades, source.candles, features))
        maps.append(_map_part(pair, source, known[-1], backtest, theme, unit))
    table = outcomes_by_density(pd.concat(known))
    said = (
        "By how much rested in the cluster ahead at entry: in brackets per cent of open interest per 1 % of "
        "price, in groups of about equal size. Few trades say little."
    )
    hits = _part("What became of trades", said, outcome_figure(table, THEMES[theme]))
    return [*parts, hits, _trades_part(pd.concat(known), unit), *maps]


def _trades_part(trades: pd.DataFrame, unit: str) -> Part:
    """Make the table of all trades; a click on one leads to it on the map of its pair."""
    rows = [[*_TRADE, f"profit, {unit}"]]
    places = []
    for trade in trades.sort_values("open_date").to_dict("records"):
        opened, closed = (trade[name].tz_localize(None) for name in ("open_date", "close_date"))
        told = (
            *(f"{opened:%Y-%m-%d %H:%M}", trade["pair"], "short" if trade["is_short"] else "long"),
            *(f"{trade[name]:,.6g}" for name in ("open_rate", "close_rate")),
            f"{(closed - opened).total_seconds() / 3600:.1f}",
            *(trade["enter_tag"], trade["exit_reason"]),
            *(f"{trade['profit_ratio']:+.2%}", f"{trade['profit_abs']:+,.2f}"),
        )
        rows.append([str(word) for word in told])
        places.append((str(trade["pair"]), opened.isoformat(), closed.isoformat()))
    said = "A click on a name sorts, one on a trade shows it on the map of its pair."
    return Part(heading="Trades", note=said, facts={}, table=rows, places=places)


def _part(heading: str, said: str, figure: "go.Figure") -> Part:
    return Part(heading=heading, note=said, facts={}, wide=figure)


def _map_part(
    pair: str, source: PairData, trades: pd.DataFrame, backtest: Backtest, theme: str, unit: str
) -> Part:
    span = [pd.Timestamp(backtest.figures[f"backtest_{end}"], tz="UTC") for end in ("start", "end")]
    view: dict[str, Any] = {"first": span[0], "last": span[1], **MAP}
    scene = scene_of(source.candles, source.config, source.inputs, **view)
    said = (
        f"{len(trades)} trades, at close range with all their marks. Triangles: entries, pointing the way "
        "of the trade; crosses: exits; lines between them: green won, pink lost; dots: stop (pink) and near "
        "edge ahead at entry (green). "
    )
    over = trade_traces(trades, plotly_objects(), THEMES[theme])
    return map_part(scene, unit=unit, theme=theme, heading=pair, said=said, over=over)


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
    return go.Figure(bars, plain(theme) | look | {"margin": {"t": 60, "b": 30, "l": 150, "r": 26}})
