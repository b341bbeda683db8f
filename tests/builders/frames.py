"""Candles, open interest and funding made up for tests, and configurations that warm up on few of them."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import Phase, settings
from hypothesis import strategies as st

from liqfeature import HeatmapConfig
from liqfeature.estimate.clusters import ClusterRule
from liqfeature.estimate.flow import FlowRule
from liqfeature.estimate.grid import PriceGrid
from liqfeature.estimate.leverage import LeveragePrior
from liqfeature.estimate.reach import ReachRule

START = "2026-01-01"
CANDLE = 300_000
"""Milliseconds in the five minutes of every generated candle."""

SEEDED = settings(deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
"""For tests that draw a market: its seed cannot be shrunk to anything simpler."""


@dataclass(frozen=True)
class Frames:
    """What a caller hands over: candles, and what there is of open interest and funding."""

    candles: pd.DataFrame
    open_interest: pd.DataFrame | None = None
    funding_rate: pd.DataFrame | None = None

    def inputs(self) -> dict[str, pd.DataFrame | None]:
        return {"open_interest": self.open_interest, "funding_rate": self.funding_rate}


def random_candles(
    n: int,
    seed: int,
    *,
    volatility: float = 0.003,
    jumps: float = 0.01,
    idle: float = 0.0,
    gaps: float = 0.0,
    start: str = START,
) -> pd.DataFrame:
    """Random walk of five-minute candles; `jumps`, `idle` and `gaps` are shares of the candles.

    Opens leave the close before them, now and then by ten sigmas; idle candles have neither range nor volume;
    a gap leaves out one candle to 40.
    """
    rng = np.random.default_rng(seed)
    missing = np.where(rng.random(n) < gaps, rng.integers(1, 41, n), 0)
    missing[1:2] = 0  # two candles that follow each other tell the timeframe of every prefix
    date = pd.Timestamp(start, tz="UTC") + pd.to_timedelta(
        (np.arange(n) + np.cumsum(missing)) * CANDLE, unit="ms"
    )
    trades = rng.random(n) >= idle
    step = rng.normal(0, volatility, n) * trades
    jump = rng.normal(0, 10 * volatility, n) * (rng.random(n) < jumps) * trades
    close = 100 * np.exp(np.cumsum(step + jump))
    opening = np.exp(np.log(close) - step)
    reach = rng.exponential(volatility / 2, (2, n)) * trades
    return pd.DataFrame(
        {
            "date": pd.DatetimeIndex(date).as_unit("ms"),
            "open": opening,
            "high": np.maximum(opening, close) * np.exp(reach[0]),
            "low": np.minimum(opening, close) * np.exp(-reach[1]),
            "close": close,
            "volume": rng.lognormal(4, 1, n) * trades,
        }
    )


def random_open_interest(
    candles: pd.DataFrame,
    seed: int,
    *,
    every: int = 1,
    holes: float = 0.0,
    lead: int = 20,
    opening_from: float = 1.0,
) -> pd.DataFrame:
    """Open interest of a candle's period or `every` times it, from `lead` periods before the first candle.

    The last of the rows, from the share `opening_from` of them on, are stamped with the opening of the period
    at whose end they were taken.
    """
    rng = np.random.default_rng(seed)
    period = every * CANDLE
    first, last = (int(candles["date"].iloc[i].timestamp() * 1000) // period for i in (0, -1))
    stamp = np.arange(first - lead, last + 1) * period
    amount = 8_000 * np.exp(np.cumsum(rng.normal(0, 0.02 * np.sqrt(every), stamp.size)))
    amount[rng.random(stamp.size) < holes] = np.nan
    before = np.searchsorted(candles["date"].astype("int64").to_numpy(), stamp) - 1
    value = amount * candles["close"].to_numpy()[np.maximum(before, 0)]
    stamp = np.where(np.arange(stamp.size) < opening_from * stamp.size, stamp, stamp - period)
    date = pd.to_datetime(stamp, unit="ms", utc=True)
    rows = pd.DataFrame({"date": date, "open_interest_amount": amount, "open_interest_value": value})
    return rows.drop_duplicates("date", ignore_index=True)


def random_funding(candles: pd.DataFrame, seed: int, *, every: int = 12, size: float = 0.002) -> pd.DataFrame:
    """Funding rates far larger than real ones, so that levels move by several bins."""
    rng = np.random.default_rng(seed)
    first, last = (candles["date"].iloc[i].floor(f"{5 * every}min") for i in (0, -1))
    date = pd.date_range(first, last, freq=f"{5 * every}min")
    return pd.DataFrame({"date": date, "funding_rate": rng.normal(0, size, date.size)})


def small_config(**changes: Any) -> HeatmapConfig:
    """Warms up in 62 candles; bins so coarse that clusters, sweeps and cascades abound.

    Two fifths of what is open at 20x and more are scalps, which turn over ten times as fast.
    """
    small: dict[str, Any] = {
        "horizon": 3,
        "max_age": 32,
        "lookback": 12,
        "band": 0.06,
        "grid": PriceGrid(width=0.002, smoothing=1),
        "leverage": LeveragePrior(max_leverage=50, median=20, scalp_leverage=20, scalp_share=0.4),
        "flow": FlowRule(churn=0.5, scalp_churn=5.0),
        "clusters": ClusterRule(ratio=1.1),
        "reach": ReachRule(windows=(2, 5, 12, 40), skew_span=5),
    }
    return HeatmapConfig(**(small | changes))


@st.composite
def small_configs(draw: st.DrawFn) -> HeatmapConfig:
    """Configurations that warm up within 100 candles."""
    return small_config(
        horizon=draw(st.integers(1, 3)),
        max_age=draw(st.sampled_from([16, 32])),
        lookback=draw(st.sampled_from([12, 24])),
        band=draw(st.sampled_from([0.03, 0.08])),
        grid=PriceGrid(
            width=draw(st.sampled_from([0.001, 0.003])), smoothing=draw(st.sampled_from([0, 1, 2]))
        ),
        leverage=LeveragePrior(
            max_leverage=50,
            median=20,
            scalp_leverage=draw(st.sampled_from([2, 20])),
            scalp_share=draw(st.sampled_from([0.0, 0.4, 0.4, 1.0])),
        ),
        flow=FlowRule(
            churn=draw(st.sampled_from([0.1, 0.9])),
            scalp_churn=draw(st.sampled_from([0.2, 5.0, 40.0])),
            levered_share=draw(st.sampled_from([0.3, 1.0])),
            open_interest_in_contracts=draw(st.booleans()),
            volume_in_contracts=draw(st.booleans()),
            contract_size=draw(st.sampled_from([0.0, 0.1])),
        ),
        clusters=ClusterRule(
            # Roots, since smoothing weighs by whole numbers: over idle candles, 1.3 times the usual can be
            # met exactly, and rounding would decide.
            ratio=draw(st.sampled_from([math.sqrt(0.5), math.sqrt(1.7)])),
            least_share=draw(st.sampled_from([0.0, 0.01])),
        ),
    )


@st.composite
def markets(draw: st.DrawFn, n: int = 150, *, plain: bool = False) -> Frames:
    """Random walks with and without jumps, idle candles, gaps, open interest of three kinds, and funding.

    Unless plain, amounts may count contracts, and stamps may mean the opening of a period, from some row on.
    """
    seed = draw(st.integers(0, 2**32 - 1))
    candles = random_candles(
        n,
        seed,
        volatility=draw(st.sampled_from([0.001, 0.004, 0.01])),
        jumps=draw(st.sampled_from([0.0, 0.05])),
        idle=draw(st.sampled_from([0.0, 0.3])),
        gaps=draw(st.sampled_from([0.0, 0.05])),
    )
    if not plain and draw(st.booleans()):
        candles["volume"] = candles["volume"].round()
    every = draw(st.sampled_from([0, 1, 3, 6]))
    rows = {
        "holes": draw(st.sampled_from([0.0, 0.3])),
        "opening_from": 1.0 if plain else draw(st.sampled_from([0.0, 0.5, 1.0])),
    }
    open_interest = random_open_interest(candles, seed + 1, every=every, **rows) if every else None
    if open_interest is not None and not plain:
        open_interest["open_interest_amount"] *= draw(st.sampled_from([1.0, 10.0]))
    funding = random_funding(candles, seed + 2) if draw(st.booleans()) else None
    return Frames(candles, open_interest, funding)


def random_positioning(stamp: Any, seed: int, *, holes: float = 0.0) -> pd.DataFrame:
    """Ratios of longs to shorts at stamps, milliseconds; `holes` is the share of rows that is missing."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(0, 0.02, (4, len(stamp))), axis=1)
    names = ("account_ratio", "top_account_ratio", "top_position_ratio", "taker_ratio")
    ratios = dict(zip(names, np.exp(0.5 + walk), strict=True))
    frame = pd.DataFrame({"date": pd.to_datetime(stamp, unit="ms", utc=True).as_unit("ms"), **ratios})
    return frame[rng.random(len(stamp)) >= holes].reset_index(drop=True)
