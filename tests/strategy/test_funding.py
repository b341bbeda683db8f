"""Funding that is about to fall due, and the size of a trade: worked examples and Freqtrade's own formula."""

import math
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from liqfeature.market.payments import funding_interval, last_funding
from liqfeature.strategy.funding import funding_is_adverse, hours_to_funding
from liqfeature.strategy.risk import NARROWEST, stop_ratio


@pytest.mark.parametrize(
    ("hour", "minute", "every", "expected"),
    [(0, 0, 8, 8.0), (7, 45, 8, 0.25), (8, 0, 8, 8.0), (15, 30, 8, 0.5), (23, 0, 8, 1.0), (5, 30, 1, 0.5)],
)
def test_funding_falls_due_at_hours_counted_from_midnight(hour, minute, every, expected):
    now = datetime(2026, 1, 20, hour, minute, tzinfo=UTC)
    assert hours_to_funding(now, every) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("rate", "is_short", "expected"),
    [
        (0.001, False, True),
        (0.001, True, False),
        (-0.001, True, True),
        (-0.001, False, False),
        (0.0004, False, False),
        (math.nan, False, False),
        (math.nan, True, False),
    ],
)
def test_longs_pay_positive_rates_and_shorts_negative_ones(rate, is_short, expected):
    assert funding_is_adverse(rate, is_short=is_short, least=0.0005) is expected


def test_the_last_payment_is_known_an_hour_after_its_stamp():
    dates = pd.date_range("2026-01-20", periods=36, freq="5min", tz="UTC")
    paid = pd.DataFrame({"date": [dates[0]], "funding_rate": [0.001]})
    found = last_funding(pd.DataFrame({"date": dates}), paid)
    assert found[:11].isna().all()  # the candle of 00:55 closes at 01:00
    assert (found[11:] == 0.001).all()


def test_the_older_name_of_the_rate_is_known():
    dates = pd.date_range("2026-01-20", periods=36, freq="5min", tz="UTC")
    paid = pd.DataFrame({"date": [dates[0]], "open": [0.001]})
    assert last_funding(pd.DataFrame({"date": dates}), paid).iloc[-1] == 0.001


def intervals(*hours):
    """Return what is known at the close of the candles of four days, with payments that many hours apart."""
    candles = pd.DataFrame({"date": pd.date_range("2026-01-20", periods=96, freq="h", tz="UTC")})
    stamps = candles["date"][0] + pd.to_timedelta(np.cumsum([0, *hours]), unit="h")
    return funding_interval(candles, pd.DataFrame({"date": stamps, "funding_rate": 1e-4}))


@pytest.mark.parametrize("every", [1, 2, 4, 8])
def test_the_interval_is_that_of_the_payments(every):
    found = intervals(*[every] * 10)
    assert found[:every].isna().all()  # the second payment is known an hour after its stamp
    assert (found[every:] == every).all()


def test_a_shorter_interval_is_known_at_once_and_a_missing_payment_is_none():
    assert intervals(8, 8, 4, 4)[[8, 15, 20, 24]].tolist() == [8, 8, 4, 4]
    assert intervals(8, 16, 8, 8)[[24, 32, 40]].tolist() == [8, 8, 8]
    assert intervals(4, 4, 8, 8, 8)[[8, 16, 24, 32]].tolist() == [4, 4, 8, 8]


def test_stamps_a_few_milliseconds_late_are_whole_hours():
    candles = pd.DataFrame({"date": pd.date_range("2026-01-20", periods=24, freq="h", tz="UTC")})
    late = pd.to_timedelta([0, 7, 3], unit="ms")
    stamps = candles["date"].iloc[[0, 8, 16]] + late
    found = funding_interval(candles, pd.DataFrame({"date": stamps, "funding_rate": 1e-4}))
    assert found.iloc[-1] == 8


@pytest.mark.parametrize("paid", [None, pd.DataFrame({"date": [], "funding_rate": []})])
def test_without_payments_nothing_is_known(paid):
    dates = pd.date_range("2026-01-20", periods=3, freq="5min", tz="UTC")
    for known in (last_funding, funding_interval):
        assert known(pd.DataFrame({"date": dates}), paid).isna().all()


@pytest.mark.parametrize("is_short", [False, True], ids=["long", "short"])
@pytest.mark.parametrize("leverage", [1.0, 5.0])
def test_the_distance_to_a_stop_is_freqtrades_and_never_0(is_short, leverage):
    strategy = pytest.importorskip("freqtrade.strategy")
    for stop in (95.0, 99.9, 100.0, 100.1, 105.0):
        expected = strategy.stoploss_from_absolute(stop, 100.0, is_short=is_short, leverage=leverage)
        found = stop_ratio(stop, 100.0, is_short=is_short, leverage=leverage)
        assert found == pytest.approx(expected or NARROWEST)
        assert found > 0


@pytest.mark.parametrize("is_short", [False, True], ids=["long", "short"])
def test_a_stop_on_a_tick_is_that_tick_from_whichever_price_one_looks(is_short):
    """Freqtrade rounds towards the market: a rounding error above the tick would be a whole one nearer."""
    exchange = pytest.importorskip("freqtrade.exchange")
    ccxt = pytest.importorskip("ccxt")
    rng, sign = np.random.default_rng(1), -1 if is_short else 1
    nearer = ccxt.ROUND_DOWN if is_short else ccxt.ROUND_UP
    for _ in range(2000):
        tick, leverage = rng.choice([0.1, 0.01, 1e-5]), rng.uniform(1, 10)
        stop = round(rng.uniform(1, 1e5) / tick) * tick
        price = stop * (1 + sign * rng.uniform(0.0005, 0.2))
        ratio = stop_ratio(stop, price, is_short=is_short, leverage=leverage)
        back = price * (1 - sign * ratio / leverage)
        found = exchange.price_to_precision(back, tick, ccxt.TICK_SIZE, rounding_mode=nearer)
        assert found == pytest.approx(stop, abs=tick / 1e3)
