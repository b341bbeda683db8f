"""The map at one candle: what rests at which price."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqfeature.config import HeatmapConfig
from liqfeature.errors import DataError
from liqfeature.heatmap import Scan, join_candles, walk_candles
from liqfeature.kernels.book import Book
from liqfeature.types import LONG, SHORT, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Heatmap:
    """Estimated notional by liquidation price, at the close of one candle.

    Parameters
    ----------
    date : Timestamp
        Opening of that candle, UTC.
    close : float
        Its close.
    edge : ndarray of shape (n_bins + 1,)
        Prices between the bins, ascending.
    long, short : ndarray of shape (n_bins,)
        Notional in quote currency that would be liquidated in each bin; 0 where nothing rests.
    """

    date: pd.Timestamp
    close: float
    edge: FloatArray
    long: FloatArray
    short: FloatArray


def estimate_heatmap(
    candles: pd.DataFrame,
    config: HeatmapConfig | None = None,
    *,
    open_interest: pd.DataFrame | None = None,
    funding_rate: pd.DataFrame | None = None,
    mark: pd.DataFrame | None = None,
) -> Heatmap:
    """Estimate what rests at which price after the last candle.

    Parameters
    ----------
    candles, config, open_interest, funding_rate, mark
        As for `liquidation_features`; candles before the last `config.warmup` change nothing.

    Returns
    -------
    Heatmap

    Raises
    ------
    DataError
        If there are fewer than `config.warmup` candles, or the frames break a rule.
    """
    config = config or HeatmapConfig()
    if len(candles) < config.warmup:
        msg = f"candles must number at least {config.warmup}, the warm-up, received {len(candles)}"
        raise DataError(msg)
    candles = candles.iloc[-config.warmup :]
    scan = walk_candles(join_candles(candles, config, open_interest, funding_rate, mark), config)
    return _snapshot(scan, candles)


def _snapshot(scan: Scan, candles: pd.DataFrame) -> Heatmap:
    live = live_amounts(scan) * scan.reading.centre
    used = np.flatnonzero(live.any(axis=0))
    first, stop = (used[0], used[-1] + 1) if used.size else (0, 0)
    return Heatmap(
        date=candles["date"].iloc[-1],
        close=float(candles["close"].iloc[-1]),
        edge=scan.reading.edge[first : stop + 1],
        long=live[LONG, first:stop],
        short=live[SHORT, first:stop],
    )


def live_amounts(scan: Scan) -> FloatArray:
    """Open amount by side and bin of the book, base currency, shape (2, n_bins)."""
    return _live(scan.book, scan.book.older, scan.book.amount)


def live_moments(scan: Scan) -> FloatArray:
    """Open amount times candle of opening, counted from the start of the generation, shape (2, n_bins)."""
    return _live(scan.book, scan.book.older_moment, scan.book.moment)


def _live(book: Book, older: FloatArray, generations: FloatArray) -> FloatArray:
    current = generations[:, book.clock[0] % generations.shape[1]]
    live: FloatArray = np.sum((older + current) * book.scale[:, None, None], axis=0)
    return live
