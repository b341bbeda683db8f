"""Whether a row can be acted upon, and why not: reasons as bits of one number, and words for them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntFlag
from typing import Unpack

import numpy as np
import pandas as pd

from liqfeature.checks import require, require_at_least, require_types
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.estimate.flow import belongs_to
from liqfeature.market.frames import require_column
from liqfeature.market.market import Inputs, Market
from liqfeature.market.rolling import trailing_sum
from liqfeature.types import BoolArray

COLUMN = "liq_health"
"""Name of the column: 0 where a row is sound, else the sum of its reasons. It is none of the estimate's."""


class Reason(IntFlag):
    """Why a row is not sound."""

    WARM_UP = 1
    STALE_OPEN_INTEREST = 2
    LOW_QUALITY = 4
    NO_OPEN_INTEREST = 8
    UNTRADED = 16
    ASSUMED_LIMITS = 32
    UNKNOWN_SIZE = 64


WORDS = {
    Reason.WARM_UP: "fewer candles than the warm-up takes",
    Reason.STALE_OPEN_INTEREST: "open interest is late, or fits neither price nor volume",
    Reason.LOW_QUALITY: "liq_quality is low: candles without trades or open interest are many",
    Reason.NO_OPEN_INTEREST: "no open interest that can be used, which the exchange has",
    Reason.UNTRADED: "many candles of the last day are without trades, or were filled in for missing ones",
    Reason.ASSUMED_LIMITS: "the pair's leverage limit is not known, and assumed",
    Reason.UNKNOWN_SIZE: "the contract size is not known: amounts count contracts",
}

_ALL = sum(Reason)
"""The largest sum: another value is of no version that is known, and not sound."""

BLOCKING = Reason.WARM_UP | Reason.STALE_OPEN_INTEREST | Reason.LOW_QUALITY | Reason.UNTRADED
"""Reasons not to enter. Without any open interest, with an assumed leverage limit or amounts in contracts the
columns are worth less (`liq_quality`); where that leaves too little, `LOW_QUALITY` says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRule:
    """What counts as sound.

    Parameters
    ----------
    quality : float
        Least `liq_quality`, 0 to 1.
    staleness : int
        Candles that open interest may be late by: from when its next row was due to the close.
    untraded : float
        Largest share of the last `lookback` candles without any trade, 0 to 1. Freqtrade fills in candles
        that an exchange did not tell, without volume.

    Raises
    ------
    ConfigError
        Naming the parameter, its rule and the value received.
    """

    quality: float = 0.4
    staleness: int = 12
    untraded: float = 0.05

    def __post_init__(self) -> None:
        require_types(self)
        require("quality", 0 <= self.quality <= 1, "between 0 and 1", self.quality)
        require("untraded", 0 <= self.untraded <= 1, "between 0 and 1", self.untraded)
        require_at_least(0, staleness=self.staleness)


def health(
    candles: pd.DataFrame,
    features: pd.DataFrame,
    config: HeatmapConfig,
    *,
    expected: bool = True,
    rule: HealthRule | None = None,
    **inputs: Unpack[Inputs],
) -> "pd.Series[float]":
    """Say of each row whether it is sound.

    Row t depends on nothing stamped after the close of candle t. Open interest counts where the map uses it:
    where it fits price and volume. What ended more than `max_age` candles ago counts as none.

    Parameters
    ----------
    candles
        As given to `liquidation_features`.
    features : DataFrame
        What it returned: `liq_quality`.
    config : HeatmapConfig
        With which.
    expected : bool
        Whether the exchange has a history of open interest.
    rule : HealthRule, optional
    **inputs
        As given to `liquidation_features`.

    Returns
    -------
    Series of float64
        Named `liq_health`, with the index of `candles`: a sum of `Reason`, 0 where the row is sound, never
        NaN. `LOW_QUALITY` is left out where `WARM_UP` explains it.

    Raises
    ------
    MissingColumnError, DataError
        Naming the column, the rule and the value received.
    """
    market = Market.of(candles, config.join_rule, **inputs)
    return health_of(market, features, config, expected=expected, rule=rule)


def health_of(
    market: Market,
    features: pd.DataFrame,
    config: HeatmapConfig,
    *,
    expected: bool = True,
    rule: HealthRule | None = None,
) -> "pd.Series[float]":
    """Return what `health` returns where the market is there already.

    Parameters
    ----------
    market : Market
        Joined by `config.join_rule`, with open interest.
    features, config, expected, rule
        As in `health`.

    Returns
    -------
    Series of float64
        As `health`, with the index of `features`.
    """
    rule = rule or HealthRule()
    require_column(features, "liq_quality", "features")
    warming = np.arange(market.tick.size) < config.warmup - 1
    quality = features["liq_quality"].to_numpy()
    found = np.where(warming, int(Reason.WARM_UP), 0)
    found |= np.where(~warming & ~(quality >= rule.quality), int(Reason.LOW_QUALITY), 0)
    silent = trailing_sum((market.volume == 0).astype(np.float64), config.lookback)
    found |= np.where(silent > rule.untraded * config.lookback, int(Reason.UNTRADED), 0)
    if expected:
        used = open_interest_used(market, config)
        begun = _within(used, config.max_age)
        late = begun & ~(used & (market.staleness <= rule.staleness))
        found |= np.where(late, int(Reason.STALE_OPEN_INTEREST), 0)
        found |= np.where(~begun, int(Reason.NO_OPEN_INTEREST), 0)
    found |= int(Reason.ASSUMED_LIMITS) * (not config.limits_known)
    found |= np.where(market.sized, 0, int(Reason.UNKNOWN_SIZE))
    return pd.Series(found.astype(np.float64), index=features.index, name=COLUMN)


def open_interest_used(market: Market, config: HeatmapConfig) -> BoolArray:
    """Say of each candle whether there is open interest, and of the scale of the pair's volume.

    Usual volume is known after a lookback: before that, all open interest is.
    """
    one_side = market.open_interest / config.flow.open_interest_sides
    used = belongs_to(one_side, market.daily_volume(config.lookback))
    early = slice(config.lookback - 1)
    used[early] = np.isfinite(one_side[early])
    return used


def _within(known: BoolArray, candles: int) -> BoolArray:
    """Whether anything was known at one of the last candles, this one included."""
    last = np.maximum.accumulate(np.where(known, np.arange(known.size), -candles))
    recent: BoolArray = np.arange(known.size) - last < candles
    return recent


def sound(rows: pd.DataFrame, blocking: Reason = BLOCKING) -> "pd.Series[bool]":
    """Tell which rows may be acted upon.

    Parameters
    ----------
    rows : DataFrame
        With `liq_health`; NaN there, as of a row that was never computed, is not sound, nor is any other
        value that is no sum of reasons.
    blocking : Reason
        Reasons that forbid it.
    """
    require_column(rows, COLUMN, "rows")
    is_sum = rows[COLUMN].between(0, _ALL) & (rows[COLUMN] % 1 == 0)
    reasons = rows[COLUMN].where(is_sum, float(blocking)).astype("int64")
    return (reasons & int(blocking)) == 0


def is_sound(row: "pd.Series[float]", blocking: Reason = BLOCKING) -> bool:
    """Tell whether one row may be acted upon; a row without the column may."""
    reasons = row.get(COLUMN, 0.0)
    is_sum = 0 <= reasons <= _ALL and reasons == int(reasons)  # False for NaN
    return bool(is_sum) and not int(reasons) & int(blocking)


def reasons_of(value: float) -> list[Reason]:
    """Return the reasons of which a value of `liq_health` is the sum; none of NaN."""
    return [reason for reason in Reason if value == value and int(value) & reason]


def unspoken(spoken: set[tuple[str, Reason]], pair: str, value: float) -> Iterable[Reason]:
    """Return the reasons of a pair that were not reported yet, and take note of them."""
    new = [reason for reason in reasons_of(value) if (pair, reason) not in spoken]
    spoken.update((pair, reason) for reason in new)
    return new
