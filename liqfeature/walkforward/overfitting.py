"""How far to trust a strategy that was chosen among many: it looks better than it is.

`deflated_sharpe` is the probability that it is better than the best of as many that know nothing,
`backtest_overfitting` how often the best on one half of the days falls below the median on the other.
"""

import math
from itertools import combinations
from statistics import NormalDist

import numpy as np

from liqfeature.checks import require, require_at_least
from liqfeature.types import FloatArray

EULER = 0.5772156649015329
"""Of Euler and Mascheroni, in the expected largest of many normal numbers."""

_NORMAL = NormalDist()


def sharpe_ratio(returns: FloatArray) -> float:
    """Return mean over standard deviation (of the sample) of returns; NaN where they do not vary."""
    varies = len(returns) > 1 and np.ptp(returns) > 0  # rounding gives even constants a deviation
    return float(np.mean(returns) / np.std(returns, ddof=1)) if varies else math.nan


def deflated_sharpe(returns: FloatArray, trial_sharpes: FloatArray) -> float:
    """Return the probability that a strategy chosen among many has a Sharpe ratio above that of luck.

    Parameters
    ----------
    returns : ndarray of shape (n,)
        Of the chosen strategy, one per period (a day, say).
    trial_sharpes : ndarray of shape (n_trials,)
        Sharpe ratio per period of every strategy that was ever tried, the chosen one included.

    Returns
    -------
    float
        0 to 1; NaN for fewer than 3 returns, fewer than 2 trials, or returns that do not vary. Above 0.95 is
        the usual threshold.

    Notes
    -----
    Bailey and Lopez de Prado (2014): `Phi((SR - SR0) sqrt(n - 1) / sqrt(1 - skew SR + (kurt - 1) / 4 SR^2))`
    with `SR0 = sd(trials) ((1 - g) Phi^-1(1 - 1/N) + g Phi^-1(1 - 1/(N e)))`, g Euler's constant.
    """
    n, n_trials = len(returns), len(trial_sharpes)
    sharpe = sharpe_ratio(returns)
    if n < 3 or n_trials < 2 or math.isnan(sharpe):
        return math.nan
    scaled = (returns - np.mean(returns)) / np.std(returns)
    skew, kurtosis = float(np.mean(scaled**3)), float(np.mean(scaled**4))
    uncertainty = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2
    surplus = sharpe - luckiest_sharpe(float(np.std(trial_sharpes, ddof=1)), n_trials)
    return _NORMAL.cdf(surplus * math.sqrt(n - 1) / math.sqrt(uncertainty))


def luckiest_sharpe(spread: float, n_trials: int) -> float:
    """Return the Sharpe ratio to expect of the best of many strategies that know nothing.

    Parameters
    ----------
    spread : float
        Standard deviation of their Sharpe ratios, at least 0.
    n_trials : int
        How many strategies, at least 2.
    """
    require_at_least(0, spread=spread)
    require_at_least(2, n_trials=n_trials)
    typical, extreme = (_NORMAL.inv_cdf(1 - 1 / (n_trials * factor)) for factor in (1.0, math.e))
    return spread * ((1 - EULER) * typical + EULER * extreme)


def backtest_overfitting(returns: FloatArray, blocks: int = 8) -> float:
    """Return how often the best strategy on one half of the days is below the median on the other.

    Parameters
    ----------
    returns : ndarray of shape (n_periods, n_strategies)
        Returns per period of every strategy tried; at least 2 of them.
    blocks : int, default 8
        Stretches into which the periods are cut, even, at least 2; every choice of half of them is tried.

    Returns
    -------
    float
        0 to 1. About 0.5 where choosing means nothing; above that, choosing the best does harm.

    Raises
    ------
    ConfigError
        If there are fewer than 2 strategies, or `blocks` is odd, below 2 or above the number of periods.

    Notes
    -----
    Combinatorially symmetric cross-validation of Bailey, Borwein, Lopez de Prado and Zhu (2017). Strategies
    are ranked by Sharpe ratio; one that does not vary counts as 0; ties count half.
    """
    n, n_strategies = returns.shape
    require("returns", n_strategies >= 2, "of at least 2 strategies", n_strategies)
    require("blocks", blocks >= 2 and blocks % 2 == 0 and blocks <= n, f"even, 2 to {n}", blocks)
    parts = np.array_split(np.arange(n), blocks)
    failures = []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = np.concatenate([parts[i] for i in chosen])
        outside = np.setdiff1d(np.arange(n), inside)
        best = int(np.argmax(_sharpes(returns[inside])))
        later = _sharpes(returns[outside])
        rank = np.sum(later < later[best]) + (np.sum(later == later[best]) + 1) / 2
        failures.append(_below(float(rank) / (n_strategies + 1)))
    return float(np.mean(failures))


def _below(relative_rank: float) -> float:
    return 0.5 if math.isclose(relative_rank, 0.5) else float(relative_rank < 0.5)


def _sharpes(returns: FloatArray) -> FloatArray:
    mean, spread = np.mean(returns, axis=0), np.std(returns, axis=0)
    ratio: FloatArray = np.divide(mean, spread, out=np.zeros_like(mean), where=np.ptp(returns, axis=0) > 0)
    return ratio
