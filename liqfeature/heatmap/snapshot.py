"""The map at one candle: what rests at which price."""

from dataclasses import dataclass
from typing import Unpack

import numpy as np
import pandas as pd

from liqfeature.errors import DataError
from liqfeature.estimate.config import HeatmapConfig, configuration
from liqfeature.estimate.prepare import walk_market
from liqfeature.estimate.scan import Scan
from liqfeature.market.market import Inputs, Market
from liqfeature.sides import LONG, SHORT
from liqfeature.types import FloatArray


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
    **inputs: Unpack[Inputs],
) -> Heatmap:
    """Estimate what rests at which price after the last candle.

    Parameters
    ----------
    candles, config, **inputs
        As for `liquidation_features`; candles before the last `config.warmup` change nothing.

    Returns
    -------
    Heatmap

    Raises
    ------
    DataError
        If there are fewer than `config.warmup` candles, or the frames break a rule.
    """
    scan = walk_newest(candles, configuration(config), **inputs)
    live = live_notional(scan)
    used = np.flatnonzero(live.any(axis=0))
    first, stop = (used[0], used[-1] + 1) if used.size else (0, 0)
    return Heatmap(
        date=candles["date"].iloc[-1],
        close=float(scan.market.close[-1]),
        edge=scan.reading.edge[SHORT, first : stop + 1],
        long=live[LONG, first:stop],
        short=live[SHORT, first:stop],
    )


def walk_newest(candles: pd.DataFrame, config: HeatmapConfig, **inputs: Unpack[Inputs]) -> Scan:
    """Walk the newest candles, as many as the last one's row depends on; a DataError if there are fewer."""
    if len(candles) < config.warmup:
        message = f"candles must number at least {config.warmup}, the warm-up, received {len(candles)}"
        raise DataError(message)
    return walk_market(Market.of(candles.iloc[-config.warmup :], config.join_rule, **inputs), config)


def live_notional(scan: Scan) -> FloatArray:
    """Open notional by side and bin, from the lowest price up, quote currency, shape (2, n_bins)."""
    return _live(scan, scan.exposure.older, scan.exposure.amount)


def live_moments(scan: Scan) -> FloatArray:
    """Open notional times candle of opening, counted from the start of the generation, shape (2, n_bins)."""
    return _live(scan, scan.exposure.older_moment, scan.exposure.moment)


def _live(scan: Scan, older: FloatArray, generations: FloatArray) -> FloatArray:
    exposure = scan.exposure
    current = generations[:, exposure.current[0] % generations.shape[1]]
    live = np.sum((older + current) * exposure.scale[:, None, None], axis=0) * scan.reading.centre
    return np.stack([live[LONG, ::-1], live[SHORT]])
