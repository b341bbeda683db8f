"""How far a backtest is to be believed: losses for a search, and what a search does to a Sharpe ratio.

Pure functions of numbers. A strategy that was chosen among many looks better than it is: `deflated_sharpe`
says how likely it is better than the best of as many that know nothing, `backtest_overfitting` how often the
best on one half of the days falls below the median on the other.
"""

import math
from itertools import combinations
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from liqfeature.checks import require, require_at_least, require_share
from liqfeature.types import FloatArray

EULER = 0.5772156649015329
"""Of Euler and Mascheroni, in the expected largest of many normal numbers."""

_NORMAL = NormalDist()


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
        usually asked for.

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
    """Return the Sharpe ratio to expect of the best of so many strategies that know nothing.

    Parameters
    ----------
    spread : float
        Standard deviation of their Sharpe ratios, at least 0.
    n_trials : int
        At least 2.
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


def bootstrap_interval(
    values: FloatArray, *, level: float = 0.95, draws: int = 2000, seed: int = 1
) -> tuple[float, float]:
    """Return an interval for the mean of values, such as profits by day, by drawing them with replacement.

    Parameters
    ----------
    values : ndarray of shape (n,)
        One per independent unit: days rather than trades, since trades of one day resemble each other.
    level : float, default 0.95
        Probability that the interval holds the mean, between 0 and 1.
    draws, seed : int
        How many samples are drawn, and of which stream.

    Returns
    -------
    low, high : float
        NaN without values.
    """
    require_share(level=level)
    if not len(values):
        return math.nan, math.nan
    rng = np.random.default_rng(seed)
    means = np.mean(values[rng.integers(0, len(values), (draws, len(values)))], axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
