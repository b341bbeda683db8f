"""Scores of sizes and stops on trades that know nothing of the map, from candles alone."""

from collections.abc import Iterator, Mapping

import numpy as np

from liqfeature.durations import HOUR
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.market.market import Market
from liqfeature.scoring.measures.bootstrap import Interval, mean_of_rows
from liqfeature.scoring.measures.losses import deepest_fall, expected_shortfall, shortfall_ratio
from liqfeature.scoring.neutral_trades import SIGMA_SIZE, SizedTrades, Stops, neutral_sides
from liqfeature.scoring.scorecard import Score
from liqfeature.scoring.volatility_rows import USUAL, VolatilityRows
from liqfeature.types import FloatArray, IntArray

SHARES = {"95": 0.05, "99": 0.01}
"""Worst shares of the trades, by the level of expected shortfall."""

STOP_HOURS = 4
"""Hours within which a stop may be hit."""

N_DECILES = 10


def score_trades(market: Market, config: HeatmapConfig, rows: tuple[int, int]) -> Iterator[Score]:
    """Scores of sizes over the horizon, and of stops within four hours.

    Parameters
    ----------
    market : Market
    config : HeatmapConfig
    rows : (int, int)
        First and last row at which a trade may begin.
    """
    sides = neutral_sides(market)
    held, stopped = config.horizon, max(STOP_HOURS * HOUR // market.interval, 1)
    apart = np.arange(rows[0], rows[1] + 1, held)
    found = VolatilityRows.of(market, config, held).taken(apart)
    trades = {name: SizedTrades.of(found, side[:, apart]) for name, side in sides.items()}
    yield from score_sizes(trades)
    whole = VolatilityRows.of(market, config, stopped)
    yield from score_stops(Stops.of(whole.taken(slice(rows[0], rows[1] + 1))))
    apart = np.arange(rows[0], rows[1] + 1, stopped)
    stops = Stops.of(whole.taken(apart))
    for name, side in sides.items():
        yield from _score_stopped(name, stops, side[:, apart])


def score_sizes(trades: Mapping[str, SizedTrades]) -> Iterator[Score]:
    """Scores of each size on each entry's trades; by how much size by sigma cuts expected shortfall."""
    for entry, of in trades.items():
        (seeds, _), *_ = (returns.shape for returns in of.returns.values())
        day, sigma = np.tile(of.day, seeds), np.ravel(of.returns[SIGMA_SIZE])
        for size, returns in of.returns.items():
            name = f"{entry}, size: {size}"
            for level, share in SHARES.items():
                shortfall = expected_shortfall(100 * np.ravel(returns), share, day)
                yield Score.of(name, f"shortfall_{level}", "both", shortfall)
                if size != SIGMA_SIZE:
                    cut = shortfall_ratio(sigma, np.ravel(returns), share, day)
                    yield Score.of(name, f"cut_{level}", "both", cut)
            yield Score(map=name, measure="fall", side="both", value=_fall(returns))


def score_stops(stops: Stops) -> Iterator[Score]:
    """How often each stop is hit: in all, and in the deciles of volatility and hours where least and most."""
    day = np.tile(stops.rows.day, 2)
    deciles = decile_of(stops.rows.usual[USUAL.index("24 h realised")])
    for name, hit in stops.hit.items():
        yield Score.of(f"stop: {name}", "hit", "both", mean_of_rows(np.ravel(hit), day))
        for what, group in (("decile", deciles), ("hour", stops.rows.hour)):
            rates = [rate for rate in hit_rates(hit, group, stops.rows.day) if np.isfinite(rate.value)]
            rates.sort(key=lambda rate: rate.value)
            for end, rate in (("least", rates[:1]), ("most", rates[-1:])):
                yield from (Score.of(f"stop: {name}", f"{what}_{end}", "both", each) for each in rate)


def hit_rates(hit: FloatArray, group: IntArray, day: IntArray) -> list[Interval]:
    """Share of stops hit in each group of rows, both sides together.

    Parameters
    ----------
    hit : ndarray of shape (2, n)
    group, day : ndarray of shape (n,)
        Groups are 0, 1, ... up to the largest.
    """
    inside = [group == number for number in range(int(np.max(group, initial=-1)) + 1)]
    return [mean_of_rows(np.ravel(hit[:, rows]), np.tile(day[rows], 2)) for rows in inside]


def decile_of(values: FloatArray) -> IntArray:
    """Tenth, 0 to 9, in which each value lies among all; shape (n,)."""
    rank = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    deciles: IntArray = rank * N_DECILES // max(values.size, 1)
    return deciles


def _score_stopped(entry: str, stops: Stops, side: FloatArray) -> Iterator[Score]:
    for stop in stops.hit:
        hit, returns = stops.traded(stop, side)
        name = f"{entry}, stop: {stop}"
        yield Score.of(name, "hit", "both", mean_of_rows(np.ravel(hit), np.tile(stops.rows.day, len(hit))))
        yield Score(map=name, measure="stopped_fall", side="both", value=_fall(returns))


def _fall(returns: FloatArray) -> float:
    """Largest fall in per cent, the mean of those of several seeds."""
    return float(np.mean([deepest_fall(100 * row) for row in returns]))
