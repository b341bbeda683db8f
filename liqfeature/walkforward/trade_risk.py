"""What the worst trades lost, at equal mean exposure, and how often stops were hit."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from liqfeature.scoring.measures.bootstrap import Interval, mean_of_rows
from liqfeature.scoring.measures.losses import deepest_fall, expected_shortfall, shortfall_ratio
from liqfeature.types import FloatArray, IntArray

STOPS = ("stop_loss", "trailing_stop_loss", "liquidation")
"""Exit reasons of trades that ended at their stop."""

SHARES = {"95": 0.05, "99": 0.01}
"""Worst shares of the trades, by the level of expected shortfall."""

Trades = Sequence[Mapping[str, Any]]
"""As Freqtrade exports them."""


def loss_rows(trades: Mapping[str, Trades]) -> list[list[str]]:
    """Lay out expected shortfall and largest fall of each strategy, a head first.

    Parameters
    ----------
    trades : mapping of str to sequence of dict
        Freqtrade's trades of each strategy; the first is the one to judge.

    Returns
    -------
    list of list of str
        All in % of the strategy's mean stake, so that sizes of another level compare. The first one's
        shortfall also stands over the others', on trades that entered the same pair at the same time: below 1
        it lost less. Intervals, 95 %, resample days of entry.
    """
    first, *_ = trades
    levels = [f"shortfall {level} %" for level in SHARES]
    rows = [
        ["strategy", "trades", *levels, "largest fall", *(f"{first}'s {name} over it" for name in levels)]
    ]
    for name, of in trades.items():
        returns, day = _returns(of)
        cells = [_text(expected_shortfall(100 * returns, share, day)) for share in SHARES.values()]
        ours, theirs = _matched(trades[first], of)
        ratios = [_ratio(ours, theirs, share) for share in SHARES.values()] if name != first else ["", ""]
        rows.append([name, str(len(of)), *cells, f"{100 * deepest_fall(returns):.2f}", *ratios])
    return rows


def stop_rows(trades: Mapping[str, Trades], group: Callable[[Mapping[str, Any]], str]) -> list[list[str]]:
    """Lay out the share of trades that ended at their stop, by group of trades, a head first.

    Parameters
    ----------
    trades : mapping of str to sequence of dict
        Those of which none ended at a stop are left out.
    group : callable
        Name of a trade's group, such as `hour_of` or `tag_of`.

    Returns
    -------
    list of list of str
        Per cent, with intervals by day of entry; empty where nothing was stopped.
    """
    stopped = {name: of for name, of in trades.items() if any(t["exit_reason"] in STOPS for t in of)}
    groups = sorted({group(trade) for of in stopped.values() for trade in of}, key=_in_order)
    rows = [["stops hit, %", "all", *groups]]
    for name, of in stopped.items():
        cells = [_hit(of), *(_hit([t for t in of if group(t) == each]) for each in groups)]
        rows.append([name, *cells])
    return rows if stopped else []


def hour_of(trade: Mapping[str, Any]) -> str:
    """Hour of the day, UTC, of the entry."""
    return str(int(trade["open_date"][11:13]))


def tag_of(trade: Mapping[str, Any]) -> str:
    """Entry tag; empty where there is none."""
    return str(trade.get("enter_tag") or "")


def _in_order(name: str) -> tuple[int, str]:
    """Words before numbers, and these by size."""
    digits = "".join(letter for letter in name if letter.isdigit())
    return (int(digits), name) if digits else (-1, name)


def _returns(trades: Trades) -> tuple[FloatArray, IntArray]:
    """Profits over the mean stake, in order of entry, and days of entry."""
    ordered = sorted(trades, key=lambda trade: str(trade["open_date"]))
    profits = np.array([float(trade["profit_abs"]) for trade in ordered])
    stakes = np.array([float(trade["stake_amount"]) for trade in ordered])
    return profits / np.mean(stakes) if ordered else profits, _days(ordered)


def _days(trades: Trades) -> IntArray:
    return np.array(
        [date.fromisoformat(trade["open_date"][:10]).toordinal() for trade in trades], dtype=np.int64
    )


def _matched(ours: Trades, theirs: Trades) -> tuple[Trades, Trades]:
    """Trades of the same pair and time of entry, in the same order."""
    found = {(t["pair"], t["open_date"]): t for t in theirs}
    both = [t for t in ours if (t["pair"], t["open_date"]) in found]
    return both, [found[t["pair"], t["open_date"]] for t in both]


def _ratio(ours: Trades, theirs: Trades, share: float) -> str:
    (mine, day), (others, _) = _returns(ours), _returns(theirs)
    return _text(shortfall_ratio(mine, others, share, day))


def _hit(trades: Trades) -> str:
    hit = np.array([float(trade["exit_reason"] in STOPS) for trade in trades])
    return _text(mean_of_rows(100 * hit, _days(trades)), 1)


def _text(found: Interval, places: int = 2) -> str:
    if not np.isfinite(found.value):
        return ""
    value = f"{found.value:.{places}f}"
    return f"{value} ({found.low:.{places}f}..{found.high:.{places}f})" if np.isfinite(found.low) else value
