"""Hours: what was recorded in each, what price did meanwhile, and which hours are scored."""

import math
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from frames import CANDLE, START, random_candles

from liqfeature import ConfigError, DataError
from liqfeature.candles import Candles, align
from liqfeature.scoring.hours import HOUR, Hours, hours_of
from liqfeature.types import LONG, SHORT

PER_HOUR = HOUR // CANDLE


def aligned(candles: pd.DataFrame) -> Candles:
    return align(candles, None, None, lookback=12)


def totals_at(hours: list[int], *, start: str = START) -> pd.DataFrame:
    """Totals stamped so many hours after the start; long 1, 2, 3... and short ten times as much."""
    date = pd.Timestamp(start, tz="UTC") + pd.to_timedelta(hours, unit="h")
    long = np.arange(1.0, len(hours) + 1)
    return pd.DataFrame({"date": date, "long": long, "short": 10 * long})


def scored(hours: Hours) -> list[int]:
    return np.flatnonzero(~np.isnan(hours.recorded[LONG])).tolist()


def all_of(candles: pd.DataFrame, totals: pd.DataFrame) -> Hours:
    return hours_of(aligned(candles), totals, 0, len(candles) - 1)


def naive(
    candles: pd.DataFrame, value: Callable[[float, "pd.Series[float]"], float]
) -> dict[int, list[float]]:
    """What a candle gives, from the close before it and itself, gathered by hour since 1970."""
    gathered: dict[int, list[float]] = defaultdict(list)
    before = candles["close"].iloc[0]
    for _, candle in candles.iterrows():
        gathered[int(candle["date"].timestamp()) // 3600].append(value(before, candle))
        before = candle["close"]
    return gathered


@pytest.mark.parametrize("gaps", [0.0, 0.05])
def test_path_range_and_volume_are_those_of_the_hours_candles(gaps: float) -> None:
    candles = random_candles(500, seed=3, gaps=gaps, start="2026-01-01 00:35")
    hours = all_of(candles, totals_at([0]))
    expected = {
        "fall": naive(candles, lambda before, c: max(1 - c["low"] / before, 0) * c["volume"]),
        "rise": naive(candles, lambda before, c: max(c["high"] / before - 1, 0) * c["volume"]),
        "high": naive(candles, lambda _, c: c["high"]),
        "low": naive(candles, lambda _, c: c["low"]),
        "volume": naive(candles, lambda _, c: c["volume"]),
    }
    assert hours.first == min(expected["high"])
    assert hours.volume.size == max(expected["high"]) - hours.first + 1
    for i in range(hours.volume.size):
        at = hours.first + i
        assert hours.path[LONG, i] == pytest.approx(sum(expected["fall"][at]))
        assert hours.path[SHORT, i] == pytest.approx(sum(expected["rise"][at]))
        assert hours.volume[i] == pytest.approx(sum(expected["volume"][at]))
        assert hours.whole[i] == pytest.approx(len(expected["volume"][at]) / PER_HOUR)
        if expected["high"][at]:
            widest = math.log(max(expected["high"][at]) / min(expected["low"][at]))
            assert hours.range[i] == pytest.approx(widest)
        else:
            assert np.isnan(hours.range[i])


def test_a_total_is_the_sum_over_an_hours_candles_and_unknown_where_one_is_missing() -> None:
    candles = random_candles(400, seed=5, gaps=0.04, start="2026-01-01 00:20")
    hours = all_of(candles, totals_at([0]))
    values = np.random.default_rng(0).random((2, len(candles)))
    values[SHORT, 100] = np.nan
    found = hours.total(values)
    frame = pd.DataFrame(values.T, index=pd.DatetimeIndex(candles["date"]))
    expected = frame.resample("1h").sum(min_count=PER_HOUR)  # fewer than 12 numbers are no sum
    np.testing.assert_allclose(found, expected.to_numpy().T)
    assert np.isnan(found[LONG, 0])
    assert 0.2 < np.isnan(found[LONG]).mean() < 0.9


def test_the_day_of_an_hour_is_its_date() -> None:
    hours = all_of(random_candles(600, seed=1, start="2026-01-01 22:00"), totals_at([0]))
    stamps = pd.Timestamp("2026-01-01 22:00") + pd.to_timedelta(np.arange(hours.volume.size), unit="h")
    epoch = pd.Timestamp("1970-01-01")
    assert hours.day.tolist() == [(stamp.normalize() - epoch).days for stamp in stamps]
    assert len(set(hours.day)) == 3


def test_recorded_totals_land_in_the_hour_that_their_stamp_opens() -> None:
    hours = all_of(random_candles(10 * PER_HOUR, seed=1), totals_at([-1, 2, 3, 7, 10]))
    assert scored(hours) == [2, 3, 7]
    assert hours.recorded[LONG, [2, 3, 7]].tolist() == [2, 3, 4]
    assert hours.recorded[SHORT, [2, 3, 7]].tolist() == [20, 30, 40]


def test_an_hour_with_a_missing_candle_is_not_scored() -> None:
    candles = random_candles(6 * PER_HOUR, seed=2).drop(index=3 * PER_HOUR + 5).reset_index(drop=True)
    hours = all_of(candles, totals_at(list(range(6))))
    assert scored(hours) == [0, 1, 2, 4, 5]


@pytest.mark.parametrize(
    ("first_row", "last_row", "expected"),
    [
        (0, 5 * PER_HOUR - 1, [0, 1, 2, 3, 4]),
        (PER_HOUR, 5 * PER_HOUR - 1, [1, 2, 3, 4]),
        (PER_HOUR - 1, 5 * PER_HOUR - 1, [1, 2, 3, 4]),
        (PER_HOUR + 1, 5 * PER_HOUR - 1, [2, 3, 4]),
        (1, 4 * PER_HOUR - 1, [1, 2, 3]),
    ],
)
def test_only_hours_that_lie_wholly_after_the_first_candle_are_scored(
    first_row: int, last_row: int, expected: list[int]
) -> None:
    candles = random_candles(5 * PER_HOUR, seed=2)
    hours = hours_of(aligned(candles), totals_at(list(range(5))), first_row, last_row)
    assert scored(hours) == expected


def test_only_hours_that_lie_wholly_before_the_last_candle_are_scored() -> None:
    """A timerange that ends at midnight names the candle of midnight last, and not the hour after it."""
    candles = random_candles(5 * PER_HOUR, seed=2)
    for last_row in (3 * PER_HOUR, 4 * PER_HOUR - 2):
        hours = hours_of(aligned(candles), totals_at(list(range(5))), 0, last_row)
        assert scored(hours) == [0, 1, 2]


def test_a_recording_finer_than_hours_is_refused() -> None:
    """Else the last of its rows would pass for the whole hour."""
    candles = random_candles(4 * PER_HOUR, seed=2)
    date = pd.Timestamp(START, tz="UTC") + pd.to_timedelta(30 * np.arange(8), unit="min")
    halves = pd.DataFrame({"date": date, "long": 1.0, "short": 2.0})
    with pytest.raises(DataError, match=r"liquidations.*date"):
        all_of(candles, halves)


@pytest.mark.parametrize("step", [7, 40, 120])
def test_candles_that_do_not_divide_an_hour_are_refused(step: int) -> None:
    candles = random_candles(50, seed=1)
    candles["date"] = pd.Timestamp(START, tz="UTC") + pd.to_timedelta(step * np.arange(50), unit="min")
    with pytest.raises(ConfigError, match=f"timeframe must be one that divides an hour, received {step}"):
        all_of(candles, totals_at([0]))


@pytest.mark.parametrize("step", [1, 15, 60])
def test_candles_that_divide_an_hour_are_summed_to_it(step: int) -> None:
    n = 240 // step
    candles = random_candles(n, seed=1)
    candles["date"] = pd.Timestamp(START, tz="UTC") + pd.to_timedelta(step * np.arange(n), unit="min")
    hours = all_of(candles, totals_at([0, 1, 2, 3]))
    assert hours.whole.tolist() == [1, 1, 1, 1]
    assert hours.total(np.ones((2, n))).tolist() == [[60 / step] * 4] * 2
