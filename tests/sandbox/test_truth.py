"""Truth, history and likeness: the map rebuilt from the log, frames as Freqtrade's, and stylised facts."""

import numpy as np
import pandas as pd
import pytest

from liqfeature.durations import MINUTE
from liqfeature.errors import ConfigError, DataError
from liqfeature.sandbox.simulation.frames import candles, funding, open_interest
from liqfeature.sandbox.simulation.scenario import SCENARIOS, Scenario
from liqfeature.sandbox.simulation.simulate import simulate
from liqfeature.sandbox.simulation.tape import Tape
from liqfeature.sandbox.simulation.truth import true_maps

START = "2024-03-01T00:07"
WIDTH = 0.0005


@pytest.fixture(scope="session")
def short() -> Tape:
    return simulate(SCENARIOS["reflexive"], "ETH/USDT:USDT", start=START, days=1.5, seed=8)


@pytest.fixture(scope="session")
def long() -> Tape:
    return simulate(Scenario(), "BTC/USDT:USDT", start="2024-01-01", days=90, seed=2)


def minute(tape: Tape, row: int) -> pd.Timestamp:
    return pd.Timestamp(tape.start + row * MINUTE, unit="ms", tz="UTC")


def naive_map(tape: Tape, date: pd.Timestamp) -> dict[tuple[int, str], float]:
    held: dict[int, list[float | str]] = {}
    for when, position, side, change, level, _ in tape.positions.itertuples(index=False):
        if when < date:
            amount = held[position][1] if position in held else 0.0
            held[position] = [side, amount + change, level]
    bins: dict[tuple[int, str], float] = {}
    for side, amount, level in held.values():
        if amount > 0 and not np.isnan(level):
            key = int(np.floor(np.log(level) / WIDTH)), side
            bins[key] = bins.get(key, 0.0) + amount
    return bins


@pytest.mark.parametrize("rows", [(1,), (700, 2160), (60, 900, 901)])
def test_the_true_map_is_every_live_position_at_its_level(short: Tape, rows: tuple[int, ...]):
    dates = [minute(short, row) for row in rows]
    for date, found in zip(dates, true_maps(short, dates, width=WIDTH), strict=True):
        expected = naive_map(short, date)
        assert found.index.is_monotonic_increasing
        assert (found > 0).sum().sum() == len(expected)
        for (level, side), amount in expected.items():
            assert found.loc[level, side] == pytest.approx(amount)


def test_longs_lie_below_the_mark_price_and_shorts_above(short: Tape):
    rows = (200, 1200, 2160)
    for row, found in zip(rows, true_maps(short, [minute(short, row) for row in rows]), strict=True):
        here = np.log(short.mark_close[row - 1]) / WIDTH
        assert found.index[found["long"] > 0].max() < here
        assert found.index[found["short"] > 0].min() > here - 1
        assert found["long"].sum() <= short.open_interest[row - 1] * (1 + 1e-9)
        assert found["long"].sum() > 0.4 * short.open_interest[row - 1]


def test_dates_must_be_on_the_tape_and_ascend(short: Tape):
    with pytest.raises(DataError, match=r"date must be on the tape, received 2020-01-01"):
        next(true_maps(short, ["2020-01-01"]))
    with pytest.raises(DataError, match=r"dates must ascend, received .* after a later one"):
        list(true_maps(short, [minute(short, 9), minute(short, 8)]))


@pytest.mark.parametrize(("timeframe", "price"), [("5m", "last"), ("1h", "last"), ("1h", "mark")])
def test_candles_gather_whole_minutes(short: Tape, timeframe: str, price: str):
    prefix = "" if price == "last" else "mark_"
    columns = {name: getattr(short, prefix + name) for name in ("open", "high", "low", "close")}
    columns["volume"] = short.volume if price == "last" else np.zeros(len(short.volume))
    minutes = pd.DataFrame(columns, index=pd.date_range(minute(short, 0), periods=2160, freq="min"))
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    resampled = minutes.resample(pd.Timedelta(timeframe))
    whole = resampled["open"].count() == pd.Timedelta(timeframe) // pd.Timedelta("1min")
    expected = resampled.agg(rules)[whole]
    frame = candles(short, timeframe, price)
    assert list(frame.columns) == ["date", "open", "high", "low", "close", "volume"]
    assert frame["date"].dtype == "datetime64[ms, UTC]"
    assert (frame["date"] == expected.index).all()
    np.testing.assert_allclose(frame.drop(columns="date"), expected)


def test_open_interest_stamped_t_is_the_state_at_the_close_of_the_candle_that_ends_there(short: Tape):
    frame = open_interest(short, "5m")
    assert list(frame.columns) == ["date", "open_interest_amount", "open_interest_value"]
    closing = ((frame["date"] - minute(short, 0)) // pd.Timedelta("1min")).to_numpy() - 1
    assert frame["date"][0] == pd.Timestamp("2024-03-01T00:10", tz="UTC")
    np.testing.assert_array_equal(frame["open_interest_amount"], short.open_interest[closing])
    np.testing.assert_array_equal(
        frame["open_interest_value"], short.open_interest[closing] * short.mark_close[closing]
    )


def test_funding_comes_at_round_hours(short: Tape):
    frame = funding(short)
    assert list(frame.columns) == ["date", "funding_rate"]
    assert frame["date"].dt.hour.tolist() == [8, 16, 0, 8]
    np.testing.assert_array_equal(frame["funding_rate"], short.funding_rate)


def test_an_unknown_timeframe_is_refused_with_the_known_ones(short: Tape):
    with pytest.raises(ConfigError, match=r"timeframe must be one of 1m, 3m, .*, received '7m'"):
        candles(short, "7m")


# Likeness: loose bounds around what is known of real markets


def returns(tape: Tape, minutes: int) -> np.ndarray:
    close = np.log(tape.close[minutes - 1 :: minutes])
    return np.diff(close, prepend=np.log(tape.open[0]))


def kurtosis(values: np.ndarray) -> float:
    return float(np.mean((values - values.mean()) ** 4) / values.var() ** 2)


def autocorrelation(values: np.ndarray, lag: int) -> float:
    return float(np.corrcoef(values[lag:], values[:-lag])[0, 1])


def forced_by_hour(tape: Tape, side: str | None = None) -> np.ndarray:
    forced = tape.forced_orders if side is None else tape.forced_orders[tape.forced_orders["side"] == side]
    hour = (forced["date"] - minute(tape, 0)) // pd.Timedelta("1h")
    return np.bincount(hour, forced["amount"], len(tape.close) // 60)


def test_volatility_is_that_of_a_large_coin(long: Tape):
    assert 0.35 < np.std(returns(long, 1)) * np.sqrt(525_600) < 0.85


def test_returns_have_fat_tails_and_no_memory_of_sign(long: Tape):
    assert 10 < kurtosis(returns(long, 1)) < 250
    assert kurtosis(returns(long, 60)) > 5
    largest = np.sort(np.abs(returns(long, 1)))[::-1][: len(long.close) // 100]
    assert 2 < 1 / np.mean(np.log(largest / largest[-1])) < 5
    assert abs(autocorrelation(returns(long, 1), 1)) < 0.03


def test_volatility_clusters_for_a_day(long: Tape):
    size = np.abs(returns(long, 1))
    assert 0.15 < autocorrelation(size, 1) < 0.45
    assert autocorrelation(size, 1) > autocorrelation(size, 360) > autocorrelation(size, 1440) > 0.02


def test_turnover_and_liquidations_are_of_the_right_size(long: Tape):
    days, held = len(long.close) / 1440, np.mean(long.open_interest)
    assert 2 < long.volume.sum() / days / held < 8
    for side in ("long", "short"):
        assert 0.001 < forced_by_hour(long, side).sum() / days / held < 0.03
    assert forced_by_hour(long, "long").sum() > forced_by_hour(long, "short").sum()
    assert 0.001 < forced_by_hour(long).sum() / long.volume.sum() < 0.015


def test_liquidations_come_with_large_moves(long: Tape):
    assert 0.4 < np.corrcoef(forced_by_hour(long), np.abs(returns(long, 60)))[0, 1] < 0.85


def test_funding_is_mostly_paid_by_longs(long: Tape):
    assert 0.6 < np.mean(long.funding_rate > 0) < 1
    assert 0 < np.mean(long.funding_rate) < 0.0003


def test_the_same_flow_moves_a_thin_market_more(long: Tape):
    thin = simulate(SCENARIOS["reflexive"], "BTC/USDT:USDT", start="2024-01-01", days=20, seed=2)
    displaced = [np.std(np.log(tape.close / tape.mark_close)) for tape in (thin, long)]
    assert displaced[0] > 1.4 * displaced[1]
