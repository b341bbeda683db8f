import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from liqfeature import ConfigError
from liqfeature.scoring.measures.alarms import (
    alarm,
    area_under_curve,
    exceeded_within,
    highest,
    surged,
    trailing_mean,
)


def one_day(n: int) -> np.ndarray:
    return np.zeros(n, dtype=np.int64)


# --- events ----------------------------------------------------------------------------------------------


def test_a_level_is_exceeded_by_what_the_coming_candles_force() -> None:
    """Two candles ahead; `forced` already holds the sum over the last two of each row."""
    forced = np.array([0.0, 3.0, 5.0, 2.0, 9.0, 9.0])
    level = np.array([4.0, 2.0, np.nan, 9.0, 0.0, 0.0])
    np.testing.assert_array_equal(exceeded_within(forced, level, 2), [1, 0, np.nan, 0, np.nan, np.nan])
    assert np.isnan(exceeded_within(forced, level, 9)).all()
    with pytest.raises(ConfigError, match=r"^horizon must be at least 1, received 0$"):
        exceeded_within(forced, level, 0)


def test_a_surge_exceeds_three_times_the_day_before_and_the_median() -> None:
    recorded = np.array([*[1.0] * 24, 3.0, 3.5, 100.0, 12.0, np.nan, 50.0])
    got = surged(recorded)
    assert np.isnan(got[:24]).all()
    # Means of the 24 hours before: 1, 26/24, 28.5/24, 127.5/24.
    # Median of 3, 3.5, 100 and 12 is 7.75: 3.5 exceeds three times its mean but not the median.
    np.testing.assert_array_equal(got[24:], [0, 0, 1, 0, np.nan, np.nan])
    assert trailing_mean(recorded)[24:28] == pytest.approx([1, 26 / 24, 28.5 / 24, 127.5 / 24])
    assert np.isnan(surged(recorded[:20])).all()


def test_an_hours_own_liquidations_are_no_part_of_its_trailing_mean() -> None:
    recorded = np.random.default_rng(1).exponential(1, 60)
    changed = recorded.copy()
    changed[40] = 1e6
    assert (trailing_mean(changed)[:41] == trailing_mean(recorded)[:41])[24:].all()
    assert trailing_mean(changed)[41] > 1e4


# --- area under the curve --------------------------------------------------------------------------------


def area_by_mann_whitney(score: np.ndarray, event: np.ndarray) -> float:
    with_event, without = score[event == 1], score[event == 0]
    return float(mannwhitneyu(with_event, without).statistic / (with_event.size * without.size))


@given(st.integers(0, 2**32 - 1), st.sampled_from([20, 100, 499]), st.sampled_from([3, 1000]))
def test_the_area_is_mann_whitneys(seed: int, n: int, values: int) -> None:
    """Ties included: three values give many."""
    rng = np.random.default_rng(seed)
    score = rng.integers(0, values, n).astype(float)
    event = (rng.random(n) < 0.3).astype(float)
    event[:2] = 0, 1
    want = area_by_mann_whitney(score, event)
    assert area_under_curve(score, event, one_day(n)).value == pytest.approx(want, abs=1e-12)


def test_many_rows_are_ranked_closely_enough() -> None:
    rng = np.random.default_rng(3)
    event = (rng.random(30_000) < 0.05).astype(float)
    score = rng.normal(event, 1)
    day = np.arange(30_000) // 288
    got = area_under_curve(score, event, day)
    assert got.value == pytest.approx(area_by_mann_whitney(score, event), abs=2e-4)
    # Two normals one sigma apart: the area is that of a normal from minus infinity to 1 / sqrt(2).
    assert got.low < 0.5 * math.erfc(-0.5) < got.high
    assert got.high - got.low < 0.05


def test_areas_of_perfect_inverse_and_blind_scores() -> None:
    event = np.array([0.0, 1.0, 1.0, 0.0, np.nan])
    assert area_under_curve(event, event, one_day(5)).value == 1
    assert area_under_curve(-event, event, one_day(5)).value == 0
    assert area_under_curve(np.ones(5), event, one_day(5)).value == 0.5
    assert math.isnan(area_under_curve(event, np.zeros(5), one_day(5)).value)
    assert math.isnan(area_under_curve(event, np.full(5, np.nan), one_day(5)).value)


def test_intervals_are_wider_where_days_are_alike() -> None:
    """The same rows, event by day or strewn: only whole days are drawn."""
    rng = np.random.default_rng(4)
    stormy = np.repeat(rng.random(40) < 0.3, 50).astype(float)
    score = rng.normal(0.5 * stormy, 1) + np.repeat(rng.normal(0, 1, 40), 50)
    day = np.repeat(np.arange(40), 50)
    strewn = rng.permutation(2000)
    clustered = area_under_curve(score, stormy, day)
    spread = area_under_curve(score[strewn], stormy[strewn], day)
    assert clustered.value == pytest.approx(spread.value, abs=1e-12)
    assert clustered.high - clustered.low > 3 * (spread.high - spread.low)


# --- alarms ----------------------------------------------------------------------------------------------


def test_an_alarm_by_hand() -> None:
    """Of ten rows the two highest raise it: one of them is an event, of three in all."""
    score = np.array([1.0, 9, 2, 8, 3, 4, 5, 0, 6, 7, np.nan])
    event = np.array([0.0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1])
    precision, recall = alarm(score, event, one_day(11), 0.2)
    assert precision.value == 0.5
    assert recall.value == pytest.approx(1 / 3)
    assert math.isnan(alarm(score, np.zeros(11), one_day(11), 0.2)[1].value)


def test_ties_at_the_edge_of_an_alarm_all_raise_it_or_none() -> None:
    assert highest(np.array([1.0, 2, 2, 3]), 0.25).tolist() == [False, False, False, True]
    assert highest(np.array([1.0, 2, 2, 3]), 0.5).tolist() == [False, True, True, True]
    assert not highest(np.ones(100), 0.05).any()
    for share in (0.0, 1.0):
        with pytest.raises(ConfigError, match="share must be above 0 and below 1"):
            alarm(np.ones(3), np.ones(3), one_day(3), share)
