"""Scores of what the columns foretell: reach, cascades, and hours of unusually many liquidations."""

from collections.abc import Iterator

import numpy as np

from liqfeature.candles import Candles
from liqfeature.cascade import STEPS_PER_SIGMA
from liqfeature.flow import trailing_sum
from liqfeature.heatmap import Scan
from liqfeature.kernels.read import CASCADE, FUEL, HIT, NEAR
from liqfeature.scoring.alarms import (
    alarm,
    area_under_curve,
    exceeded_within,
    highest,
    surged,
    trailing_mean,
)
from liqfeature.scoring.hours import Hours
from liqfeature.scoring.reliability import brier_skill, calibration_error, touched_within
from liqfeature.scoring.scorecard import SIDES, Score
from liqfeature.types import LONG, SHORT, FloatArray, IntArray

HIT_COLUMN, CASCADE_COLUMN, FUEL_COLUMN = "liq_hit", "liq_cascade", "liq_fuel"
UNCALIBRATED, VOLATILITY, ORACLE = "reach of the level", "volatility", "oracle: fuel"
OVER_TRAILING, OVER_SWEPT = " over trailing liquidations", " over trailing liq_swept"
INFORMED = ", recordings given"

ALARMED, EXTREME = 0.05, 0.01
"""Shares of the rows that raise an alarm, and of the hours that hold most."""

MILLISECONDS_PER_DAY = 86_400_000


def score_own_events(scan: Scan, uncalibrated: Scan, rows: tuple[int, int]) -> Iterator[Score]:
    """Scores of stated probabilities on the candles and the map's own sweeps: nothing recorded is needed.

    Parameters
    ----------
    scan : Scan
        Walked over all candles.
    uncalibrated : Scan
        The same with odds of reach alone: the chance that price meets the level on its way.
    rows : (int, int)
        First and last row that is scored.
    """
    scored = slice(rows[0], rows[1] + 1)
    day = (scan.candles.tick * scan.candles.interval // MILLISECONDS_PER_DAY)[scored]
    sides = [_own_rows(side, scan, uncalibrated, scored) for side in range(2)]
    both = {name: np.concatenate([of[name] for of in sides]) for name in sides[0]}
    for side, of in zip(SIDES, (*sides, both), strict=True):
        yield from _score_own_rows(side, of, np.tile(day, of[HIT_COLUMN].size // day.size))


def _own_rows(side: int, scan: Scan, uncalibrated: Scan, scored: slice) -> dict[str, FloatArray]:
    """Stated probabilities and scores by name, and what came of them, of one side's rows."""
    candles, horizon = scan.candles, scan.config.horizon
    extreme = candles.high if side == SHORT else candles.low
    touched = touched_within(extreme, scan.columns[side, NEAR], horizon, above=side == SHORT)
    event = exceeded_within(scan.swept[2, side], scan.swept[3, side], horizon)
    cascade = scan.columns[side, CASCADE]
    rows = {
        HIT_COLUMN: scan.columns[side, HIT],
        CASCADE_COLUMN: cascade,
        UNCALIBRATED: uncalibrated.columns[side, CASCADE],
        VOLATILITY: scan.reading.sigma,
        "touched": touched,
        "event": np.where(np.isnan(cascade), np.nan, event),
    }
    return {name: values[scored] for name, values in rows.items()}


def _score_own_rows(side: str, of: dict[str, FloatArray], day: IntArray) -> Iterator[Score]:
    for name in (HIT_COLUMN, CASCADE_COLUMN, UNCALIBRATED):
        came_true = of["touched" if name == HIT_COLUMN else "event"]
        yield Score.of(name, "calibration", side, calibration_error(of[name], came_true, day))
        yield Score.of(name, "skill", side, brier_skill(of[name], came_true, day))
    for name in (CASCADE_COLUMN, UNCALIBRATED, VOLATILITY):
        yield Score.of(name, "auc", side, area_under_curve(of[name], of["event"], day))
        precision, recall = alarm(of[name], of["event"], day, ALARMED)
        yield Score.of(name, "precision", side, precision)
        yield Score.of(name, "recall", side, recall)


def score_surges(
    scan: Scan, uncalibrated: Scan, informed: Scan, hours: Hours, rows: IntArray, oracle: FloatArray | None
) -> Iterator[Score]:
    """Scores of alarms, raised at the start of an hour, on what is liquidated within it.

    Parameters
    ----------
    scan, uncalibrated : Scan
        As for `score_own_events`.
    informed : Scan
        The same as the first, told what was recorded before.
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
        recorded, trailing = hours.recorded[side], trailing_mean(hours.recorded[side])[hour]
        scores = _predictors(side, scan, uncalibrated, informed, rows, trailing)
        if oracle is not None:
            scores |= _with_trailing(ORACLE, np.log(np.maximum(oracle[:, side], _LEAST)), trailing)
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


def _predictors(
    side: int, scan: Scan, uncalibrated: Scan, informed: Scan, rows: IntArray, trailing: FloatArray
) -> dict[str, FloatArray]:
    """Scores by name, each of shape (n_rows,); larger: more is expected."""
    fuel = np.log(np.maximum(scan.columns[side, FUEL, rows], _LEAST))
    swept = trailing_sum(scan.swept[1, side], scan.config.lookback)[rows]
    return {
        CASCADE_COLUMN: _log_odds(scan.columns[side, CASCADE, rows]),
        CASCADE_COLUMN + INFORMED: _log_odds(informed.columns[side, CASCADE, rows]),
        **_with_trailing(FUEL_COLUMN, fuel, trailing),
        FUEL_COLUMN + OVER_SWEPT: fuel - _log(swept),
        UNCALIBRATED: _log_odds(uncalibrated.columns[side, CASCADE, rows]),
        **_with_trailing(VOLATILITY, np.log(np.maximum(scan.reading.sigma[rows], _LEAST)), trailing),
    }


def _with_trailing(name: str, score: FloatArray, trailing: FloatArray) -> dict[str, FloatArray]:
    return {name: score, name + OVER_TRAILING: score - _log(trailing)}


def _log(trailing: FloatArray) -> FloatArray:
    """Logarithm of the trailing mean; NaN where nothing was liquidated for a day, or nothing is known."""
    return np.log(np.where(trailing > 0, trailing, np.nan))


def _log_odds(probability: FloatArray) -> FloatArray:
    bounded = np.clip(probability, 1e-12, 1 - 1e-12)
    return np.log(bounded / (1 - bounded))


def _among_highest(values: FloatArray, known: np.ndarray, share: float) -> FloatArray:
    """1 for the given share of known rows with the highest values, 0 for the others, NaN where not known."""
    event = np.full(values.size, np.nan)
    event[known] = highest(values[known], share)
    return event


def hourly_rows(candles: Candles, hours: Hours) -> IntArray:
    """Last candles before hours with a recording; shape (n_rows,)."""
    begun = np.flatnonzero(np.diff(hours.of_candle) == 1)
    whole = (candles.tick[begun] + 1) * candles.interval % 3_600_000 == 0
    known = ~np.isnan(np.sum(hours.recorded[:, hours.of_candle[begun] + 1], axis=0))
    rows: IntArray = begun[whole & known]
    return rows


def oracle_fuel(scan: Scan, rows: IntArray, windows: FloatArray) -> FloatArray:
    """Fuel of the positions really open, (n_rows, 2), from windows as `true_windows` makes them."""
    reach, close = scan.reading.reach, scan.tape.close[rows]
    within = close - np.floor(close)
    fuel = np.zeros((rows.size, 2))
    for side, to_edge in ((LONG, within), (SHORT, 1.0 - within)):
        distance = to_edge[:, None] + 0.5 + np.arange(windows.shape[2])
        sigmas = distance / scan.reading.sigma[rows, None]
        reached = np.interp(sigmas * STEPS_PER_SIGMA, np.arange(reach.size), reach, right=0.0)
        fuel[:, side] = np.sum(windows[:, side] * reached, axis=1)
    return fuel
