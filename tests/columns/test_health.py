"""Whether rows are sound: each reason stands at the rows that have it, and is told once."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from builders.frames import random_candles, random_open_interest
from liqfeature import ConfigError, HeatmapConfig, MissingColumnError, liquidation_features
from liqfeature.columns.features import COLUMNS, columns_of, walk_for_columns
from liqfeature.columns.health import (
    BLOCKING,
    COLUMN,
    WORDS,
    HealthRule,
    Reason,
    health,
    health_of,
    is_sound,
    reasons_of,
    sound,
    unspoken,
)
from liqfeature.market.market import Market

PAIR = "BTC/USDT:USDT"
SMALL = HeatmapConfig(horizon=3, max_age=96, lookback=24)
CANDLES = random_candles(400, 5)
INTEREST = random_open_interest(CANDLES, 5)
READY = SMALL.warmup - 1


def column(open_interest=INTEREST, candles=CANDLES, config=SMALL, **changes):
    features = liquidation_features(candles, config, open_interest=open_interest)
    return health(candles, features, config, open_interest=open_interest, **changes)


def rows_with(values, reason):
    return np.flatnonzero(values.astype(int) & int(reason)).tolist()


# The column.


def test_sound_data_are_sound_after_the_warm_up():
    values = column()
    assert values.name == "liq_health"
    assert values.dtype == "float64"
    assert rows_with(values, Reason.WARM_UP) == list(range(READY))
    assert (values[READY:] == 0).all()
    assert (values[:READY] == int(Reason.WARM_UP)).all()


def test_it_is_none_of_the_estimate_s_columns():
    assert COLUMN not in COLUMNS


def test_open_interest_that_stops_is_late_after_so_many_candles_and_gone_after_max_age():
    last = 200
    stopped = INTEREST[INTEREST["date"] <= CANDLES["date"][last]]
    values = column(stopped, rule=HealthRule(quality=0.0, staleness=5))
    # the row stamped at the opening of candle `last` is used at its close: staleness 0, and one more a candle
    stale = list(range(last + 6, last + SMALL.max_age + SMALL.lookback))
    found = rows_with(values[READY:].reset_index(drop=True), Reason.STALE_OPEN_INTEREST)
    assert found[0] + READY == last + 6
    gone = rows_with(values, Reason.NO_OPEN_INTEREST)
    assert gone == list(range(gone[0], 400))
    assert stale[0] < gone[0] <= stale[-1]
    assert not set(gone) & {row + READY for row in found}
    again = pd.concat([stopped, INTEREST[INTEREST["date"] >= CANDLES["date"][260]]], ignore_index=True)
    assert (column(again, rule=HealthRule(quality=0.0))[263:] == 0).all()


@pytest.mark.parametrize("share", [0.05, 0.1, 3 / 24, 0.3])
def test_holes_that_were_filled_in_are_told_for_a_lookback(share):
    """What an exchange did not tell, Freqtrade fills in at the last close, without volume."""
    candles = CANDLES.copy()
    holes = [150, 151, 152, 200, 215, 300, *range(330, 345)]
    for price in ("open", "high", "low"):
        candles.loc[holes, price] = candles.loc[holes, "close"]
    candles.loc[holes, "volume"] = 0.0
    values = column(candles=candles, rule=HealthRule(quality=0.0, untraded=share))
    want = [
        row
        for row in range(400)
        if sum(row - SMALL.lookback < hole <= row for hole in holes) > share * SMALL.lookback
    ]
    assert rows_with(values, Reason.UNTRADED) == want
    assert 344 in want
    assert BLOCKING & Reason.UNTRADED
    with pytest.raises(ConfigError, match=r"untraded must be between 0 and 1, received 1\.5"):
        HealthRule(untraded=1.5)


def test_coarse_open_interest_is_late_only_if_the_rule_says_so():
    coarse = random_open_interest(CANDLES, 5, every=6)
    assert (column(coarse)[READY:] == 0).all()
    strict = column(coarse, rule=HealthRule(staleness=3))
    assert 0 < len(rows_with(strict[READY:], Reason.STALE_OPEN_INTEREST)) < 400 - READY


def test_open_interest_is_gone_max_age_candles_after_its_last_use_and_not_one_before():
    stopped = INTEREST[INTEREST["date"] <= CANDLES["date"][200]]
    market = Market.of(CANDLES, SMALL.join_rule, open_interest=stopped)
    last = int(np.flatnonzero(np.isfinite(market.open_interest))[-1])
    assert rows_with(column(stopped), Reason.NO_OPEN_INTEREST) == list(range(last + SMALL.max_age, 400))


def test_open_interest_that_does_not_fit_the_volume_is_none():
    """The map goes by volume then, and says so by its quality."""
    other = INTEREST["date"] >= CANDLES["date"][250]
    rows = INTEREST.assign(
        open_interest_amount=INTEREST["open_interest_amount"].mask(other, 1.0), open_interest_value=np.nan
    )
    values = column(rows, rule=HealthRule(quality=0.0))
    assert (values[READY:250] == 0).all()
    gone = 249 + SMALL.max_age
    assert rows_with(values, Reason.STALE_OPEN_INTEREST) == list(range(250, gone))
    assert rows_with(values, Reason.NO_OPEN_INTEREST) == list(range(gone, 400))


def test_health_of_a_joined_market_is_the_same():
    features = liquidation_features(CANDLES, SMALL, open_interest=INTEREST)
    market = Market.of(CANDLES, SMALL.join_rule, open_interest=INTEREST)
    pd.testing.assert_series_equal(health_of(market, features, SMALL), column())
    pd.testing.assert_frame_equal(columns_of(walk_for_columns(market, SMALL), CANDLES.index), features)


def test_an_assumed_leverage_limit_halves_the_quality_and_is_a_reason():
    assumed = replace(SMALL, limits_known=False)
    quality = [liquidation_features(CANDLES, one)["liq_quality"] for one in (SMALL, assumed)]
    np.testing.assert_array_equal(quality[1], quality[0] / 2)
    values = column(config=assumed)
    assert (values[READY:] == int(Reason.ASSUMED_LIMITS)).all()  # a quality of one half will do
    assert is_sound(pd.Series({COLUMN: values.iloc[-1]}))
    values = column(None, config=assumed, expected=False)
    assert (values[READY:] == int(Reason.ASSUMED_LIMITS | Reason.LOW_QUALITY)).all()


def test_no_open_interest_is_a_reason_only_where_it_is_expected():
    assert (column(None)[READY:] == int(Reason.NO_OPEN_INTEREST)).all()
    assert (column(INTEREST.iloc[:0])[READY:] == int(Reason.NO_OPEN_INTEREST)).all()
    assert (column(None, expected=False)[READY:] == 0).all()


def test_quality_below_the_rule_is_a_reason():
    values = column(None, expected=False, rule=HealthRule(quality=0.51))
    assert (values[READY:] == int(Reason.LOW_QUALITY)).all()
    assert (values[:READY] == int(Reason.WARM_UP)).all()
    assert (column(None, expected=False, rule=HealthRule(quality=0.5))[READY:] == 0).all()


def test_it_depends_on_no_later_row():
    stopped = INTEREST[(INTEREST["date"] <= CANDLES["date"][220]) | (INTEREST["date"] > CANDLES["date"][300])]
    whole = column(stopped.reset_index(drop=True))
    for k in (1, READY, READY + 1, 221, 228, 301, 303, 350):
        pd.testing.assert_series_equal(column(stopped.reset_index(drop=True), CANDLES.iloc[:k]), whole[:k])


def test_the_last_row_depends_on_a_warm_up_of_candles():
    for end in (230, 260, 320, 400):
        stopped = INTEREST[INTEREST["date"] <= CANDLES["date"][min(end - 1, 240)]]
        window = CANDLES.iloc[end - SMALL.warmup : end].reset_index(drop=True)
        assert column(stopped, window).iloc[-1] == column(stopped, CANDLES.iloc[:end]).iloc[-1]


def test_a_rule_that_makes_no_sense_is_refused():
    for bad in ({"quality": 1.1}, {"quality": math.nan}, {"staleness": -1}, {"staleness": 1.5}):
        with pytest.raises(ConfigError, match=next(iter(bad))):
            HealthRule(**bad)
    with pytest.raises(MissingColumnError, match="liq_quality"):
        health(CANDLES, CANDLES, SMALL)


def test_values_and_reasons_are_one_another_s_inverse():
    for value in range(128):
        reasons = reasons_of(float(value))
        assert sum(reasons) == value
        row = pd.Series({COLUMN: float(value)})
        blocked = any(reason in BLOCKING for reason in reasons)
        assert is_sound(row) is not blocked
        assert sound(pd.DataFrame([row])).tolist() == [not blocked]
    assert reasons_of(math.nan) == []
    assert set(WORDS) == set(Reason)


def test_a_row_that_was_never_computed_is_not_sound():
    rows = pd.DataFrame({COLUMN: [0.0, math.nan, 2.0, 8.0]})
    assert sound(rows).tolist() == [True, False, False, True]
    assert sound(rows, BLOCKING | Reason.NO_OPEN_INTEREST).tolist() == [True, False, False, False]
    assert not is_sound(rows.iloc[1])
    assert is_sound(pd.Series({"close": 1.0}))


@pytest.mark.parametrize("value", [-1.0, 0.5, 5e-324, 128.0, 1e308, math.inf, -math.inf])
def test_a_row_of_what_is_no_sum_of_reasons_is_not_sound(value):
    rows = pd.DataFrame({COLUMN: [0.0, value]})
    assert sound(rows).tolist() == [True, False]
    assert not is_sound(rows.iloc[1])


def test_each_pair_is_told_each_reason_once():
    spoken = set()
    assert unspoken(spoken, "A", 3.0) == [Reason.WARM_UP, Reason.STALE_OPEN_INTEREST]
    assert unspoken(spoken, "A", 3.0) == []
    assert unspoken(spoken, "A", 6.0) == [Reason.LOW_QUALITY]
    assert unspoken(spoken, "A", 0.0) == []
    assert unspoken(spoken, "A", 1.0) == []
    assert unspoken(spoken, "B", 1.0) == [Reason.WARM_UP]
