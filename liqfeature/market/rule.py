"""How frames are joined to candles: what an exchange's numbers count, and how long they are used."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRule:
    """How frames are joined to candles.

    Parameters
    ----------
    lookback : int
        Candles after which a row of open interest is too old to use.
    open_interest_in_contracts, volume_in_contracts : bool
        Whether the exchange gives the amount of open interest, or the volume of candles, in contracts instead
        of base currency.
    contract_size : float
        Base currency per contract; 0 where only the rows of open interest tell.
    opening_since : float
        Milliseconds since 1970: rows of open interest stamped then or later were taken at the end of the
        period that opens at their stamp, those before at their stamp. Value over amount overrules it.
    """

    lookback: int
    open_interest_in_contracts: bool = False
    volume_in_contracts: bool = False
    contract_size: float = 0.0
    opening_since: float = math.inf
