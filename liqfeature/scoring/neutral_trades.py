"""Trades that know nothing of the map, to compare sizes and stops with: hold, follow the trend, random."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from liqfeature.market.market import Market
from liqfeature.scoring.measures.reference_forecasts import exponential_mean
from liqfeature.scoring.volatility_rows import PROBABILITIES, USUAL, VolatilityRows
from liqfeature.sides import LONG, SHORT
from liqfeature.types import BoolArray, FloatArray, IntArray

HOLD, TREND, RANDOM = "hold", "trend", "random"

SEEDS = (1, 2, 3, 4, 5)
"""Of the random entries; their trades count together."""

SIGMA_SIZE, CONSTANT = "liq_sigma", "constant"

HIT = 0.2
"""Share of the stops that are meant to be hit within the horizon."""

STATED, RANGE_STOP = "stated", "ATR(14)"


def neutral_sides(market: Market) -> dict[str, FloatArray]:
    """Side of a position that is entered at each close, 1 long and -1 short, by the name of the entry.

    Returns
    -------
    dict of str to ndarray of shape (k, n)
        Hold is always long; trend follows the exponential mean with a half-life of 8 candles against that of
        33 (spans of 24 and 96); random has a row for each of `SEEDS`.
    """
    fast, slow = (exponential_mean(market.close, half_life) for half_life in (8.3, 33.0))
    n = market.close.size
    drawn = [np.random.default_rng(seed).choice([-1.0, 1.0], n) for seed in SEEDS]
    return {
        HOLD: np.ones((1, n)),
        TREND: np.where(fast >= slow, 1.0, -1.0)[None],
        RANDOM: np.stack(drawn),
    }


def sizes(rows: VolatilityRows) -> dict[str, FloatArray]:
    """Size of a position at each row by forecast of volatility, with a mean of 1; shapes (n,).

    One over the forecast; without a bound, so that each is what the forecast makes of it.
    """
    forecasts = {SIGMA_SIZE: rows.sigma, **dict(zip(USUAL, rows.usual, strict=True))}
    found = {CONSTANT: np.ones(rows.day.size)}
    return found | {name: (1 / forecast) / np.mean(1 / forecast) for name, forecast in forecasts.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedTrades:
    """Returns of the same trades in several sizes.

    Parameters
    ----------
    day : ndarray of shape (n,)
    returns : dict of str to ndarray of shape (k, n)
        By size, in units of the mean position; a row for each seed of a random entry, one for the others.
    """

    day: IntArray
    returns: dict[str, FloatArray]

    @classmethod
    def of(cls, rows: VolatilityRows, side: FloatArray) -> Self:
        """Hold each row's position for the horizon of the rows, of which no two may overlap."""
        known = ~np.isnan(rows.sigma + rows.moved + np.sum(rows.usual, axis=0))
        rows, side = rows.taken(known), side[:, known]
        moved = side * np.expm1(rows.moved)
        return cls(day=rows.day, returns={name: size * moved for name, size in sizes(rows).items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stops:
    """Which of two stops is hit on either side of each row.

    Parameters
    ----------
    rows : VolatilityRows
        On which everything is known.
    known : ndarray of bool
        Which of the rows that were given they are.
    distance : dict of str to ndarray of shape (2, n)
        Log distance of the stop below, of a long, and above, of a short: as stated by the reach model for
        `HIT`, and at the multiple of ATR(14) that is hit as often on these rows.
    hit : dict of str to ndarray of shape (2, n)
        1 where it is hit within the horizon, else 0.
    """

    rows: VolatilityRows
    known: BoolArray
    distance: dict[str, FloatArray]
    hit: dict[str, FloatArray]

    @classmethod
    def of(cls, rows: VolatilityRows) -> Self:
        """Place both stops at every row on which all is known."""
        known = ~np.isnan(np.sum(rows.excursion + rows.quantile[0], axis=0) + np.sum(rows.usual, axis=0))
        rows = rows.taken(known)
        stated, ranges = rows.quantile[PROBABILITIES.index(1 - HIT)], rows.usual[USUAL.index(RANGE_STOP)]
        share = np.mean(rows.excursion > stated)
        multiple = np.quantile(rows.excursion / ranges, 1 - share)
        distance = {STATED: stated, RANGE_STOP: np.tile(multiple * ranges, (2, 1))}
        hit = {name: (rows.excursion > away).astype(np.float64) for name, away in distance.items()}
        return cls(rows=rows, known=known, distance=distance, hit=hit)

    def traded(self, name: str, side: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Trade with a stop, filled where it lies, until the end of the horizon.

        Each trade risks the same: the size is one over the distance of the stop, with a mean of 1.

        Parameters
        ----------
        name : str
            Of the stop.
        side : ndarray of shape (k, n)
            1 long and -1 short, of the rows that were given.

        Returns
        -------
        hit : ndarray of shape (k, n_known)
        returns : ndarray of shape (k, n_known)
            In units of the mean position.
        """
        side = side[:, self.known]
        book, row = np.where(side > 0, LONG, SHORT), np.arange(side.shape[1])
        away, hit = self.distance[name][book, row], self.hit[name][book, row]
        ended = np.where(hit > 0, np.expm1(-side * away), np.expm1(self.rows.moved))
        size = (1 / away) / np.mean(1 / away)
        return hit, side * size * ended
