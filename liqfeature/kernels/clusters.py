"""Clusters: runs where more rests than is usual at that distance from price."""

from typing import NamedTuple

from liqfeature.compiled import inlined
from liqfeature.kernels.book import Book
from liqfeature.types import LONG, FloatArray

ROUNDING = 1e-9
"""Smoothing makes equal peaks, and exactly half of one beside it: rounding must not decide between them."""


class Cluster(NamedTuple):
    """A cluster by its bins, counted away from price from 0; `near` is -1 where there is none."""

    near: int
    peak: int
    far: int
    held: float


@inlined
def load_window(book: Book, side: int, price_bin: int, window: FloatArray, skip: int) -> None:
    """Copy live amounts, counted away from price, into `window` from entry `skip` on.

    Entry `skip` is the bin beside price; those before it stay 0, since nothing rests on price's other side.
    """
    slot, size = book.clock[0] % book.amount.shape[1], window.shape[0] - skip
    window[skip:] = 0.0
    for holding in range(2):
        scale = book.scale[holding]
        lowest, highest = book.span[holding, side, 0], book.span[holding, side, 1]
        if side == LONG:
            for i in range(max(price_bin - 1 - highest, 0), min(price_bin - lowest, size)):
                b = price_bin - 1 - i
                live = book.older[holding, side, b] + book.amount[holding, slot, side, b]
                window[skip + i] += live * scale
        else:
            for i in range(max(lowest - price_bin - 1, 0), min(highest - price_bin, size)):
                b = price_bin + 1 + i
                live = book.older[holding, side, b] + book.amount[holding, slot, side, b]
                window[skip + i] += live * scale


@inlined
def smooth_window(window: FloatArray, taps: FloatArray, smooth: FloatArray) -> None:
    """Weighted mean over neighbouring bins."""
    smooth[:] = 0.0
    for j in range(taps.shape[0]):
        for i in range(smooth.shape[0]):
            smooth[i] += taps[j] * window[i + j]


@inlined
def find_clusters(
    smooth: FloatArray, bar: FloatArray, window: FloatArray, least: float
) -> tuple[Cluster, Cluster]:
    """Find the nearest cluster and the one that holds most.

    A cluster is a run of `smooth > bar`, cut on either side of its peak where it falls under half of it, that
    holds at least `least`.
    """
    nearest = Cluster(-1, -1, -1, 0.0)
    strongest = nearest
    i = 0
    while i < smooth.shape[0]:
        if smooth[i] <= bar[i]:
            i += 1
            continue
        start = i
        while i < smooth.shape[0] and smooth[i] > bar[i]:
            i += 1
        near, peak, far = _half_height(smooth, start, i)
        held = 0.0
        for j in range(near, far + 1):
            held += window[j]
        if held > 0.0 and held >= least:
            if nearest.near < 0:
                nearest = Cluster(near, peak, far, held)
            if held > strongest.held:
                strongest = Cluster(near, peak, far, held)
    return nearest, strongest


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
def opening_moment(book: Book, side: int, lowest: int, highest: int) -> float:
    """Sum of live amount times candle of opening, from the start of the current generation."""
    slot = book.clock[0] % book.moment.shape[1]
    moment = 0.0
    for holding in range(2):
        for b in range(lowest, highest + 1):
            live = book.older_moment[holding, side, b] + book.moment[holding, slot, side, b]
            moment += live * book.scale[holding]
    return moment
