"""What the windows said together: one row per strategy, in words that a reader cannot take for more."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from liqfeature.judgement import backtest_overfitting, bootstrap_interval, deflated_sharpe, sharpe_ratio
from liqfeature.types import FloatArray

_STOPS = ("stop_loss", "trailing_stop_loss", "liquidation")

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


def expected_shortfall(returns: FloatArray, share: float = 0.05) -> float:
    """Return the mean of the worst share of days, at least one of them; NaN without days."""
    n = max(1, round(share * len(returns)))
    return float(np.mean(np.sort(returns)[:n])) if len(returns) else float("nan")


def deepest_fall(returns: FloatArray) -> float:
    """Return the largest fall of the sum of returns from its highest so far, at least 0."""
    worth = np.concatenate([[0.0], np.cumsum(returns)])
    return float(np.max(np.maximum.accumulate(worth) - worth))


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
        One row per strategy. `stop_away_%` is the mean distance from the entry to the last stop, `stopped_%`
        the share of trades that ended at it, and `stopped_per_%` the one over the other. `ahead_*` is the
        interval, 95 %, of the first one's mean daily return less this one's: where it holds 0, neither can be
        said to be better.
    """
    first = next(iter(returns.values()))
    sharpes = np.nan_to_num(np.array([sharpe_ratio(days) for days in returns.values()]))
    rows = {}
    for name, days in returns.items():
        low, high = bootstrap_interval(first - days)
        mean_low, mean_high = bootstrap_interval(days)
        rows[name] = {
            "trades": len(trades[name]),
            "profit_%": 100 * float(np.sum(days)),
            "day_low_%": 100 * mean_low,
            "day_high_%": 100 * mean_high,
            "fall_%": 100 * deepest_fall(days),
            "shortfall_%": 100 * expected_shortfall(days),
            **_stopped(trades[name]),
            "deflated_sharpe": deflated_sharpe(days, sharpes),
            "ahead_low_%": 100 * low,
            "ahead_high_%": 100 * high,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _stopped(trades: Sequence[Any]) -> dict[str, float]:
    """How far away stops lay, and how many trades ended there; NaN without trades."""
    if not trades:
        return dict.fromkeys(("stop_away_%", "stopped_%", "stopped_per_%"), float("nan"))
    away = 100 * float(np.mean([abs(trade["stop_loss_abs"] / trade["open_rate"] - 1) for trade in trades]))
    share = 100 * float(np.mean([trade["exit_reason"] in _STOPS for trade in trades]))
    return {"stop_away_%": away, "stopped_%": share, "stopped_per_%": share / away}


def verdict(table: pd.DataFrame, returns: Mapping[str, FloatArray]) -> list[str]:
    """Return sentences: which control won, which cannot be told apart, and how much is luck."""
    first, *controls = table.index
    lines = []
    for name in controls:
        low, high = table.loc[name, "ahead_low_%"], table.loc[name, "ahead_high_%"]
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
    head = f"| strategy | {' | '.join(table.columns)} |\n|---|{'---:|' * len(table.columns)}"
    rows = [f"| {name} | {' | '.join(f'{v:.4g}' for v in row)} |" for name, *row in table.itertuples()]
    return "\n".join([head, *rows])
