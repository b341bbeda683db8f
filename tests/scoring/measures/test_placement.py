"""Where along price: what is scored, and the gain over a map of distance alone."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from builders.places import DAY, N, W, close, market, numbers
from liqfeature import ConfigError, DataError
from liqfeature.scoring.measures.bootstrap import ratio_of_sums
from liqfeature.scoring.measures.placement import gain, lift, over_distance
from liqfeature.scoring.measures.swept_bins import LEAST_REACH, swept_bins
from liqfeature.sides import LONG, SHORT
from liqfeature.types import FloatArray, IntArray

TRAINED = 42  # 0.35 * 120


def joined(values: list[float], reach: int) -> list[float]:
    """Touched bins in groups of six, the last group cut at what was touched."""
    return [sum(values[i : min(i + 6, reach)]) for i in range(0, reach, 6)]


def shares(values: list[float], reach: int, otherwise: list[float] | None = None) -> list[float]:
    sums = joined(values, reach)
    even = [n / reach for n in joined([1.0] * reach, reach)]
    if sum(sums) == 0:
        return even if otherwise is None else otherwise
    return [0.99 * s / sum(sums) + 0.01 * e for s, e in zip(sums, even, strict=True)]


def naive_terms(
    inputs: tuple[FloatArray, FloatArray, FloatArray, IntArray], mixing: float, origins: range
) -> list[tuple[int, int, float, float]]:
    """Origin, side, weight and bits of each row, as the formula says."""
    map_window, distance, forced, reached = inputs
    terms = []
    for o in origins:
        for s in (LONG, SHORT):
            reach = min(int(reached[o, s]), W)
            y = joined(list(forced[o, s]), reach)
            if reach < LEAST_REACH or sum(y) <= 0:
                continue
            base = shares(list(distance[o, s]), reach)
            z = shares(list(map_window[o, s]), reach, base)
            bits = sum(
                y[b] / sum(y) * math.log2((mixing * z[b] + (1 - mixing) * base[b]) / base[b])
                for b in range(len(y))
            )
            terms.append((o, s, math.sqrt(sum(y)), bits))
    return terms


def mean_bits(terms: list[tuple[int, int, float, float]]) -> float:
    return sum(w * bits for _, _, w, bits in terms) / sum(w for _, _, w, _ in terms)


# --- what is scored --------------------------------------------------------------------------------------


def test_a_side_is_scored_if_reached_far_enough_and_something_was_closed_there() -> None:
    forced, reached = np.zeros((4, 2, W)), np.full((4, 2), 18)
    forced[0, LONG, 17] = 1.0  # the last touched bin
    forced[1, LONG, 18] = 1.0  # the first untouched one
    forced[2, SHORT, 3], reached[2, SHORT] = 1.0, 17
    forced[3, SHORT, 3], reached[3, SHORT] = 4.0, 99
    swept = swept_bins(forced, reached)
    assert list(zip(swept.origin, swept.side, swept.weight, strict=True)) == [(0, LONG, 1.0), (3, SHORT, 2.0)]
    assert swept.width().tolist() == [[6, 6, 6, 0, 0, 0, 0, 0], [6, 6, 6, 6, 6, 6, 6, 3]]
    assert swept.share[0].tolist() == [0, 0, 1, 0, 0, 0, 0, 0]


def test_the_last_coarse_bin_holds_its_touched_part_alone() -> None:
    swept = swept_bins(np.ones((1, 2, 20)), np.array([[20, 0]]), coarse=8)
    window = np.arange(1.0, 41).reshape(1, 2, 20)
    assert swept.sums(window).tolist() == [[36, 100, 74]]
    swept = swept_bins(np.ones((1, 2, 20)), np.array([[0, 19]]), coarse=8)
    assert swept.sums(window).tolist() == [[196, 260, 114]]


# --- gain ------------------------------------------------------------------------------------------------


def test_gain_by_hand() -> None:
    """Two coarse bins, everything closed in the one that the map gives three quarters."""
    map_window, distance, forced = np.zeros((20, 2, 12)), np.ones((20, 2, 12)), np.zeros((20, 2, 12))
    map_window[:, :, 2], map_window[:, :, 8], forced[:, :, 5] = 3.0, 1.0, 7.0
    scored = gain(map_window, distance, forced, np.full((20, 2), 12), np.arange(20), least_reach=12)
    assert scored.mixing == pytest.approx(1.0)
    assert numbers(scored.both) == pytest.approx([math.log2(0.7475 / 0.5)] * 3)


@pytest.mark.parametrize("seed", [0, 1])
def test_gain_is_the_formula_in_plain_python(seed: int) -> None:
    inputs = market(seed)
    inputs[0][60:70] = 0.0  # a map that holds nothing there
    scored = gain(*inputs, DAY)
    assert 0.1 < scored.mixing < 1
    terms = naive_terms(inputs, scored.mixing, range(TRAINED, N))
    assert scored.both.value == pytest.approx(mean_bits(terms))
    assert scored.long.value == pytest.approx(mean_bits([t for t in terms if t[1] == LONG]))
    assert scored.short.value == pytest.approx(mean_bits([t for t in terms if t[1] == SHORT]))
    origin, _, weight, bits = np.array(terms).T
    by_day = ratio_of_sums(weight * bits, weight, DAY[origin.astype(int)])
    assert scored.both.low < scored.both.value < scored.both.high
    assert numbers(scored.both) == close(by_day)


def test_the_weight_of_a_map_is_the_best_on_the_earliest_origins() -> None:
    inputs = market(3)

    def loss(mixing: float) -> float:
        return -mean_bits(naive_terms(inputs, mixing, range(TRAINED)))

    best = minimize_scalar(loss, bounds=(0, 1), method="bounded", options={"xatol": 1e-7})
    assert gain(*inputs, DAY).mixing == pytest.approx(best.x, abs=1e-4)


def test_a_map_that_misleads_gets_no_weight() -> None:
    _, distance, forced, reached = market()
    map_window = np.zeros_like(forced)
    least = np.argmin(forced[:, :, :18].reshape(N, 2, 3, 6).sum(axis=3), axis=2)
    np.put_along_axis(map_window, 6 * least[:, :, None], 1.0, axis=2)
    scored = gain(map_window, distance, forced, reached, DAY)
    assert scored.mixing == 0
    assert numbers(scored.both) == [0, 0, 0]


def test_the_weight_sees_none_of_the_scored_origins() -> None:
    inputs, other = market(0), market(9)
    mixing = gain(*inputs, DAY).mixing
    for i in range(4):
        changed = [v.copy() for v in inputs]
        changed[i][TRAINED:] = other[i][TRAINED:]
        assert gain(*changed, DAY).mixing == mixing
    for i in range(3):
        changed = [v.copy() for v in inputs]
        changed[i][TRAINED - 1, :, :18] = 0.01 + other[i][TRAINED - 1, :, :18]
        changed[3][TRAINED - 1] = W
        assert gain(*changed, DAY).mixing != mixing


def test_the_score_sees_none_of_the_origins_of_training_except_through_the_weight() -> None:
    map_window, distance, forced, reached = market()
    scored = gain(map_window, distance, forced, reached, DAY)
    larger = forced.copy()
    larger[:TRAINED] *= 1000.0  # all weights of training alike: the same best mixing
    assert numbers(gain(map_window, distance, larger, reached, DAY).both) == close(scored.both)


def test_the_order_of_the_scored_origins_does_not_matter() -> None:
    inputs = market()
    order = np.r_[np.arange(TRAINED), np.random.default_rng(0).permutation(np.arange(TRAINED, N))]
    mixed = gain(*(v[order] for v in inputs), DAY[order])
    assert numbers(mixed.both) == close(gain(*inputs, DAY).both)


def test_a_map_of_distance_gains_exactly_nothing() -> None:
    _, distance, forced, reached = market()
    for nothing_new in (distance, 4 * distance, np.zeros_like(distance)):
        scored = gain(nothing_new, distance, forced, reached, DAY)
        for side in (scored.both, scored.long, scored.short):
            assert numbers(side) == [0, 0, 0]


def test_the_unit_of_a_map_does_not_matter() -> None:
    map_window, distance, forced, reached = market()
    scored = gain(map_window, distance, forced, reached, DAY)
    unit = np.random.default_rng(0).uniform(0.1, 50, (N, 2, 1))
    assert numbers(gain(unit * map_window, distance, forced, reached, DAY).both) == close(scored.both)
    assert numbers(gain(map_window, distance / unit, forced, reached, DAY).both) == close(scored.both)
    assert numbers(gain(map_window, distance, 7.0 * forced, reached, DAY).both) == close(scored.both)


def test_untouched_bins_have_no_influence() -> None:
    inputs = market()
    untouched = np.arange(W) >= inputs[3][:, :, None]
    rng = np.random.default_rng(1)
    for i in range(3):
        scrambled = list(inputs)
        scrambled[i] = np.where(untouched, rng.exponential(1e3, (N, 2, W)), inputs[i])
        scrambled[i][untouched & (rng.random((N, 2, W)) < 0.2)] = rng.choice([np.nan, np.inf, -1.0])
        assert gain(*scrambled, DAY) == gain(*inputs, DAY)
        assert lift(scrambled[0], *scrambled[2:], DAY) == lift(inputs[0], *inputs[2:], DAY)


def test_no_map_gains_more_than_what_was_closed_itself() -> None:
    map_window, distance, forced, reached = market()
    best = gain(forced, distance, forced, reached, DAY).both.value
    rng = np.random.default_rng(2)
    for likeness in (0.0, 0.3, 0.6, 0.9, 0.99, 1.01, 1.1, 1.5, 3.0):
        noisy = forced**likeness * rng.gamma(20.0, size=forced.shape)
        for other in (noisy, forced**likeness, map_window * noisy, (1 - likeness / 4) * forced + map_window):
            assert gain(other, distance, forced, reached, DAY).both.value < best + 1e-3


def test_a_side_gains_by_what_the_map_knows_of_that_side() -> None:
    map_window, distance, forced, reached = market()
    map_window[:, SHORT] = distance[:, SHORT]
    scored = gain(map_window, distance, forced, reached, DAY)
    assert scored.long.value > 0.1
    assert numbers(scored.short) == [0, 0, 0]
    assert 0 < scored.both.value < scored.long.value


def test_without_a_row_to_fit_or_to_score_there_is_no_gain() -> None:
    map_window, distance, forced, reached = market()
    for first, last in ((0, TRAINED), (TRAINED, N), (0, N)):
        still = reached.copy()
        still[first:last] = 0
        scored = gain(map_window, distance, forced, still, DAY)
        assert np.isnan([*numbers(scored.both), *numbers(scored.short)]).all()
        assert math.isnan(scored.mixing) == (first == 0)
        assert math.isnan(over_distance(distance, forced, still).score(map_window))


def test_a_prepared_score_is_that_of_gain() -> None:
    map_window, distance, forced, reached = market()
    prepared = over_distance(distance, forced, reached, train_share=0.5, coarse=4, least_reach=10)
    scored = gain(map_window, distance, forced, reached, DAY, train_share=0.5, coarse=4, least_reach=10)
    assert prepared.score(map_window) == pytest.approx(scored.both.value, rel=1e-12)
    assert scored.both.value != gain(map_window, distance, forced, reached, DAY).both.value


def test_broken_inputs_are_named() -> None:
    map_window, distance, forced, reached = market()
    with pytest.raises(ConfigError, match="map_window must be of shape"):
        gain(map_window[:, :, 1:], distance, forced, reached, DAY)
    with pytest.raises(ConfigError, match="distance_window must be of shape"):
        gain(map_window, distance[1:], forced, reached, DAY)
    with pytest.raises(ConfigError, match="reached must be of shape"):
        gain(map_window, distance, forced, reached[:, 0], DAY)
    with pytest.raises(ConfigError, match="train_share must be between 0 and 1"):
        gain(map_window, distance, forced, reached, DAY, train_share=1.0)
    with pytest.raises(ConfigError, match="coarse must be at least 1"):
        lift(map_window, forced, reached, DAY, coarse=0)
    for bad in (np.nan, -1e9, np.inf):
        broken = map_window.copy()
        broken[:, :, 2] = bad
        with pytest.raises(DataError, match="finite and at least 0"):
            gain(broken, distance, forced, reached, DAY)
