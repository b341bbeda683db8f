"""What the windows said together: one row per strategy, in words that a reader cannot take for more."""

import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from liqfeature.scoring.measures.bootstrap import Interval, mean_of_rows
from liqfeature.scoring.measures.losses import deepest_fall, expected_shortfall
from liqfeature.types import FloatArray
from liqfeature.walkforward.overfitting import backtest_overfitting, deflated_sharpe, sharpe_ratio
from liqfeature.walkforward.trade_risk import STOPS

Results = Mapping[str, Any]
"""What Freqtrade says of one strategy on one window."""


def daily_returns(windows: Sequence[tuple[date, date, Results]]) -> FloatArray:
    """Return profit of trades closed on each tested day over the balance at the start, days without: 0."""
    days: list[float] = []
    for begin, end, results in windows:
        day = {begin + timedelta(days=i): 0.0 for i in range((end - begin).days)}
        for trade in results["trades"]:
            closed = min(date.fromisoformat(trade["close_date"][:10]), end - timedelta(days=1))
            day[closed] += trade["profit_abs"] / results["starting_balance"]
        days.extend(day.values())
    return np.array(days)


def comparison(returns: Mapping[str, FloatArray], trades: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """Compare the first strategy with the others.

    Parameters
    ----------
    returns : mapping of str to ndarray of shape (n_days,)
        Daily returns of each strategy on the same days; the first is the one to judge.
    trades : mapping of str to sequence of dict
        Freqtrade's trades of each.

    Returns
    -------
    DataFrame
        One row per strategy. `shortfall_%` is the mean return of the worst 5 % of days. `stop_away_%` is the
        mean distance from the entry to the last stop, `stopped_%` the share of trades that ended there, and
        `stopped_per_%` the one over the other. `ahead_*` is the interval, 95 %, of the first one's mean daily
        return less this one's: where it holds 0, neither can be said to be better. Intervals are NaN on fewer
        than 8 days.
    """
    first = next(iter(returns.values()))
    sharpes = np.nan_to_num(np.array([sharpe_ratio(days) for days in returns.values()]))
    rows = {}
    for name, days in returns.items():
        mean, ahead = _mean_of_days(days), _mean_of_days(first - days)
        shortfall = expected_shortfall(days, 0.05, np.arange(days.size))
        rows[name] = {
            "trades": len(trades[name]),
            "profit_%": 100 * float(np.sum(days)),
            "day_low_%": 100 * mean.low,
            "day_high_%": 100 * mean.high,
            "fall_%": 100 * deepest_fall(days),
            "shortfall_%": -100 * shortfall.value,
            **_stopped(trades[name]),
            "deflated_sharpe": deflated_sharpe(days, sharpes),
            "ahead_low_%": 100 * ahead.low,
            "ahead_high_%": 100 * ahead.high,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _mean_of_days(returns: FloatArray) -> Interval:
    return mean_of_rows(returns, np.arange(returns.size), draws=2000)


def _stopped(trades: Sequence[Any]) -> dict[str, float]:
    """How far away stops lay, and how many trades ended there; NaN without trades."""
    if not trades:
        return dict.fromkeys(("stop_away_%", "stopped_%", "stopped_per_%"), float("nan"))
    away = 100 * float(np.mean([abs(trade["stop_loss_abs"] / trade["open_rate"] - 1) for trade in trades]))
    share = 100 * float(np.mean([trade["exit_reason"] in STOPS for trade in trades]))
    return {"stop_away_%": away, "stopped_%": share, "stopped_per_%": share / away}


def verdict(table: pd.DataFrame, returns: Mapping[str, FloatArray]) -> list[str]:
    """Return sentences: which control won, which cannot be told apart, and how much is luck."""
    first, *controls = table.index
    lines = []
    for name in controls:
        low, high = table.loc[name, "ahead_low_%"], table.loc[name, "ahead_high_%"]
        if math.isnan(low):
            lines.append(f"{name} cannot be told from {first}: fewer than 8 days.")
            continue
        won = "did better than" if high < 0 else "did worse than" if low > 0 else "cannot be told from"
        lines.append(f"{name} {won} {first}: by {low:+.3f} to {high:+.3f} % a day the latter was ahead.")
    days = np.column_stack(list(returns.values()))
    blocks = min(8, len(days) // 2 * 2)
    if len(controls) and blocks >= 2:
        share = backtest_overfitting(days, blocks)
        lines.append(f"Choosing the best of these on half of the days ends below the median in {share:.0%}.")
    return lines


def markdown(table: pd.DataFrame) -> str:
    """Return the table as Markdown."""
    rows = [[str(name), *(f"{v:.4g}" for v in row)] for name, *row in table.itertuples()]
    return rows_as_markdown([["strategy", *table.columns], *rows])


def rows_as_markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as Markdown, the first as head."""
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, f"|---|{'---:|' * (len(rows[0]) - 1)}", *body])
