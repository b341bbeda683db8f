"""Scores of alarms on what is liquidated in the coming hour: surges, and the largest hours."""

from collections.abc import Iterator

import numpy as np

from liqfeature.durations import HOUR
from liqfeature.estimate.kernels import read
from liqfeature.estimate.reach import reached_within
from liqfeature.estimate.scan import Scan
from liqfeature.market.market import Market
from liqfeature.market.rolling import trailing_sum
from liqfeature.scoring.hours import Hours
from liqfeature.scoring.measures.alarms import alarm, area_under_curve, highest, surged
from liqfeature.scoring.scorecard import Score
from liqfeature.scoring.walks import ALONE, CASCADE, FUEL, UNCALIBRATED, VOLATILITY, Walks
from liqfeature.sides import LONG, SHORT, SIDES
from liqfeature.types import FloatArray, IntArray

ORACLE = "oracle: fuel"
OVER_TRAILING, OVER_SWEPT = " over trailing liquidations", " over trailing liq_swept"
INFORMED = ", recordings given"

ALARMED, EXTREME = 0.05, 0.01
"""Shares of the hours that raise an alarm, and of those that hold most."""


def score_surges(
    walks: Walks, informed: Scan, hours: Hours, rows: IntArray, oracle: FloatArray | None
) -> Iterator[Score]:
    """Scores of alarms, raised at the start of an hour, on what is liquidated within it.

    Parameters
    ----------
    walks : Walks
    informed : Scan
        The estimate with what was recorded as an input.
    hours : Hours
        With what was recorded, or is true.
    rows : ndarray of shape (n_rows,)
        Last candle before each hour that is scored.
    oracle : ndarray of shape (n_rows, 2), optional
        Fuel of the positions really open, where they are known.
    """
    hour = hours.of_candle[rows] + 1
    day = hours.day[hour]
    for side in range(2):
        recorded = hours.recorded[side]
        scores = _predictors(side, walks, informed, rows)
        if oracle is not None:
            fuel = np.log(np.maximum(oracle[:, side], _LEAST))
            scores |= {ORACLE: fuel, ORACLE + OVER_TRAILING: fuel - _trailing(side, informed, rows)}
        known = ~np.isnan(sum(scores.values(), surged(recorded)[hour]))
        event = np.where(known, surged(recorded)[hour], np.nan)
        extreme, large = (_among_highest(recorded[hour], known, share) for share in (EXTREME, ALARMED))
        for name, score in scores.items():
            yield Score.of(name, "surge_auc", SIDES[side], area_under_curve(score, event, day))
            precision, recall = alarm(score, event, day, ALARMED)
            yield Score.of(name, "surge_precision", SIDES[side], precision)
            yield Score.of(name, "surge_recall", SIDES[side], recall)
            yield Score.of(name, "extreme_auc", SIDES[side], area_under_curve(score, extreme, day))
            yield Score.of(name, "extreme_precision", SIDES[side], alarm(score, large, day, EXTREME)[0])


_LEAST = 1e-300
"""Keeps logarithms finite; only the order of scores matters."""


def _predictors(side: int, walks: Walks, informed: Scan, rows: IntArray) -> dict[str, FloatArray]:
    """Scores by name, each of shape (n_rows,); larger: more is expected."""
    trailing = _trailing(side, informed, rows)
    volatility = np.log(np.maximum(walks.estimate.reading.sigma[rows], _LEAST))
    return {
        CASCADE: _log_odds(walks.estimate.columns[side, read.CASCADE, rows]),
        CASCADE + ALONE: _log_odds(walks.path_alone.columns[side, read.CASCADE, rows]),
        CASCADE + INFORMED: _log_odds(informed.columns[side, read.CASCADE, rows]),
        **_of_fuel("", side, walks.estimate, rows, trailing),
        **_of_fuel(ALONE, side, walks.path_alone, rows, trailing),
        UNCALIBRATED: _log_odds(walks.uncalibrated.columns[side, read.CASCADE, rows]),
        VOLATILITY: volatility,
        VOLATILITY + OVER_TRAILING: volatility - trailing,
    }


def _of_fuel(
    which: str, side: int, scan: Scan, rows: IntArray, trailing: FloatArray
) -> dict[str, FloatArray]:
    """Fuel, and over what was recorded and what the map swept before."""
    fuel = np.log(np.maximum(scan.columns[side, read.FUEL, rows], _LEAST))
    swept = trailing_sum(scan.swept[1, side], scan.config.lookback)[rows]
    over = {"": fuel, OVER_TRAILING: fuel - trailing, OVER_SWEPT: fuel - _log(swept)}
    return {FUEL + what + which: score for what, score in over.items()}


def _trailing(side: int, informed: Scan, rows: IntArray) -> FloatArray:
    """Logarithm of what was usually recorded, as the columns know it at the close of the row.

    A total is used one candle after its end, so that the hour that ends with the row's candle is not in it.
    """
    return _log(informed.market.liquidated[side, rows])


def _log(trailing: FloatArray) -> FloatArray:
    """Logarithm of the trailing mean; NaN where it is 0, or nothing is known."""
    return np.log(np.where(trailing > 0, trailing, np.nan))


def _log_odds(probability: FloatArray) -> FloatArray:
    bounded = np.clip(probability, 1e-12, 1 - 1e-12)
    return np.log(bounded / (1 - bounded))


def _among_highest(values: FloatArray, known: np.ndarray, share: float) -> FloatArray:
    """1 for the given share of known rows with the highest values, 0 for the others, NaN where not known."""
    event = np.full(values.size, np.nan)
    event[known] = highest(values[known], share)
    return event


def hourly_rows(market: Market, hours: Hours) -> IntArray:
    """Last candles before hours with a recording; shape (n_rows,)."""
    begun = np.flatnonzero(np.diff(hours.of_candle) == 1)
    whole = (market.tick[begun] + 1) * market.interval % HOUR == 0
    rows: IntArray = begun[whole & hours.known[hours.of_candle[begun] + 1]]
    return rows


def oracle_fuel(scan: Scan, rows: IntArray, windows: FloatArray) -> FloatArray:
    """Fuel of the positions really open, (n_rows, 2), from windows as `true_windows` makes them."""
    reading, close = scan.reading, scan.candles.close[rows]
    within = close - np.floor(close)
    fuel = np.zeros((rows.size, 2))
    for side, to_edge in ((LONG, within), (SHORT, 1.0 - within)):
        distance = to_edge[:, None] + 0.5 + np.arange(windows.shape[2])
        sigmas = distance / reading.sigma[rows, None]
        reached = reached_within(reading.reach, reading.tilts[side, rows, None], sigmas)
        fuel[:, side] = np.sum(windows[:, side] * reached, axis=1)
    return fuel
