"""Windows of a map beside what was force-closed in them, by random numbers."""

import numpy as np
import pytest

from liqfeature.scoring.measures.bootstrap import Interval
from liqfeature.types import FloatArray, IntArray

N, W = 120, 45
DAY = np.arange(N) // 4


def close(interval: Interval) -> object:
    return pytest.approx([interval.value, interval.low, interval.high], rel=1e-9, nan_ok=True)


def numbers(interval: Interval) -> list[float]:
    return [interval.value, interval.low, interval.high]


def is_undefined(interval: Interval) -> bool:
    return bool(np.isnan([interval.value, interval.low, interval.high]).all())


def ends(interval: Interval) -> FloatArray:
    return np.array([interval.low, interval.high])


def market(seed: int = 0, likeness: float = 1.0) -> tuple[FloatArray, FloatArray, FloatArray, IntArray]:
    """A map, a map of distance, what is force-closed and how far price goes; the map knows something."""
    rng = np.random.default_rng(seed)
    shape = (N, 2, W)
    truth = rng.gamma(0.5, size=shape)
    map_window = truth**likeness * rng.gamma(2.0, size=shape) * (rng.random(shape) < 0.9)
    distance = np.broadcast_to(np.exp(-np.arange(W) / 20), shape).copy()
    forced = truth * rng.gamma(0.3, size=shape) * rng.lognormal(0, 1, (N, 2, 1))
    return map_window, distance, forced, rng.integers(5, W + 4, (N, 2))
