"""Columns of positioning: context for a trader, and no part of the estimate."""

import numpy as np

from liqfeature.market.positioning import RATIOS
from liqfeature.market.rolling import trailing_sum
from liqfeature.types import FloatArray

POSITIONING = {
    "account_ratio": "longs over shorts among all accounts",
    "top_account_ratio": "longs over shorts among the top accounts",
    "top_position_ratio": "longs over shorts in the top accounts' positions",
    "taker_ratio": "what takers bought over what they sold",
}
"""What the ratio behind each column is."""

NAMES = tuple(f"liq_positioning_{name.removesuffix('_ratio')}" for name in RATIOS)
"""Of the columns, in the order of `RATIOS`."""

LEAST_KNOWN = 0.5
"""Share of a lookback in which a ratio must be known."""

_ROUNDING = 1e-12
"""Variance over mean square below which all values are the same."""


def positioning_scores(ratios: FloatArray, lookback: int) -> FloatArray:
    """Return how unusual each ratio is: its logarithm's distance from the mean, in standard deviations.

    Parameters
    ----------
    ratios : ndarray of shape (4, n)
        Logarithms, NaN where unknown.
    lookback : int
        Candles over which mean and deviation are taken, the row's own included.

    Returns
    -------
    ndarray of shape (4, n)
        NaN where the ratio is unknown, was unknown for more than half of the lookback, or has not moved.
    """
    return np.stack([_score(ratio, lookback) for ratio in ratios])


def _score(values: FloatArray, lookback: int) -> FloatArray:
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    sums = (trailing_sum(one, lookback) for one in (known.astype(np.float64), filled, filled**2))
    count, total, squares = sums
    enough = known & (count >= LEAST_KNOWN * lookback)
    n = np.where(enough, count, 1.0)
    mean, square = total / n, squares / n
    variance = square - mean**2
    moved = enough & (variance > _ROUNDING * square)
    return np.divide(
        values - mean, np.sqrt(np.where(moved, variance, 1.0)), out=np.full_like(values, np.nan), where=moved
    )
