"""How signed volume moves price (`CascadeRule.impact`): `python tests/studies/impact.py BARS [DEPTH]`.

BARS is a Parquet file of candles with `coin, date, open, high, low, close, volume, taker_buy_volume,
quote_volume`; DEPTH, if given, one of order books with `coin, date, bid_ntl_2bp, ask_ntl_2bp`. Printed for
each coin: `Y` of `r = Y * sigma * sign(Q) * sqrt(|Q| / V)` by least squares, with 95 % intervals by day, `Q`
being what takers bought less what they sold, `sigma` and `V` the volatility and volume of the day before; the
exponent that data would choose in the place of one half; and how deep books are while price moves fast, over
their median. Never a condition.
"""

import sys

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from liqfeature.estimate.outlook import PARKINSON
from liqfeature.scoring.measures.bootstrap import Interval, bootstrap

SCALES = ("1min", "5min", "15min", "60min")


def main() -> None:
    """Measure every coin of the files."""
    bars = pd.read_parquet(sys.argv[1])
    depth = pd.read_parquet(sys.argv[2]) if len(sys.argv) > 2 else None
    table = Table("coin", "scale", "impact Y", "95 % by day", "exponent", "rows")
    for coin, rows in bars.groupby("coin"):
        candles = rows.set_index("date").sort_index()
        for scale in SCALES:
            day, signed, move, unit = flow_and_move(candles, scale)
            y = impact(day, signed, move, unit)
            slope = exponent(signed, move, unit)
            found = f"{y.low:.2f}..{y.high:.2f}"
            table.add_row(str(coin), scale, f"{y.value:.2f}", found, f"{slope:.2f}", str(move.size))
    Console().print(table)
    if depth is not None:
        for coin, books in depth.groupby("coin"):
            candles = bars[bars["coin"] == coin].set_index("date").sort_index()
            print(f"{coin}:", depth_while_fast(candles, books.set_index("date").sort_index()))  # noqa: T201


def flow_and_move(candles: pd.DataFrame, scale: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Day, signed flow over the day's volume, log move, and the day's volatility; each of shape (n,)."""
    signed = (2 * candles["taker_buy_volume"] - candles["volume"]) * candles["close"]
    grouped = candles.assign(signed=signed).resample(scale)
    coarse = grouped.agg(
        {
            "open": "first",
            "high": "max",
            "low": "min",
            "close": "last",
            "signed": "sum",
            "quote_volume": "sum",
        }
    ).dropna()
    per_day = pd.Timedelta("1D") // pd.Timedelta(scale)
    variance = (np.log(coarse["high"] / coarse["low"]) ** 2 * PARKINSON).rolling(per_day).mean()
    volume = coarse["quote_volume"].rolling(per_day).mean() * per_day
    known = variance.notna() & (coarse["signed"] != 0)
    flow = (coarse["signed"] / volume)[known].to_numpy()
    move = np.log(coarse["close"] / coarse["open"])[known].to_numpy()
    limit = np.quantile(np.abs(move), 0.99)  # a few wild bars would decide
    day = (coarse.index[known].as_unit("ms").astype("int64") // 86_400_000).to_numpy()
    return day, flow, np.clip(move, -limit, limit), np.sqrt(variance * per_day)[known].to_numpy()


def impact(day: np.ndarray, flow: np.ndarray, move: np.ndarray, unit: np.ndarray) -> Interval:
    """Least squares through the origin."""
    told = np.sign(flow) * np.sqrt(np.abs(flow)) * unit
    terms = np.stack([told * move, told**2], axis=1)
    return bootstrap(lambda sums: sums[:, 0] / sums[:, 1], terms, day)


def exponent(flow: np.ndarray, move: np.ndarray, unit: np.ndarray) -> float:
    """Slope of the logarithm of the mean move in flow's direction, over eighths of flow by size."""
    order = np.array_split(np.argsort(np.abs(flow)), 8)
    along = np.array([np.mean(np.sign(flow[i]) * move[i] / unit[i]) for i in order])
    size = np.array([np.mean(np.abs(flow[i])) for i in order])
    return float(np.polyfit(np.log(size[along > 0]), np.log(along[along > 0]), 1)[0])


def depth_while_fast(candles: pd.DataFrame, books: pd.DataFrame) -> str:
    """Depth within 2 basis points in the fastest twentieth of half-hours, over the median."""
    variance = (np.log(candles["high"] / candles["low"]) ** 2).rolling(30).mean()
    speed = variance.reindex(books.index, method="ffill")
    fast = speed > speed.quantile(0.95)
    both, thin = (f(books["bid_ntl_2bp"], books["ask_ntl_2bp"]) for f in (np.add, np.minimum))
    shares = [float(depth[fast].median() / depth.median()) for depth in (both, thin)]
    return f"depth of both sides {shares[0]:.2f} of usual, of the thinner side {shares[1]:.2f}"


if __name__ == "__main__":
    main()
