"""Stops beyond clusters beside twins: a worked example, a null, a planted truth, and mirror images."""

import numpy as np
import pandas as pd
import pytest

from builders.frames import random_candles
from studies.stops import stop_trial

HORIZON = 12


def trial(candles, below, above, unit=None, **options):
    sides = {"liq_far_below": below, "liq_far_above": above}
    features = pd.DataFrame(sides, index=candles.index)
    unit = pd.Series(0.1, index=candles.index) if unit is None else unit
    options = {"horizon": HORIZON, "buffer": 0.0, "max_distance": 0.5} | options
    return stop_trial(candles, features, unit, **options)


def steady(n, low, high):
    return pd.DataFrame({"close": np.full(n, 100.0), "low": low, "high": high}).astype(float)


def test_an_example_doable_in_the_head():
    """Lows of 98 in every tenth candle: stops at 97.9 stand, those at 98.1 are hit; shuffled ones get either.

    Ranges of 0.1 and 0.3 in turn, the mean distance 2: ten of them lie 1 or 3 away, and the nearer is hit.
    """
    n = 4800
    candles = steady(n, np.where(np.arange(n) % 10 == 9, 98.0, 99.5), 100.0)
    odd = np.arange(n) % 2 == 1
    below, unit = np.where(odd, 97.9, 98.1), pd.Series(np.where(np.arange(n) % 4 < 2, 0.1, 0.3))
    found = trial(candles, below, np.nan, unit)
    assert found.rows == n - HORIZON
    assert found.distance == pytest.approx(0.02)
    for share in (found.hit, found.shuffled_hit, found.range_hit):
        assert share.value == pytest.approx(0.5)
    assert found.over_range.value == pytest.approx(1.0)
    constant = trial(candles, below, np.nan, buffer=1.1)  # 97.79 and 97.99
    assert constant.hit.value == 0
    assert constant.distance == pytest.approx(0.0211)
    farther = trial(candles, np.where(odd, 97.9, 99.0), np.nan)  # 1.55 on average: by range all are hit
    assert (farther.hit.value, farther.range_hit.value) == (pytest.approx(0.5), 1.0)
    assert farther.over_range.value == pytest.approx(0.5)


def test_stops_that_know_nothing_are_hit_as_often_as_others():
    candles = random_candles(6000, seed=31, jumps=0.0)
    close = candles["close"]
    unit = 0.004 * close
    for spread, name in (((0.5, 4), "over_shuffled"), ((1.9, 2.1), "over_range")):
        away = np.random.default_rng(32).uniform(*spread, (2, len(close))) * unit.to_numpy()
        found = trial(candles, close - away[0], close + away[1], unit)
        assert found.rows == 2 * (len(close) - HORIZON)
        assert 0.1 < found.hit.value < 0.9
        ratio = getattr(found, name)
        assert ratio.low < 1 < ratio.high
        assert ratio.high - ratio.low < 0.1


def test_stops_where_price_always_turns_before_are_never_hit():
    """The cluster's far edge lies just beyond the worst price of the horizon: nobody could know it."""
    candles = random_candles(3000, seed=33, jumps=0.0)
    worst = candles["low"][::-1].rolling(HORIZON).min()[::-1].shift(-1)
    found = trial(candles, np.minimum(worst, candles["close"]) * 0.9999, np.nan, 0.003 * candles["close"])
    assert found.hit.value == found.over_shuffled.high == found.over_range.high == 0
    assert min(found.shuffled_hit.value, found.range_hit.value) > 0.2


def test_shorts_are_the_mirror_image_of_longs():
    candles = random_candles(2000, seed=34)
    close, unit = candles["close"], 0.003 * candles["close"]
    away = np.random.default_rng(35).uniform(0.002, 0.02, len(close))
    turned = pd.DataFrame({"close": 1 / close, "high": 1 / candles["low"], "low": 1 / candles["high"]})
    longs = trial(candles, close * (1 - away), np.nan, unit, max_distance=0.9)
    shorts = trial(turned, np.nan, (1 + away) / close, unit / close**2, max_distance=0.9)
    assert longs.rows == shorts.rows == 2000 - HORIZON
    assert longs.distance == pytest.approx(shorts.distance)
    for name in ("hit", "range_hit", "shuffled_hit"):  # 1 / (1 - x) is a little more than 1 + x
        assert getattr(longs, name).value == pytest.approx(getattr(shorts, name).value, abs=0.01)


@pytest.mark.parametrize("far", [np.nan, 100.0, 101.0, 40.0])
def test_where_there_is_no_acceptable_stop_there_is_no_row(far):
    found = trial(steady(50, 99.0, 101.0), np.full(50, far), np.nan)
    assert found.rows == 0
    assert np.isnan(
        [found.distance, found.hit.value, found.over_shuffled.value, found.over_range.value]
    ).all()


def test_stops_of_other_days_are_not_drawn():
    """Two calm stretches with near stops, two wild ones with far stops: the second calm one alone is hit.

    Near stops would be hit in wild stretches, so that drawing from all would find more.
    """
    n = 41 * 4 * HORIZON
    calm = np.arange(n) // HORIZON % 4 < 2
    found = trial(steady(n, np.where(calm, 99.6, 98.1), 100.0), np.where(calm, 99.5, 98.0), np.nan)
    assert found.hit.value == pytest.approx(0.25, abs=0.01)
    assert found.shuffled_hit.value == pytest.approx(found.hit.value)
