"""Several exchanges: which are fresh at each traded candle, and their walks side by side."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np

from liqfeature.estimate.config import HeatmapConfig
from liqfeature.estimate.flow import Flow
from liqfeature.estimate.kernels.baseline import Baseline
from liqfeature.estimate.kernels.exposure import Exposure, Mixture
from liqfeature.estimate.kernels.read import Workspace
from liqfeature.estimate.kernels.scan import Candles
from liqfeature.estimate.kernels.walks import Agreement, Walks
from liqfeature.market.market import Abroad, Market
from liqfeature.types import BoolArray, FloatArray, IntArray

Stacked = TypeVar("Stacked", Candles, Mixture, Exposure, Baseline)


class Walk(NamedTuple):
    """One exchange, ready to be walked; prices in bins."""

    flow: Flow
    candles: Candles
    mixture: Mixture


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """The walks of all exchanges, the traded one first, and what is known of them together.

    `open_interest`, shape (n,), is that of the fresh ones: base currency, one side; `over_own` is its ratio
    to the traded exchange's.
    """

    walks: Walks
    open_interest: FloatArray
    over_own: FloatArray
    agreement: Agreement

    @property
    def fresh_share(self) -> FloatArray:
        """Share of the exchanges that is fresh at each traded candle, shape (n,)."""
        share: FloatArray = np.mean(self.walks.fresh, axis=0)
        return share

    @classmethod
    def of(
        cls,
        market: Market,
        own: Walk,
        abroad: Sequence[Walk],
        fresh: Sequence[BoolArray],
        config: HeatmapConfig,
        exposure: Exposure,
        baseline: Baseline,
        work: Workspace,
    ) -> Self:
        """Stack the walks, each with an exposure and a baseline as empty as those given."""
        walks, n = [own, *abroad], market.tick.size
        n_venues, n_own = len(walks), max(walk.candles.tick.size for walk in walks)
        stop = np.stack([np.arange(1, n + 1), *(venue.stop for venue in market.venues)])
        counts = np.stack([np.ones(n, dtype=np.bool_), *fresh])
        shift = np.stack([np.zeros(n, dtype=np.int64), *(shift_of(v, config) for v in market.venues)])
        stacked = Walks(
            candles=_stacked([walk.candles for walk in walks]),
            mixture=_stacked([walk.mixture for walk in walks]),
            exposure=_stacked([exposure] * n_venues),
            baseline=_stacked([baseline] * n_venues),
            nearest=np.tile((0.0, -1.0, 0.0), (n_venues, 2, 1)),
            cleared=np.zeros((n_venues, 2, n_own)),
            swept=np.zeros((n_venues, 2, 2, n_own)),
            stop=stop,
            fresh=counts,
            shift=shift,
            amount=np.zeros((n_venues, *work.amount.shape)),
            smooth=np.zeros((n_venues, *work.smooth.shape)),
        )
        held = own.flow.open_interest
        at = zip(walks, stop, counts, strict=True)
        total = np.sum([_known_with(walk.flow.open_interest, *known) for walk, *known in at], axis=0)
        return cls(
            walks=stacked,
            open_interest=total,
            over_own=np.divide(total, held, out=np.ones(n), where=held > 0),
            agreement=Agreement(clusters=np.full((3, 2, n), np.nan), elsewhere=np.zeros((2, n))),
        )


def config_of(abroad: Abroad, config: HeatmapConfig) -> HeatmapConfig:
    """Return the configuration with which an exchange is walked: its leverage and flow, else as traded."""
    own: Any = abroad.config
    return dataclasses.replace(config, leverage=own.leverage, flow=own.flow)


def fresh_at(abroad: Abroad, walk: Walk, traded: Market, config: HeatmapConfig) -> BoolArray:
    """Say at which traded candles an exchange counts, shape (n,).

    The candle of the same close is known; so is open interest, two of its periods old at most, which belongs
    to the volume; and of the candles of a warm-up no more than a lookback is missing.
    """
    market, last = abroad.market, abroad.stop - 1
    if market.tick.size == 0:
        return np.zeros(last.size, dtype=np.bool_)
    begun = np.searchsorted(market.tick, traded.tick - config.warmup, side="right")
    whole = config.warmup - (abroad.stop - begun) <= config.lookback
    recent = walk.flow.real & (market.staleness <= market.interest_period)
    at = np.maximum(last, 0)
    fresh: BoolArray = (last >= 0) & (market.tick[at] == traded.tick) & recent[at] & whole
    return fresh


def shift_of(abroad: Abroad, config: HeatmapConfig) -> IntArray:
    """Bins by which an exchange's prices lie above the traded ones, shape (n,)."""
    return np.rint(abroad.basis / config.grid.width).astype(np.int64)


def farthest_shift(market: Market, config: HeatmapConfig) -> int:
    """Most bins by which any exchange's prices lie off the traded ones."""
    return max((int(np.max(np.abs(shift_of(v, config)), initial=0)) for v in market.venues), default=0)


def usual_notional(market: Market, fresh: Sequence[BoolArray], config: HeatmapConfig) -> FloatArray:
    """Quote currency traded in a candle on the fresh exchanges together, the mean of the last lookback."""
    usual = market.usual_notional(config.lookback)
    for venue, counts in zip(market.venues, fresh, strict=True):
        usual = usual + _known_with(venue.market.usual_notional(config.lookback), venue.stop, counts)
    return usual


def _known_with(values: FloatArray, stop: IntArray, fresh: BoolArray) -> FloatArray:
    """Entry of an exchange's own candle at each traded one; 0 where it is not fresh."""
    return np.where(fresh, values[np.maximum(stop - 1, 0)], 0.0) if values.size else np.zeros(stop.size)


def _stacked(parts: Sequence[Stacked]) -> Stacked:
    """Stack the fields of each, the last axis filled up with zeros to the longest."""
    return type(parts[0])(*(_stack(fields) for fields in zip(*parts, strict=True)))


def _stack(arrays: Sequence[Any]) -> Any:
    longest = max(array.shape[-1] for array in arrays)
    stacked = np.zeros((len(arrays), *arrays[0].shape[:-1], longest), dtype=arrays[0].dtype)
    for one, array in zip(stacked, arrays, strict=True):
        one[..., : array.shape[-1]] = array
    return stacked
