"""Where along price: lift and the earth mover's distance."""

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from builders.places import DAY, N, W, close, market, numbers
from liqfeature.scoring.measures.bootstrap import ratio_of_sums
from liqfeature.scoring.measures.placement import earth_mover, lift
from liqfeature.sides import LONG, SHORT

# --- lift ------------------------------------------------------------------------------------------------


def lift_of(map_bins: list[float], forced_bins: list[float], reach: int | None = None) -> float:
    """Lift of one side with bins that are not joined."""
    window, forced = np.zeros((1, 2, len(map_bins))), np.zeros((1, 2, len(map_bins)))
    window[0, SHORT], forced[0, SHORT] = map_bins, forced_bins
    reached = np.array([[0, len(map_bins) if reach is None else reach]])
    return lift(window, forced, reached, np.zeros(1, np.int64), coarse=1, least_reach=1).value


def test_lift_by_hand() -> None:
    rising = [float(i) for i in range(10)]
    assert lift_of(rising, [0, 0, 0, 0, 0, 0, 0, 0, 3, 1]) == pytest.approx(5)
    assert lift_of(rising, [0, 0, 0, 0, 0, 0, 0, 2, 1, 1]) == pytest.approx(2.5)
    assert lift_of(rising, [9, 9, 9, 9, 9, 9, 9, 9, 0, 0]) == 0
    assert lift_of([4, 3, 2, 1], [1, 0, 0, 0]) == pytest.approx(4)  # 0.8 of the highest bin is looked at
    assert lift_of([4, 3, 2, 1, 1, 1], [0, 1, 0, 0, 0, 0]) == pytest.approx(1)  # and 0.2 of the second
    assert lift_of([5, 5, 1, 1, 1], [1, 3, 0, 0, 0]) == pytest.approx(2.5)  # half of each
    assert lift_of([*rising, 50.0], [0] * 8 + [1, 1, 0], reach=10) == pytest.approx(5)


def test_lift_shares_ties_as_a_random_order_would_on_average() -> None:
    rng = np.random.default_rng(0)
    orders = 4000
    for _ in range(5):
        window, forced = rng.integers(0, 4, 13).astype(float), rng.exponential(size=13)
        broken, closed = (np.broadcast_to(v, (orders, 2, 13)).copy() for v in (window, forced))
        broken += rng.uniform(0, 0.5, broken.shape)
        reached, day = np.full((orders, 2), 13), np.zeros(orders, np.int64)
        average = lift(broken, closed, reached, day, coarse=1, least_reach=1).value
        assert lift_of(list(window), list(forced)) == pytest.approx(average, abs=0.05)


@pytest.mark.parametrize("level", [0.0, 0.1, 1 / 3, 7e9])
def test_a_map_without_contrast_has_a_lift_of_one(level: float) -> None:
    _, _, forced, reached = market()
    assert numbers(lift(np.full_like(forced, level), forced, reached, DAY)) == pytest.approx([1, 1, 1])


def test_lift_looks_at_what_lies_in_a_touched_width() -> None:
    """The last coarse bin holds less in all, but more in its touched third."""
    window, forced = np.ones((1, 2, 32)), np.zeros((1, 2, 32))
    window[:, :, 30:], forced[:, :, 31] = 2.0, 1.0
    score = lift(window, forced, np.array([[32, 0]]), np.zeros(1, np.int64))
    assert score.value == pytest.approx(5)


def test_lift_is_weighted_with_the_root_of_what_was_closed() -> None:
    window, forced = np.zeros((2, 2, 10)), np.zeros((2, 2, 10))
    window[:, LONG, 0], forced[0, LONG, 0], forced[1, LONG, 9] = 1.0, 9.0, 1.0
    reached = np.array([[10, 0], [10, 0]])
    hit_and_miss = lift(window, forced, reached, np.arange(2), coarse=1, least_reach=1)
    # The miss: 1 of the 2 bins looked at is any of the 9 empty ones.
    assert hit_and_miss.value == pytest.approx((3 * 5 + 1 * 5 / 9) / 4)


def test_lift_of_many_rows_is_the_mean_of_each_with_days_resampled() -> None:
    map_window, _, forced, reached = market()
    rows = [(o, s, int(min(reached[o, s], W))) for o in range(N) for s in (LONG, SHORT) if reached[o, s] >= 9]
    each = np.array([lift_of(list(map_window[o, s]), list(forced[o, s]), reach) for o, s, reach in rows])
    weight = np.sqrt([forced[o, s, :reach].sum() for o, s, reach in rows])
    by_day = ratio_of_sums(weight * each, weight, DAY[[o for o, _, _ in rows]])
    assert numbers(lift(map_window, forced, reached, DAY, coarse=1, least_reach=9)) == close(by_day)


def test_lift_knows_no_unit() -> None:
    map_window, _, forced, reached = market()
    score = lift(map_window, forced, reached, DAY)
    assert 1.2 < score.low < score.value < score.high
    assert numbers(lift(3.7 * map_window, 0.1 * forced, reached, DAY)) == close(score)
    assert score.value < lift(forced, forced, reached, DAY).value


def test_lift_without_rows_is_undefined() -> None:
    map_window, _, forced, reached = market()
    assert np.isnan(numbers(lift(map_window, forced, 0 * reached, DAY))).all()


# --- earth mover -----------------------------------------------------------------------------------------


def test_earth_mover_is_that_of_scipy() -> None:
    map_window, _, forced, _ = market()
    price = np.arange(W) * 5.0
    outside = [
        wasserstein_distance(price, price, map_window[o, s], forced[o, s]) for o in range(N) for s in (0, 1)
    ]
    moved = earth_mover(map_window, forced, 0.0005, DAY)
    assert moved.value == pytest.approx(np.mean(outside))
    assert numbers(moved) == close(ratio_of_sums(np.array(outside), np.ones(2 * N), DAY.repeat(2)))
    assert moved.low < moved.value < moved.high
    assert numbers(earth_mover(9 * forced, map_window, 0.0005, DAY)) == close(moved)


def test_a_map_three_bins_off_has_to_be_moved_by_three_bins() -> None:
    map_window = market()[0]
    map_window[:, :, -3:] = 0.0
    moved = earth_mover(np.roll(map_window, 3, axis=2), map_window, 0.0005, DAY)
    assert numbers(moved) == pytest.approx([15.0] * 3)
    assert earth_mover(map_window, map_window, 0.0005, DAY).value == 0


def test_an_empty_side_has_no_distance() -> None:
    ours, true = np.zeros((3, 2, 4)), np.zeros((3, 2, 4))
    ours[0, 0, 0], true[0, 0, 1] = 1.0, 1.0
    ours[1, 1, 0], true[1, 1, 2] = 1.0, 1.0
    ours[2, 0, 0], true[2, 1, 0] = 1.0, 1.0
    ours[2, 1, 3] = np.nan
    assert earth_mover(ours, true, 0.001, np.arange(3)).value == pytest.approx(15)
    assert np.isnan(numbers(earth_mover(0 * true, true, 0.001, np.arange(3)))).all()
