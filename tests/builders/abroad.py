"""Other exchanges for tests: the same coin with its own wicks, volume and open interest."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from builders.frames import CANDLE, random_open_interest, small_config
from liqfeature.market.venue import Venue


def candles_beside(candles: pd.DataFrame, seed: int, *, basis: float = 0.0) -> pd.DataFrame:
    """The same coin elsewhere: closes within a few basis points of a factor, own wicks and volume."""
    rng = np.random.default_rng(seed)
    n, beside = len(candles), candles.copy()
    noise = basis + (rng.normal(0, 2e-4, n) if basis else np.zeros(n))
    for name in ("open", "high", "low", "close"):
        beside[name] = beside[name] * np.exp(noise)
    wick = np.exp(rng.exponential(0.001, (2, n)))
    beside["high"] = np.maximum(beside["high"], beside[["open", "close"]].max(axis=1) * wick[0])
    beside["low"] = np.minimum(beside["low"], beside[["open", "close"]].min(axis=1) / wick[1])
    beside["volume"] = rng.lognormal(4, 1, n)
    return beside


def venue_beside(candles: pd.DataFrame, seed: int, *, basis: float = 0.0, **changes: Any) -> Venue:
    """A venue with open interest of every candle."""
    beside = candles_beside(candles, seed, basis=basis)
    interest = random_open_interest(beside, seed + 1)
    return dataclasses.replace(
        Venue(candles=beside, open_interest=interest, config=small_config()), **changes
    )


def received(frame: pd.DataFrame, seconds: Any, period: int = CANDLE) -> pd.DataFrame:
    """The frame with the moment of receipt: seconds after the end of each row's period."""
    end = frame["date"] + pd.Timedelta(period, unit="ms")
    delay = pd.to_timedelta(np.broadcast_to(np.asarray(seconds, dtype=np.float64), len(frame)), unit="s")
    return frame.assign(available=(end + delay).dt.ceil("ms"))  # as a database has it


def troubled(venue: Venue, seed: int, *, wait: float = 5.0) -> Venue:
    """A venue that drops out, comes late, is silent for an hour, sends all of it at once, and returns."""
    rng = np.random.default_rng(seed)
    frames = []
    for frame in (venue.candles, venue.open_interest):
        n = len(frame)
        delay = rng.exponential(2.0, n)
        delay = np.where(rng.random(n) < 0.05, rng.uniform(0, 4_000, n), delay)
        begin = rng.integers(0, n - 24, 4)
        for first in begin:  # sent together once it is back
            away = np.arange(first, first + 12)
            delay[away] = (12 - np.arange(12)) * CANDLE / 1000 + 1.0
        lost = rng.random(n) < 0.02
        frames.append(received(frame, delay)[~lost].reset_index(drop=True))
    return dataclasses.replace(venue, candles=frames[0], open_interest=frames[1], wait=wait)


def known_at(venue: Venue, moment: pd.Timestamp, first: pd.Timestamp) -> Venue:
    """What a bot has of a venue at a moment, from some date on."""

    def known(frame: pd.DataFrame) -> pd.DataFrame:
        there = (frame["date"] >= first) & (frame.get("available", frame["date"]) <= moment)
        return frame[there].reset_index(drop=True)

    return dataclasses.replace(venue, candles=known(venue.candles), open_interest=known(venue.open_interest))
