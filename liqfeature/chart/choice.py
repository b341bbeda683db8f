"""Which trades of a backtest to show: the middling ones, winners and losers alike."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from liqfeature.chart.options import BY
from liqfeature.checks import require


class Sale(NamedTuple):
    """An order that closed a trade or a part of it: when it was filled, at which price, and why."""

    date: pd.Timestamp
    price: float
    reason: str


def sales(trade: Mapping[Any, Any]) -> list[Sale]:
    """Return the closing orders of a trade that Freqtrade exported, in time."""
    filled = (order for order in trade["orders"] if order["order_filled_timestamp"])
    closing = (order for order in filled if not order["ft_is_entry"])
    done = sorted(closing, key=lambda order: order["order_filled_timestamp"])
    return [
        Sale(
            pd.Timestamp(order["order_filled_timestamp"], unit="ms", tz="UTC"),
            float(order["safe_price"]),
            str(order["ft_order_tag"]),
        )
        for order in done
    ]


def typical_trades(trades: pd.DataFrame, by: str, only: Sequence[str] = ()) -> pd.DataFrame:
    """Choose one or two trades of each kind, none of them for its looks.

    Parameters
    ----------
    trades : DataFrame
        As `load_backtest` returns them.
    by : {"enter_tag", "exit_reason"}
        By tag: of the winners and of the losers of each tag the one with the median profit. By reason: of
        all trades with an order of that reason, parts sold included, the one with the median profit.
    only : sequence of str, optional
        These tags or reasons, in this order; default all in alphabetical order.

    Returns
    -------
    DataFrame
        Rows of `trades`, tag by tag or reason by reason, winners first. A trade may stand for two reasons,
        and then stands there twice.

    Raises
    ------
    ConfigError
        If `by` is neither, or `only` names what does not occur.
    """
    require("by", by in BY, f"one of {', '.join(BY)}", repr(by))
    kinds = [_kinds(trade, by) for trade in trades.to_dict("records")]
    occurring = sorted(set().union(*kinds))
    for name in only:
        require(by, name in occurring, f"one that occurs, {', '.join(occurring)}", repr(name))
    chosen = [trades.iloc[:0]]
    for name in only or occurring:
        group = trades[[name in those for those in kinds]]
        won = group["profit_abs"] > 0
        chosen += [_median(part) for part in ((group[won], group[~won]) if by == BY[0] else (group,))]
    return pd.concat(chosen)


def _kinds(trade: Mapping[Any, Any], by: str) -> set[str]:
    return {trade["enter_tag"]} if by == BY[0] else {sale.reason for sale in sales(trade)}


def _median(trades: pd.DataFrame) -> pd.DataFrame:
    """Return the one row with the median profit, the lower of two; none of none."""
    order = np.argsort(trades["profit_ratio"].to_numpy(), kind="stable")
    return trades.iloc[order[(len(order) - 1) // 2 : (len(order) + 1) // 2][:1]]
