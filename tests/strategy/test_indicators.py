"""What a chart reader looks at: worked examples, plain-Python twins, mirror images and causality."""

import math

import numpy as np
import pandas as pd
import pytest

from builders.frames import random_candles
from liqfeature.errors import ConfigError, DataError
from liqfeature.strategy.indicators import (
    average_true_range,
    chart_reasons,
    confluence,
    divergence,
    prior_extreme,
    round_number,
    usual_volume,
    volume_rises,
)

sides = pytest.mark.parametrize("is_short", [False, True], ids=["long", "short"])


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (65_432.0, 65_000.0),  # of 1,000
        (65_500.1, 66_000.0),
        (3_170.0, 3_150.0),  # of 50
        (142.9, 142.0),  # of 2
        (100.0, 100.0),
        (0.0637, 0.064),  # of 0.001
        (2.485, 2.48),  # of 0.02
        (math.nan, math.nan),
        (0.0, math.nan),
        (-1.0, math.nan),
        (math.inf, math.nan),
        (-math.inf, math.nan),
        (1e-120, math.nan),
    ],
)
def test_round_numbers_are_those_people_name(price, expected):
    (found,) = round_number(pd.Series([price]))
    assert found == pytest.approx(expected, nan_ok=True)


def test_a_round_number_scales_with_the_unit_of_account():
    prices = pd.Series(np.random.default_rng(1).uniform(10, 100, 200))
    pd.testing.assert_series_equal(round_number(1000 * prices), 1000 * round_number(prices))


@pytest.mark.parametrize("decade", range(-12, 9))
@pytest.mark.parametrize("lead", [1.0, 1.37, 2.5, 4.2, 5.0, 9.7])
def test_round_numbers_are_alike_at_every_scale(decade, lead):
    """At 1 they lie 0.02 apart, at 2.5 0.05, at 5 0.1: wherever the point stands."""
    unit = 0.02 if lead < 2.5 else 0.05 if lead < 5 else 0.1
    price = pd.Series([(lead + 0.3 * unit) * 10.0**decade, (lead + 0.8 * unit) * 10.0**decade])
    expected = [round((lead + part * unit) / unit) * unit * 10.0**decade for part in (0.3, 0.8)]
    np.testing.assert_allclose(round_number(price), expected, rtol=1e-9)


@pytest.mark.parametrize("multiple", [1, 2, 5])
def test_a_rounding_error_does_not_choose_another_unit(multiple):
    """Three hundredths of a price are 1, 2 or 5 of a decade but for the last bit."""
    decade = 10.0 ** np.arange(-12, 9)
    price = pd.Series(multiple * decade / 0.03)
    np.testing.assert_allclose(round_number(price, 0.03) / decade, 33 * multiple, rtol=1e-9)


@pytest.mark.parametrize("step", [0.001, 0.02, 0.3])
def test_round_numbers_are_no_farther_apart_than_the_step(step):
    price = pd.Series(np.geomspace(1e-9, 1e7, 500))
    apart = (round_number(price, step) - price).abs() / price
    assert apart.max() <= step / 2 * (1 + 1e-6)
    assert apart.max() > step / 5 * 0.9  # nor needlessly near each other


@pytest.mark.parametrize("step", [0.0, 1.0, -0.1, math.nan])
def test_the_step_must_be_a_share(step):
    with pytest.raises(ConfigError, match=f"step must be between 0 and 1, received {step}"):
        round_number(pd.Series([1.0]), step=step)


def test_prices_that_are_no_numbers_are_refused():
    with pytest.raises(DataError, match="price must be a Series of numbers, received one of"):
        round_number(pd.Series(["100"]))


def test_round_numbers_of_whole_and_of_no_prices_keep_their_index():
    whole = round_number(pd.Series([65_432, 3], index=[7, 9]))
    assert whole.to_dict() == {7: 65_000.0, 9: pytest.approx(3.0)}
    assert round_number(pd.Series([], dtype=float)).empty


def test_the_average_true_range_is_wilders():
    candles, span = random_candles(60, seed=4), 14
    high, low, close = (candles[name].to_numpy() for name in ("high", "low", "close"))
    mean = high[0] - low[0]
    expected = [mean]
    for i in range(1, len(candles)):
        true = max(high[i], close[i - 1]) - min(low[i], close[i - 1])
        mean += (true - mean) / span
        expected.append(mean)
    found = average_true_range(candles, span)
    assert found[: span - 1].isna().all()
    np.testing.assert_allclose(found[span - 1 :], expected[span - 1 :])


def test_a_prior_extreme_leaves_out_its_own_candle():
    candles = pd.DataFrame({"high": [1.0, 5.0, 2.0, 9.0, 3.0], "low": [0.5, 4.0, 0.1, 8.0, 2.0]})
    highest, lowest = (prior_extreme(candles, 2, is_high=is_high) for is_high in (True, False))
    assert highest.isna().tolist() == [True, True, False, False, False]
    assert highest[2:].tolist() == [5.0, 5.0, 9.0]
    assert lowest[2:].tolist() == [0.5, 0.1, 0.1]


def test_volume_rises_where_the_last_candles_traded_more_than_those_before():
    assert volume_rises(pd.Series([1.0, 1.0, 2.0, 1.0, 1.0, 1.0]), 2).tolist() == [
        False,
        False,
        False,
        True,
        False,
        False,
    ]


def test_the_usual_volume_is_a_mean_that_does_not_know_where_candles_begin():
    volume = pd.Series(np.random.default_rng(7).lognormal(3, 2, 4000))
    whole = usual_volume(volume, 288)
    assert whole[:287].isna().all()
    np.testing.assert_allclose(whole[287:], volume.rolling(288).mean()[287:])
    for begin in (1, 50, 94, 1001):
        part = usual_volume(volume[begin:], 288)
        pd.testing.assert_series_equal(part[287:], whole[begin + 287 :], check_exact=True)


def lows(values):
    return pd.DataFrame({"high": np.array(values) + 1.0, "low": np.array(values, dtype=float)})


@pytest.mark.parametrize(
    ("low", "pulse", "found"),
    [
        ([10, 11, 9, 12], [30, 40, 35, 50], True),
        ([10, 11, 10, 12], [30, 40, 35, 50], False),  # no lower low
        ([10, 11, 9, 12], [30, 40, 30, 50], False),  # momentum follows
        ([10, 11, 9, 12], [30, 40, math.nan, 50], False),
    ],
)
def test_divergence_is_a_new_extreme_that_momentum_does_not_follow(low, pulse, found):
    candles, rsi = lows(low), pd.Series(pulse, dtype=float)
    assert bool(divergence(candles, rsi, 2, is_short=False).iloc[-1]) == found
    turned = pd.DataFrame({"high": -candles["low"], "low": -candles["high"]})
    assert bool(divergence(turned, 100 - rsi, 2, is_short=True).iloc[-1]) == found


@sides
def test_row_t_knows_candles_up_to_t_only(is_short):
    candles = random_candles(700, seed=5)

    def columns(n):
        part = candles.iloc[:n].copy()
        part["atr"] = average_true_range(part)
        part["rsi"] = 50 + 1000 * part["close"].pct_change()
        part["ema_fast"], part["ema_slow"] = part["close"], part["open"]
        part = part.assign(**chart_reasons(part))
        return part.assign(score=confluence(part, part["low"], is_short=is_short))

    whole = columns(700)
    for n in (300, 501):
        pd.testing.assert_frame_equal(columns(n), whole.iloc[:n])
    assert whole["score"].nunique() > 2


CALM = {"high": 103.0, "low": 97.0, "volume": 1.0, "atr": 1.0, "rsi": 50.0, "ema_fast": 1.0, "ema_slow": 1.0}


def score(level, *, is_short=False, **last):
    """Score of the last of many calm candles."""
    table = pd.DataFrame([CALM] * 60 + [CALM | last])
    table = table.assign(**chart_reasons(table, span=50))
    return int(confluence(table, pd.Series(level, index=table.index), is_short=is_short).iloc[-1])


@pytest.mark.parametrize(
    ("level", "last", "is_short", "points"),
    [
        (98.5, {}, False, 0),
        (103.9, {}, False, 1),  # at the prior high
        (96.1, {}, False, 1),  # at the prior low
        (100.2, {}, False, 1),  # at a round number
        (100.3, {}, False, 0),
        (math.nan, {}, False, 0),
        (98.5, {"volume": 2.0}, False, 1),
        (98.5, {"ema_fast": 1.1}, False, 1),
        (98.5, {"ema_fast": 1.1}, True, 0),
        (98.5, {"ema_fast": 0.9}, True, 1),
        (100.0, {"volume": 2.0, "ema_fast": 1.1}, False, 3),
    ],
)
def test_every_reason_is_a_point(level, last, is_short, points):
    assert score(level, is_short=is_short, **last) == points


def test_divergence_is_a_point():
    table = pd.DataFrame([CALM | {"rsi": 40.0}] * 36 + [CALM] * 24)
    table.loc[59, "low"] = 95.0
    level = pd.Series(98.5, index=table.index)
    table = table.assign(**chart_reasons(table, span=50))
    assert confluence(table, level, is_short=False).iloc[-1] == 1
