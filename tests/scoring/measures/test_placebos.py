"""Maps and series moved away from their time."""

import math

import numpy as np
import pytest

from liqfeature import ConfigError
from liqfeature.scoring.measures.placebos import (
    map_offsets,
    mirrored,
    placebo_p,
    placebo_p_of_series,
    series_offsets,
)
from liqfeature.scoring.measures.placement import over_distance
from liqfeature.scoring.measures.rank_correlation import rank_correlation
from liqfeature.types import FloatArray


def test_a_map_is_shifted_by_three_to_thirty_days_and_never_close_to_its_place() -> None:
    assert map_offsets(24 * 365, 24).tolist() == list(range(72, 721))
    assert map_offsets(24 * 10, 24).tolist() == list(range(72, 169))  # 7 days on are 3 days back
    assert map_offsets(12, 2).tolist() == [6]
    assert map_offsets(11, 2).size == 0


def test_a_series_is_shifted_by_whole_days_and_never_close_to_its_place() -> None:
    assert series_offsets(24 * 7, 24).tolist() == [72, 96]
    assert series_offsets(24 * 365, 24).size == 360
    assert series_offsets(24 * 5, 24).size == 0
    with pytest.raises(ConfigError, match="n must be whole days of 24, received 30"):
        series_offsets(30, 24)


def test_a_mirrored_map_has_its_sides_swapped() -> None:
    window = np.random.default_rng(0).random((5, 2, 4))
    np.testing.assert_array_equal(mirrored(window)[:, 0], window[:, 1])
    np.testing.assert_array_equal(mirrored(mirrored(window)), window)


def test_a_span_too_short_for_any_shift_has_no_placebo() -> None:
    assert math.isnan(placebo_p(lambda _: 1.0, np.ones((11, 2, 3)), 2))


def first_number(window: FloatArray) -> float:
    return float(np.ravel(window)[0])


def test_the_chance_counts_the_real_one_among_the_placebos() -> None:
    """Shifted by 3 to 7 of 10 origins, 7 to 3 stand first: three of five are at least 5."""
    window = np.arange(10.0)[:, None, None] * np.ones((1, 2, 1))
    window[0] = 5.0
    assert placebo_p(first_number, window, 1) == (1 + 3) / (1 + 5)
    assert placebo_p(lambda w: -first_number(w), window, 1) == (1 + 3) / (1 + 5)
    window[0] = 7.5
    assert placebo_p(first_number, window, 1) == 1 / 6
    assert placebo_p_of_series(first_number, window[:, 0, 0], 1) == 1 / 6


def test_placebos_are_drawn_without_repeating_one() -> None:
    window = np.arange(200.0)[:, None, None] * np.ones((1, 2, 1))
    seen: list[float] = []

    def score(w: FloatArray) -> float:
        seen.append(first_number(w))
        return seen[-1]

    placebo_p(score, window, 4, draws=50)
    assert len(seen) == len(set(seen)) == 51
    again, seen[:] = seen[:], []
    placebo_p(score, window, 4, draws=50)
    assert seen == again
    seen.clear()
    placebo_p(score, window, 4, draws=50, seed=2)
    assert seen != again
    seen.clear()
    placebo_p(score, window, 4)
    assert len(seen) == 1 + map_offsets(200, 4).size


def test_scores_that_are_nan_do_not_count() -> None:
    window = np.arange(10.0)[:, None, None] * np.ones((1, 2, 1))
    window[0], window[6] = 4.0, np.nan
    assert placebo_p(first_number, window, 1) == (1 + 3) / (1 + 4)
    window[0] = np.nan
    assert math.isnan(placebo_p(first_number, window, 1))


def test_a_map_that_knows_nothing_has_any_chance_alike() -> None:
    rng = np.random.default_rng(0)
    target = rng.normal(size=60)
    chances = np.array(
        [placebo_p(lambda w: float(w[:, 0, 0] @ target), rng.normal(size=(60, 2, 1)), 1) for _ in range(600)]
    )
    for level in (0.1, 0.5, 0.9):
        assert (chances <= level).mean() == pytest.approx(level, abs=0.06)


def test_no_placebo_beats_the_truth_and_a_map_that_never_changes_is_its_own_placebo() -> None:
    rng = np.random.default_rng(3)
    forced = rng.gamma(0.3, size=(160, 2, 30))
    distance = np.broadcast_to(np.exp(-np.arange(30) / 20), forced.shape).copy()
    score = over_distance(distance, forced, rng.integers(15, 31, (160, 2))).score
    n_placebos = map_offsets(160, 4).size
    assert placebo_p(score, forced, 4) == 1 / (1 + n_placebos)
    assert placebo_p(score, distance[:1].repeat(160, axis=0), 4) == 1
    assert score(mirrored(forced)) < 0.2 * score(forced)


def test_time_of_day_alone_is_no_merit_of_a_series() -> None:
    rng = np.random.default_rng(4)
    clock = np.tile(2 + np.sin(np.arange(24) / 4), 60)
    swept = clock * rng.gamma(2.0, size=clock.size)
    day = np.arange(clock.size) // 24

    def score(series: FloatArray) -> float:
        return rank_correlation(series, swept, day).value

    assert score(clock) > 0.2
    assert placebo_p_of_series(score, clock, 24) == 1
    assert placebo_p_of_series(score, swept * rng.gamma(5.0, size=clock.size), 24) == 1 / 56
