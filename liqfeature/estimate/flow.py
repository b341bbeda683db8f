"""How much is opened and closed at each candle: from open interest where it exists, from volume elsewhere.

Nothing here looks at the map, so that what a candle opens depends on a few hundred candles and not on all
of history.
"""

import dataclasses
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from liqfeature.checks import require, require_types
from liqfeature.exchange.facts import SMALLEST_CONTRACT
from liqfeature.market.market import Market
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
    open_interest_in_contracts, volume_in_contracts : bool
        Whether the exchange gives the amount of open interest (OKX, Gate), or the volume of candles (Gate),
        in contracts instead of base currency.
    contract_size : float
        Base currency per contract, at least 0; 0 where it is left to the rows of open interest, whose value
        over amount and price tells it.
    open_interest_opening_since : str
        Date (UTC, such as "2026-06-25") from which a row of open interest is stamped with the opening of the
        period at whose end it was taken, instead of with that end; empty for never. It counts where value
        over amount does not show which it is.
    open_interest_days : float
        Open interest as days of volume, where the exchange gives none. Larger: slower forgetting.
    opens : {"volume", "path"}
        What a candle opens. "path": the same amount each, whatever was traded and whatever open interest did.
        That map knows the path of price alone; what the other one is better by is what volume and open
        interest add. Its amounts are relative, and recorded liquidations are not used.
    """

    levered_share: float = 0.65
    churn: float = 0.2
    scalp_churn: float = 3.0
    most_closed: float = 0.5
    open_interest_sides: int = 1
    open_interest_in_contracts: bool = False
    volume_in_contracts: bool = False
    contract_size: float = 0.0
    open_interest_opening_since: str = ""
    open_interest_days: float = 0.25
    opens: Literal["volume", "path"] = "volume"

    def __post_init__(self) -> None:
        require_types(self)
        require("levered_share", 0 < self.levered_share <= 1, "above 0 and at most 1", self.levered_share)
        require("churn", 0 < self.churn <= 1, "above 0 and at most 1", self.churn)
        require("scalp_churn", 0 < self.scalp_churn <= 100, "above 0 and at most 100", self.scalp_churn)
        require("most_closed", 0 < self.most_closed < 1, "between 0 and 1", self.most_closed)
        require("open_interest_sides", self.open_interest_sides in (1, 2), "1 or 2", self.open_interest_sides)
        known = SMALLEST_CONTRACT <= self.contract_size <= 1 / SMALLEST_CONTRACT
        rule = f"0 or between {SMALLEST_CONTRACT:g} and {1 / SMALLEST_CONTRACT:g}"
        require("contract_size", known or self.contract_size == 0, rule, self.contract_size)
        since = self.open_interest_opening_since
        require("open_interest_opening_since", not since or _is_date(since), "a date or empty", repr(since))
        require("open_interest_days", self.open_interest_days > 0, "above 0", self.open_interest_days)
        require("opens", self.opens in ("volume", "path"), "volume or path", repr(self.opens))


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Amounts per side, one entry per candle, in base currency; shares between 0 and 1.

    `open_interest` is the one in force; `real` says whether an exchange reported it. `carried` is the share
    of everything live that the change of open interest leaves (0 where there is no open interest), `late`
    the amount that its rise opened before this candle. `kept` is the share that this candle's closing leaves
    and `opened` the amount that it opens, shape (2, n): as if all of open interest were held, and scalps.
    """

    open_interest: FloatArray
    real: BoolArray
    carried: FloatArray
    late: FloatArray
    kept: FloatArray
    opened: FloatArray


def path_alone(market: Market) -> Market:
    """Leave a market only the path of price, and funding: every candle that traded traded the same amount.

    Other exchanges are left out: their paths are the same.
    """
    unknown = np.full_like(market.close, np.nan)
    return dataclasses.replace(
        market,
        counted_volume=(market.counted_volume > 0).astype(np.float64),
        unit=np.ones_like(market.unit),
        sized=np.ones_like(market.sized),
        open_interest=unknown,
        staleness=unknown,
        liquidated=np.full_like(market.liquidated, np.nan),
        venues=(),
    )


def open_and_close(
    volume: FloatArray, daily_volume: FloatArray, open_interest: FloatArray, rule: FlowRule
) -> Flow:
    """Turn volume and open interest into what each candle opens and closes.

    Parameters
    ----------
    volume, daily_volume : ndarray of shape (n,)
        Base currency, of the candle and of a usual day.
    open_interest : ndarray of shape (n,)
        Base currency as the exchange counts it, known by the candle's close; NaN where unknown or stale.
    rule : FlowRule

    Returns
    -------
    Flow
        No NaN: where open interest is unknown, or cannot belong to this volume, it is taken to be
        `rule.open_interest_days` of usual volume, and amounts are relative.
    """
    one_side = open_interest / rule.open_interest_sides
    real = belongs_to(one_side, daily_volume)
    level = np.where(real, one_side, rule.open_interest_days * daily_volume)
    before = np.concatenate([level[:1], level[:-1]])
    both_real = real & np.concatenate([real[:1], real[:-1]])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(before > 0, level / before, 0.0)
        turnover = np.array([[rule.churn], [rule.scalp_churn]]) * volume / level
    closed = np.where(level > 0, np.minimum(turnover, rule.most_closed), 0.0)
    traded = both_real & (ratio > 1) & (ratio <= LARGEST_STEP)
    return Flow(
        open_interest=level,
        real=real,
        carried=np.where(traded, 1.0, ratio),
        late=np.where(traded, rule.levered_share * (level - before), 0.0),
        kept=1.0 - closed,
        opened=rule.levered_share * closed * level,
    )


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def belongs_to(open_interest: FloatArray, daily_volume: FloatArray) -> BoolArray:
    """Whether open interest is known and of the scale of this pair's volume; False for NaN."""
    return (daily_volume >= LEAST_TURNOVER * open_interest) & (daily_volume <= MOST_TURNOVER * open_interest)
