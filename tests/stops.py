"""How often stops beyond clusters are hit on recorded candles: `python tests/stops.py DIR PAIR [PAIR ...]`.

DIR is a Freqtrade data directory such as `data/binance`. From every candle, long and short, within four hours
and within a day: hits of stops beyond the far edge of the nearest cluster, and these over hits of stops with
the same mean distance, which lie at a multiple of the average true range, or at the distances of other
candles of the same days. With 95 % intervals; below 1 speaks for clusters. Never a condition.
"""

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table

from liqfeature import HeatmapConfig, liquidation_features
from liqfeature.context import average_true_range
from liqfeature.data.store import load_beside, load_candles
from liqfeature.scoring.days import Interval
from liqfeature.scoring.stops import StopTrial, stop_trial


def main() -> None:
    """Print one row per pair and horizon."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("datadir", type=Path)
    parser.add_argument("pairs", nargs="+")
    parser.add_argument("--timeframe", default="5m")
    parser.add_argument("--horizons", type=int, nargs="+", default=[48, 288])
    options = parser.parse_args()
    names = ("pair", "candles", "stops", "distance %", "hit %", "over range", "over lot")
    table = Table(*names)
    for pair in options.pairs:
        candles = load_candles(options.datadir, pair, options.timeframe)
        beside = {
            what: load_beside(options.datadir, pair, options.timeframe, what)
            for what in ("open_interest", "funding_rate")
        }
        features = liquidation_features(candles, HeatmapConfig.for_pair(pair), **beside)
        for horizon in options.horizons:
            found = stop_trial(candles, features, average_true_range(candles), horizon=horizon)
            table.add_row(pair, f"{horizon}", *row(found))
    Console(width=120).print(table)


def row(found: StopTrial) -> tuple[str, ...]:
    """Return the cells of one trial."""
    ratios = (interval(found.over_range), interval(found.over_lot))
    return (f"{found.rows}", f"{100 * found.distance:.2f}", interval(found.hit, 100), *ratios)


def interval(found: Interval, scale: float = 1) -> str:
    """Return a value and its ends."""
    return f"{scale * found.value:.3g} ({scale * found.low:.3g} to {scale * found.high:.3g})"


if __name__ == "__main__":
    main()
