"""A row of open interest is stamped when it was taken, or a period before: the same market either way."""

import re
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.frames import CANDLE, SEEDED, random_candles, random_open_interest, small_config
from liqfeature import ConfigError, HeatmapConfig, liquidation_features
from liqfeature.estimate.flow import FlowRule
from liqfeature.market.market import JoinRule, Market
from liqfeature.market.stamps import LEAST_ROWS

LOOKBACK = 96
RULE = JoinRule(lookback=LOOKBACK)
JOINED = ("open_interest", "staleness", "late_first", "late_stop")


def market_of(candles, rows, rule=RULE):
    return Market.of(candles, rule, open_interest=rows)


def opening(rows, every=1):
    """The same rows, stamped with the opening of their period."""
    return rows.assign(date=rows["date"] - timedelta(milliseconds=every * CANDLE))


def assert_equal_from(first, got, want):
    for name in JOINED:
        np.testing.assert_array_equal(getattr(got, name)[first:], getattr(want, name)[first:], err_msg=name)


# Shown by value over amount.


@SEEDED
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 3]), st.booleans())
def test_the_same_market_stamped_either_way_is_joined_alike(seed, every, gappy):
    candles = random_candles(400, seed, gaps=0.01 * gappy)
    rows = random_open_interest(candles, seed, every=every, holes=0.2 * gappy, lead=0)
    want, got = market_of(candles, rows), market_of(candles, opening(rows, every))
    if gappy:  # a row after two holes in a row seems to stand for a longer period
        assert np.mean(got.open_interest[LOOKBACK:] == want.open_interest[LOOKBACK:]) > 0.8
    else:
        assert_equal_from(4 * every, got, want)


def test_candles_coarser_than_the_rows_tell_it_too():
    fine = random_candles(12 * 400, 1)
    rows = random_open_interest(fine, 2, lead=0)
    hour = fine.groupby(fine["date"].dt.floor("1h"))
    hourly = hour.agg({"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"})
    candles = hourly.reset_index()
    assert_equal_from(4, market_of(candles, opening(rows)), market_of(candles, rows))


def test_columns_are_the_same_either_way():
    config = small_config(lookback=24)
    candles = random_candles(400, 7)
    rows = random_open_interest(candles, 7, lead=0)
    got, want = (liquidation_features(candles, config, open_interest=r) for r in (opening(rows), rows))
    assert want["liq_total_above"].notna().sum() > 200
    pd.testing.assert_frame_equal(got[config.warmup :], want[config.warmup :])


@pytest.mark.parametrize("stamped", [opening, lambda rows: rows], ids=["opening", "taken"])
def test_a_rise_belongs_to_its_own_candle(stamped):
    """Open interest rises by a third within candle 250, and is usable with the candle after it."""
    candles = random_candles(300, 1)
    amount = np.where(candles.index > 250, 400.0, 300.0)  # when the candle opens
    before = candles["close"].shift(fill_value=candles["open"][0])
    rows = pd.DataFrame(
        {"date": candles["date"], "open_interest_amount": amount, "open_interest_value": amount * before}
    )
    got = market_of(candles, stamped(rows))
    assert got.open_interest[249:253].tolist() == [300.0, 300.0, 400.0, 400.0]
    assert (got.late_first[251], got.late_stop[251]) == (250, 251)
    assert got.staleness[251] == 0


def test_a_day_decides_for_itself_once_it_has_rows_enough():
    """Binance changed the meaning at midnight: an hour later at the latest, rows are joined rightly again."""
    candles = random_candles(1000, 3, start="2026-06-23")
    rows = random_open_interest(candles, 3, lead=0)
    midnight = pd.Timestamp("2026-06-25", tz="UTC")
    changed = pd.concat([rows[rows["date"] <= midnight], opening(rows)[opening(rows)["date"] > midnight]])
    want, got = market_of(candles, rows), market_of(candles, changed.reset_index(drop=True))
    first = int(np.argmax(candles["date"] >= midnight))
    same = got.open_interest == want.open_interest
    assert same[3:first].all()
    assert same[first + LEAST_ROWS + 2 :].all()
    assert not same[first + 2 : first + LEAST_ROWS - 1].any()
    by_date = JoinRule(lookback=LOOKBACK, opening_since=midnight.timestamp() * 1000 + 1)
    same = market_of(candles, changed.reset_index(drop=True), by_date).open_interest == want.open_interest
    assert same[first + 2 :].mean() > 0.99


# Said by the configuration.


def silent(rows):
    return rows.drop(columns="open_interest_value")


def test_where_nothing_shows_it_the_date_decides():
    candles = random_candles(400, 5)
    rows = random_open_interest(candles, 5, lead=0)
    want = market_of(candles, silent(rows))
    since = JoinRule(lookback=LOOKBACK, opening_since=0.0)
    assert_equal_from(4, market_of(candles, silent(opening(rows)), since), want)
    assert not np.array_equal(
        market_of(candles, silent(opening(rows))).open_interest[4:], want.open_interest[4:]
    )
    later = JoinRule(lookback=LOOKBACK, opening_since=candles["date"][200].timestamp() * 1000)
    half = pd.concat([rows[:200], opening(rows)[201:]], ignore_index=True)
    got = market_of(candles, silent(half), later)
    same = got.open_interest == want.open_interest
    assert same[3:199].all()
    assert same[204:].all()


def test_prices_overrule_the_date():
    candles = random_candles(400, 5)
    rows = random_open_interest(candles, 5, lead=0)
    since = JoinRule(lookback=LOOKBACK, opening_since=0.0)
    assert_equal_from(4, market_of(candles, rows, since), market_of(candles, rows))


def test_a_market_that_does_not_move_leaves_it_to_the_date():
    candles = random_candles(200, 1).assign(open=100.0, high=100.0, low=100.0, close=100.0)
    rows = random_open_interest(candles, 5, lead=0)
    got = market_of(candles, opening(rows))
    want = market_of(candles, silent(opening(rows)))
    assert_equal_from(0, got, want)
    since = JoinRule(lookback=LOOKBACK, opening_since=0.0)
    assert_equal_from(4, market_of(candles, opening(rows), since), market_of(candles, rows))


def test_noise_of_a_mark_price_shows_nothing():
    candles = random_candles(400, 2, volatility=0.0005)
    rows = random_open_interest(candles, 2, lead=0)
    rng = np.random.default_rng(1)
    noisy = rows["open_interest_value"] * np.exp(rng.normal(0, 0.01, len(rows)))
    got = market_of(candles, rows.assign(open_interest_value=noisy))
    assert_equal_from(0, got, market_of(candles, silent(rows)))


def test_binance_changed_it_on_the_25th_of_june_2026():
    day = pd.Timestamp("2026-06-25", tz="UTC").timestamp() * 1000
    assert HeatmapConfig.for_pair("BTC/USDT:USDT").join_rule.opening_since == day
    assert HeatmapConfig.for_exchange("bybit").join_rule.opening_since == np.inf
    assert HeatmapConfig().join_rule.opening_since == np.inf


@pytest.mark.parametrize("since", ["25.06.2026", "2026-06-25T00:00", "20260625", "soon"])
def test_a_date_that_is_none_is_refused(since):
    rule = "open_interest_opening_since must be a date or empty, received "
    with pytest.raises(ConfigError, match=f"^{rule}'{since}'$"):
        FlowRule(open_interest_opening_since=since)


@pytest.mark.parametrize("size", [-1.0, np.nan, np.inf, 5e-324, 1e300])
def test_a_contract_size_that_is_none_is_refused(size):
    rule = re.escape(f"contract_size must be 0 or between 1e-15 and 1e+15, received {size}")
    with pytest.raises(ConfigError, match=f"^{rule}$"):
        FlowRule(contract_size=size)
