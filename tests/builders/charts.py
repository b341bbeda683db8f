"""A market of a few hours of warm-up, small enough to draw in a moment."""

from builders.frames import random_candles, random_funding, random_open_interest
from liqfeature import HeatmapConfig

CONFIG = HeatmapConfig(max_age=96, lookback=24)
CANDLES = random_candles(420, seed=7)
INPUTS = {
    "open_interest": random_open_interest(CANDLES, 8),
    "funding_rate": random_funding(CANDLES, 9, size=0.0005),
}
