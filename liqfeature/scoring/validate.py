"""Scoring the estimate and its baselines against what was liquidated."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from liqfeature.candles import Candles
from liqfeature.checks import require
from liqfeature.config import HeatmapConfig, with_odds
from liqfeature.errors import DataError
from liqfeature.heatmap import Scan, join_candles, prepare_scan
from liqfeature.liquidations import usual_liquidations
from liqfeature.scoring.contenders import DISTANCE, ESTIMATE, contenders
from liqfeature.scoring.forecasts import hourly_rows, oracle_fuel, score_own_events, score_surges
from liqfeature.scoring.hours import HOUR, Hours, hours_of
from liqfeature.scoring.maps import Ground
from liqfeature.scoring.outcomes import TrueMaps, outcomes_of, true_windows
from liqfeature.scoring.placing import score_places
from liqfeature.scoring.recorded import UNITS, are_orders, hourly_totals
from liqfeature.scoring.scorecard import Score, Scorecard
from liqfeature.scoring.timing import score_hours, score_known, score_placebo_hours
from liqfeature.types import IntArray

REACH_ALONE = (0.0, 1.0, 0.0, 0.0)
"""Odds that are those of reaching the level: what `liq_cascade_*` would be uncalibrated."""

WINDOW = 0.15
"""Logarithmic distance from price up to which maps are compared."""


def validate(
    candles: pd.DataFrame,
    liquidations: pd.DataFrame | None = None,
    config: HeatmapConfig | None = None,
    *,
    open_interest: pd.DataFrame | None = None,
    funding_rate: pd.DataFrame | None = None,
    unit: str = "quote",
    first: pd.Timestamp | None = None,
    last: pd.Timestamp | None = None,
    hours_between: int = 4,
    hours_ahead: int = 4,
    true_maps: TrueMaps | None = None,
) -> Scorecard:
    """Score the estimate, and what others do from the same inputs, against recorded liquidations.

    Stated probabilities are scored on the candles and the map's own sweeps, which needs nothing recorded.
    Every map sees the same candles and walks all of them. Nothing of the estimate is fitted; along price, the
    shape of distance-only and the weight of each map beside it come from the first 35 % of the origins. Each
    score has a 95 % interval from resampled days.

    Parameters
    ----------
    candles : DataFrame
        As for `liquidation_features`, of a timeframe that divides an hour.
    liquidations : DataFrame, optional
        Totals per hour (`date, long, short`), or single orders (`date, side, price, notional`, side being the
        position's) in any order. Only orders tell where along price. Without them only `liq_hit_*` and
        `liq_cascade_*` are scored.
    config, open_interest, funding_rate
        As for `liquidation_features`.
    unit : {"quote", "base"}
        Of the totals; it matters for the amplitude alone.
    first, last : Timestamp, optional
        Candles between which hours are scored; by default all after warm-up.
    hours_between : int
        From one origin, at which the map is read, to the next; a divisor of 24. The windows of all maps take
        50 kB an origin.
    hours_ahead : int
        Hours after an origin in which what is liquidated counts for places.
    true_maps : callable, optional
        Amounts really open by liquidation price at given dates, where they are known, as from
        `liqfeature.sandbox.truth.true_maps` with the width of `config.grid`.

    Returns
    -------
    Scorecard

    Raises
    ------
    ConfigError, MissingColumnError, DataError
        Naming the parameter or column, the rule and the value received.
    """
    require("unit", unit in UNITS, f"one of {', '.join(UNITS)}", repr(unit))
    divides = hours_between >= 1 and 24 % hours_between == 0
    require("hours_between", divides, "a divisor of 24", hours_between)
    require("hours_ahead", hours_ahead >= 1, "at least 1", hours_ahead)
    config = config or HeatmapConfig()
    aligned = join_candles(candles, config, open_interest, funding_rate)
    rows = scored_rows(candles, config, first, last)
    scans = (_walked(aligned, config), _walked(aligned, with_odds(config, REACH_ALONE)))
    own = score_own_events(*scans, rows)
    if liquidations is None:
        return Scorecard(about=_about_candles(candles, config, rows), scores=tuple(own))
    hours, orders = _recorded(aligned, liquidations, unit, rows)
    informed = _walked(_with_recorded(aligned, liquidations, unit, config), config)
    horizon = hours_ahead * HOUR // aligned.interval
    ground = Ground(
        candles=aligned,
        grid=config.grid,
        origins=_origins(aligned, hours, rows, hours_between, horizon),
        n_window=int(np.ceil(WINDOW / config.grid.width)),
    )
    scores = _scores(ground, config, hours, horizon, orders, true_maps)
    surges = _surges((*scans, informed), ground, hours, true_maps)
    return Scorecard(about=_about(candles, config, hours, ground, orders), scores=(*scores, *own, *surges))


def _recorded(
    candles: Candles, liquidations: pd.DataFrame, unit: str, rows: tuple[int, int]
) -> tuple[Hours, pd.DataFrame | None]:
    """Totals by hour in quote currency, and single orders in order of time where there are any."""
    hours = hours_of(candles, hourly_totals(liquidations), *rows)
    require_recorded(hours, liquidations)
    if are_orders(liquidations):
        return hours, liquidations.sort_values("date", kind="stable")
    return (in_quote(hours, candles) if unit == "base" else hours), None


def _scores(
    ground: Ground,
    config: HeatmapConfig,
    hours: Hours,
    horizon: int,
    orders: pd.DataFrame | None,
    true_maps: TrueMaps | None,
) -> list[Score]:
    truth = None if true_maps is None else true_windows(ground, true_maps)
    maps = contenders(ground, config, truth)
    distance = maps[DISTANCE]
    hour = hours.of_candle[ground.origins + 1]
    next_hour = outcomes_of(ground, HOUR // ground.candles.interval, None)
    scores: list[Score] = []
    for name, map_ in maps.items():
        scores += score_hours(name, map_, distance, hours)
        scores += score_known(name, map_, distance, hours, hour, next_hour.reached)
    scores += score_placebo_hours(ESTIMATE, maps[ESTIMATE], hours)
    scores += score_places(maps, outcomes_of(ground, horizon, orders), truth, ground.grid.width)
    return scores


def _walked(candles: Candles, config: HeatmapConfig) -> Scan:
    scan = prepare_scan(candles, config)
    scan.run(0, candles.tick.size)
    return scan


def _with_recorded(candles: Candles, liquidations: pd.DataFrame, unit: str, config: HeatmapConfig) -> Candles:
    """Lay what was recorded until the close of each candle beside the candles."""
    hours = hours_of(candles, hourly_totals(liquidations), 0, candles.tick.size - 1)
    long, short = (in_quote(hours, candles) if unit == "base" else hours).recorded
    opening = (hours.first + np.arange(long.size)) * HOUR
    date = pd.to_datetime(opening, unit="ms", utc=True)
    totals = pd.DataFrame({"date": date, "long": long, "short": short})
    time = candles.tick * candles.interval
    usual = usual_liquidations(totals, time, candles.interval, config.lookback, delay=0)
    return dataclasses.replace(candles, liquidated=usual)


def _surges(
    scans: tuple[Scan, Scan, Scan], ground: Ground, hours: Hours, true_maps: TrueMaps | None
) -> Iterator[Score]:
    at = dataclasses.replace(ground, origins=hourly_rows(ground.candles, hours))
    oracle = None if true_maps is None else oracle_fuel(scans[0], at.origins, true_windows(at, true_maps))
    return score_surges(*scans, hours, at.origins, oracle)


def require_recorded(hours: Hours, liquidations: pd.DataFrame) -> None:
    """Raise DataError unless some hour is scored."""
    if np.all(np.isnan(hours.recorded)):
        begun, ended = liquidations["date"].min(), liquidations["date"].max()
        message = f"liquidations must cover hours of the candles that are scored, received {begun} to {ended}"
        raise DataError(message)


def scored_rows(
    candles: pd.DataFrame, config: HeatmapConfig, first: pd.Timestamp | None, last: pd.Timestamp | None
) -> tuple[int, int]:
    """First and last candle that is scored: after warm-up, and within the dates."""
    date = candles["date"]
    begin = config.warmup if first is None else max(int(date.searchsorted(first)), config.warmup)
    stop = len(candles) if last is None else int(date.searchsorted(last, side="right"))
    if stop - begin < 1:
        message = (
            f"candles must reach past the warm-up of {config.warmup} into the dates, received {len(candles)}"
        )
        raise DataError(message)
    return begin, stop - 1


def _origins(
    candles: Candles, hours: Hours, rows: tuple[int, int], hours_between: int, horizon: int
) -> IntArray:
    """Last candles before scored hours, `hours_between` apart, with `horizon` unbroken candles after them."""
    close = (candles.tick + 1) * candles.interval
    row = np.arange(rows[0] - 1, min(rows[1] + 1, candles.tick.size) - horizon)
    row = row[close[row] % (hours_between * HOUR) == 0]
    unbroken = candles.tick[row + horizon] - candles.tick[row] == horizon
    known = ~np.isnan(np.sum(hours.recorded, axis=0))
    ahead = [known[hours.of_candle[row + 1 + k]] for k in range(0, horizon, HOUR // candles.interval)]
    origins: IntArray = row[unbroken & np.all(ahead, axis=0)]
    return origins


def in_quote(hours: Hours, candles: Candles) -> Hours:
    """Turn recorded amounts into notional at the hour's mean price."""
    turnover = np.bincount(hours.of_candle, candles.volume * candles.close, hours.volume.size)
    with np.errstate(divide="ignore", invalid="ignore"):
        price = turnover / hours.volume
    return dataclasses.replace(hours, recorded=hours.recorded * price)


def _about_candles(candles: pd.DataFrame, config: HeatmapConfig, rows: tuple[int, int]) -> dict[str, Any]:
    date = candles["date"].iloc[list(rows)]
    return {"scored": [d.isoformat() for d in date], "horizon": config.horizon, "config": config.to_dict()}


def _about(
    candles: pd.DataFrame, config: HeatmapConfig, hours: Hours, ground: Ground, orders: pd.DataFrame | None
) -> dict[str, Any]:
    scored = np.flatnonzero(~np.isnan(np.sum(hours.recorded, axis=0)))
    span = [
        pd.Timestamp((hours.first + int(h)) * HOUR, unit="ms", tz="UTC").isoformat()
        for h in scored[[0, -1]]
        if scored.size
    ]
    return {
        "candles": [candles["date"].iloc[0].isoformat(), candles["date"].iloc[-1].isoformat()],
        "scored": span,
        "hours": int(scored.size),
        "origins": len(ground.origins),
        "orders": None if orders is None else len(orders),
        "config": config.to_dict(),
    }
