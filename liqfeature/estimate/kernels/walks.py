"""The walks of several exchanges, stacked along a first axis, and one of them taken out again."""

from typing import NamedTuple

from liqfeature.compiled import inlined
from liqfeature.estimate.kernels.baseline import Baseline
from liqfeature.estimate.kernels.exposure import Exposure, Mixture
from liqfeature.estimate.kernels.scan import Candles
from liqfeature.sides import LONG
from liqfeature.types import BoolArray, FloatArray, IntArray


class Walks(NamedTuple):
    """The walk of every exchange; n is the number of traded candles."""

    candles: Candles  # of each, after their end anything
    mixture: Mixture  # with levels of weight 0 after their end
    exposure: Exposure
    baseline: Baseline  # what is usual there at each distance from price
    nearest: FloatArray  # (n_venues, 2, 3): the cluster of the sum, in the exchange's own bins
    cleared: FloatArray  # (n_venues, 2, n_own): share of that cluster swept there
    swept: FloatArray  # (n_venues, 2, 2, n_own): amount, notional
    stop: IntArray  # (n_venues, n): own candles known with the traded one
    fresh: BoolArray  # (n_venues, n)
    shift: IntArray  # (n_venues, n): bins by which its price lies above the traded one
    amount: FloatArray  # (n_venues, 2, n_window + n_taps - 1): as of the workspace
    smooth: FloatArray  # (n_venues, 2, n_window)


class Agreement(NamedTuple):
    """What is written beside the readings; those of clusters with what lies above price first."""

    clusters: FloatArray  # (3, 2, n): exchanges that agree, their share of open interest, share that is local
    elsewhere: FloatArray  # (2, n): notional swept on the other exchanges, by side


@inlined
def candles_of(walks: Walks, v: int) -> Candles:
    """Return the candles of one exchange."""
    c = walks.candles
    return Candles(
        c.tick[v],
        c.high[v],
        c.low[v],
        c.close[v],
        c.touched[v],
        c.volume[v],
        c.open_interest[v],
        c.carried[v],
        c.late[v],
        c.late_first[v],
        c.late_stop[v],
        c.kept[v],
        c.opened[v],
        c.funding[v],
    )


@inlined
def exposure_of(walks: Walks, v: int) -> Exposure:
    """Return the exposure of one exchange."""
    e = walks.exposure
    return Exposure(
        e.amount[v],
        e.moment[v],
        e.funding[v],
        e.older[v],
        e.older_moment[v],
        e.scale[v],
        e.span[v],
        e.current[v],
    )


@inlined
def baseline_of(walks: Walks, v: int) -> Baseline:
    """Tell what is usual on one exchange."""
    b = walks.baseline
    return Baseline(
        b.block[v],
        b.rows[v],
        b.number[v],
        b.profile[v],
        b.level[v],
        b.below[v],
        b.equal[v],
        b.current[v],
        b.seen[v],
    )


@inlined
def shift_of(walks: Walks, v: int, side: int, t: int) -> int:
    """Return the bins of a side by which an exchange's lie beyond the traded ones."""
    return -walks.shift[v, t] if side == LONG else walks.shift[v, t]
