"""Scores of stated probabilities: of a touch, of the first of two, and of cascades among the map's sweeps."""

from collections.abc import Iterator

import numpy as np

from liqfeature.durations import DAY
from liqfeature.estimate.kernels import read
from liqfeature.estimate.scan import Scan
from liqfeature.scoring.measures.alarms import alarm, area_under_curve, exceeded_within
from liqfeature.scoring.measures.first_touch import driftless, touched_first
from liqfeature.scoring.measures.reliability import (
    brier_skill,
    calibration_error,
    reliability_table,
    touched_within,
)
from liqfeature.scoring.scorecard import Score
from liqfeature.scoring.walks import ALONE, CASCADE, HIT, UNCALIBRATED, VOLATILITY, Walks
from liqfeature.sides import SHORT, SIDES
from liqfeature.types import FloatArray, IntArray

FIRST_TOUCH = "first touch above, driftless"

ALARMED = 0.05
"""Share of the rows that raise an alarm."""


def score_own_events(walks: Walks, rows: tuple[int, int]) -> Iterator[Score]:
    """Scores of stated probabilities on the candles and the map's own sweeps: nothing recorded is needed.

    Parameters
    ----------
    walks : Walks
    rows : (int, int)
        First and last row that is scored.
    """
    scored, market = slice(rows[0], rows[1] + 1), walks.estimate.market
    day = (market.tick * market.interval // DAY)[scored]
    sides = [_own_rows(side, walks, scored) for side in range(2)]
    both = {name: np.concatenate([of[name] for of in sides]) for name in sides[0]}
    for side, of in zip((*SIDES, "both"), (*sides, both), strict=True):
        yield from _score_own_rows(side, of, np.tile(day, of[HIT].size // day.size))
    yield from _reliability(HIT, both[HIT], both["touched"], np.tile(day, 2))
    yield from _reliability(CASCADE, both[CASCADE], both["event"], np.tile(day, 2))
    stated, came_true = (values[scored] for values in _first_touches(walks.estimate))
    yield Score.of(FIRST_TOUCH, "calibration", "both", calibration_error(stated, came_true, day))
    yield Score.of(FIRST_TOUCH, "skill", "both", brier_skill(stated, came_true, day))
    yield from _reliability(FIRST_TOUCH, stated, came_true, day)


def _own_rows(side: int, walks: Walks, scored: slice) -> dict[str, FloatArray]:
    """Stated probabilities and scores by name, and what came of them, of one side's rows."""
    scan, path_alone = walks.estimate, walks.path_alone
    event = exceeded_within(scan.swept[2, side], scan.swept[3, side], scan.config.horizon)
    cascade = scan.columns[side, read.CASCADE]
    rows = {
        HIT: scan.columns[side, read.HIT],
        HIT + ALONE: path_alone.columns[side, read.HIT],
        CASCADE: cascade,
        CASCADE + ALONE: path_alone.columns[side, read.CASCADE],
        UNCALIBRATED: walks.uncalibrated.columns[side, read.CASCADE],
        VOLATILITY: scan.reading.sigma,
        "touched": _touched(scan, side),
        "touched" + ALONE: _touched(path_alone, side),
        "event": np.where(np.isnan(cascade), np.nan, event),
    }
    return {name: values[scored] for name, values in rows.items()}


def _touched(scan: Scan, side: int) -> FloatArray:
    """Whether price touches the near edge of each row's cluster within the horizon."""
    extreme = scan.market.high if side == SHORT else scan.market.low
    return touched_within(extreme, scan.columns[side, read.NEAR], scan.config.horizon, above=side == SHORT)


def _first_touches(scan: Scan) -> tuple[FloatArray, FloatArray]:
    """Chance that a walk without drift touches the near edge above first, and whether price did.

    `max_age` candles are waited for: a shorter wait would leave out those in the middle.
    """
    market, below, above = scan.market, *scan.columns[:, read.NEAR]
    came_true = touched_first(market.high, market.low, above, below, scan.config.max_age)
    return driftless(market.close, above, below), came_true


def _reliability(name: str, stated: FloatArray, came_true: FloatArray, day: IntArray) -> Iterator[Score]:
    table = reliability_table(stated, came_true, day)
    for number, (mean, share, rows) in enumerate(zip(table.stated, table.came_true, table.rows, strict=True)):
        bin_name = f"{name}, {number / 10:.1f} to {(number + 1) / 10:.1f}"
        yield Score(map=bin_name, measure="stated", side="both", value=float(mean))
        yield Score.of(bin_name, "came_true", "both", share)
        yield Score(map=bin_name, measure="rows", side="both", value=float(rows) if rows else np.nan)


def _score_own_rows(side: str, of: dict[str, FloatArray], day: IntArray) -> Iterator[Score]:
    outcomes = {
        HIT: "touched",
        HIT + ALONE: "touched" + ALONE,
        CASCADE: "event",
        UNCALIBRATED: "event",
    }
    for name, outcome in outcomes.items():
        came_true = of[outcome]
        yield Score.of(name, "calibration", side, calibration_error(of[name], came_true, day))
        yield Score.of(name, "skill", side, brier_skill(of[name], came_true, day))
    for name in (CASCADE, CASCADE + ALONE, UNCALIBRATED, VOLATILITY):
        yield Score.of(name, "auc", side, area_under_curve(of[name], of["event"], day))
        precision, recall = alarm(of[name], of["event"], day, ALARMED)
        yield Score.of(name, "precision", side, precision)
        yield Score.of(name, "recall", side, recall)
