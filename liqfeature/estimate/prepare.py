"""From an aligned market to a walk over it: prices in bins, flow, tables, an empty map."""

import math
from collections.abc import Sequence

import numpy as np

from liqfeature.errors import DataError
from liqfeature.estimate.config import N_BLOCKS, N_GENERATIONS, HeatmapConfig
from liqfeature.estimate.flow import Flow, open_and_close, path_alone
from liqfeature.estimate.kernels.baseline import Baseline
from liqfeature.estimate.kernels.clusters import TAPS_AT_ONCE
from liqfeature.estimate.kernels.exposure import Exposure, Mixture
from liqfeature.estimate.kernels.logarithm import exp_prices, log_prices
from liqfeature.estimate.kernels.read import READINGS, Reading, Workspace
from liqfeature.estimate.kernels.scan import Candles
from liqfeature.estimate.outlook import Outlook
from liqfeature.estimate.placed import standing
from liqfeature.estimate.reach import STEPS_PER_SIGMA
from liqfeature.estimate.scan import Scan, in_fractions
from liqfeature.estimate.venues import Together, Walk, config_of, farthest_shift, fresh_at, usual_notional
from liqfeature.market.market import Market
from liqfeature.market.rolling import trailing_sum
from liqfeature.types import FloatArray

MOST_BINS = 1_000_000
"""Of the map, which takes 600 bytes for each: twice what any price in `WIDEST_RANGE` needs."""


def walk_market(market: Market, config: HeatmapConfig, spare: int = 0) -> Scan:
    """Walk all candles, reading off the map what rows after warm-up depend on."""
    scan = prepare_scan(market, config, spare)
    scan.run(0, market.tick.size, read_from=config.warmup - 1 - config.memory)
    return scan


def prepare_scan(market: Market, config: HeatmapConfig, spare: int = 0) -> Scan:
    """Lay out everything that the kernels need: prices in bins, flow, tables, an empty map."""
    if config.flow.opens == "path":
        market = path_alone(market)
    own = _walk(market, config)
    abroad = [_walk(venue.market, config_of(venue, config)) for venue in market.venues]
    fresh = [fresh_at(*both, market, config) for both in zip(market.venues, abroad, strict=True)]
    origin, n_bins = _extent([own, *abroad], config, farthest=farthest_shift(market, config))
    outlook = _outlook(market, config, own.candles.high, own.candles.low, own.candles.close)
    own, *abroad = (walk._replace(candles=_counted_from(origin, walk.candles)) for walk in (own, *abroad))
    reading = _reading(market, config, outlook, origin, n_bins, usual_notional(market, fresh, config))
    n_levels = max(walk.mixture.offset.shape[1] for walk in (own, *abroad))
    work = _workspace(config, reading.taps.size, n_levels)
    exposure, baseline = _empty_exposure(n_bins), _empty_baseline(config)
    together, candles = None, own.candles if market.maps is None else standing(own.candles)
    if abroad:
        together = Together.of(market, own, abroad, fresh, config, exposure, baseline, work)
        candles = candles._replace(open_interest=together.open_interest)
        reading = reading._replace(surge=reading.surge * together.over_own)
    return Scan(
        config=config,
        market=market,
        origin=origin,
        flow=own.flow,
        candles=candles,
        mixture=own.mixture,
        outlook=outlook,
        reading=reading,
        work=work,
        exposure=exposure,
        baseline=baseline,
        nearest=np.tile((0.0, -1.0, 0.0), (2, 1)),  # none yet
        cleared=np.zeros((2, market.tick.size)),
        table=np.full((2 * len(READINGS) + spare, market.tick.size), np.nan),
        swept=np.zeros((4, 2, market.tick.size)),
        together=together,
    )


def _walk(market: Market, config: HeatmapConfig) -> Walk:
    """One exchange's flow and mixture, its prices in bins of the grid."""
    flow = open_and_close(
        market.volume, market.daily_volume(config.lookback), market.open_interest, config.flow
    )
    offset, weight = config.leverage.mixture(1.0)
    scalped = config.leverage.scalped()
    mixture = Mixture(config.grid.in_bins(offset), np.stack([weight * (1.0 - scalped), weight * scalped]))
    return Walk(flow, _in_bins(market, flow, config), mixture)


def _in_bins(market: Market, flow: Flow, config: HeatmapConfig) -> Candles:
    return Candles(
        tick=market.tick,
        high=_bins(market.high, config),
        low=_bins(market.low, config),
        close=_bins(market.close, config),
        touched=np.stack([_bins(price, config) for price in (market.touched_low, market.touched_high)]),
        volume=market.counted_volume,  # only its shares count
        open_interest=flow.open_interest,
        carried=flow.carried,
        late=flow.late,
        late_first=market.late_first,
        late_stop=market.late_stop,
        kept=flow.kept,
        opened=flow.opened,
        funding=market.funding / config.grid.width,
    )


def _bins(price: FloatArray, config: HeatmapConfig) -> FloatArray:
    logs = np.empty_like(price)
    log_prices(price, logs)
    return config.grid.in_bins(logs)


def outlook_of(market: Market, config: HeatmapConfig) -> Outlook:
    """Look back from the close of each candle: fractions of price, NaN before `config.warmup` candles."""
    bins = (_bins(price, config) for price in (market.high, market.low, market.close))
    return in_fractions(_outlook(market, config, *bins), config)


def _outlook(
    market: Market, config: HeatmapConfig, high: FloatArray, low: FloatArray, close: FloatArray
) -> Outlook:
    return Outlook.of(
        high,
        low,
        close,
        tick=market.tick,
        interval=market.interval,
        rule=config.reach,
        lookback=config.lookback,
        longest=max(config.max_age, config.lookback),
    )


def _extent(walks: Sequence[Walk], config: HeatmapConfig, farthest: int) -> tuple[int, int]:
    """Lowest bin and number of bins: all prices, and around them whatever is read, or opened and moved.

    Of other exchanges' bins those are read that lie up to `farthest` beyond the traded ones.
    """
    if walks[0].candles.high.size == 0:
        return 0, 1
    bounds = [_bounds(walk, config) for walk in walks if walk.candles.high.size]
    lowest = min(low for low, _, _ in bounds) - farthest
    highest = max(high for _, high, _ in bounds) + farthest
    n_bins = highest - lowest + 1
    if n_bins > MOST_BINS:
        message = (
            f"candles and funding: prices, and what funding moves liquidation prices by, must span at most "
            f"{MOST_BINS} bins of width {config.grid.width:g}, received {n_bins}, "
            f"{max(moved for _, _, moved in bounds)} of them for funding"
        )
        raise DataError(message)
    return lowest, n_bins


def _bounds(walk: Walk, config: HeatmapConfig) -> tuple[int, int, int]:
    """Lowest and highest bin of an exchange, and how far funding moves what lies there."""
    candles, mixture = walk.candles, walk.mixture
    read = config.grid.n_window(config.band) + config.grid.taps().size
    moved = math.ceil(np.max(trailing_sum(np.abs(candles.funding), config.max_age))) + 1
    below, above = max(read, moved - np.min(mixture.offset)), max(read, moved + np.max(mixture.offset))
    lowest = math.floor(np.min(candles.low) - below) - 2
    return lowest, math.floor(np.max(candles.high) + above) + 2, moved


def _counted_from(origin: int, candles: Candles) -> Candles:
    return candles._replace(
        high=candles.high - origin,
        low=candles.low - origin,
        close=candles.close - origin,
        touched=candles.touched - origin,
    )


def _reading(
    market: Market, config: HeatmapConfig, outlook: Outlook, origin: int, n_bins: int, notional: FloatArray
) -> Reading:
    grid, rule, lookback = config.grid, config.cascade, config.lookback
    taps = grid.taps()
    edge, centre = np.empty(n_bins + 1), np.empty(n_bins)
    exp_prices((np.arange(n_bins + 1, dtype=np.float64) + origin) * grid.width, edge)
    exp_prices((np.arange(n_bins, dtype=np.float64) + (origin + 0.5)) * grid.width, centre)
    sigma = outlook.sigma(config.horizon)
    return Reading(
        generation=config.max_age // N_GENERATIONS,
        block=lookback // N_BLOCKS,
        horizon=config.horizon,
        lookback=lookback,
        ratio=config.clusters.ratio,
        least=config.clusters.least_share,
        level=math.ceil(rule.level * lookback) - 1,
        surge=rule.surge_level(market.liquidated) * config.horizon,
        per_sigma=float(STEPS_PER_SIGMA),
        reach=config.reach.reach(),
        tilts=outlook.tilts(sigma, config.horizon),
        odds=rule.log_odds(config.horizon / lookback),
        taps=np.pad(taps, (0, -taps.size % TAPS_AT_ONCE)),
        smoothing=grid.smoothing,
        centre=np.stack([centre[::-1], centre]),
        edge=np.stack([edge[::-1], edge]),
        price=market.close,
        sigma=sigma,
        impact=_by_depth(rule.impact_per_notional(outlook.usual_variance(lookback), notional), market),
    )


def _by_depth(impact: FloatArray, market: Market) -> FloatArray:
    """Impact by side: less where the book is deeper than usual; as it is where depth is not known."""
    both = np.stack([impact, impact])
    return both if market.depth is None else np.where(market.depth > 0, both / market.depth, both)


def _workspace(config: HeatmapConfig, n_taps: int, n_levels: int) -> Workspace:
    n_window = config.grid.n_window(config.band)
    return Workspace(
        entries=np.zeros(3),
        place=np.zeros((2, 3, n_levels), dtype=np.int64),
        passed=np.zeros(2, dtype=np.int64),
        amount=np.zeros((2, n_window + n_taps - 1)),
        smooth=np.zeros((2, n_window)),
        notional=np.zeros(n_window),
        bar=np.zeros(n_window),
        over=np.zeros(n_window, dtype=np.bool_),
    )


def _empty_exposure(n_bins: int) -> Exposure:
    return Exposure(
        amount=np.zeros((2, N_GENERATIONS, 2, n_bins)),
        moment=np.zeros((2, N_GENERATIONS, 2, n_bins)),
        funding=np.zeros(N_GENERATIONS),
        older=np.zeros((2, 2, n_bins)),
        older_moment=np.zeros((2, 2, n_bins)),
        scale=np.ones(2),
        span=np.tile(np.array([n_bins, -1], dtype=np.int64), (2, 2, 1)),
        current=np.full(1, -1, dtype=np.int64),
    )


def _empty_baseline(config: HeatmapConfig) -> Baseline:
    n_window = config.grid.n_window(config.band)
    return Baseline(
        block=np.zeros((N_BLOCKS + 1, n_window)),
        rows=np.zeros(N_BLOCKS + 1, dtype=np.int64),
        number=np.full(N_BLOCKS + 1, -1, dtype=np.int64),
        profile=np.zeros(n_window),
        level=np.full(2, np.inf),
        below=np.full(2, config.lookback, dtype=np.int64),
        equal=np.zeros(2, dtype=np.int64),
        current=np.full(1, -1, dtype=np.int64),
        seen=np.zeros(1, dtype=np.int64),
    )
