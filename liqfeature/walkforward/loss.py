"""What a search should minimise: a loss that profit from few trades, one day or one pair lowers little."""

import numpy as np
import numpy.typing as npt

from liqfeature.checks import require, require_at_least
from liqfeature.types import FloatArray


def concentration(profits: FloatArray, groups: npt.NDArray[np.generic]) -> float:
    """Return the share of the profit of winning groups that the best of them made.

    Parameters
    ----------
    profits : ndarray of shape (n,)
        Of each trade.
    groups : ndarray of shape (n,)
        Day or pair of each trade.

    Returns
    -------
    float
        Above 0 and at most 1, where all of it was made in one group; 1 where no group won anything.
    """
    _, number = np.unique(groups, return_inverse=True)
    won = np.maximum(np.bincount(number, weights=profits), 0.0) if len(profits) else np.zeros(0)
    total = float(np.sum(won))
    return float(np.max(won)) / total if total > 0 else 1.0


def search_loss(
    profits: FloatArray,
    days: npt.NDArray[np.generic],
    pairs: npt.NDArray[np.generic],
    *,
    drawdown: float,
    wanted_trades: int = 100,
    concentration_weight: float = 0.5,
    drawdown_weight: float = 2.0,
) -> float:
    """Return what a search should minimise: profit, less what was luck and what it hurt.

    Parameters
    ----------
    profits : ndarray of shape (n,)
        Of each trade, as a fraction of the starting balance.
    days, pairs : ndarray of shape (n,)
        When and on what.
    drawdown : float
        Largest fall of the account, as a fraction of it, 0 to 1.
    wanted_trades : int, default 100
        Trades from which their number is no objection, at least 1.
    concentration_weight : float, default 0.5
        Share of a profit that is taken away if one day or one pair made all of it, 0 to 1.
    drawdown_weight : float, default 2.0
        How much profit a drawdown must be worth, at least 0.

    Returns
    -------
    float
        Smaller is better. `-(kept profit - drawdown_weight * drawdown) + lack`, where kept profit is a
        profit less what `concentration` takes away, a loss in full, and `lack` is the square of the share of
        wanted trades that is missing: 1 without any trade.

    Raises
    ------
    ConfigError
        If a parameter breaks its rule.
    """
    require_at_least(1, wanted_trades=wanted_trades)
    require_at_least(0, drawdown_weight=drawdown_weight, drawdown=drawdown)
    require("concentration_weight", 0 <= concentration_weight <= 1, "0 to 1", concentration_weight)
    lack = max(1 - len(profits) / wanted_trades, 0.0) ** 2
    profit = float(np.sum(profits))
    if profit > 0:
        days_used, pairs_used = len(np.unique(days)), len(np.unique(pairs))
        excess = max(_excess(profits, days, days_used), _excess(profits, pairs, pairs_used))
        profit *= 1 - concentration_weight * excess
    return lack - profit + drawdown_weight * drawdown


def _excess(profits: FloatArray, groups: npt.NDArray[np.generic], n: int) -> float:
    """Concentration beyond an even spread: 0 where all groups won alike, 1 where one won all."""
    return 1.0 if n == 1 else max((concentration(profits, groups) - 1 / n) / (1 - 1 / n), 0.0)
