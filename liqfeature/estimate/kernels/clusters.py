"""Clusters: runs where more rests than is usual at that distance from price, and how price clears them.

`nearest`, shape (2, 3), holds the nearest and farthest bin of each side's nearest cluster at the last close,
and what it held; `cleared`, shape (2, n), the share of the cluster noted before it that each candle swept.
"""

import math
from typing import NamedTuple

from liqfeature.compiled import inlined, lean
from liqfeature.estimate.kernels.exposure import HELD, SCALPS, Exposure
from liqfeature.sides import LONG
from liqfeature.types import BoolArray, FloatArray

NEAR_BIN, FAR_BIN, RESTED = range(3)
"""Order of the notes in the second axis of `nearest`; where there is no cluster, NEAR_BIN exceeds FAR_BIN."""

ROUNDING = 1e-9
"""Smoothing makes equal peaks, and exactly half of one beside it: rounding must not decide between them."""

TAPS_AT_ONCE = 5
"""Taps of the smoothing come in multiples of this many, which the default takes in one pass."""


class Cluster(NamedTuple):
    """A cluster by its bins, counted away from price from 0; `near` is -1 where there is none."""

    near: int
    peak: int
    far: int
    held: float


@inlined
def load_window(exposure: Exposure, side: int, first: int, window: FloatArray) -> None:
    """Copy the live amounts from bin `first` of a side on."""
    slot, stop = exposure.current[0] % exposure.amount.shape[1], first + window.shape[0]
    held, held_scale = exposure.older[HELD, side, first:stop], exposure.scale[HELD]
    held_now = exposure.amount[HELD, slot, side, first:stop]
    scalps, scalps_scale = exposure.older[SCALPS, side, first:stop], exposure.scale[SCALPS]
    scalps_now = exposure.amount[SCALPS, slot, side, first:stop]
    for i in range(window.shape[0]):
        window[i] = (held[i] + held_now[i]) * held_scale + (scalps[i] + scalps_now[i]) * scalps_scale


@inlined
def smooth_window(window: FloatArray, taps: FloatArray, smooth: FloatArray) -> None:
    """Weighted sum of each bin and those after it, for as many as there are taps."""
    for i in range(smooth.shape[0]):
        smooth[i] = 0.0
    for k in range(0, taps.shape[0], TAPS_AT_ONCE):
        one, two, three, four, five = taps[k], taps[k + 1], taps[k + 2], taps[k + 3], taps[k + 4]
        beside = window[k:]
        for i in range(smooth.shape[0]):
            sooner = smooth[i] + one * beside[i] + two * beside[i + 1]
            smooth[i] = sooner + three * beside[i + 2] + four * beside[i + 3] + five * beside[i + 4]


@lean
def find_nearest(
    smooth: FloatArray, bar: FloatArray, window: FloatArray, least: float, over: BoolArray
) -> Cluster:
    """Find the nearest cluster.

    A cluster is a run of `smooth > bar`, cut on either side of its peak where it falls under half of it, that
    holds at least `least`. `over` is room to work in; bins in which something is NaN belong to no run.
    """
    n = smooth.shape[0]
    for i in range(n):
        over[i] = smooth[i] > bar[i]
    i = 0
    while i < n:
        start = i
        while i < n and over[i]:
            i += 1
        if i > start:
            one, top, other = _half_height(smooth, start, i)
            amount = 0.0
            for j in range(one, other + 1):
                amount += window[j]
            if amount > 0.0 and amount >= least:
                return Cluster(one, top, other, amount)
        i += 1
    return Cluster(-1, -1, -1, 0.0)


@inlined
def _half_height(smooth: FloatArray, start: int, stop: int) -> tuple[int, int, int]:
    peak = start
    for i in range(start + 1, stop):
        if smooth[i] > smooth[peak] * (1.0 + ROUNDING):
            peak = i
    half = (0.5 - ROUNDING) * smooth[peak]
    near, far = peak, peak
    while near > start and smooth[near - 1] >= half:
        near -= 1
    while far + 1 < stop and smooth[far + 1] >= half:
        far += 1
    return near, peak, far


@inlined
def cleared_within(side: int, t: int, horizon: int, cleared: FloatArray) -> float:
    """Share of what stood in price's way that candles up to t swept.

    Shares compound: half of a cluster, then half of the rest, is three quarters.
    """
    share = 0.0
    for u in range(max(t - horizon + 1, 0), t + 1):
        share += (1.0 - share) * cleared[side, u]
    return min(share, 1.0)


@inlined
def first_pierced(side: int, t: int, horizon: int, cleared: FloatArray, near: FloatArray) -> float:
    """Near edge, of the clusters swept by candles up to t, that is closest to where price came from.

    The highest of longs' clusters, the lowest of shorts'; NaN if none was swept. `near`, shape (n,), holds
    the near edges at each close.
    """
    first = math.nan
    for u in range(max(t - horizon + 1, 1), t + 1):
        if cleared[side, u] > 0.0:
            edge = near[u - 1]
            if not (edge <= first if side == LONG else edge >= first):
                first = edge
    return first
