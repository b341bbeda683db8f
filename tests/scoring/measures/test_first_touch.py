"""Which level is touched first: a naive twin, mirror images, and a walk without drift."""

import numpy as np
import pytest

from builders.frames import random_candles
from liqfeature import ConfigError
from liqfeature.scoring.measures.first_touch import driftless, touched_first


def naive(high: np.ndarray, low: np.ndarray, above: float, below: float) -> float:
    """Walk the candles that follow one after the other."""
    for top, bottom in zip(high, low, strict=True):
        if top >= above and bottom <= below:
            return np.nan
        if top >= above:
            return 1.0
        if bottom <= below:
            return 0.0
    return np.nan


def levels(seed: int, n: int = 400) -> tuple[np.ndarray, ...]:
    candles = random_candles(n, seed)
    high, low, close = (candles[name].to_numpy() for name in ("high", "low", "close"))
    rng = np.random.default_rng(seed)
    above, below = close * (1 + rng.uniform(0.0005, 0.01, n)), close * (1 - rng.uniform(0.0005, 0.01, n))
    above[rng.random(n) < 0.1] = np.nan
    return high, low, close, above, below


@pytest.mark.parametrize("horizon", [1, 5, 500])
def test_the_first_touch_is_that_of_a_walk_over_the_candles(horizon: int) -> None:
    high, low, _, above, below = levels(7)
    found = touched_first(high, low, above, below, horizon)
    for t in range(400):
        after = slice(t + 1, t + 1 + horizon)
        expected = naive(high[after], low[after], above[t], below[t]) if above[t] > 0 else np.nan
        assert found[t] == pytest.approx(expected, nan_ok=True), t
    assert 20 < (found == 1).sum() < 300
    assert 20 < (found == 0).sum() < 300


def test_a_price_that_just_reaches_a_level_touches_it() -> None:
    high, low = np.array([100.0, 101.0, 100.0]), np.array([100.0, 100.0, 99.0])
    above, below = np.full(3, 101.0), np.full(3, 99.0)
    np.testing.assert_array_equal(touched_first(high, low, above, below, 2), [1, 0, np.nan])


def test_what_is_above_in_a_mirror_is_below() -> None:
    high, low, close, above, below = levels(8)
    ours = touched_first(high, low, above, below, 20)
    mirrored = touched_first(1 / low, 1 / high, 1 / below, 1 / above, 20)
    np.testing.assert_array_equal(ours, 1 - mirrored)
    np.testing.assert_allclose(driftless(close, above, below), 1 - driftless(1 / close, 1 / below, 1 / above))


def test_the_nearer_of_two_levels_is_the_more_probable() -> None:
    """From 100: 1 % up and 2 % down in logarithm."""
    close = np.array([100.0])
    found = driftless(close, close * np.exp(0.01), close * np.exp(-0.02))
    assert found[0] == pytest.approx(2 / 3)
    assert np.isnan(driftless(close, np.array([np.nan]), close / 2))[0]


def test_a_walk_without_drift_touches_first_as_often_as_stated() -> None:
    rng = np.random.default_rng(9)
    walk = np.exp(np.cumsum(rng.choice([-1e-4, 1e-4], 60_000)))
    away = rng.integers(3, 15, (2, 60_000)) * 1e-4
    above, below = walk * np.exp(away[0]), walk * np.exp(-away[1])
    came = touched_first(walk, walk, above * (1 - 1e-9), below * (1 + 1e-9), 2000)
    stated = driftless(walk, above, below)
    assert np.isnan(came[:-2000]).sum() == 0
    for low in np.arange(0.1, 0.9, 0.1):
        inside = (stated >= low) & (stated < low + 0.1) & ~np.isnan(came)
        assert came[inside].mean() == pytest.approx(stated[inside].mean(), abs=0.03)


def test_no_candle_or_no_horizon() -> None:
    assert touched_first(*np.zeros((4, 0)), 5).size == 0
    with pytest.raises(ConfigError, match="horizon must be at least 1, received 0"):
        touched_first(*np.ones((4, 3)), 0)
