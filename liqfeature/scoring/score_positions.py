"""The map against real positions: how much rests at which distance from price."""

from pathlib import Path
from typing import Unpack

import numpy as np
import pandas as pd

from liqfeature.data.store import read_frame
from liqfeature.durations import DAY
from liqfeature.errors import DataError
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.market.frames import numbers, require_column
from liqfeature.market.market import Inputs, Market
from liqfeature.scoring.maps.base import Ground
from liqfeature.scoring.maps.contenders import ESTIMATE
from liqfeature.scoring.maps.distance import ladder_profile
from liqfeature.scoring.maps.estimate import estimate
from liqfeature.scoring.measures import placement as places
from liqfeature.scoring.measures.bootstrap import mean_of_rows
from liqfeature.scoring.measures.rank_correlation import average_ranks
from liqfeature.scoring.scorecard import SCORED_SIDES, Score, Scorecard
from liqfeature.sides import LONG, SHORT, SIDES
from liqfeature.types import FloatArray, IntArray

LADDER = "flat ladder 10/25/50/100x"

WINDOW = 0.4
"""Logarithmic distance from price up to which densities are compared; cross margin reaches farther."""

STEP = 0.02
"""Logarithmic distance over which densities are summed before their ranks are compared."""


def load_positions(path: str | Path, coin: str) -> pd.DataFrame:
    """Read snapshots of real positions of one coin.

    Parameters
    ----------
    path : path
        Feather or parquet file with `snapshot, coin, side, position_value, liquidation_px, mark_px`, as
        snapshots of Hyperliquid's accounts have them.
    coin : str
        Such as "SOL".

    Returns
    -------
    DataFrame
        `date` (UTC), `side` (long or short), `notional` (quote), `liquidation_price`, `mark_price`; those
        that no price liquidates are left out.

    Raises
    ------
    MissingColumnError, DataError
        Naming the column, the rule and the value received.
    """
    table = read_frame(path)
    for column in ("snapshot", "coin", "side"):
        require_column(table, column, "positions")
    mine = table[table["coin"] == coin]
    columns = {"notional": "position_value", "liquidation_price": "liquidation_px", "mark_price": "mark_px"}
    values = {name: numbers(mine, column, "positions") for name, column in columns.items()}
    positions = pd.DataFrame({"date": mine["snapshot"].to_numpy(), "side": mine["side"].to_numpy(), **values})
    positions["date"] = pd.to_datetime(positions["date"], utc=True)
    known = positions[(positions["liquidation_price"] > 0) & (positions["mark_price"] > 0)]
    if known.empty:
        message = f"{path} must hold positions of {coin} with a liquidation price, received none"
        raise DataError(message)
    return known.sort_values("date", ignore_index=True)


def score_positions(
    candles: pd.DataFrame,
    positions: pd.DataFrame,
    config: HeatmapConfig,
    **inputs: Unpack[Inputs],
) -> Scorecard:
    """Compare the estimated density by distance from price with that of real positions.

    Parameters
    ----------
    candles, config, **inputs
        As for `liquidation_features`. Candles of another exchange will do, since only distances are compared.
    positions : DataFrame
        As from `load_positions`.

    Returns
    -------
    Scorecard
        `earth_mover` and `density`, of the estimate and of a flat ladder.

    Raises
    ------
    DataError
        If no snapshot lies within the candles after warm-up, or the frames break a rule.
    """
    aligned = Market.of(candles, config.join_rule, **inputs)
    snapshots = positions["date"].drop_duplicates()
    closing = (aligned.tick + 1) * aligned.interval
    row = np.searchsorted(closing, snapshots.dt.as_unit("ms").astype("int64").to_numpy(), side="right") - 1
    since = snapshots.dt.as_unit("ms").astype("int64").to_numpy() - closing[row]
    usable = (row >= config.warmup) & (since < aligned.interval)
    if not np.any(usable):
        message = f"a snapshot must lie within the candles after warm-up, received {snapshots.iloc[0]}"
        raise DataError(message)
    ground = Ground(
        market=aligned,
        grid=config.grid,
        origins=row[usable],
        n_window=int(np.ceil(WINDOW / config.grid.width)),
    )
    real = _windows(positions, snapshots[usable], ground)
    rate = config.leverage.maintenance_margin_rate
    flat = ladder_profile(
        (10.0, 25.0, 50.0, 100.0), (1.0,) * 4, min(rate, 0.004), config.grid, ground.n_window
    )
    maps = {ESTIMATE: estimate(ground, config).window, LADDER: np.broadcast_to(flat, real.shape)}
    day = aligned.tick[ground.origins] * aligned.interval // DAY
    scores = [s for name, window in maps.items() for s in _scores(name, window, real, day, config.grid.width)]
    about = {"snapshots": len(ground.origins), "positions": len(positions), "config": config.to_dict()}
    return Scorecard(about=about, scores=tuple(scores))


def density_by_distance(window: FloatArray, width: float) -> FloatArray:
    """Share of a window's notional per `STEP` of distance, (n_origins, 2, n_steps); 0 where it is empty."""
    n = round(STEP / width)
    steps = window.shape[2] // n
    sums = np.sum(window[:, :, : steps * n].reshape(*window.shape[:2], steps, n), axis=3)
    total = np.sum(sums, axis=2, keepdims=True)
    density: FloatArray = np.divide(sums, total, out=np.zeros_like(sums), where=total > 0)
    return density


def _windows(positions: pd.DataFrame, snapshots: "pd.Series[pd.Timestamp]", ground: Ground) -> FloatArray:
    """Real notional by bins from the mark price; (n_snapshots, 2, n_window)."""
    windows = np.zeros((len(snapshots), 2, ground.n_window))
    for i, date in enumerate(snapshots):
        now = positions[positions["date"] == date]
        prices = now[["liquidation_price", "mark_price"]].to_numpy(dtype=np.float64)
        liquidated, price_bin = np.floor(np.log(prices) / ground.grid.width).astype(np.int64).T
        for side, sign in ((LONG, -1), (SHORT, 1)):
            bins = sign * (liquidated - price_bin) - 1
            mine = (now["side"] == SIDES[side]).to_numpy() & (bins >= 0) & (bins < ground.n_window)
            np.add.at(windows[i, side], bins[mine], now["notional"].to_numpy()[mine])
    return windows


def _scores(name: str, window: FloatArray, real: FloatArray, day: IntArray, width: float) -> list[Score]:
    scores = []
    ours, true = density_by_distance(window, width), density_by_distance(real, width)
    for side, taken in SCORED_SIDES.items():
        only = np.where(taken[:, None], real, 0.0)
        scores.append(
            Score.of(
                name, "earth_mover", side, places.earth_mover(np.ascontiguousarray(window), only, width, day)
            )
        )
        ranks = [_rank(ours[i, s], true[i, s]) for i in range(len(real)) for s in np.flatnonzero(taken)]
        scores.append(
            Score.of(name, "density", side, mean_of_rows(np.array(ranks), np.repeat(day, np.sum(taken))))
        )
    return scores


def _rank(x: FloatArray, y: FloatArray) -> float:
    """Spearman's correlation over distances; NaN where one is constant."""
    ranks = np.stack([average_ranks(x), average_ranks(y)])
    if np.any(np.std(ranks, axis=1) == 0):
        return np.nan
    centred = ranks - np.mean(ranks, axis=1, keepdims=True)
    return float(np.sum(centred[0] * centred[1]) / np.sqrt(np.prod(np.sum(centred**2, axis=1))))
