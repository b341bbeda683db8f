"""Funding that is about to fall due, and the size of a trade: worked examples and Freqtrade's own formula."""

import math
from datetime import UTC, datetime

import pandas as pd
import pytest

from liqfeature.funding import funding_is_adverse, hours_to_funding, last_funding
from liqfeature.sizing import NARROWEST, cautious, stop_ratio


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


@pytest.mark.parametrize("paid", [None, pd.DataFrame({"date": [], "funding_rate": []})])
def test_without_payments_nothing_is_known(paid):
    dates = pd.date_range("2026-01-20", periods=3, freq="5min", tz="UTC")
    assert last_funding(pd.DataFrame({"date": dates}), paid).isna().all()


@pytest.mark.parametrize(
    ("cascade", "expected"), [(0.0, 500.0), (0.25, 375.0), (1.0, 0.0), (math.nan, math.nan)]
)
def test_a_stake_shrinks_with_the_probability_of_a_cascade(cascade, expected):
    assert cautious(500.0, cascade) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("is_short", [False, True], ids=["long", "short"])
@pytest.mark.parametrize("leverage", [1.0, 5.0])
def test_the_distance_to_a_stop_is_freqtrades_and_never_0(is_short, leverage):
    strategy = pytest.importorskip("freqtrade.strategy")
    for stop in (95.0, 99.9, 100.0, 100.1, 105.0):
        expected = strategy.stoploss_from_absolute(stop, 100.0, is_short=is_short, leverage=leverage)
        found = stop_ratio(stop, 100.0, is_short=is_short, leverage=leverage)
        assert found == pytest.approx(expected or NARROWEST)
        assert found > 0
