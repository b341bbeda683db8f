"""What a backtest of Freqtrade wrote, read without Freqtrade."""

import json
import math
import zipfile
import zlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from liqfeature.errors import DataError, parsing

SHOWN = (
    *("total_trades", "profit_total", "winrate", "profit_factor", "max_drawdown_account"),
    *("sharpe", "sortino", "market_change"),
)
"""Figures that a page may show, where they are there."""

_DATES = ("open_date", "close_date")
_NUMBERS = ("open_rate", "close_rate", "stop_loss_abs", "profit_abs", "profit_ratio")
_TEXTS = ("pair", "enter_tag", "exit_reason")
_ORDER = {"ft_is_entry", "ft_order_tag", "order_filled_timestamp", "safe_price"}
"""What is read of a trade and of its orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """Results of one strategy.

    Parameters
    ----------
    strategy : str
        Its name.
    figures : dict
        Freqtrade's figures by its own names, such as `profit_factor`.
    trades : DataFrame
        One row per trade, by Freqtrade's names, by `open_date`; dates in UTC, `orders` as lists of dicts.
    """

    strategy: str
    figures: dict[str, Any]
    trades: pd.DataFrame


def load_backtest(path: str | Path) -> Backtest:
    """Read the results of a backtest; of several strategies, the first.

    Parameters
    ----------
    path : path
        Archive that Freqtrade wrote, or a directory of them, of which the newest is read.

    Raises
    ------
    DataError
        If there is none, or it does not hold what Freqtrade writes of a backtest.
    """
    archive = _newest(Path(path))
    with parsing(archive, "what freqtrade backtesting writes", zipfile.BadZipFile, zlib.error):
        with zipfile.ZipFile(archive) as opened:
            content = json.loads(opened.read(f"{archive.stem}.json"))
        strategy, figures = next(iter(content["strategy"].items()))
        trades = _trades(figures.pop("trades"))
        _check(figures)
    return Backtest(strategy=strategy, figures=figures, trades=trades)


def _trades(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Make a table of trades; an error for `parsing` where one lacks something, or it is of another kind."""
    trades = pd.DataFrame(rows)
    if trades.empty:
        return trades
    for column in _DATES:
        trades[column] = pd.to_datetime(trades[column], utc=True, format="ISO8601")
    for column in _NUMBERS:
        trades[column] = pd.to_numeric(trades[column])
    trades["enter_tag"] = trades["enter_tag"].fillna("")  # of a strategy without tags
    known = (trades["close_date"] >= trades["open_date"]) & (trades[[*_NUMBERS]].abs() < math.inf).all(axis=1)
    known &= trades[["open_rate", "close_rate"]].gt(0).all(axis=1)
    if not known.all():
        raise ValueError(trades.loc[~known, [*_DATES, *_NUMBERS]].iloc[0].to_dict())
    texts = [text for column in _TEXTS for text in trades[column]]
    orders = [order for row in trades["orders"] for order in row]
    if trades["is_short"].dtype != bool or not all(isinstance(text, str) for text in texts):
        raise TypeError(trades[["is_short", *_TEXTS]].iloc[0].to_dict())
    if not all(set(order) >= _ORDER for order in orders):
        raise KeyError(*_ORDER)
    return trades.sort_values("open_date", ignore_index=True)


def _check(figures: dict[str, Any]) -> None:
    """Raise an error for `parsing` unless there are the figures that pages need, and they are numbers."""
    for name in ("timeframe", "stake_currency"):
        if not isinstance(figures[name], str):
            raise TypeError(name, figures[name])
    for end in ("start", "end"):
        datetime.fromisoformat(figures[f"backtest_{end}"])
    if not 0 < (balance := float(figures["starting_balance"])) < math.inf:
        message = f"starting_balance {balance}"
        raise ValueError(message)
    for name in SHOWN:
        if figures.get(name) is not None:
            float(figures[name])


def _newest(path: Path) -> Path:
    if path.is_file():
        return path
    archives = sorted(path.glob("*.zip"), key=lambda found: found.stat().st_mtime)
    if not archives:
        message = f"no archive of a backtest in {path}"
        raise DataError(message)
    return archives[-1]
