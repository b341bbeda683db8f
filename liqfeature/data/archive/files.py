"""From the ledger into files: Freqtrade's own for open interest and funding, and some beside them.

Rows are those of the archive, with what was in a file before where the archive has none. Holes stay holes. A
coarser timeframe takes the row at its boundary, never a mean.

What is no candle type of Freqtrade's has a directory of its own: among Freqtrade's files, it would end
`freqtrade list-data` with an error.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from liqfeature.data.archive.datasets import DEPTH, FUNDING, METRICS
from liqfeature.data.archive.ledger import Held
from liqfeature.data.store import candle_files, file_apart, file_stem, read_frame, write_frame
from liqfeature.durations import MINUTE, minutes
from liqfeature.market.interest_rows import OPEN_INTEREST_COLUMNS

TIMEFRAME = "5m"
"""Of what the archive has."""

FUNDING_TIMEFRAME = "1h"
"""Under which Freqtrade keeps funding rates."""


class Written(NamedTuple):
    """A file that was written: its rows, and the dates of those that said something else before."""

    path: Path
    rows: int
    differ: pd.DatetimeIndex


def write_files(datadir: Path, pair: str, dataset: str, held: Held, timeframes: list[str]) -> list[Written]:
    """Write what is held of one data set of a pair; nothing where nothing is.

    Parameters
    ----------
    datadir : Path
        As for freqtrade: `.../data/binance`.
    pair : str
    dataset : str
    held : Held
    timeframes : list of str
        Of open interest.
    """
    if not held.stamp.size:
        return []
    if dataset == FUNDING.name:
        return [_beside_candles(datadir, pair, FUNDING_TIMEFRAME, "funding_rate", _frame(held, FUNDING.kept))]
    if dataset == DEPTH.name:
        return [_apart(datadir, pair, "depth", _frame(held, DEPTH.kept))]
    written = []
    for timeframe in timeframes:
        rows = _at_boundaries(held, minutes(timeframe) * MINUTE)
        frame = _frame(rows, METRICS.kept)[["date", *OPEN_INTEREST_COLUMNS]]
        written.append(_beside_candles(datadir, pair, timeframe, "open_interest", frame))
    ratios = _frame(held, METRICS.kept).drop(columns=list(OPEN_INTEREST_COLUMNS))
    return [*written, _apart(datadir, pair, "positioning", ratios)]


def _frame(held: Held, names: tuple[str, ...]) -> pd.DataFrame:
    date = pd.to_datetime(held.stamp, unit="ms", utc=True).as_unit("ms")
    return pd.DataFrame({"date": date, **dict(zip(names, held.numbers.T, strict=True))})


def _at_boundaries(held: Held, period: int) -> Held:
    """Take the rows whose state is that at a boundary, stamped as the exchange stamps longer periods."""
    own = METRICS.period
    taken = held.stamp + np.where(held.opens, own, 0)
    stamp = taken - np.where(held.opens, period, 0)
    kept = np.flatnonzero(taken % period == 0)
    return held._replace(stamp=stamp[kept], numbers=held.numbers[kept], opens=held.opens[kept])


def _beside_candles(datadir: Path, pair: str, timeframe: str, kind: str, frame: pd.DataFrame) -> Written:
    """Write one of Freqtrade's files, with the rows that it had and the archive has not."""
    default = datadir / "futures" / f"{file_stem(pair)}-{timeframe}-{kind}.feather"
    path = candle_files(datadir, pair, kind).get(timeframe, default)
    names, differ = list(frame.columns[1:]), pd.DatetimeIndex([])
    if path.exists():
        before = read_frame(path)
        if kind == "funding_rate" and "funding_rate" not in before:
            before = before.rename(columns={"open": "funding_rate"})  # of an earlier Freqtrade
        before = before[["date", *names]].assign(date=before["date"].dt.as_unit("ms"))
        both = frame.merge(before, on="date", suffixes=("", "_before"))
        mine, theirs = (both[[f"{name}{end}" for name in names]].to_numpy() for end in ("", "_before"))
        known = ~(np.isnan(mine) | np.isnan(theirs))
        differ = pd.DatetimeIndex(both["date"][(known & (mine != theirs)).any(axis=1)])
        frame = frame.set_index("date").combine_first(before.set_index("date")).reset_index()
    frame = frame[["date", *names]].dropna(subset=names, how="all").reset_index(drop=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_frame(frame, path)
    return Written(path, len(frame), differ)


def _apart(datadir: Path, pair: str, what: str, frame: pd.DataFrame) -> Written:
    path = file_apart(datadir, pair, what, TIMEFRAME)
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = frame.dropna(subset=list(frame.columns[1:]), how="all").reset_index(drop=True)
    write_frame(frame, path)
    return Written(path, len(frame), pd.DatetimeIndex([]))
