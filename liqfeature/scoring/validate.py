"""Scoring the estimate and its baselines against what was liquidated."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Unpack

import numpy as np
import pandas as pd

from liqfeature.checks import require
from liqfeature.data.recorded import in_quote
from liqfeature.durations import HOUR
from liqfeature.estimate.config import HeatmapConfig, configuration
from liqfeature.estimate.prepare import walk_market
from liqfeature.estimate.scan import Scan
from liqfeature.market.liquidations import are_orders
from liqfeature.market.maps import KnownMaps, join_maps
from liqfeature.market.market import Inputs, Market
from liqfeature.scoring.hours import Hours, hours_of, recorded_share, scored_rows
from liqfeature.scoring.maps.base import Ground
from liqfeature.scoring.maps.contenders import DISTANCE, ESTIMATE, contenders
from liqfeature.scoring.measures.placement import TRAIN_SHARE
from liqfeature.scoring.outcomes import TrueMaps, outcomes_of, true_windows
from liqfeature.scoring.score_forecasts import score_own_events
from liqfeature.scoring.score_hours import score_hours, score_known, score_placebo_hours
from liqfeature.scoring.score_places import score_places
from liqfeature.scoring.score_surges import hourly_rows, oracle_fuel, score_surges
from liqfeature.scoring.score_touches import score_touches
from liqfeature.scoring.score_trades import score_trades
from liqfeature.scoring.score_volatility import score_risk
from liqfeature.scoring.scorecard import Score, Scorecard
from liqfeature.scoring.walks import Walks
from liqfeature.types import IntArray

WINDOW = 0.15
"""Logarithmic distance from price up to which maps are compared."""


def validate(
    candles: pd.DataFrame,
    config: HeatmapConfig | None = None,
    *,
    unit: str = "quote",
    first: pd.Timestamp | None = None,
    last: pd.Timestamp | None = None,
    hours_between: int = 4,
    hours_ahead: int = 4,
    true_maps: TrueMaps | None = None,
    **inputs: Unpack[Inputs],
) -> Scorecard:
    """Score the estimate, and what others do from the same inputs, against recorded liquidations.

    Candles alone score stated probabilities, sigma beside usual forecasts, how far price goes, and sizes and
    stops on trades that know nothing of the map. Every map walks the same candles, and each score has a 95 %
    interval from resampled days.

    Parameters
    ----------
    candles, config
        As for `liquidation_features`; candles of a timeframe that divides an hour.
    unit : {"quote", "base"}
        Of the totals in `liquidations`.
    first, last : Timestamp, optional
        Candles between which hours are scored; by default all after warm-up.
    hours_between : int
        From one origin, at which the map is read, to the next; a divisor of 24. The windows of all maps take
        50 kB an origin.
    hours_ahead : int
        Hours after an origin in which what is liquidated counts for places.
    true_maps : callable, optional
        Amounts really open by liquidation price at given dates, where they are known, as from
        `liqfeature.sandbox.simulation.truth.true_maps` with the width of `config.grid`.
    **inputs
        As for `liquidation_features`. `liquidations` are what the maps are scored against: totals, of periods
        that divide an hour, or single orders, which with their `price` also show where along price. Without
        them what candles show is scored alone. `maps` stand beside the estimate, by `attrs["source"]`.

    Returns
    -------
    Scorecard

    Raises
    ------
    ConfigError, MissingColumnError, DataError
        Naming the parameter or column, the rule and the value received.

    Notes
    -----
    Nothing of the estimate is fitted. The first 35 % of the origins give the shape of distance-only and the
    weight of each map beside it; the first 35 % of the hours the share of forced notional that is recorded,
    which `liq_cascade_*` needs; HAR is fitted each day to what came before.
    """
    divides = hours_between >= 1 and 24 % hours_between == 0
    require("hours_between", divides, "a divisor of 24", hours_between)
    require("hours_ahead", hours_ahead >= 1, "at least 1", hours_ahead)
    config = configuration(config)
    liquidations = in_quote(inputs.pop("liquidations", None), candles, unit)
    elsewhere = inputs.pop("maps", None)
    market = Market.of(candles, config.join_rule, **inputs)
    rows = scored_rows(candles, config, first, last)
    walks = Walks.of(market, config)
    own = tuple(_of_candles(market, walks, config, rows))
    if liquidations is None:
        return Scorecard(about=_about_candles(candles, config, rows), scores=own)
    hours = hours_of(market, liquidations, *rows)
    orders = liquidations.sort_values("date", kind="stable") if are_orders(liquidations) else None
    horizon = hours_ahead * HOUR // market.interval
    ground = _ground(market, config, _origins(market, hours, rows, hours_between, horizon))
    others = _others(elsewhere, market, config)
    scores = _scores(ground, config, hours, horizon, orders, true_maps, others)
    given = Market.of(candles, config.join_rule, **(inputs | Inputs(liquidations=liquidations)))
    surges = _surges(walks, _informed(given, config, walks, hours), ground, hours, true_maps)
    about = _about(candles, config, hours, ground, orders)
    about |= {f"origins with a map of {name}": _known(maps, ground) for name, maps in others.items()}
    return Scorecard(about=about, scores=(*scores, *own, *surges))


def _of_candles(
    market: Market, walks: Walks, config: HeatmapConfig, rows: tuple[int, int]
) -> Iterator[Score]:
    """Score what needs nothing recorded: forecasts, touches, and sizes and stops on neutral trades."""
    yield from score_own_events(walks, rows)
    yield from score_risk(market, config, rows)
    yield from score_touches(walks.estimate, rows)
    yield from score_trades(market, config, rows)


def _others(maps: pd.DataFrame | None, market: Market, config: HeatmapConfig) -> dict[str, KnownMaps]:
    """Join maps made elsewhere, by whose they are."""
    known = join_maps(maps, market.tick * market.interval, market.interval, config.lookback)
    return {} if maps is None or known is None else {str(maps.attrs.get("source", "maps")): known}


def _known(maps: KnownMaps, ground: Ground) -> int:
    """Count origins at which a map is in force."""
    return int(np.sum(maps.newest[ground.origins] >= 0))


def _ground(market: Market, config: HeatmapConfig, origins: IntArray) -> Ground:
    n_window = int(np.ceil(WINDOW / config.grid.width))
    return Ground(market=market, grid=config.grid, origins=origins, n_window=n_window)


def _informed(given: Market, config: HeatmapConfig, walks: Walks, hours: Hours) -> Scan:
    """Walk a market whose liquidations are recorded, with their share as the first hours show it."""
    share = recorded_share(hours, hours.total(walks.estimate.swept[1]), hours.earliest(TRAIN_SHARE))
    return walk_market(given, config.changed({"cascade.recorded_share": share}))


def _scores(
    ground: Ground,
    config: HeatmapConfig,
    hours: Hours,
    horizon: int,
    orders: pd.DataFrame | None,
    true_maps: TrueMaps | None,
    others: Mapping[str, KnownMaps],
) -> list[Score]:
    truth = None if true_maps is None else true_windows(ground, true_maps)
    maps = contenders(ground, config, truth, others)
    distance = maps[DISTANCE]
    hour = hours.of_candle[ground.origins + 1]
    next_hour = outcomes_of(ground, HOUR // ground.market.interval, None)
    scores: list[Score] = []
    for name, map_ in maps.items():
        scores += score_hours(name, map_, distance, hours)
        scores += score_known(name, map_, distance, hours, hour, next_hour.reached)
    scores += score_placebo_hours(ESTIMATE, maps[ESTIMATE], hours)
    scores += score_places(maps, outcomes_of(ground, horizon, orders), truth, ground.grid.width)
    return scores


def _surges(
    walks: Walks, informed: Scan, ground: Ground, hours: Hours, true_maps: TrueMaps | None
) -> Iterator[Score]:
    at = dataclasses.replace(ground, origins=hourly_rows(ground.market, hours))
    oracle = (
        None if true_maps is None else oracle_fuel(walks.estimate, at.origins, true_windows(at, true_maps))
    )
    return score_surges(walks, informed, hours, at.origins, oracle)


def _origins(
    market: Market, hours: Hours, rows: tuple[int, int], hours_between: int, horizon: int
) -> IntArray:
    """Last candles before scored hours, `hours_between` apart, with `horizon` unbroken candles after them."""
    close = (market.tick + 1) * market.interval
    row = np.arange(rows[0] - 1, min(rows[1] + 1, market.tick.size) - horizon)
    row = row[close[row] % (hours_between * HOUR) == 0]
    unbroken = market.tick[row + horizon] - market.tick[row] == horizon
    ahead = [hours.known[hours.of_candle[row + 1 + k]] for k in range(0, horizon, HOUR // market.interval)]
    origins: IntArray = row[unbroken & np.all(ahead, axis=0)]
    return origins


def _about_candles(candles: pd.DataFrame, config: HeatmapConfig, rows: tuple[int, int]) -> dict[str, Any]:
    date = candles["date"].iloc[list(rows)]
    return {"scored": [d.isoformat() for d in date], "horizon": config.horizon, "config": config.to_dict()}


def _about(
    candles: pd.DataFrame, config: HeatmapConfig, hours: Hours, ground: Ground, orders: pd.DataFrame | None
) -> dict[str, Any]:
    scored = np.flatnonzero(hours.known)
    span = [
        pd.Timestamp((hours.first + int(h)) * HOUR, unit="ms", tz="UTC").isoformat() for h in scored[[0, -1]]
    ]
    return {
        "candles": [candles["date"].iloc[0].isoformat(), candles["date"].iloc[-1].isoformat()],
        "scored": span,
        "hours": int(scored.size),
        "origins": len(ground.origins),
        "orders": None if orders is None else len(orders),
        "config": config.to_dict(),
    }
