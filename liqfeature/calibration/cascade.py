"""Fitting the probability of a cascade. The event is one of the map's own sweeps, so that candles suffice."""

import dataclasses
from typing import Any, Unpack

import numpy as np
import pandas as pd

from liqfeature.calibration.calibrate import Calibration
from liqfeature.checks import require
from liqfeature.durations import DAY
from liqfeature.errors import DataError
from liqfeature.estimate.config import HeatmapConfig, configuration
from liqfeature.estimate.kernels.read import CASCADE
from liqfeature.estimate.prepare import prepare_scan
from liqfeature.market.market import Inputs, Market
from liqfeature.scoring.hours import scored_rows
from liqfeature.scoring.measures.alarms import exceeded_within
from liqfeature.scoring.measures.reliability import brier_skill, calibration_error
from liqfeature.types import FloatArray, IntArray

HORIZONS = (1, 4)
"""Multiples of `config.horizon` on which the odds are fitted together."""

LEAST_EVENTS = 100
"""Rows with a cascade, and without one, that each part must hold."""

STEPS, TOLERANCE = 50, 1e-10
"""Newton's method ends when no coefficient moves by more."""


def calibrate_cascade(
    candles: pd.DataFrame,
    config: HeatmapConfig | None = None,
    *,
    first: pd.Timestamp | None = None,
    last: pd.Timestamp | None = None,
    share: float = 0.5,
    **inputs: Unpack[Inputs],
) -> Calibration:
    """Fit `CascadeRule.odds` on the first part of the candles, and score them on the rest.

    The event: notional swept by the map within `horizon` exceeds the `level` quantile of what was swept
    within as many candles over the last `lookback`, as known at the close of the row, or the level that the
    columns have with `liquidations`. Both sides, and the horizons `HORIZONS`, are fitted together by maximum
    likelihood.

    Parameters
    ----------
    candles, config, **inputs
        As for `liquidation_features`.
    first, last : Timestamp, optional
        Candles between which rows are used; by default all after warm-up.
    share : float
        Share of those rows, their beginning, on which the odds are fitted.

    Returns
    -------
    Calibration

    Raises
    ------
    ConfigError, MissingColumnError, DataError
        Naming the parameter or column, the rule and the value received.
    """
    require("share", 0 < share < 1, "between 0 and 1", share)
    config = configuration(config)
    market = Market.of(candles, config.join_rule, **inputs)
    begin, end = scored_rows(candles, config, first, last)
    horizons = [k * config.horizon for k in HORIZONS if k * config.horizon <= config.lookback]
    cut = begin + int(share * (end + 1 - begin))
    inside, outside = slice(begin, cut - max(horizons)), slice(cut, end + 1)
    terms = [_terms(market, dataclasses.replace(config, horizon=horizon), inside) for horizon in horizons]
    odds = fit_odds(np.concatenate([x for x, _ in terms]), np.concatenate([y for _, y in terms]))
    found = config.changed({"cascade.odds": odds})
    spans = {"in sample": inside, "out of sample": outside}
    provenance = {
        "target": "cascade",
        "horizons": horizons,
        **{where: _period(candles, rows) for where, rows in spans.items()},
        **{
            f"scores {when}": {where: _scores(market, values, rows) for where, rows in spans.items()}
            for when, values in (("before", config), ("after", found))
        },
    }
    return Calibration(config=found, provenance=provenance)


def fit_odds(terms: FloatArray, event: FloatArray) -> tuple[float, ...]:
    """Coefficients of a logistic model by maximum likelihood, those of reach and fuel at least 0.

    Parameters
    ----------
    terms : ndarray of shape (n, 4)
        A column of ones; logarithms of the odds of reach, of fuel over fuel and level, of horizon
        over lookback.
    event : ndarray of shape (n,)
        1 or 0.

    Returns
    -------
    tuple of 4 floats
        Rounded to three digits. An input with a negative weight is left out, and so is one that is constant.

    Raises
    ------
    DataError
        If too few rows have the event, or too few have not.
    """
    events = int(np.sum(event))
    if min(events, event.size - events) < LEAST_EVENTS:
        message = (
            f"rows with and without a cascade must be {LEAST_EVENTS} at least, "
            f"received {events} of {event.size}"
        )
        raise DataError(message)
    used = [0, *(i for i in range(1, terms.shape[1]) if np.ptp(terms[:, i]) > 0)]
    fitted = _most_likely(terms[:, used], event)
    while negative := [i for i, value in zip(used, fitted, strict=True) if value < 0 and i in (1, 2)]:
        used.remove(negative[0])
        fitted = _most_likely(terms[:, used], event)
    weights = dict(zip(used, fitted, strict=True))
    return tuple(round(float(weights.get(i, 0.0)), 3) for i in range(terms.shape[1]))


def _most_likely(terms: FloatArray, event: FloatArray) -> FloatArray:
    """Coefficients by Newton's method."""
    weight = np.zeros(terms.shape[1])
    for _ in range(STEPS):
        stated = 1.0 / (1.0 + np.exp(-terms @ weight))
        curvature = (terms * (stated * (1 - stated))[:, None]).T @ terms
        step = np.linalg.solve(curvature, terms.T @ (event - stated))
        weight += step
        if np.max(np.abs(step)) < TOLERANCE:
            break
    return weight


def _terms(market: Market, config: HeatmapConfig, rows: slice) -> tuple[FloatArray, FloatArray]:
    """Lay out the model's inputs and the event, of both sides' rows on which reach is above 0 and below 1.

    Odds that consist of one input alone state that input.
    """
    alone = ((0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0))
    configs = (config.changed({"cascade.odds": odds}) for odds in alone)
    (reached, event), (over, _) = (_forecast(market, each, rows) for each in configs)
    kept = (reached > 0) & (reached < 1) & ~np.isnan(event)
    ones = np.ones(int(np.sum(kept)))
    span = ones * np.log(config.horizon / config.lookback)
    logits = [np.log(p[kept] / (1 - p[kept])) for p in (reached, over)]
    return np.stack([ones, *logits, span], axis=1), event[kept]


def _forecast(market: Market, config: HeatmapConfig, rows: slice) -> tuple[FloatArray, FloatArray]:
    """Stated probability of a cascade and whether it came true, longs' rows first."""
    scan = prepare_scan(market, config)
    scan.run(0, market.tick.size)
    events = [exceeded_within(scan.swept[2, s], scan.swept[3, s], config.horizon)[rows] for s in range(2)]
    return np.concatenate(list(scan.columns[:, CASCADE, rows])), np.concatenate(events)


def _scores(market: Market, config: HeatmapConfig, rows: slice) -> dict[str, float]:
    stated, event = _forecast(market, config, rows)
    day = np.tile(_day(market)[rows], 2)
    return {
        "calibration error": round(calibration_error(stated, event, day).value, 4),
        "Brier skill": round(brier_skill(stated, event, day).value, 4),
    }


def _day(market: Market) -> IntArray:
    days: IntArray = market.tick * market.interval // DAY
    return days


def _period(candles: pd.DataFrame, rows: slice) -> dict[str, Any]:
    date = candles["date"].iloc[rows]
    return {"from": date.iloc[0].isoformat(), "to": date.iloc[-1].isoformat(), "candles": len(date)}
