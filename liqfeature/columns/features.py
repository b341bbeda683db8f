"""The columns: what they mean, and the one call that computes them."""

import math
from typing import Unpack

import numpy as np
import pandas as pd

from liqfeature.columns.column import Column
from liqfeature.columns.outlook import OUTLOOK_COLUMNS, write_outlook
from liqfeature.columns.positioning import NAMES, POSITIONING, positioning_scores
from liqfeature.columns.untraded import UNTRADED_COLUMNS, write_untraded
from liqfeature.columns.venues import VENUE_COLUMNS, venue_columns
from liqfeature.columns.windows import WINDOWS
from liqfeature.estimate.config import HeatmapConfig, configuration
from liqfeature.estimate.kernels.read import READINGS
from liqfeature.estimate.prepare import walk_market
from liqfeature.estimate.scan import Scan
from liqfeature.market.market import Inputs, Market
from liqfeature.market.rolling import trailing_sum
from liqfeature.sides import LONG, SHORT
from liqfeature.types import FloatArray

_SIDED = {
    "distance": Column("fraction of close", 0, math.inf, "to the near edge of the nearest cluster"),
    "near": Column("price", 0, math.inf, "near edge of the nearest cluster"),
    "peak": Column("price", 0, math.inf, "where most of the nearest cluster rests"),
    "far": Column("price", 0, math.inf, "far edge of the nearest cluster"),
    "notional": Column("quote", 0, math.inf, "resting in the nearest cluster"),
    "density": Column("share of open interest per 1 % of price", 0, math.inf, "of the nearest cluster"),
    "total": Column("quote", 0, math.inf, "resting within `band` of price"),
    "hit": Column("probability", 0, 1, "that the nearest cluster's near edge is touched within `horizon`"),
    "fuel": Column(
        "quote",
        0,
        math.inf,
        "expected forced notional within `horizon`: resting times probability of reach times `forced_share`",
    ),
    "amplification": Column(
        "ratio", 1, math.inf, "end of a one-sigma move after its forced flow, over the move alone"
    ),
    "cascade": Column(
        "probability", 0, 1, "that what is swept within `horizon` exceeds its own trailing 95 % level"
    ),
    "vacuum": Column(
        "ratio",
        0,
        math.inf,
        "resting between price and the near edge, over what is usual there",
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
    **OUTLOOK_COLUMNS,
    **UNTRADED_COLUMNS,
    "liq_swept_long": Column("quote", 0, math.inf, "longs estimated force-closed inside this candle"),
    "liq_swept_short": Column("quote", 0, math.inf, "shorts estimated force-closed inside this candle"),
    "liq_imbalance": Column("ratio", -1, 1, "(fuel above - fuel below) / (fuel above + fuel below)"),
    "liq_quality": Column("share", 0, 1, "how far the row can be trusted: inputs present, fresh, warmed up"),
}
"""Every column, in order. README, command line and tests take their copy from here."""

POSITIONING_COLUMNS = {
    name: Column(
        "standard deviations", -math.inf, math.inf, f"{what}: logarithm, against the last `lookback`"
    )
    for name, what in zip(NAMES, POSITIONING.values(), strict=True)
}
"""Columns that are there where `positioning` is."""

WITHOUT_DEPTH = 0.95
"""Of `liq_quality` where depth is an input and is missing: two of the columns then have the constant."""

FURTHER = POSITIONING_COLUMNS | VENUE_COLUMNS
"""Columns that are there where their input is: `positioning`, `venues`."""

DESCRIBED = COLUMNS | FURTHER | WINDOWS
"""All that the package has to offer: those of `scheduled_windows` come from a call of their own."""

_NAMES = {further: pd.Index(COLUMNS | (VENUE_COLUMNS if further else {})) for further in (False, True)}
"""Made once: a bot asks for one row at a time, and pandas takes its time over names."""


def liquidation_features(
    candles: pd.DataFrame,
    config: HeatmapConfig | None = None,
    **inputs: Unpack[Inputs],
) -> pd.DataFrame:
    """Estimate where leveraged positions would be liquidated, as columns beside the candles.

    Row t depends on nothing stamped after the close of candle t, and on at most `config.warmup` candles.

    Parameters
    ----------
    candles : DataFrame
        Freqtrade's frame: `date, open, high, low, close, volume`, any timeframe. It is not changed.
    config : HeatmapConfig, optional
        Default: `HeatmapConfig()`. Better: `HeatmapConfig.for_pair(pair, exchange)`.
    **inputs
        `open_interest`, `funding_rate`, `mark`, `liquidations`, `positioning`, `maps`, `depth`, `venues`: see
        `liqfeature.market.market.Inputs`.

    Returns
    -------
    DataFrame
        The columns of `COLUMNS`, float64, with the index of `candles`; with `positioning` and with `venues`
        theirs of `FURTHER`, too. NaN where there is no cluster, in the first `config.warmup - 1` rows, and
        where nothing was traded for a whole lookback; `liq_quality` is never NaN, and 0 in the first rows.

    Raises
    ------
    MissingColumnError, DataError
        Naming the column, the rule and the value received.

    Notes
    -----
    `liq_quality` is the share of the last `max_age` candles that were traded, times one for open interest:
    1 where it is fresh, falling to 0.5 without; the lower of now and the mean over `max_age` counts. It is
    halved where volume comes in contracts of unknown size, and where the pair's leverage limit is assumed.
    With `maps` it is also multiplied by how fresh the map is: 1 when it was taken, 0 after a lookback.
    With `depth` it is `WITHOUT_DEPTH` times that where depth is not known.
    With `venues` it is multiplied by the mean of 1 and `liq_fresh`.
    """
    config = configuration(config)
    return columns_of(walk_for_columns(Market.of(candles, config.join_rule, **inputs), config), candles.index)


def walk_for_columns(market: Market, config: HeatmapConfig) -> Scan:
    """Walk a market that `config.join_rule` joined, with room for all columns."""
    further = len(VENUE_COLUMNS) if market.venues else 0
    return walk_market(market, config, spare=len(COLUMNS) + further - 2 * len(READINGS))


def columns_of(scan: Scan, index: pd.Index) -> pd.DataFrame:
    """Return the columns of `liquidation_features` after a walk, which can be asked for more than these.

    Parameters
    ----------
    scan : Scan
        As `walk_for_columns` returned it.
    index : Index
        Of the candles.

    Returns
    -------
    DataFrame
        As `liquidation_features`.
    """
    config, positioning, together = scan.config, scan.market.positioning, scan.together
    names, n_sided, n_outlook = _NAMES[together is not None], 2 * len(READINGS), len(OUTLOOK_COLUMNS)
    values, spare = scan.table[: names.size].T, scan.table[n_sided : len(COLUMNS)]
    write_outlook(scan, spare[:n_outlook])
    write_untraded(scan, spare[n_outlook : n_outlook + len(UNTRADED_COLUMNS)])
    spare[-4:-1] = _unsided(scan)
    if together is not None:
        scan.table[len(COLUMNS) : names.size] = venue_columns(scan, together)
    scan.columns[:, READINGS.index("fuel")] *= config.cascade.forced_share
    values[: config.warmup - 1] = np.nan
    values[scan.flow.open_interest == 0] = np.nan
    values[:, len(COLUMNS) - 1] = _quality(scan)
    features = pd.DataFrame(values, columns=names.copy(), index=index, copy=False)
    if positioning is None:
        return features
    scores = positioning_scores(positioning, config.lookback)
    scores[:, : config.warmup - 1] = np.nan
    return features.assign(**dict(zip(POSITIONING_COLUMNS, scores, strict=True)))


def warm() -> None:
    """Compile everything ahead, so that no candle waits for it; quick where the cache holds it.

    The scan of several exchanges is compiled at its first use.
    """
    n = 8
    price, day = np.full(n, 100.0), pd.date_range("2026-01-01", periods=n, tz="UTC")
    candles = dict.fromkeys(("open", "high", "low", "close", "volume"), price)
    liquidation_features(pd.DataFrame({"date": day, **candles}))


def _unsided(scan: Scan) -> FloatArray:
    """Columns that are of neither side of price but the quality, shape (3, n)."""
    swept, fuel = scan.swept[1], scan.columns[:, READINGS.index("fuel")]
    total, share = fuel[SHORT] + fuel[LONG], scan.config.cascade.forced_share
    with np.errstate(invalid="ignore"):
        imbalance = np.where(total > 0, (fuel[SHORT] - fuel[LONG]) / total, np.nan)
    if (maps := scan.market.maps) is not None:
        swept = np.where(maps.newest < 0, np.nan, swept)
    return np.stack([share * swept[LONG], share * swept[SHORT], imbalance])


def _quality(scan: Scan) -> FloatArray:
    config, market, n = scan.config, scan.market, scan.market.tick.size
    lateness = np.where(scan.flow.real, np.maximum(market.staleness - 1.0, 0.0), np.inf)
    fresh = np.clip(1.0 - lateness / config.lookback, 0.0, 1.0)
    informed = np.minimum(fresh, trailing_sum(fresh, config.max_age) / config.max_age)
    traded = trailing_sum((market.volume > 0).astype(np.float64), config.max_age)
    quality = np.zeros(n)
    first = config.warmup - 1
    if n > first:
        begun = market.tick[first - config.max_age + 1 : n - config.max_age + 1]
        elapsed = market.tick[first:] - begun + 1
        quality[first:] = (traded / np.maximum(1, config.max_age))[first:] * (0.5 + 0.5 * informed[first:])
        quality[first:] *= config.max_age / elapsed
    quality *= np.where(market.sized, 1.0, 0.5) * (1.0 if config.limits_known else 0.5)
    if market.maps is not None:
        quality *= np.nan_to_num(1.0 - market.maps.age / config.lookback)
    if market.depth is not None:
        quality *= np.where(np.isnan(market.depth).any(axis=0), WITHOUT_DEPTH, 1.0)
    return quality if scan.together is None else quality * (0.5 + 0.5 * scan.together.fresh_share)
