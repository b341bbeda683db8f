"""Ratios of longs to shorts beside candles: what is known at a close, and nothing later."""

import math

import numpy as np
import pandas as pd
import pytest

from builders.frames import random_positioning
from liqfeature.errors import DataError, MissingColumnError
from liqfeature.market.positioning import RATIOS, join_positioning

FIVE, START = 300_000, 1_767_225_600_000
"""2026-01-01."""


def opening(n, interval=FIVE):
    return START + interval * np.arange(n, dtype=np.int64)


def rows(n, seed=1, holes=0.0):
    return random_positioning(opening(n), seed, holes=holes)


@pytest.mark.parametrize("interval", [FIVE // 5, FIVE, 3 * FIVE, 12 * FIVE])
def test_a_candle_has_the_mean_of_the_rows_that_became_usable_within_it(interval):
    """A row stamped 12:00 is of 12:00 or 12:05, and a bot, which drops the newest row, uses it from 12:10."""
    frame, time = rows(400, holes=0.1), opening(400 * FIVE // interval, interval)
    joined = join_positioning(frame, time, interval)
    usable = frame["date"].astype("int64").to_numpy() + 2 * FIVE
    for place, name in enumerate(RATIOS):
        for candle in range(0, time.size, 7):
            close = time[candle] + interval
            inside = frame[name][(usable > close - max(interval, FIVE)) & (usable <= close)].dropna()
            expected = np.log(inside).mean() if len(inside) else math.nan
            assert joined[place, candle] == pytest.approx(expected, rel=1e-12, nan_ok=True)
    assert np.isfinite(joined).mean() > 0.7


def test_what_is_stamped_later_than_ten_minutes_before_a_close_changes_nothing():
    frame, time = rows(100), opening(100)
    whole = join_positioning(frame, time, FIVE)
    for candle in (10, 50, 99):
        known = frame["date"].astype("int64") <= time[candle] - FIVE
        np.testing.assert_array_equal(
            join_positioning(frame[known], time, FIVE)[:, : candle + 1], whole[:, : candle + 1]
        )
        fewer = join_positioning(frame[frame["date"].astype("int64") < time[candle] - FIVE], time, FIVE)
        assert not np.array_equal(fewer[:, candle], whole[:, candle])


def test_zero_and_nothing_are_unknown():
    frame = rows(20)
    frame.loc[5, "account_ratio"], frame.loc[6, "account_ratio"] = 0.0, np.nan
    joined = join_positioning(frame, opening(20), FIVE)
    assert np.flatnonzero(np.isnan(joined[0])).tolist() == [0, 6, 7]
    assert np.flatnonzero(np.isnan(joined[1])).tolist() == [0]


def test_without_a_frame_there_is_nothing():
    assert join_positioning(None, opening(3), FIVE) is None
    assert join_positioning(rows(3).iloc[:0], opening(3), FIVE) is None


@pytest.mark.parametrize(
    ("change", "error", "complaint"),
    [
        (lambda f: f.iloc[::3], DataError, "a row every 5 minutes, received every 15"),
        (lambda f: f.assign(date=f["date"] + pd.Timedelta("1s")), DataError, "multiples of 5 min"),
        (lambda f: f.assign(taker_ratio=-1.0), DataError, "'taker_ratio' must be finite and at"),
        (lambda f: f.drop(columns="account_ratio"), MissingColumnError, "lack column 'account_ratio'"),
        (lambda f: f.iloc[::-1], DataError, "must ascend without duplicates"),
    ],
)  # fmt: skip
def test_bad_frames_are_refused(change, error, complaint):
    with pytest.raises(error, match=complaint):
        join_positioning(change(rows(10)), opening(10), FIVE)
