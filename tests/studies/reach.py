"""How often `liq_hit_*` comes true on recorded candles: `python tests/studies/reach.py DIR PAIR [PAIR ...]`.

DIR is a Freqtrade data directory such as `data/binance`. Printed for 12 and 48 candles ahead, with 95 %
intervals by day: calibration error in percentage points and Brier skill, of the columns and of reflection
with the plain realised volatility of closes on the same edges; and the columns' table of reliability. Never
a condition. The defaults were fitted to BTC, November 2023 to December 2024: anything else is out of sample.
"""

import argparse
import math
from pathlib import Path

import numpy as np
import pandas as pd

from liqfeature import HeatmapConfig, liquidation_features
from liqfeature.data.store import load_beside, load_candles
from liqfeature.scoring.measures.reliability import (
    brier_skill,
    calibration_error,
    reliability_table,
    touched_within,
)


def main() -> None:
    """Score every pair of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("datadir", type=Path)
    parser.add_argument("pairs", nargs="+")
    parser.add_argument("--timeframe", default="5m")
    parser.add_argument("--horizons", type=int, nargs="+", default=[12, 48])
    parser.add_argument("--part", choices=["all", "first", "second"], default="all", help="half of the rows")
    options = parser.parse_args()
    for pair in options.pairs:
        candles = load_candles(options.datadir, pair, options.timeframe)
        beside = {
            what: load_beside(options.datadir, pair, options.timeframe, what)
            for what in ("open_interest", "funding_rate")
        }
        for horizon in options.horizons:
            features = liquidation_features(candles, HeatmapConfig(horizon=horizon), **beside)
            print(f"{pair}, {horizon} candles ahead, {options.part} rows")  # noqa: T201
            score(candles, features, horizon, options.part)


def score(candles: pd.DataFrame, features: pd.DataFrame, horizon: int, part: str) -> None:
    """Print one series at one horizon."""
    first = int(np.argmax(features["liq_quality"].to_numpy() > 0))
    middle = first + (len(candles) - first) // 2
    rows = {"all": slice(None), "first": slice(first, middle - horizon), "second": slice(middle, None)}[part]
    outcomes, stated, plain, days = [], [], [], []
    for where, extreme in (("above", "high"), ("below", "low")):
        edge = features[f"liq_near_{where}"].to_numpy()
        outcomes.append(
            touched_within(candles[extreme].to_numpy(), edge, horizon, above=where == "above")[rows]
        )
        stated.append(features[f"liq_hit_{where}"].to_numpy()[rows])
        plain.append(plain_reflection(candles["close"], edge, horizon)[rows])
        days.append((candles["date"].dt.as_unit("ms").astype("int64") // 86_400_000).to_numpy()[rows])
    came_true, day = np.concatenate(outcomes), np.concatenate(days)
    for name, probability in (("columns", stated), ("plain", plain)):
        values = np.where(np.isnan(np.concatenate(stated)), np.nan, np.concatenate(probability))
        error, skill = calibration_error(values, came_true, day), brier_skill(values, came_true, day)
        shown = " ".join(f"{100 * x:6.2f}" for x in (error.value, error.low, error.high))
        print(f"  {name:8} error {shown}   skill {skill.value:.3f} {skill.low:.3f} {skill.high:.3f}")  # noqa: T201
    gain = brier_skill(
        *(np.concatenate(x) for x in (stated, outcomes, days)), reference=np.concatenate(plain)
    )
    print(f"  columns over plain: skill {gain.value:.3f} {gain.low:.3f} {gain.high:.3f}")  # noqa: T201
    table = reliability_table(np.concatenate(stated), came_true, day)
    shares = [share.value for share in table.came_true]
    for name, line in (("stated", table.stated), ("came true", shares), ("rows", table.rows)):
        print(f"  {name:10}", *(f"{x:7.3f}" if name != "rows" else f"{x:7d}" for x in line))  # noqa: T201


def plain_reflection(close: pd.Series, edge: np.ndarray, horizon: int, window: int = 288) -> np.ndarray:
    """Chance that a Brownian path of the last day's variance of log returns reaches the edge, shape (n,)."""
    log = np.log(close)
    sigma = np.sqrt(horizon * log.diff().pow(2).rolling(window).mean()).to_numpy()
    sigmas = np.abs(np.log(edge) - log.to_numpy()) / sigma
    return np.array([math.erfc(u / math.sqrt(2)) for u in sigmas])


if __name__ == "__main__":
    main()
