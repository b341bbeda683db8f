"""Trades on the map: where they were entered and left, their stops, and the cluster they were after."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from liqfeature.heatmap.colours import Theme
from liqfeature.market.frames import numbers, times

WON, LOST = "#2fd08c", "#e07ab0"
"""Green and pink, told apart by colour-blind readers too."""

OUTCOMES = ("second target", "first target only", "stop", "neither")
"""How a trade of LiquidationClusters ended, from best to worst."""

_SIZES = {2: ("thin", "dense"), 3: ("thin", "middling", "dense")}
"""Of clusters, by the number of groups of their density."""

_STOPS = ("stop_loss", "trailing_stop_loss", "stoploss_on_exchange", "liquidation")


def with_entry_row(trades: pd.DataFrame, candles: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Join what the map said ahead of each trade when it was entered.

    Parameters
    ----------
    trades : DataFrame
        Trades of one pair.
    candles, features : DataFrame
        Candles and their columns, of equal length.

    Returns
    -------
    DataFrame
        The trades with `target` (near edge of the cluster ahead), `density` (of it) and `outcome`; NaN where
        there was no cluster. The row is that of the last candle closed before the entry.
    """
    opened = trades["open_date"].dt.as_unit("ms").astype("int64").to_numpy()
    row = np.searchsorted(times(candles, "candles"), opened, "left") - 1
    short = trades["is_short"].to_numpy(dtype=bool)
    ahead = {
        name: np.where(
            short, *(numbers(features, f"liq_{what}_{w}", "rows")[row] for w in ("below", "above"))
        )
        for name, what in (("target", "near"), ("density", "density"))
    }
    return trades.assign(**ahead, outcome=[outcome(trade) for trade in trades.to_dict("records")])


def outcome(trade: Mapping[Any, Any]) -> str:
    """Tell which of `OUTCOMES` a trade had, from its exit reason and the tags of its orders."""
    tags = {order.get("ft_order_tag") for order in trade["orders"]}
    if trade["exit_reason"] == "peak":
        return OUTCOMES[0]
    if "near_edge" in tags:
        return OUTCOMES[1]
    return OUTCOMES[2] if trade["exit_reason"] in _STOPS else OUTCOMES[3]


def trade_traces(trades: pd.DataFrame, go: Any, theme: Theme) -> list[Any]:
    """Draw trades of one pair over its map."""
    won = trades["profit_abs"].to_numpy() > 0
    legs = [
        _legs(trades, go, "stops", "stop_loss_abs", "stop_loss_abs", {"color": LOST, "dash": "dot"}),
        _legs(trades, go, "targets", "target", "target", {"color": WON, "dash": "dot"}),
        _legs(trades[won], go, "won", "open_rate", "close_rate", {"color": WON}),
        _legs(trades[~won], go, "lost", "open_rate", "close_rate", {"color": LOST}),
    ]
    up = np.where(trades["is_short"], "triangle-down", "triangle-up")
    entered = [
        f"<b>{'short' if t.is_short else 'long'}</b> {t.enter_tag} at {t.open_rate:,.6g}<br>"
        f"stop {t.stop_loss_abs:,.6g}, near edge ahead {t.target:,.6g}"
        for t in trades.itertuples()
    ]
    left = [
        f"<b>{t.exit_reason}</b> at {t.close_rate:,.6g}<br>{t.profit_abs:+,.2f} ({t.profit_ratio:+.1%})"
        for t in trades.itertuples()
    ]
    entries = _marks(trades, go, "entries", ("open_date", "open_rate"), up, theme.text, entered)
    exits = _marks(trades, go, "exits", ("close_date", "close_rate"), "x", np.where(won, WON, LOST), left)
    return [*legs, entries, exits]


def _legs(trades: pd.DataFrame, go: Any, name: str, begin: str, end: str, line: dict[str, Any]) -> Any:
    """Draw one line per trade, from its entry to its exit."""
    n = len(trades)
    x, y = np.full((n, 3), "", dtype="U19"), np.full((n, 3), np.nan)
    x[:, 0], x[:, 1] = _when(trades["open_date"]), _when(trades["close_date"])
    x[:, 2] = x[:, 1]
    y[:, 0], y[:, 1] = trades[begin], trades[end]
    look = {"mode": "lines", "line": {"width": 1.6} | line, "hoverinfo": "skip", "meta": "line"}
    return go.Scatter(name=name, x=x.ravel(), y=y.ravel(), xaxis="x", yaxis="y", **look)


def _marks(
    trades: pd.DataFrame, go: Any, name: str, at: tuple[str, str], symbol: Any, colour: Any, text: list[str]
) -> Any:
    return go.Scatter(
        name=name,
        x=_when(trades[at[0]]),
        y=trades[at[1]],
        mode="markers",
        meta="point",
        marker={"symbol": symbol, "size": 9, "color": colour, "line": {"width": 1, "color": "#000000"}},
        text=text,
        hovertemplate="%{text}<br>%{x|%d %b %Y %H:%M}<extra></extra>",
        xaxis="x",
        yaxis="y",
    )


def _when(dates: "pd.Series[pd.Timestamp]") -> Any:
    return dates.dt.tz_localize(None).to_numpy().astype("datetime64[s]").astype(str)


def outcomes_by_density(trades: pd.DataFrame, groups: int = 3) -> pd.DataFrame:
    """Count outcomes of trades by the density of the cluster ahead at their entry.

    Parameters
    ----------
    trades : DataFrame
        With `density` and `outcome`.
    groups : int
        Groups of about equal size, from thin to dense; fewer where many trades share a density.

    Returns
    -------
    DataFrame
        One row per group, named by its range; one column per outcome.
    """
    known = trades[trades["density"].notna()]
    if known.empty:
        return pd.DataFrame(columns=list(OUTCOMES), dtype=np.int64)
    density = known["density"]
    if density.min() == density.max():
        names = pd.Series("all", index=known.index)
    else:
        cut = pd.qcut(density, groups, duplicates="drop")
        ranges = cut.cat.categories
        words = _SIZES.get(len(ranges), [""] * len(ranges))
        named = {at: f"{word} ({_range_of(at)})" for at, word in zip(ranges, words, strict=True)}
        names = cut.map(named).astype(object)
    order = list(dict.fromkeys(names[density.sort_values().index]))
    return pd.crosstab(names, known["outcome"]).reindex(index=order, columns=list(OUTCOMES), fill_value=0)


def _range_of(interval: Any) -> str:
    return f"{100 * max(interval.left, 0):.0f} to {100 * interval.right:.0f} %"
