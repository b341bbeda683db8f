"""The mark price decides who is liquidated: a wick that it did not follow liquidates nobody."""

import numpy as np
import pandas as pd
import pytest

from builders.frames import random_candles, small_config
from liqfeature import DataError, liquidation_features
from liqfeature.market.market import JoinRule, Market

CANDLES = random_candles(400, seed=3)
PRICES = ["open", "high", "low", "close"]


def mark_of(candles: pd.DataFrame, **columns: np.ndarray) -> pd.DataFrame:
    return candles[["date", *PRICES]].assign(**columns)


def touched(candles: pd.DataFrame, mark: pd.DataFrame | None) -> tuple[np.ndarray, np.ndarray]:
    aligned = Market.of(candles, JoinRule(lookback=12), mark=mark)
    return aligned.touched_low, aligned.touched_high


def test_mark_candles_equal_to_the_candles_change_nothing():
    config = small_config()
    plain = liquidation_features(CANDLES, config)
    pd.testing.assert_frame_equal(liquidation_features(CANDLES, config, mark=mark_of(CANDLES)), plain)


def test_a_wick_that_the_mark_did_not_follow_liquidates_nobody():
    """Longs at risk between the wick and the mark's low are still there in the next candle."""
    config = small_config()
    row = 300
    wick = CANDLES.copy()
    wick.loc[row, "low"] *= 0.97
    calm = mark_of(CANDLES)
    swept_by_wick = liquidation_features(wick, config)["liq_swept_long"].iloc[row]
    swept_by_mark = liquidation_features(wick, config, mark=calm)["liq_swept_long"].iloc[row]
    as_without_wick = liquidation_features(CANDLES, config)["liq_swept_long"].iloc[row]
    assert swept_by_wick > 2 * swept_by_mark
    assert swept_by_mark == pytest.approx(as_without_wick, rel=1e-12)


def test_what_is_touched_lies_within_the_candle_and_holds_its_close():
    rng = np.random.default_rng(1)
    shaken = {c: CANDLES[c].to_numpy() * np.exp(0.003 * rng.standard_normal(len(CANDLES))) for c in PRICES}
    shaken["high"], shaken["low"] = (
        np.maximum(*[shaken[c] for c in ("high", "low")]),
        np.minimum(*[shaken[c] for c in ("high", "low")]),
    )
    low, high = touched(CANDLES, mark_of(CANDLES, **shaken))
    assert (low >= CANDLES["low"]).all()
    assert (high <= CANDLES["high"]).all()
    assert (low <= CANDLES["close"]).all()
    assert (high >= CANDLES["close"]).all()
    assert (low > CANDLES["low"]).mean() > 0.2
    assert (high < CANDLES["high"]).mean() > 0.2


def test_worked_example():
    """Last 100, 90 to 110; the mark went from 95 to 104. A close under the mark counts."""
    frame = pd.DataFrame(
        {
            "date": pd.date_range("2026-01-01", periods=2, freq="5min", tz="UTC"),
            "open": 100.0,
            "high": 110.0,
            "low": 90.0,
            "close": [100.0, 93.0],
            "volume": 1.0,
        }
    )
    low, high = touched(frame, frame.assign(high=[104.0, 104.0], low=[95.0, 95.0]))
    assert low.tolist() == [95.0, 93.0]
    assert high.tolist() == [104.0, 104.0]


def test_candles_without_a_mark_candle_count_whole():
    some = mark_of(CANDLES, low=CANDLES["close"].to_numpy(), high=CANDLES["close"].to_numpy()).iloc[::2]
    some = pd.concat([some, mark_of(CANDLES).iloc[[1]]]).sort_values("date")
    low, _ = touched(CANDLES, some)
    assert (low[2::2] == CANDLES["close"].to_numpy()[2::2]).all()
    assert (low[3::2] == CANDLES["low"].to_numpy()[3::2]).all()


@pytest.mark.parametrize("wrong", [np.nan, 0.0, -5.0])
def test_rows_of_mark_candles_that_are_no_price_are_passed_over(wrong):
    low, high = touched(CANDLES, mark_of(CANDLES, low=np.full(len(CANDLES), wrong)))
    assert (low == CANDLES["low"]).all()
    assert (high == CANDLES["high"]).all()


@pytest.mark.parametrize("wrong", [np.nan, 0.0, -5.0])
def test_a_row_whose_low_is_no_price_says_nothing_of_the_high(wrong):
    lower = CANDLES["close"].to_numpy()
    low, high = touched(CANDLES, mark_of(CANDLES, low=np.full(len(CANDLES), wrong), high=lower))
    assert (high == CANDLES["high"]).all()
    low, high = touched(CANDLES, mark_of(CANDLES, low=lower, high=np.full(len(CANDLES), wrong)))
    assert (low == CANDLES["low"]).all()


def test_mark_candles_of_another_timeframe_are_refused():
    hourly = mark_of(CANDLES).iloc[::12]
    with pytest.raises(
        DataError, match="mark candles must have the candles' timeframe of 5 minutes, received 60"
    ):
        liquidation_features(CANDLES, small_config(), mark=hourly)


@pytest.mark.parametrize("factor", [0.001, 0.4, 2.5, 1000.0])
def test_mark_candles_of_another_market_are_passed_over(factor):
    """Far above, no low would reach the longs; far below, no high the shorts."""
    away = mark_of(CANDLES, high=CANDLES["high"] * factor, low=CANDLES["low"] * factor)
    low, high = touched(CANDLES, away)
    assert (low == CANDLES["low"]).all()
    assert (high == CANDLES["high"]).all()


@pytest.mark.parametrize("factor", [0.8, 1.3])
def test_mark_candles_may_stand_well_apart(factor):
    away = mark_of(CANDLES, high=CANDLES["high"] * factor, low=CANDLES["low"] * factor)
    low, high = touched(CANDLES, away)
    assert (low == (CANDLES["low"] if factor < 1 else CANDLES["close"])).all()
    assert (high == (CANDLES["high"] if factor > 1 else CANDLES["close"])).all()


def test_later_mark_candles_do_not_change_earlier_rows():
    config = small_config()
    cut = 350
    mark = mark_of(CANDLES)
    changed = mark.copy()
    changed.loc[cut:, ["low", "high"]] = 1.0
    before, after = (liquidation_features(CANDLES, config, mark=m).iloc[:cut] for m in (mark, changed))
    pd.testing.assert_frame_equal(before, after)
