import numpy as np
import pytest
from scipy.stats import norm

from liqfeature import ConfigError
from liqfeature.scoring.measures.reliability import (
    brier_skill,
    calibration_error,
    reliability_table,
    touched_within,
)


def one_day(n: int) -> np.ndarray:
    return np.zeros(n, dtype=np.int64)


# --- outcomes --------------------------------------------------------------------------------------------


def test_an_edge_is_touched_by_the_candles_after_its_own() -> None:
    high = np.array([9.0, 1.0, 2.0, 5.0, 3.0, 1.0])
    edge = np.array([5.0, 5.0, 5.0, 5.0, np.nan, 0.5])
    got = touched_within(high, edge, 2, above=True)
    np.testing.assert_array_equal(got, [0, 1, 1, 0, np.nan, np.nan])
    np.testing.assert_array_equal(touched_within(-high, -edge, 2, above=False), got)


def test_outcomes_are_unknown_while_the_horizon_lasts() -> None:
    flat = np.ones(3)
    assert np.isnan(touched_within(flat, flat, 3, above=True)).all()
    assert np.isnan(touched_within(flat, flat, 7, above=True)).all()
    assert touched_within(flat, flat, 1, above=True).tolist()[:2] == [1, 1]
    with pytest.raises(ConfigError, match=r"^horizon must be at least 1, received 0$"):
        touched_within(flat, flat, 0, above=True)


# --- reliability -----------------------------------------------------------------------------------------


def test_a_table_by_hand() -> None:
    stated = np.array([0.05, 0.15, 0.12, 1.0, 0.95, np.nan, 0.5])
    came_true = np.array([0.0, 1.0, 0.0, 1.0, 1.0, 1.0, np.nan])
    table = reliability_table(stated, came_true, one_day(7))
    assert table.rows.tolist() == [1, 2, 0, 0, 0, 0, 0, 0, 0, 2]
    np.testing.assert_allclose(table.stated, [0.05, 0.135, *[np.nan] * 7, 0.975])
    np.testing.assert_allclose([share.value for share in table.came_true], [0, 0.5, *[np.nan] * 7, 1])
    want = (1 * 0.05 + 2 * 0.365 + 2 * 0.025) / 5
    assert calibration_error(stated, came_true, one_day(7)).value == pytest.approx(want)


def test_rain_forecasts_by_hand() -> None:
    """Three rainy days of four; 0.9, 0.6, 0.8 and 0.3 stated: Brier 0.075, of the base rate 0.1875."""
    stated, rain = np.array([0.9, 0.6, 0.8, 0.3]), np.array([1.0, 1.0, 1.0, 0.0])
    assert brier_skill(stated, rain, one_day(4)).value == pytest.approx(1 - 0.075 / 0.1875)


def test_perfect_wrong_and_ignorant_forecasts() -> None:
    rain = np.array([1.0, 0.0, 0.0, 1.0, 0.0])
    assert brier_skill(rain, rain, one_day(5)).value == 1
    assert brier_skill(1 - rain, rain, one_day(5)).value == pytest.approx(1 - 1 / 0.24)
    assert brier_skill(np.full(5, 0.4), rain, one_day(5)).value == pytest.approx(0)
    assert calibration_error(rain, rain, one_day(5)).value == 0
    assert calibration_error(np.full(5, 0.4), rain, one_day(5)).value == pytest.approx(0)
    assert calibration_error(1 - rain, rain, one_day(5)).value == 1


def test_skill_over_another_forecast_is_the_share_of_its_error_that_is_gone() -> None:
    stated, rain = np.array([0.9, 0.6, 0.8, 0.3]), np.array([1.0, 1.0, 1.0, 0.0])
    other = np.array([0.5, 0.5, 0.5, np.nan])  # where it states nothing, nothing is compared
    got = brier_skill(stated, rain, one_day(4), reference=other).value
    assert got == pytest.approx(1 - (0.01 + 0.16 + 0.04) / 0.75)
    assert brier_skill(stated, rain, one_day(4), reference=stated).value == 0
    assert brier_skill(stated, rain, one_day(4), reference=np.full(4, 0.75)).value == pytest.approx(
        brier_skill(stated, rain, one_day(4)).value
    )
    assert np.isnan(brier_skill(stated, rain, one_day(4), reference=rain).value)


def test_skill_is_undefined_where_nothing_or_all_came_true() -> None:
    for came_true in (np.zeros(4), np.ones(4), np.zeros(0)):
        got = brier_skill(np.full(came_true.size, 0.5), came_true, one_day(came_true.size))
        assert np.isnan([got.value, got.low, got.high]).all()


def test_stated_values_must_be_probabilities() -> None:
    with pytest.raises(ConfigError, match=r"^stated must be between 0 and 1, received 1.5$"):
        reliability_table(np.array([0.1, 1.5]), np.zeros(2), one_day(2))
    with pytest.raises(ConfigError, match=r"^stated must be between 0 and 1, received -0.5$"):
        reliability_table(np.array([0.1, -0.5]), np.zeros(2), one_day(2))
    with pytest.raises(ConfigError, match=r"^came_true must be of shape \(2,\), received \(3,\)$"):
        reliability_table(np.zeros(2), np.zeros(3), one_day(2))


def test_the_skill_of_a_true_forecast_is_its_share_of_variance() -> None:
    """Stated values spread evenly, and true: their variance of 1/12 is a third of the base rate's 1/4."""
    rng = np.random.default_rng(2)
    stated = norm.cdf(rng.normal(size=200_000))
    came_true = (rng.random(200_000) < stated).astype(np.float64)
    day = np.arange(200_000) // 500
    skill, error = brier_skill(stated, came_true, day), calibration_error(stated, came_true, day)
    assert skill.value == pytest.approx(1 / 3, abs=0.005)
    assert error.value < 0.004
    table = reliability_table(stated, came_true, day, 4)
    shares = [share.value for share in table.came_true]
    np.testing.assert_allclose(table.stated, [0.125, 0.375, 0.625, 0.875], atol=0.002)
    np.testing.assert_allclose(shares, table.stated, atol=0.01)
    assert all(share.high - share.low < 0.03 for share in table.came_true)
    np.testing.assert_allclose(table.rows, 50_000, rtol=0.02)


def test_stating_too_much_is_an_error_of_the_excess() -> None:
    rng = np.random.default_rng(3)
    true = rng.uniform(0.1, 0.8, 100_000)
    came_true = (rng.random(100_000) < true).astype(np.float64)
    got = calibration_error(true + 0.05, came_true, np.arange(100_000) // 1000)
    assert got.value == pytest.approx(0.05, abs=0.004)


# --- intervals -------------------------------------------------------------------------------------------


def test_intervals_are_as_wide_as_days_are_alike() -> None:
    """A hundred copies of a day's forecasts say no more than one of them."""
    rng = np.random.default_rng(4)
    stated = rng.random(60)
    came_true = (rng.random(60) < stated).astype(np.float64)
    day = np.arange(60)
    once = brier_skill(stated, came_true, day)
    often = brier_skill(np.repeat(stated, 100), np.repeat(came_true, 100), np.repeat(day, 100))
    assert often.low == pytest.approx(once.low)
    assert often.high == pytest.approx(once.high)
    single = brier_skill(np.repeat(stated, 100), np.repeat(came_true, 100), np.arange(6000))
    assert single.high - single.low < 0.2 * (often.high - often.low)
    assert once.low < once.value < once.high


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(200):
        stated = rng.random(900)
        came_true = (rng.random(900) < stated).astype(np.float64)
        got = brier_skill(stated, came_true, np.arange(900) // 15)
        inside += got.low <= 1 / 3 <= got.high
    assert 0.88 <= inside / 200 <= 0.99


def test_too_few_days_give_no_interval_and_order_plays_no_part() -> None:
    rng = np.random.default_rng(6)
    stated = rng.random(140)
    came_true = (rng.random(140) < stated).astype(np.float64)
    few = calibration_error(stated, came_true, np.arange(140) // 20)
    assert np.isfinite(few.value)
    assert np.isnan([few.low, few.high]).all()
    day = np.arange(140) // 10
    mixed = rng.permutation(140)
    for score in (calibration_error, brier_skill):
        got, want = score(stated[mixed], came_true[mixed], day[mixed]), score(stated, came_true, day)
        np.testing.assert_allclose(
            [got.value, got.low, got.high], [want.value, want.low, want.high], rtol=1e-12
        )
