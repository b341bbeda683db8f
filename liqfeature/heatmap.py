"""From aligned candles to the map and the rows read off it."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqfeature.candles import Candles, align
from liqfeature.cascade import STEPS_PER_SIGMA
from liqfeature.config import N_BLOCKS, N_GENERATIONS, HeatmapConfig
from liqfeature.flow import Flow, open_and_close, trailing_sum
from liqfeature.kernels.book import Book, Mixture
from liqfeature.kernels.clearing import LAST
from liqfeature.kernels.logarithm import exp_prices, log_prices
from liqfeature.kernels.read import READINGS, Reading
from liqfeature.kernels.scan import Tape, scan
from liqfeature.kernels.usual import Usual
from liqfeature.types import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A walk over candles, ready to run: inputs in bins, an empty book, and the rows to write."""

    config: HeatmapConfig
    candles: Candles
    origin: int  # bin of the grid that is bin 0 of the book
    flow: Flow
    tape: Tape
    mixture: Mixture
    reading: Reading
    book: Book
    usual: Usual
    nearest: FloatArray  # (2, 4, n): see kernels/clearing.py
    columns: FloatArray  # (2, n_readings, n)
    swept: FloatArray  # (4, 2, n): amount, notional, notional within the horizon, level of a cascade

    def run(self, first: int, stop: int, read_from: int = 0) -> None:
        """Walk the rows from `first` to before `stop`; begin at 0 and go on where the last walk stopped.

        Rows before `read_from` are not read off the map: a third of the time, where nobody looks at them.
        """
        scan(
            self.tape,
            self.mixture,
            self.reading,
            self.book,
            self.usual,
            self.nearest,
            self.columns,
            self.swept,
            first,
            stop,
            read_from,
        )


def join_candles(
    candles: pd.DataFrame,
    config: HeatmapConfig,
    open_interest: pd.DataFrame | None,
    funding_rate: pd.DataFrame | None,
    mark: pd.DataFrame | None = None,
    liquidations: pd.DataFrame | None = None,
) -> Candles:
    """Validate and join the frames as a configuration wants it; see `liquidation_features` for the frames."""
    return align(
        candles,
        open_interest,
        funding_rate,
        lookback=config.lookback,
        mark=mark,
        liquidations=liquidations,
        in_contracts=config.flow.open_interest_in_contracts,
    )


def walk_candles(candles: Candles, config: HeatmapConfig) -> Scan:
    """Walk all candles, reading off the map what rows after warm-up depend on."""
    scan = prepare_scan(candles, config)
    scan.run(0, candles.tick.size, read_from=config.warmup - 1 - config.memory)
    return scan


def prepare_scan(candles: Candles, config: HeatmapConfig) -> Scan:
    """Lay out everything that the kernels need: prices in bins, flow, tables, an empty book."""
    grid, n = config.grid, candles.tick.size
    high, low, close = (grid.in_bins(_logs(p)) for p in (candles.high, candles.low, candles.close))
    touched_high, touched_low = (grid.in_bins(_logs(p)) for p in (candles.touched_high, candles.touched_low))
    flow = open_and_close(
        candles.volume,
        candles.open_interest,
        config.flow,
        lookback=config.lookback,
        candles_per_day=candles.candles_per_day,
    )
    offset, weight = config.leverage.mixture(1.0)
    offset = grid.in_bins(offset)
    n_window, taps = grid.n_window(config.band), grid.taps()
    funding = candles.funding / grid.width
    drift = math.ceil(np.max(trailing_sum(np.abs(funding), config.max_age), initial=0.0)) + 1
    margin = n_window + taps.size
    below, above = max(margin, drift - np.min(offset)), max(margin, drift + np.max(offset))
    origin, n_bins = _extent(high, low, below, above)
    tape = Tape(
        tick=candles.tick,
        high=high - origin,
        low=low - origin,
        close=close - origin,
        touched_high=touched_high - origin,
        touched_low=touched_low - origin,
        volume=candles.volume,
        open_interest=flow.open_interest,
        carried=flow.carried,
        late=flow.late,
        late_first=candles.late_first,
        late_stop=candles.late_stop,
        kept=np.stack([flow.held.kept, flow.scalps.kept]),
        opened=np.stack([flow.held.opened, flow.scalps.opened]),
        funding=funding,
    )
    scalped = config.leverage.scalped()
    return Scan(
        config=config,
        candles=candles,
        origin=origin,
        flow=flow,
        tape=tape,
        mixture=Mixture(offset, np.stack([weight * (1.0 - scalped), weight * scalped])),
        reading=_reading(candles, config, high, low, origin, n_bins),
        book=_empty_book(n_bins),
        usual=_empty_usual(config, n_window),
        nearest=_no_clusters(n),
        columns=np.full((2, len(READINGS), n), np.nan),
        swept=np.zeros((4, 2, n)),
    )


def _logs(price: FloatArray) -> FloatArray:
    out = np.empty_like(price)
    log_prices(price, out)
    return out


def _extent(high: FloatArray, low: FloatArray, below: float, above: float) -> tuple[int, int]:
    """Lowest bin and number of bins, from `below` under the lowest price to `above` over the highest."""
    if high.size == 0:
        return 0, 1
    lowest = math.floor(np.min(low) - below) - 2
    highest = math.floor(np.max(high) + above) + 2
    return lowest, highest - lowest + 1


def _reading(
    candles: Candles, config: HeatmapConfig, high: FloatArray, low: FloatArray, origin: int, n_bins: int
) -> Reading:
    grid, rule, lookback = config.grid, config.cascade, config.lookback
    taps, n_window = grid.taps(), grid.n_window(config.band)
    edge, centre = np.empty(n_bins + 1), np.empty(n_bins)
    exp_prices((np.arange(n_bins + 1, dtype=np.float64) + origin) * grid.width, edge)
    exp_prices((np.arange(n_bins, dtype=np.float64) + (origin + 0.5)) * grid.width, centre)
    daily = rule.range_variance(high - low, lookback)
    notional = trailing_sum(candles.volume * candles.close, lookback) / lookback
    return Reading(
        generation=config.max_age // N_GENERATIONS,
        block=lookback // N_BLOCKS,
        horizon=config.horizon,
        ratio=config.clusters.ratio,
        least=config.clusters.least_share,
        level=math.ceil(rule.level * lookback) - 1,
        surge=rule.surge_level(candles.liquidated) * config.horizon,
        per_sigma=float(STEPS_PER_SIGMA),
        reach=rule.reach(),
        odds=rule.log_odds(config.horizon / lookback),
        taps=taps,
        centre=centre,
        edge=edge,
        price=candles.close,
        sigma=rule.sigma(high - low, candles.tick, candles.interval, config.horizon),
        impact=rule.impact_per_notional(daily, notional),
        window=np.zeros((2, n_window + taps.size - 1)),
        smooth=np.zeros((2, n_window)),
        notional=np.zeros(n_window),
        bar=np.zeros(n_window),
    )


def _empty_book(n_bins: int) -> Book:
    return Book(
        amount=np.zeros((2, N_GENERATIONS, 2, n_bins)),
        moment=np.zeros((2, N_GENERATIONS, 2, n_bins)),
        funding=np.zeros(N_GENERATIONS),
        older=np.zeros((2, 2, n_bins)),
        older_moment=np.zeros((2, 2, n_bins)),
        scale=np.ones(2),
        span=np.tile(np.array([n_bins, -1], dtype=np.int64), (2, 2, 1)),
        clock=np.full(1, -1, dtype=np.int64),
    )


def _empty_usual(config: HeatmapConfig, n_window: int) -> Usual:
    return Usual(
        block=np.zeros((N_BLOCKS + 1, n_window)),
        rows=np.zeros(N_BLOCKS + 1, dtype=np.int64),
        number=np.full(N_BLOCKS + 1, -1, dtype=np.int64),
        profile=np.zeros(n_window),
        ordered=np.zeros((2, config.lookback)),
        clock=np.array([-1, 0], dtype=np.int64),
    )


def _no_clusters(n: int) -> FloatArray:
    nearest = np.zeros((2, 4, n))
    nearest[:, LAST] = -1.0
    return nearest
