"""What the volume of candles counts: base currency, or contracts of a size that open interest may tell."""

import numpy as np

from liqfeature.market.rolling import trailing_sum
from liqfeature.market.rule import JoinRule
from liqfeature.types import FloatArray

USUAL_TURNOVER = 4.0
"""Daily volume over open interest (majors: 2 to 7)."""

_NEARER = np.log(5.0)
"""By how much one turnover must be nearer to the usual than the other to show the unit."""


def base_per_unit(
    volume: FloatArray,
    open_interest: FloatArray,
    contract_size: FloatArray,
    rule: JoinRule,
    *,
    candles_per_day: float,
) -> FloatArray:
    """Say how much base currency a unit of volume is, by what is known at each candle's close.

    Contracts are counted in whole numbers. Where an exchange that counts them has a volume that is none in
    the last lookback, it may have been turned into base currency already: it was, where the turnover of open
    interest would else be five times farther from the usual.

    Parameters
    ----------
    volume : ndarray of shape (n,)
        As received.
    open_interest, contract_size : ndarray of shape (n,)
        Base currency, of the row in force; NaN where there is none.
    rule : JoinRule
    candles_per_day : float

    Returns
    -------
    ndarray of shape (n,)
        Base currency; NaN where volume comes in contracts of unknown size.
    """
    if not rule.volume_in_contracts:
        return np.ones_like(volume)
    size = np.full_like(volume, rule.contract_size) if rule.contract_size > 0 else contract_size
    fractions = trailing_sum((volume != np.rint(volume)).astype(np.float64), rule.lookback)
    daily = trailing_sum(volume, rule.lookback) * (candles_per_day / rule.lookback)
    with np.errstate(divide="ignore", invalid="ignore"):
        as_base = np.abs(np.log(daily / open_interest / USUAL_TURNOVER))
        as_contracts = np.abs(np.log(daily * size / open_interest / USUAL_TURNOVER))
    return np.where((fractions > 0) & (as_base + _NEARER < as_contracts), 1.0, size)
