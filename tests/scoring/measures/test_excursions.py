"""How far price goes: naive twins, worked examples, and quantiles that are right by construction."""

import numpy as np
import pytest
from scipy.stats import norm

from builders.frames import random_candles
from builders.places import is_undefined
from liqfeature import ConfigError
from liqfeature.scoring.measures.excursions import coverage, furthest_excursion, shortfall

CANDLES = random_candles(300, seed=4)
HIGH, LOW, CLOSE = (CANDLES[name].to_numpy() for name in ("high", "low", "close"))


@pytest.mark.parametrize("horizon", [1, 7])
def test_the_furthest_excursion_is_that_of_a_loop_over_the_candles_that_follow(horizon: int) -> None:
    for above, extreme in ((True, HIGH), (False, LOW)):
        found = furthest_excursion(extreme, CLOSE, horizon, above=above)
        assert np.isnan(found[-horizon:]).all()
        for t in range(300 - horizon):
            ahead = extreme[t + 1 : t + 1 + horizon]
            away = np.log(max(ahead) / CLOSE[t]) if above else np.log(CLOSE[t] / min(ahead))
            assert found[t] == pytest.approx(max(away, 0.0), abs=1e-15)
        assert (found[:-horizon] == 0).any()


def test_below_is_the_mirror_image_of_above() -> None:
    ours, theirs = (
        furthest_excursion(LOW, CLOSE, 5, above=False),
        furthest_excursion(1 / LOW, 1 / CLOSE, 5, above=True),
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-15)


def test_a_horizon_beyond_the_candles_is_known_nowhere_and_none_at_all_is_refused() -> None:
    assert np.isnan(furthest_excursion(HIGH, CLOSE, 300, above=True)).all()
    with pytest.raises(ConfigError, match="horizon must be at least 1, received 0"):
        furthest_excursion(HIGH, CLOSE, 0, above=True)


def test_coverage_counts_what_stays_within_and_drops_what_is_not_known() -> None:
    excursion = np.array([1.0, 2.0, 3.0, np.nan, 9.0])
    quantile = np.array([2.0, 2.0, 2.0, 2.0, np.nan])
    assert coverage(excursion, quantile, np.arange(5)).value == pytest.approx(2 / 3)


def test_quantiles_of_the_reflection_principle_cover_as_stated() -> None:
    """The highest point of a Brownian path within a day exceeds q with probability 2 (1 - Phi(q))."""
    rng = np.random.default_rng(0)
    steps = rng.normal(0, 1 / 40, (4000, 1600))
    highest = np.maximum(np.cumsum(steps, axis=1).max(axis=1), 0) + 0.5826 / 40  # between the steps
    day = np.arange(4000) // 10
    for level in (0.5, 0.8, 0.95, 0.99):
        stated = np.full(4000, norm.ppf((1 + level) / 2))
        found = coverage(highest, stated, day)
        assert found.low < level < found.high
        assert found.high - found.low < 0.04
    too_low = coverage(highest, np.full(4000, 0.8 * norm.ppf(0.975)), day)
    assert too_low.high < 0.93


def test_shortfall_of_an_exponential_tail_is_its_quantile_and_a_mean_more() -> None:
    rng = np.random.default_rng(1)
    scale = rng.uniform(0.5, 2.0, 20_000)
    excursion, quantile = rng.exponential(scale), scale * np.log(20)
    day = np.arange(20_000) // 100
    found = shortfall(excursion, quantile, quantile + scale, day)
    assert found.low < 1 < found.high
    assert found.high - found.low < 0.06
    assert shortfall(excursion, quantile, 0.8 * (quantile + scale), day).low > 1.1
    assert is_undefined(shortfall(excursion, np.full(20_000, 1e3), quantile, day))


def test_shortfall_doable_in_the_head() -> None:
    excursion, quantile = np.array([1.0, 3.0, 6.0, 9.0, np.nan]), np.array([2.0, 2.0, 2.0, 2.0, 2.0])
    expected = np.array([4.0, 4.0, 5.0, np.nan, 4.0])
    assert shortfall(excursion, quantile, expected, np.arange(5)).value == pytest.approx((3 + 6) / (4 + 5))
