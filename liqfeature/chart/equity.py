"""Equity of a backtest beside its market, and how far it was below its highest."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from liqfeature.chart.figure import plotly_objects
from liqfeature.data.backtest import Backtest
from liqfeature.heatmap.colours import Theme

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

_POINTS = 400
"""Of the market's line at most."""


def equity_figure(backtest: Backtest, theme: Theme, candles: "Sequence[pd.DataFrame]" = ()) -> "go.Figure":
    """Draw the balance after each closed trade, the market with the same start, and the drawdown.

    Parameters
    ----------
    backtest : Backtest
    theme : Theme
    candles : sequence of DataFrame
        Of each pair; the market is the mean of their changes since the first candle of the backtest, as
        Freqtrade has it.
    """
    go = plotly_objects()
    date, balance = _equity(backtest)
    drawdown = balance / np.maximum.accumulate(balance) - 1
    hover = "%{x|%d %b %Y %H:%M}<extra></extra>"
    traces = [
        go.Scatter(
            name="equity",
            x=date,
            y=balance,
            line={"color": theme.neither, "width": 1.8, "shape": "hv"},
            hovertemplate=f"equity %{{y:,.2f}}<br>{hover}",
        ),
        go.Scatter(
            name="drawdown",
            x=date,
            y=drawdown,
            line={"color": theme.fall, "width": 1.2, "shape": "hv"},
            fill="tozeroy",
            yaxis="y2",
            hovertemplate=f"drawdown %{{y:.2%}}<br>{hover}",
        ),
    ]
    market = _market(backtest, candles)
    if market is not None:
        traces.append(
            go.Scatter(
                name="market",
                x=[_text(at) for at in market.index],
                y=balance[0] * market.to_numpy(),
                line={"color": theme.faint, "width": 1.2},
                hovertemplate=f"market %{{y:,.2f}}<br>{hover}",
            )
        )
    return go.Figure(traces, plain(theme) | _look(theme))


def _equity(backtest: Backtest) -> tuple[list[str], np.ndarray[Any, np.dtype[np.float64]]]:
    trades = backtest.trades.sort_values("close_date")
    start = float(backtest.figures["starting_balance"])
    balance = np.concatenate([[start], start + np.cumsum(trades["profit_abs"].to_numpy(np.float64))])
    return [_text(date) for date in (_begin(backtest), *trades["close_date"])], balance


def _market(backtest: Backtest, candles: "Sequence[pd.DataFrame]") -> "pd.Series[float] | None":
    """Mean of the closes of all pairs, each over its first in the backtest; None without any."""
    first, last = _begin(backtest), pd.Timestamp(backtest.figures["backtest_end"], tz="UTC")
    closes = [frame.set_index("date")["close"].loc[first:last] for frame in candles]
    changes = [close / close.iloc[0] for close in closes if len(close)]
    if not changes:
        return None
    mean: pd.Series[float] = pd.concat(changes, axis=1).ffill().mean(axis=1)
    return mean.iloc[:: max(1, len(mean) // _POINTS)]


def _begin(backtest: Backtest) -> pd.Timestamp:
    return pd.Timestamp(backtest.figures["backtest_start"], tz="UTC")


def _text(date: pd.Timestamp) -> str:
    return str(date.tz_localize(None).isoformat())


def _look(theme: Theme) -> dict[str, Any]:
    axis = plain(theme)["yaxis"]
    return {
        "height": 330,
        "margin": {"t": 34, "b": 30, "l": 62, "r": 16},
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom"},
        "yaxis": axis | {"domain": [0.36, 1]},
        "yaxis2": axis | {"domain": [0, 0.28], "tickformat": ".0%", "nticks": 4},
        "hovermode": "closest",
    }


def plain(theme: Theme) -> dict[str, Any]:
    """Return the layout of a figure without a map."""
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
