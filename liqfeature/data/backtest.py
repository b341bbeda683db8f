"""What a backtest of Freqtrade wrote, read without Freqtrade."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from liqfeature.errors import DataError


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
    """Read the results of a backtest.

    Parameters
    ----------
    path : path
        Archive that Freqtrade wrote, or a directory of them, of which the newest is read.

    Raises
    ------
    DataError
        If there is none, or it holds no trades' table.
    """
    archive = _newest(Path(path))
    try:
        with zipfile.ZipFile(archive) as opened:
            content = json.loads(opened.read(f"{archive.stem}.json"))
        strategy, figures = next(iter(content["strategy"].items()))
        trades = pd.DataFrame(figures["trades"])
    except (zipfile.BadZipFile, KeyError, ValueError, StopIteration) as error:
        msg = f"{archive} must be an archive that freqtrade backtesting wrote: {error}"
        raise DataError(msg) from error
    for column in ("open_date", "close_date") if len(trades) else ():
        trades[column] = pd.to_datetime(trades[column], utc=True)
    figures = {name: value for name, value in figures.items() if name != "trades"}
    by_date = trades.sort_values("open_date", ignore_index=True) if len(trades) else trades
    return Backtest(strategy=strategy, figures=figures, trades=by_date)


def _newest(path: Path) -> Path:
    if path.is_file():
        return path
    archives = sorted(path.glob("*.zip"), key=lambda found: found.stat().st_mtime)
    if not archives:
        msg = f"no archive of a backtest in {path}"
        raise DataError(msg)
    return archives[-1]
