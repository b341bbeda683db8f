"""How much longer three exchanges take than one: `python tests/studies/several_exchanges_speed.py`.

Processor time of the fastest of several rounds that take turns: all columns of a year of five-minute candles,
and of the newest candle from its warm-up. Never a condition.
"""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from builders.frames import random_candles, random_open_interest
from liqfeature import HeatmapConfig, Venue, liquidation_features

YEAR = 105_120


def main() -> None:
    """Print both ratios."""
    candles = random_candles(YEAR, 1, volatility=0.0007)
    interest = random_open_interest(candles, 2)
    config = HeatmapConfig()
    newest = candles.iloc[-config.warmup :]
    for name, rows, rounds in (("a year", candles, 3), ("the newest candle", newest, 60)):
        one, three = calls(rows, interest[interest["date"] >= rows["date"].iloc[0]], config)
        three()
        least = np.min([[seconds(one), seconds(three)] for _ in range(rounds)], axis=0)
        print(f"{name}: {least[0]:.4f} s and {least[1]:.4f} s, {least[1] / least[0]:.2f} times")  # noqa: T201


def calls(
    candles: pd.DataFrame, interest: pd.DataFrame, config: HeatmapConfig
) -> tuple[Callable[[], object], Callable[[], object]]:
    """Columns of one exchange, and of three that differ by a basis point or two."""
    venues = {
        name: Venue(
            candles=candles.assign(**{c: candles[c] * factor for c in ("open", "high", "low", "close")}),
            open_interest=interest.drop(columns="open_interest_value"),
            config=config,
        )
        for name, factor in (("second", 1.0001), ("third", 0.9998))
    }
    return (
        lambda: liquidation_features(candles, config, open_interest=interest),
        lambda: liquidation_features(candles, config, open_interest=interest, venues=venues),
    )


def seconds(call: Callable[[], object]) -> float:
    """Processor time of one call."""
    begun = time.process_time()
    call()
    return time.process_time() - begun


if __name__ == "__main__":
    main()
