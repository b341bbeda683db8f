"""How good a forecast of volatility is: R2 of its logarithm, and QLIKE of its variance."""

import numpy as np

from liqfeature.scoring.measures.bootstrap import Interval, bootstrap, mean_of_rows
from liqfeature.types import FloatArray, IntArray


def r_squared(forecast: FloatArray, outcome: FloatArray, day: IntArray) -> Interval:
    """1 less the squared error over that of the outcome's own mean; shapes (n,), rows with a NaN dropped.

    Nothing is fitted: a forecast of the wrong level loses. 1 is perfect, 0 no better than a constant, below 0
    worse. Undefined where the outcome does not vary.
    """
    known = ~np.isnan(forecast + outcome)
    y, error = outcome[known], (outcome - forecast)[known]
    centred = y - np.mean(y) if y.size else y
    terms = np.stack([error**2, centred, centred**2, np.ones(y.size)], axis=1)
    return bootstrap(_explained, terms, day[known])


def qlike(forecast: FloatArray, realised: FloatArray, day: IntArray) -> Interval:
    """Mean of x - ln x - 1, x being realised over forecast variance; shapes (n,), 0 is perfect.

    Rows where either is NaN or not above 0 are dropped. Its order of forecasts is right even where realised
    variance is a noisy measure of the true one (Patton 2011).
    """
    known = (forecast > 0) & (realised > 0)
    ratio = np.divide(realised, forecast, out=np.ones_like(forecast), where=known)
    return mean_of_rows(np.where(known, ratio - np.log(ratio) - 1.0, np.nan), day)


def best_r_squared(forecast: FloatArray, outcome: FloatArray, day: IntArray) -> Interval:
    """R2 of the best line through a forecast on the scored rows themselves; arguments as for `r_squared`.

    The square of the correlation: for forecasts that state no level, which are thereby given the best one.
    """
    known = ~np.isnan(forecast + outcome)
    x, y = forecast[known], outcome[known]
    x, y = (values - np.mean(values) if values.size else values for values in (x, y))
    terms = np.stack([x, y, x * x, y * y, x * y, np.ones(x.size)], axis=1)
    return bootstrap(_squared_correlation, terms, day[known])


def best_qlike(forecast: FloatArray, realised: FloatArray, day: IntArray) -> Interval:
    """QLIKE of a forecast times the factor that is best on the scored rows; arguments as for `qlike`."""
    known = (forecast > 0) & (realised > 0)
    ratio = realised[known] / forecast[known]
    terms = np.stack([ratio, np.log(ratio), np.ones(ratio.size)], axis=1)
    return bootstrap(_profiled, terms, day[known])


def _squared_correlation(sums: FloatArray) -> FloatArray:
    x, y, xx, yy, xy, n = sums.T
    spread = (xx - x**2 / np.maximum(n, 1.0)) * (yy - y**2 / np.maximum(n, 1.0))
    squared = np.full(n.size, np.nan)
    np.divide((xy - x * y / np.maximum(n, 1.0)) ** 2, spread, out=squared, where=spread > 0)
    return squared


def _profiled(sums: FloatArray) -> FloatArray:
    """Least mean of x / f - ln(x / f) - 1 over f: that where f is the mean of x."""
    ratio, logs, n = sums.T
    least: FloatArray = np.log(ratio / n) - logs / n
    return least


def _explained(sums: FloatArray) -> FloatArray:
    error, first, second, n = sums.T
    total = second - first**2 / np.maximum(n, 1.0)
    ratio = np.full(error.size, np.nan)
    np.divide(error, total, out=ratio, where=total > 0)
    return 1.0 - ratio
