"""Hours: what was recorded in each, what price did meanwhile, and which hours are scored."""

import math
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from builders.frames import CANDLE, START, random_candles, small_config
from liqfeature import ConfigError, DataError
from liqfeature.durations import HOUR
from liqfeature.market.market import JoinRule, Market
from liqfeature.scoring.hours import Hours, hours_of, scored_rows
from liqfeature.scoring.maps.base import Prediction
from liqfeature.scoring.maps.contenders import PATH_VOLUME
from liqfeature.scoring.score_hours import _whole_days, score_hours, within
from liqfeature.sides import LONG, SHORT

PER_HOUR = HOUR // CANDLE


def aligned(candles: pd.DataFrame) -> Market:
    return Market.of(candles, JoinRule(lookback=12))


def totals_at(hours: list[int], *, start: str = START) -> pd.DataFrame:
    """Totals stamped some hours after the start; long 1, 2, 3... and short ten times as much."""
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
    hours = all_of(candles, totals_at(list(range(50))))
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
    hours = all_of(candles, totals_at(list(range(40))))
    values = np.random.default_rng(0).random((2, len(candles)))
    values[SHORT, 100] = np.nan
    found = hours.total(values)
    frame = pd.DataFrame(values.T, index=pd.DatetimeIndex(candles["date"]))
    expected = frame.resample("1h").sum(min_count=PER_HOUR)  # fewer than 12 numbers are no sum
    np.testing.assert_allclose(found, expected.to_numpy().T)
    assert np.isnan(found[LONG, 0])
    assert 0.2 < np.isnan(found[LONG]).mean() < 0.9


def test_the_day_of_an_hour_is_its_date() -> None:
    hours = all_of(random_candles(600, seed=1, start="2026-01-01 22:00"), totals_at([22, 23, 24]))
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


def test_a_recording_finer_than_hours_is_summed_and_a_coarser_one_refused() -> None:
    candles = random_candles(4 * PER_HOUR, seed=2)
    date = pd.Timestamp(START, tz="UTC") + pd.to_timedelta(30 * np.arange(8), unit="min")
    halves = pd.DataFrame({"date": date, "long": np.arange(8.0), "short": 2.0})
    assert all_of(candles, halves).recorded.tolist() == [[1, 5, 9, 13], [4, 4, 4, 4]]
    assert scored(all_of(candles, halves.drop(index=5))) == [0, 1, 3]
    with pytest.raises(DataError, match="periods must divide an hour, received 120 minutes"):
        all_of(candles, halves[::4])


def test_an_hour_of_orders_is_scored_if_it_lies_wholly_between_orders() -> None:
    candles = random_candles(40 * PER_HOUR, seed=2)
    minutes = [30, 70, 200, 260, 250 + 13 * 60, 260 + 14 * 60]
    orders = pd.DataFrame(
        {
            "date": pd.Timestamp(START, tz="UTC") + pd.to_timedelta(minutes, unit="min"),
            "side": ["long", "long", "short", "long", "long", "short"],
            "notional": [1.0, 2.0, 4.0, 8.0, 16.0, 32.0],
        }
    )
    hours = all_of(candles, orders)
    assert scored(hours) == [1, 2, 3]  # after 260 minutes nothing is heard for 12 hours and 50 minutes
    assert hours.recorded[:, 1:4].tolist() == [[2, 0, 0], [0, 0, 4]]


def test_a_recording_of_other_hours_is_refused() -> None:
    candles = random_candles(4 * PER_HOUR, seed=2)
    with pytest.raises(
        DataError, match=r"must cover hours of the candles that are scored, received 2026-01-03"
    ):
        all_of(candles, totals_at([48, 49]))


def test_rows_are_scored_after_the_warm_up_and_up_to_the_last_date() -> None:
    candles, config = random_candles(200, seed=1), small_config()
    date, warmup = candles["date"], config.warmup
    assert scored_rows(candles, config, None, None) == (warmup, 199)
    assert scored_rows(candles, config, date[5], date[150]) == (warmup, 150)
    assert scored_rows(candles, config, date[warmup + 9], date[150] - pd.Timedelta("1s")) == (warmup + 9, 149)
    with pytest.raises(DataError, match=f"past the warm-up of {warmup} into the dates, received 200"):
        scored_rows(candles, config, date[199] + pd.Timedelta("1s"), None)


def test_the_earliest_hours_are_a_share_of_those_that_are_scored() -> None:
    hours = all_of(random_candles(12 * PER_HOUR, seed=1), totals_at([2, 3, 7, 8, 11]))
    assert np.flatnonzero(hours.earliest(0.6)).tolist() == [2, 3, 7]
    assert np.flatnonzero(hours.earliest(0.59)).tolist() == [2, 3]


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


def test_the_path_is_held_fixed_but_where_it_is_the_path_that_is_scored() -> None:
    """Given the path, a map that sweeps as the path does knows nothing more. In calm hours nobody does."""
    rng = np.random.default_rng(0)
    n = 24 * 20
    path, log_range = rng.lognormal(0, 1, (2, n)), rng.uniform(0, 0.03, n)
    hours = Hours(
        first=0,
        of_candle=np.arange(n),
        whole=np.ones(n),
        recorded=np.where(
            log_range > 0.015, path * rng.lognormal(0, 0.5, (2, n)), rng.lognormal(0, 1, (2, n))
        ),
        path=path,
        range=log_range,
        volume=rng.lognormal(0, 1, n),
    )
    none = np.zeros((0, 2, 1))
    by_path, by_chance = (Prediction(swept=s, window=none) for s in (path, rng.lognormal(0, 1, (2, n))))
    for name, known in ((PATH_VOLUME, True), ("estimate", False)):
        wide = {s.side: s.value for s in score_hours(name, by_path, by_chance, hours) if s.measure == "wide"}
        assert all((value > 0.6) if known else np.isnan(value) for value in wide.values())


def test_placebos_are_shifted_over_whole_days() -> None:
    """From three in the morning of the first day on: 21 hours and the last ones are left out."""
    hours = all_of(random_candles(24 * 5 * PER_HOUR, seed=1), totals_at(list(range(3, 24 * 4 + 5))))
    assert _whole_days(hours) == slice(24, 96)


def test_what_a_map_held_is_summed_over_the_bins_that_were_touched() -> None:
    window = np.array([[[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]]] * 2)
    assert within(window, np.array([[0, 2], [3, 1]])).tolist() == [[0, 24], [7, 8]]
