"""Small markets and the walks over them."""

import numpy as np
import pandas as pd

from builders.frames import Frames
from liqfeature import HeatmapConfig
from liqfeature.estimate.kernels.read import READINGS
from liqfeature.estimate.leverage import LeveragePrior
from liqfeature.estimate.prepare import prepare_scan
from liqfeature.estimate.scan import Scan
from liqfeature.market.market import JoinRule, Market

TENFOLD = LeveragePrior(max_leverage=10, maintenance_margin_rate=0.0, weight=(0, 0, 0, 0, 0, 1))
"""Everybody trades at ten times leverage, and is liquidated when the margin is gone: at 90 or 110 of 100."""


def aligned(market: Frames, config: HeatmapConfig) -> Market:
    return Market.of(
        market.candles,
        JoinRule(lookback=config.lookback),
        open_interest=market.open_interest,
        funding_rate=market.funding_rate,
    )


def scanned(market: Frames, config: HeatmapConfig) -> Scan:
    scan = prepare_scan(aligned(market, config), config)
    scan.run(0, len(market.candles))
    return scan


def quiet(prices: list[tuple[float, float, float]], volume: list[float]) -> pd.DataFrame:
    """Candles from (high, low, close), one after the other."""
    high, low, close = zip(*prices, strict=True)
    date = pd.date_range("2026-01-01", periods=len(prices), freq="5min", tz="UTC")
    return pd.DataFrame(
        {"date": date, "open": close, "high": high, "low": low, "close": close, "volume": volume}
    )


def steady_open_interest(candles: pd.DataFrame, amount: float) -> pd.DataFrame:
    date = pd.date_range(end=candles["date"].iloc[-1], periods=len(candles) + 10, freq="5min")
    return pd.DataFrame({"date": date, "open_interest_amount": amount})


def reading(scan: Scan, what: str, side: int) -> np.ndarray:
    return scan.columns[side, READINGS.index(what)]
