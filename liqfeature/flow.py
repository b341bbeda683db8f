"""How much is opened and closed at each candle: from open interest where it exists, from volume elsewhere.

Nothing here looks at the map, so that what a candle opens depends on a few hundred candles and not on all
of history.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from liqfeature.checks import require, require_types
from liqfeature.types import BoolArray, FloatArray

LARGEST_STEP = 2.0
"""A larger change between two rows of open interest is a change of unit or an error, not trading."""

LEAST_TURNOVER, MOST_TURNOVER = 0.02, 200.0
"""Daily volume over open interest between which open interest can belong to the pair (majors: 2 to 7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRule:
    """How open interest and volume turn into opened and closed amounts.

    Parameters
    ----------
    levered_share : float
        Share of open interest that is levered and can be liquidated, above 0 to 1; the rest is hedged.
        Larger: every amount grows in proportion.
    churn : float
        Volume that turns over a position once, as a share: trading as much as there is open interest closes
        this share of everything held and opens as much, above 0 to 1. Larger: the map forgets faster and
        follows recent prices.
    scalp_churn : float
        The same for scalps, above 0 to 100. Larger: what lies nearest to price is younger.
    most_closed : float
        Largest share closed within one candle, above 0 and below 1.
    open_interest_sides : int
        1 where the exchange counts each contract once, 2 where it adds both sides (Bybit).
    open_interest_in_contracts : bool
        Whether the exchange gives the amount in contracts instead of base currency (OKX, Gate); its value is
        used then.
    open_interest_days : float
        Open interest as days of volume, where the exchange gives none. Larger: slower forgetting.
    """

    levered_share: float = 0.65
    churn: float = 0.2
    scalp_churn: float = 3.0
    most_closed: float = 0.5
    open_interest_sides: int = 1
    open_interest_in_contracts: bool = False
    open_interest_days: float = 0.25

    def __post_init__(self) -> None:
        require_types(self)
        require("levered_share", 0 < self.levered_share <= 1, "above 0 and at most 1", self.levered_share)
        require("churn", 0 < self.churn <= 1, "above 0 and at most 1", self.churn)
        require("scalp_churn", 0 < self.scalp_churn <= 100, "above 0 and at most 100", self.scalp_churn)
        require("most_closed", 0 < self.most_closed < 1, "between 0 and 1", self.most_closed)
        require("open_interest_sides", self.open_interest_sides in (1, 2), "1 or 2", self.open_interest_sides)
        require("open_interest_days", self.open_interest_days > 0, "above 0", self.open_interest_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Amounts per side, one entry per candle, in base currency; shares between 0 and 1.

    `open_interest` is the one in force; `real` says whether an exchange reported it. `carried` is the share
    of everything live that the change of open interest leaves (0 where there is no open interest), `late`
    the amount that its rise opened before this candle. `held` and `scalps` say what this candle closes and
    opens, as if all of open interest were one or the other.
    """

    open_interest: FloatArray
    real: BoolArray
    carried: FloatArray
    late: FloatArray
    held: "Turnover"
    scalps: "Turnover"


class Turnover(NamedTuple):
    """What each candle leaves of everything live, as a share, and what it opens per side, base currency."""

    kept: FloatArray
    opened: FloatArray


def trailing_sum(values: FloatArray, window: int) -> FloatArray:
    """Sum of the last `window` entries, the entry's own included; before the first entry lie zeros.

    Built from sums over powers of two, so that each sum adds the same numbers in the same order wherever
    the array begins: a running sum would differ in its last bits.
    """
    total = np.zeros_like(values)
    power, doubled, done = 1, values.copy(), 0
    while power <= window:
        if window & power:
            total[done:] += doubled[: max(values.size - done, 0)]
            done += power
        shifted = doubled.copy()
        shifted[power:] += doubled[:-power]
        doubled, power = shifted, 2 * power
    return total


def open_and_close(
    volume: FloatArray,
    open_interest: FloatArray,
    rule: FlowRule,
    *,
    lookback: int,
    candles_per_day: float,
) -> Flow:
    """Turn volume and open interest into what each candle opens and closes.

    Parameters
    ----------
    volume : ndarray of shape (n,)
        Base currency.
    open_interest : ndarray of shape (n,)
        Base currency as the exchange counts it, known by the candle's close; NaN where unknown or stale.
    rule : FlowRule
    lookback : int
        Candles over which usual volume is measured.
    candles_per_day : float

    Returns
    -------
    Flow
        No NaN: where open interest is unknown, or cannot belong to this volume, it is taken to be
        `rule.open_interest_days` of usual volume, and amounts are relative.
    """
    daily_volume = trailing_sum(volume, lookback) * (candles_per_day / lookback)
    one_side = open_interest / rule.open_interest_sides
    real = belongs_to(one_side, daily_volume)
    level = np.where(real, one_side, rule.open_interest_days * daily_volume)
    before = np.concatenate([level[:1], level[:-1]])
    both_real = real & np.concatenate([real[:1], real[:-1]])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(before > 0, level / before, 0.0)
    traded = both_real & (ratio > 1) & (ratio <= LARGEST_STEP)
    return Flow(
        open_interest=level,
        real=real,
        carried=np.where(traded, 1.0, ratio),
        late=np.where(traded, rule.levered_share * (level - before), 0.0),
        held=_turnover(volume, level, rule.churn, rule),
        scalps=_turnover(volume, level, rule.scalp_churn, rule),
    )


def _turnover(volume: FloatArray, level: FloatArray, churn: float, rule: FlowRule) -> Turnover:
    with np.errstate(divide="ignore", invalid="ignore"):
        closed = np.where(level > 0, np.minimum(churn * volume / level, rule.most_closed), 0.0)
    return Turnover(kept=1.0 - closed, opened=rule.levered_share * closed * level)


def belongs_to(open_interest: FloatArray, daily_volume: FloatArray) -> BoolArray:
    """Whether open interest is known and of the scale of this pair's volume; False for NaN."""
    return (daily_volume >= LEAST_TURNOVER * open_interest) & (daily_volume <= MOST_TURNOVER * open_interest)
