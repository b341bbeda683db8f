"""How often stops at a stated probability are hit: `python tests/studies/stated_stops.py DIR [DIR ...]`.

Each is a Freqtrade data directory with 5m candles, such as `data/binance`; all of its pairs count together.
From every candle, longs and shorts: stops at `outlook(candles).stop_distance`, beside stops at the multiple
of ATR(14) that is hit as often on the same candles, which nobody could know ahead. Printed as Markdown, in
per cent by decile of the stated sigma, with the 95 % interval of all, by day. Never a condition.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from liqfeature import outlook
from liqfeature.data.store import downloaded_pairs, load_candles
from liqfeature.estimate.outlook import Where
from liqfeature.scoring.measures.bootstrap import mean_of_rows
from liqfeature.scoring.score_trades import decile_of
from liqfeature.strategy.indicators import average_true_range
from liqfeature.types import FloatArray

SIDES: tuple[Where, ...] = ("below", "above")
"""Where the stop of a long and of a short lies."""


def stop_rows(candles: pd.DataFrame, probability: float, horizon: int) -> pd.DataFrame:
    """Return distances of both stops and how far price went, one row per candle and side.

    `stated`, `atr` (one ATR) and `excursion` are fractions of the close; `decile` is that of the one-sigma
    move within the horizon, among the pair's own. Candles whose outcome or forecast is not known are left
    out.
    """
    known_ahead, close = outlook(candles), candles["close"].to_numpy()
    rows = []
    for where in SIDES:
        table = pd.DataFrame(
            {
                "stated": known_ahead.stop_distance(where, probability, horizon),
                "atr": average_true_range(candles).to_numpy() / close,
                "excursion": excursion(candles, where, horizon),
                "sigma": known_ahead.sigma(horizon),
                "day": candles["date"].dt.floor("D").astype("int64"),
                "side": where,
            }
        ).dropna()
        rows.append(table.assign(decile=decile_of(table["sigma"].to_numpy())))
    return pd.concat(rows, ignore_index=True)


def excursion(candles: pd.DataFrame, where: Where, horizon: int) -> FloatArray:
    """Return how far price goes to one side in the candles after each; NaN where they are not all there."""
    sign = 1.0 if where == "above" else -1.0
    extreme = sign * candles["high" if where == "above" else "low"]
    farthest = extreme[::-1].rolling(horizon).max()[::-1].shift(-1)
    away: FloatArray = sign * (sign * farthest / candles["close"] - 1).to_numpy(dtype=np.float64)
    return away


def hits(rows: pd.DataFrame) -> pd.DataFrame:
    """Return which stops are hit: `stated`, and `atr` at the multiple that is hit as often on these rows."""
    stated = rows["excursion"] >= rows["stated"]
    multiple = np.quantile(rows["excursion"] / rows["atr"], 1 - stated.mean())
    by_range = rows["excursion"] >= multiple * rows["atr"]
    return rows.assign(stated=stated.astype(float), atr=by_range.astype(float))


def lines(name: str, found: pd.DataFrame) -> list[str]:
    """Return a line of Markdown for each stop and side."""
    text = []
    for stop, words in (("stated", "stated"), ("atr", "ATR(14)")):
        for side, taken in (("both", SIDES), ("long", SIDES[:1]), ("short", SIDES[1:])):
            some = found[found["side"].isin(taken)]
            mean = mean_of_rows(some[stop].to_numpy(), some["day"].to_numpy())
            by_decile = 100 * some.groupby("decile")[stop].mean()
            whole = f"{100 * mean.value:.1f} ({100 * mean.low:.1f}..{100 * mean.high:.1f})"
            text.append(
                f"| {name} | {words} | {side} | {whole} | {' | '.join(f'{x:.1f}' for x in by_decile)} |"
            )
    return text


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("datadirs", type=Path, nargs="+")
    parser.add_argument("--probability", type=float, default=0.2)
    parser.add_argument("--hours", type=float, default=4.0)
    options = parser.parse_args(arguments)
    horizon = round(12 * options.hours)
    head = ["data", "stop", "side", "all", *map(str, range(1, 11))]
    print("\n".join([f"| {' | '.join(head)} |", "|---" * len(head) + "|"]))  # noqa: T201
    for datadir in options.datadirs:
        pairs = downloaded_pairs(datadir)
        rows = [stop_rows(load_candles(datadir, pair, "5m"), options.probability, horizon) for pair in pairs]
        print("\n".join(lines(datadir.parent.name, hits(pd.concat(rows)))), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
