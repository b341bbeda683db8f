"""The columns: what they mean, and the one call that computes them."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqfeature.config import HeatmapConfig
from liqfeature.flow import trailing_sum
from liqfeature.heatmap import Scan, join_candles, walk_candles
from liqfeature.kernels.read import READINGS
from liqfeature.types import LONG, SHORT, FloatArray


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its unit, the closed range of its values (NaN apart), and its meaning in a sentence."""

    unit: str
    lowest: float
    highest: float
    meaning: str


_SIDED = {
    "distance": Column("fraction of close", 0, math.inf, "to the near edge of the nearest cluster"),
    "near": Column("price", 0, math.inf, "near edge of the nearest cluster: first target"),
    "peak": Column("price", 0, math.inf, "where most of the nearest cluster rests: second target"),
    "far": Column("price", 0, math.inf, "far edge of the nearest cluster: stops go beyond it"),
    "notional": Column("quote", 0, math.inf, "resting in the nearest cluster"),
    "density": Column("share of open interest per 1 % of price", 0, math.inf, "of the nearest cluster"),
    "age": Column("candles", 0, math.inf, "notional-weighted age of what rests in the nearest cluster"),
    "total": Column("quote", 0, math.inf, "resting within `band` of price"),
    "strongest": Column("price", 0, math.inf, "peak of the cluster that holds most within `band`"),
    "hit": Column("probability", 0, 1, "that the nearest cluster's near edge is touched within `horizon`"),
    "fuel": Column(
        "quote", 0, math.inf, "expected forced notional within `horizon`: notional times probability of reach"
    ),
    "amplification": Column(
        "ratio", 1, math.inf, "end of a one-sigma move after its forced flow, over the move alone"
    ),
    "cascade": Column(
        "probability", 0, 1, "that forced notional within `horizon` exceeds its own trailing 95 % level"
    ),
    "vacuum": Column(
        "ratio",
        0,
        math.inf,
        "resting between price and the near edge, over what is usual there; near 0: open air",
    ),
    "cleared": Column(
        "share", 0, 1, "of the nearest cluster, swept in the last `horizon` candles, candle by candle"
    ),
    "pierced": Column(
        "price",
        0,
        math.inf,
        "near edge where that sweep began, NaN without one; close back on this side of it: reclaimed",
    ),
}

SIDES = {"above": SHORT, "below": LONG}
"""Above price rest liquidations of shorts, below it of longs."""

COLUMNS: dict[str, Column] = {
    **{f"liq_{what}_{where}": _SIDED[what] for what in READINGS for where in SIDES},
    "liq_swept_long": Column("quote", 0, math.inf, "longs estimated liquidated inside this candle"),
    "liq_swept_short": Column("quote", 0, math.inf, "shorts estimated liquidated inside this candle"),
    "liq_imbalance": Column("ratio", -1, 1, "(fuel above - fuel below) / (fuel above + fuel below)"),
    "liq_quality": Column("share", 0, 1, "how far the row can be trusted: inputs present, fresh, warmed up"),
}
"""Every column, in order. README, command line and tests take their copy from here."""


def liquidation_features(
    candles: pd.DataFrame,
    config: HeatmapConfig | None = None,
    *,
    open_interest: pd.DataFrame | None = None,
    funding_rate: pd.DataFrame | None = None,
    mark: pd.DataFrame | None = None,
    liquidations: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Estimate where leveraged positions would be liquidated, as columns beside the candles.

    Row t depends on nothing stamped after the close of candle t, and on at most `config.warmup` candles.

    Parameters
    ----------
    candles : DataFrame
        Freqtrade's frame: `date, open, high, low, close, volume`, any timeframe. It is not changed.
    config : HeatmapConfig, optional
        Default: `HeatmapConfig()`. Better: `HeatmapConfig.for_pair(pair, exchange)`.
    open_interest : DataFrame, optional
        Freqtrade's frame: `date, open_interest_amount, open_interest_value`, of the candles' timeframe or a
        coarser one. Without it amounts are relative, since open interest is guessed from volume.
    funding_rate : DataFrame, optional
        Freqtrade's frame: `date, funding_rate`. Funding paid moves liquidation prices of standing positions.
    mark : DataFrame, optional
        Freqtrade's mark candles, of the candles' timeframe. A wick that the mark price did not follow then
        liquidates nobody; without it every wick does.
    liquidations : DataFrame, optional
        What was really liquidated: `date, long, short`, notional per period of the candles' timeframe or a
        multiple of it, NaN where nothing was recorded. `liq_cascade_*` then refers to `cascade.surge` times
        the mean of the last lookback instead of to the map's own trailing level; nothing else changes.

    Returns
    -------
    DataFrame
        The columns of `COLUMNS`, float64, with the index of `candles`. NaN where there is no cluster, in the
        first `config.warmup - 1` rows, and where nothing was traded for a whole lookback; `liq_quality` is
        never NaN, and 0 in the first rows.

    Raises
    ------
    MissingColumnError, DataError
        Naming the column, the rule and the value received.

    Notes
    -----
    `liq_quality` is the share of the last `max_age` candles that were traded, times one for open interest:
    1 where it is fresh, falling to 0.5 without; the lower of now and the mean over `max_age` counts.
    """
    config = config or HeatmapConfig()
    joined = join_candles(candles, config, open_interest, funding_rate, mark, liquidations)
    scan = walk_candles(joined, config)
    values = _columns(scan)
    values[: config.warmup - 1] = np.nan
    values[scan.flow.open_interest == 0] = np.nan
    values[:, -1] = _quality(scan)
    return pd.DataFrame(values, columns=list(COLUMNS), index=candles.index, copy=False)


def _columns(scan: Scan) -> FloatArray:
    """All columns, shape (n, n_columns), column by column in memory."""
    n = scan.columns.shape[2]
    table = np.empty((len(COLUMNS), n))
    for i in range(len(READINGS)):
        for j, side in enumerate(SIDES.values()):
            table[2 * i + j] = scan.columns[side, i]
    rest = table[2 * len(READINGS) :]
    rest[LONG], rest[SHORT] = scan.swept[1, LONG], scan.swept[1, SHORT]
    fuel = scan.columns[:, READINGS.index("fuel")]
    total = fuel[SHORT] + fuel[LONG]
    with np.errstate(invalid="ignore"):
        rest[2] = np.where(total > 0, (fuel[SHORT] - fuel[LONG]) / total, np.nan)
    return table.T


def _quality(scan: Scan) -> FloatArray:
    config, candles, n = scan.config, scan.candles, scan.candles.tick.size
    lateness = np.where(scan.flow.real, np.maximum(candles.staleness - 1.0, 0.0), np.inf)
    fresh = np.clip(1.0 - lateness / config.lookback, 0.0, 1.0)
    informed = np.minimum(fresh, trailing_sum(fresh, config.max_age) / config.max_age)
    traded = trailing_sum((candles.volume > 0).astype(np.float64), config.max_age)
    quality = np.zeros(n)
    first = config.warmup - 1
    if n > first:
        begun = candles.tick[first - config.max_age + 1 : n - config.max_age + 1]
        elapsed = candles.tick[first:] - begun + 1
        quality[first:] = (traded / np.maximum(1, config.max_age))[first:] * (0.5 + 0.5 * informed[first:])
        quality[first:] *= config.max_age / elapsed
    return quality
