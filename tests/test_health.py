"""Whether rows are sound: each reason stands at the rows that have it, and is told once."""

import math

import numpy as np
import pandas as pd
import pytest
from frames import random_candles, random_open_interest

from liqfeature import ConfigError, HeatmapConfig, MissingColumnError, liquidation_features
from liqfeature.cascade import CascadeRule
from liqfeature.features import COLUMNS
from liqfeature.health import (
    BLOCKING,
    COLUMN,
    WORDS,
    HealthRule,
    Reason,
    health,
    is_sound,
    reasons_of,
    sound,
    unspoken,
)

PAIR = "BTC/USDT:USDT"
SMALL = HeatmapConfig(horizon=3, max_age=96, lookback=24, cascade=CascadeRule(windows=(2, 6, 24)))
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
    assert len(COLUMNS) == 36


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


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
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
    for value in range(16):
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


def test_each_pair_is_told_each_reason_once():
    spoken = set()
    assert unspoken(spoken, "A", 3.0) == [Reason.WARM_UP, Reason.STALE_OPEN_INTEREST]
    assert unspoken(spoken, "A", 3.0) == []
    assert unspoken(spoken, "A", 6.0) == [Reason.LOW_QUALITY]
    assert unspoken(spoken, "A", 0.0) == []
    assert unspoken(spoken, "A", 1.0) == []
    assert unspoken(spoken, "B", 1.0) == [Reason.WARM_UP]
