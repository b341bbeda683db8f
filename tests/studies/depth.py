"""Does measured depth say better than the constant how wide a minute is that touches a cluster?

    python tests/studies/depth.py ../shared/data/order_book

The folder holds minutes of Hyperliquid with the notional of 20 levels of its book. Compared are correlations
of rank between `liq_amplification_*` and the width of the next minute over `liq_sigma`: of the minutes that
touch the near edge on that side, and of all. Intervals: resampled minutes of the former, hours of the latter.
The leverage prior is Binance's: with Hyperliquid's no minute touched a cluster.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from liqfeature import HeatmapConfig, liquidation_features
from liqfeature.market.depth import join_depth

WITHIN = {"BTC": 2, "ETH": 10}
"""Basis points up to which the recorded levels reach."""

NAMES = ("constant", "measured")


def main() -> None:
    """Print correlations and the interval of their difference."""
    rows = pd.concat([minutes_of(Path(sys.argv[1]), coin) for coin in WITHIN], ignore_index=True)
    table = Table("minutes", "rows", *NAMES, "measured less constant, 95 %")
    touching = rows[rows["touched"]]
    for name, some, block in (
        ("touching", touching, touching.index),
        ("all", rows, rows["date"].dt.floor("1h")),
    ):
        one, other, low, high = compared(some, np.asarray(block))
        interval = f"{other - one:+.3f} ({low:+.3f} to {high:+.3f})"
        table.add_row(name, str(len(some)), f"{one:.3f}", f"{other:.3f}", interval)
    Console(width=110).print(table)


def minutes_of(folder: Path, coin: str) -> pd.DataFrame:
    """Minutes with a known book, a row for each side: what was stated before, and how wide the next was."""
    candles, interest, depth = frames_of(folder, coin)
    config = HeatmapConfig.for_pair(f"{coin}/USDT:USDT", "binance")
    given = {"open_interest": interest}
    constant = liquidation_features(candles, config, **given)
    measured = liquidation_features(candles, config, **given, depth=depth)
    time = candles["date"].dt.as_unit("ms").astype("int64").to_numpy()
    known = join_depth(depth, time, 60_000, config.lookback) > 0
    width = np.log(candles["high"] / candles["low"]).shift(-1) / constant["liq_sigma"]
    sides = []
    for i, (side, price) in enumerate((("below", "low"), ("above", "high"))):
        beyond = (candles[price].shift(-1) - constant[f"liq_near_{side}"]) * (1 if i else -1)
        stated = {
            name: columns[f"liq_amplification_{side}"]
            for name, columns in zip(NAMES, (constant, measured), strict=True)
        }
        rows = pd.DataFrame({"date": candles["date"], "width": width, "touched": beyond >= 0, **stated})
        sides.append(rows[known[i]].dropna())
    return pd.concat(sides)


def frames_of(folder: Path, coin: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Candles, open interest and depth of a coin."""
    tables = [pd.read_parquet(folder / f"hl_{name}.parquet") for name in ("bars_1m", "ctx_1m", "l2_depth_1m")]
    bars, context, book = (table[table["coin"] == coin].sort_values("date") for table in tables)
    interest = context.rename(columns={"open_interest": "open_interest_amount"})
    interest = interest.assign(date=interest["date"].dt.floor("1min"))[["date", "open_interest_amount"]]
    names = {f"{side}_ntl_{WITHIN[coin]}bp": name for side, name in (("bid", "below_1"), ("ask", "above_1"))}
    depth = book.rename(columns=names).assign(date=book["date"].dt.ceil("1min"))[["date", *names.values()]]
    candles = bars[["date", "open", "high", "low", "close", "volume"]]
    first, second, third = (
        one.drop_duplicates("date").reset_index(drop=True) for one in (candles, interest, depth)
    )
    return first, second, third


def compared(rows: pd.DataFrame, block: np.ndarray) -> tuple[float, float, float, float]:
    """Both correlations of rank with the width, and the interval of their difference."""
    rng, blocks = np.random.default_rng(0), pd.unique(block)
    members = {one: np.flatnonzero(block == one) for one in blocks}

    def ranks(some: pd.DataFrame) -> tuple[float, float]:
        ranked = some[["width", *NAMES]].rank()
        return tuple(ranked["width"].corr(ranked[name]) for name in NAMES)

    drawn = [
        ranks(rows.iloc[np.concatenate([members[one] for one in rng.choice(blocks, len(blocks))])])
        for _ in range(1000)
    ]
    difference = np.diff(np.array(drawn), axis=1)
    return *ranks(rows), *np.nanquantile(difference, (0.025, 0.975))


if __name__ == "__main__":
    main()
