"""Whether a row can be acted upon, and why not: reasons as bits of one number, and words for them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntFlag

import numpy as np
import pandas as pd

from liqfeature.candles import interval_of
from liqfeature.checks import require, require_at_least, require_types
from liqfeature.config import HeatmapConfig
from liqfeature.flow import trailing_sum
from liqfeature.join import join_open_interest
from liqfeature.tables import numbers, require_column, times
from liqfeature.types import BoolArray, FloatArray

COLUMN = "liq_health"
"""Name of the column: 0 where a row is sound, else the sum of its reasons. It is none of the estimate's."""


class Reason(IntFlag):
    """Why a row is not sound."""

    WARM_UP = 1
    STALE_OPEN_INTEREST = 2
    LOW_QUALITY = 4
    NO_OPEN_INTEREST = 8
    UNTRADED = 16


WORDS = {
    Reason.WARM_UP: "fewer candles than the warm-up takes",
    Reason.STALE_OPEN_INTEREST: "open interest is late",
    Reason.LOW_QUALITY: "liq_quality is low: candles without trades or open interest are many",
    Reason.NO_OPEN_INTEREST: "no open interest, which the exchange has",
    Reason.UNTRADED: "many candles of the last day are without trades, or were filled in for missing ones",
}

BLOCKING = Reason.WARM_UP | Reason.STALE_OPEN_INTEREST | Reason.LOW_QUALITY | Reason.UNTRADED
"""Reasons not to enter. Without any open interest the columns are worth less (`liq_quality`), not wrong."""


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
    open_interest: pd.DataFrame | None = None,
    expected: bool = True,
    rule: HealthRule | None = None,
) -> "pd.Series[float]":
    """Tell of each row whether it is sound.

    Row t depends on nothing stamped after the close of candle t. Open interest that ended more than `max_age`
    candles ago counts as none.

    Parameters
    ----------
    candles, open_interest
        As given to `liquidation_features`.
    features : DataFrame
        What it returned: `liq_quality`.
    config : HeatmapConfig
        With which.
    expected : bool
        Whether the exchange has a history of open interest.
    rule : HealthRule, optional

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
    rule = rule or HealthRule()
    require_column(features, "liq_quality", "features")
    warming = np.arange(len(candles)) < config.warmup - 1
    quality = features["liq_quality"].to_numpy()
    found = np.where(warming, int(Reason.WARM_UP), 0)
    found |= np.where(~warming & ~(quality >= rule.quality), int(Reason.LOW_QUALITY), 0)
    silent = trailing_sum((numbers(candles, "volume", "candles") == 0).astype(np.float64), config.lookback)
    found |= np.where(silent > rule.untraded * config.lookback, int(Reason.UNTRADED), 0)
    if expected:
        staleness = _staleness(candles, config, open_interest)
        begun = _within(np.isfinite(staleness), config.max_age)
        late = begun & ~(staleness <= rule.staleness)
        found |= np.where(late, int(Reason.STALE_OPEN_INTEREST), 0)
        found |= np.where(~begun, int(Reason.NO_OPEN_INTEREST), 0)
    return pd.Series(found.astype(np.float64), index=candles.index, name=COLUMN)


def _staleness(
    candles: pd.DataFrame, config: HeatmapConfig, open_interest: pd.DataFrame | None
) -> FloatArray:
    """Candles since the row of open interest in force became usable; NaN where there is none."""
    time, close = times(candles, "candles"), numbers(candles, "close", "candles")
    interval = interval_of(time)
    in_contracts = config.flow.open_interest_in_contracts
    known = join_open_interest(
        open_interest, time, close, interval, config.lookback, in_contracts=in_contracts
    )
    return known.staleness


def _within(known: BoolArray, candles: int) -> BoolArray:
    """Whether anything was known at one of so many candles, this one included."""
    last = np.maximum.accumulate(np.where(known, np.arange(known.size), -candles))
    recent: BoolArray = np.arange(known.size) - last < candles
    return recent


def sound(rows: pd.DataFrame, blocking: Reason = BLOCKING) -> "pd.Series[bool]":
    """Tell which rows may be acted upon.

    Parameters
    ----------
    rows : DataFrame
        With `liq_health`; NaN there, as of a row that was never computed, is not sound.
    blocking : Reason
        Reasons that forbid it.
    """
    require_column(rows, COLUMN, "rows")
    reasons = rows[COLUMN].fillna(float(blocking)).astype("int64")
    return (reasons & int(blocking)) == 0


def is_sound(row: "pd.Series[float]", blocking: Reason = BLOCKING) -> bool:
    """Tell whether one row may be acted upon; a row without the column may."""
    reasons = row.get(COLUMN, 0.0)
    return bool(reasons == reasons) and not int(reasons) & int(blocking)


def reasons_of(value: float) -> list[Reason]:
    """Return the reasons of which a value of `liq_health` is the sum; none of NaN."""
    return [reason for reason in Reason if value == value and int(value) & reason]


def unspoken(spoken: set[tuple[str, Reason]], pair: str, value: float) -> Iterable[Reason]:
    """Return the reasons of a pair that were not told yet, and take note of them."""
    new = [reason for reason in reasons_of(value) if (pair, reason) not in spoken]
    spoken.update((pair, reason) for reason in new)
    return new
