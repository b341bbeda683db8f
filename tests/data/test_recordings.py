"""What a recorder wrote, as tables: a quiet period is 0, and one that nobody listened to is NaN."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.frames import random_candles
from builders.recordings import record
from liqfeature import ConfigError, DataError, HeatmapConfig, liquidation_features
from liqfeature.data.database import Database, Row
from liqfeature.data.kinds import ORDERS, SILENT, TOTALS, Series
from liqfeature.data.prints import Print
from liqfeature.data.recorded import load_recorded
from liqfeature.data.recordings import export, load_recording, load_totals, united, without
from liqfeature.data.schema import RECORDED
from liqfeature.estimate.cascade import CascadeRule
from liqfeature.market.liquidations import totals_of

PAIR, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
START = 1_767_225_600_000
MINUTE = 60_000
FIVE = 5 * MINUTE


def sold(time, side="long", notional=100.0, exchange="binance", **changes):
    return Print(START + time, exchange, PAIR, side, notional, None, 1.0, notional)._replace(**changes)


def at(*spans):
    return [(START + since, START + until) for since, until in spans]


def given_totals(path, timeframe, *rows, exchange="gate"):
    """Write totals as an exchange gives them: opening, long, short, and when they were known."""
    with Database(path, write=True) as database, database.writing():
        series = Series(exchange, PAIR, TOTALS, timeframe)
        database.add(series, "rest", [Row(START + a, START + known, (b, c)) for a, b, c, known in rows])
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "my recordings.sqlite"


PRINTS = [
    sold(0),
    sold(FIVE - 1),
    sold(FIVE, "short", 7.0),
    sold(3 * FIVE + 5, "long", 3.0),
    sold(9 * FIVE),
]


# Single liquidations.


def test_they_have_the_documented_columns(path):
    record(path, [sold(1000), sold(0, price=None, bankruptcy_price=99.0, side="short", copy=1)])
    found = load_recording(path, PAIR)
    assert list(found.columns) == list(RECORDED)
    for name, rule in RECORDED.items():
        assert str(found[name].dtype) == rule.split(": ")[0]
    assert found["date"].tolist() == [pd.Timestamp(START + t, unit="ms", tz="UTC") for t in (0, 1000)]
    assert found["side"].tolist() == ["short", "long"]
    assert found["price"].isna().tolist() == [True, False]
    assert found["bankruptcy_price"].isna().tolist() == [False, True]
    assert (found["exchange"] == "binance").all()
    assert (found["pair"] == PAIR).all()
    assert load_recording(path, ETH).dtypes.equals(found.dtypes)


def test_from_a_moment_on_they_are_read(path):
    record(path, PRINTS)
    first = pd.Timestamp(START + FIVE, unit="ms", tz="UTC")
    assert load_recording(path, PAIR, first=first)["notional"].tolist() == [7.0, 3.0, 100.0]


def test_of_several_exchanges_one_must_be_named(path):
    record(path, [sold(0), sold(0, exchange="bybit")])
    for load in (load_recording, lambda *a: load_totals(a[0], a[1], "5m", *a[2:])):
        with pytest.raises(DataError, match="must hold recordings of one exchange, received binance, bybit"):
            load(path, PAIR)
        with pytest.raises(DataError, match="must hold recordings of okx, received binance, bybit"):
            load(path, PAIR, "okx")
        load(path, PAIR, "bybit")
    assert load_recording(path, PAIR, "bybit")["exchange"].tolist() == ["bybit"]
    assert load_recording(path, PAIR, "binanceusdm")["exchange"].tolist() == ["binance"]


@pytest.mark.parametrize("timeframe", ["", "5", "m", "5x", "0m", "-5m", "5.5m", "five"])
def test_what_is_no_timeframe_is_refused(path, timeframe):
    record(path, PRINTS)
    with pytest.raises(ConfigError, match="timeframe must be such as 5m, 1h or 1d, received"):
        load_totals(path, PAIR, timeframe)


# Totals.


pieces = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda s: (s[0], s[0] + s[1])))


@given(pieces)
def test_united_spans_cover_the_same_moments_and_lie_apart(spans):
    joined = united(spans)
    covered = {moment for a, b in spans for moment in range(a, b)}
    assert {moment for a, b in joined for moment in range(a, b)} == covered
    assert all(before[1] < after[0] for before, after in itertools.pairwise(joined))


@given(pieces, pieces)
def test_what_is_cut_out_of_spans_is_what_lay_in_both(spans, holes):
    spans, holes = united(spans), united(holes)
    left = without(spans, holes)
    moments = [{m for a, b in some for m in range(a, b)} for some in (spans, holes, left)]
    assert moments[2] == moments[0] - moments[1]
    assert all(a < b for a, b in left)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(left))


def test_silence_while_price_moved_is_not_a_time_without_liquidations(path):
    """It was found out in the fifth period: the first two had been read as quiet before."""
    record(path, PRINTS, at((0, 6 * FIVE)))
    with Database(path, write=True) as database, database.writing():
        silent = Row(START + FIVE, START + 4 * FIVE + 1, (START + 5 * FIVE,))
        database.extend(Series("binance", PAIR, SILENT), "stream", silent)
    assert load_totals(path, PAIR, "5m")["long"].isna().tolist() == [False] * 3 + [True] * 2 + [False]
    assert load_recording(path, PAIR).attrs["heard"] == at((0, FIVE), (5 * FIVE, 6 * FIVE))


def test_totals_are_zero_where_it_listened_and_nan_where_not(path):
    record(path, PRINTS, at((0, 3 * FIVE), (5 * FIVE, 6 * FIVE)))
    found = load_totals(path, PAIR, "5m")
    assert found["date"].tolist() == [pd.Timestamp(START + i * FIVE, unit="ms", tz="UTC") for i in range(6)]
    np.testing.assert_array_equal(found["long"], [200.0, 0.0, 0.0, math.nan, math.nan, 0.0])
    np.testing.assert_array_equal(found["short"], [0.0, 7.0, 0.0, math.nan, math.nan, 0.0])


def test_a_period_counts_if_most_of_it_was_heard(path):
    record(path, PRINTS, at((0, FIVE + MINUTE), (FIVE + MINUTE + 29_000, 2 * FIVE + 200_000)))
    assert load_totals(path, PAIR, "5m")["long"].isna().tolist() == [False, False, True]
    assert load_totals(path, PAIR, "5m", least=0.95)["long"].isna().tolist() == [False, True, True]
    assert load_totals(path, PAIR, "5m", least=0.5)["long"].isna().tolist() == [False, False, False]
    assert load_totals(path, PAIR, "15m", least=0.8)["long"].tolist() == [200.0]


def test_totals_from_a_moment_on_are_the_same(path):
    record(path, PRINTS, at((0, 5 * FIVE)))
    whole = load_totals(path, PAIR, "5m")
    found = load_totals(path, PAIR, "5m", first=whole["date"][2])
    pd.testing.assert_frame_equal(found, whole[2:].reset_index(drop=True))


def test_of_a_pair_that_was_never_heard_there_is_nothing(path):
    record(path, PRINTS, at((0, FIVE)))
    found = load_totals(path, ETH, "5m")
    assert len(found) == 0
    assert list(found.columns) == ["date", "long", "short"]


@given(
    st.lists(st.tuples(st.integers(0, 60), st.booleans(), st.integers(1, 9)), max_size=30),
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=4),
    st.sampled_from(["1m", "5m", "15m"]),
)
@settings(max_examples=30)
def test_totals_are_what_a_naive_sum_says(tmp_path_factory, orders, spans, timeframe):
    """Minute by minute: a period is known where nine tenths of its minutes were heard."""
    path = tmp_path_factory.mktemp("totals") / "one.sqlite"
    prints = [
        sold(at * MINUTE, ("long", "short")[short], float(size), copy=i)
        for i, (at, short, size) in enumerate(orders)
    ]
    record(path, prints, at(*((a * MINUTE, (a + n) * MINUTE) for a, n in spans)))
    if not (prints or spans):
        return
    found = load_totals(path, PAIR, timeframe)
    heard = {minute for a, n in spans for minute in range(a, a + n)}
    length = int(timeframe[:-1])
    first = min(heard, default=0) // length
    for i, row in enumerate(found.itertuples()):
        minutes = range((first + i) * length, (first + i + 1) * length)
        known = sum(minute in heard for minute in minutes) >= 0.9 * length
        for side, total in ((False, row.long), (True, row.short)):
            naive = sum(size for at, short, size in orders if at in minutes and short == side)
            assert total == naive if known else math.isnan(total)
    assert len(found) == (-(-(max(heard) + 1) // length) - first if heard else 0)


def test_what_came_later_than_a_bot_looked_is_not_in_what_a_backtest_reads(path):
    """The period 0:00 to 0:05 is first used at 0:10: what was on disk by then counts."""
    record(path, [sold(1)], at((0, 2 * FIVE)), late=2 * FIVE - 1)
    record(path, [sold(2, notional=50.0)], late=2 * FIVE - 1)
    assert load_totals(path, PAIR, "5m")["long"].tolist() == [100.0, 0.0]
    assert len(load_recording(path, PAIR)) == 2


def test_totals_that_the_exchange_gives_stand_where_nobody_listened(path):
    rows = [(i * FIVE, float(i), 10.0 * i, (i + 1) * FIVE) for i in range(6)]
    given_totals(path, "5m", *rows)
    record(path, [sold(2 * FIVE, exchange="gate")], at((2 * FIVE, 4 * FIVE)), exchange="gate")
    found = load_totals(path, PAIR, "5m", "gate")
    assert found["long"].tolist() == [0.0, 1.0, 100.0, 0.0, 4.0, 5.0]
    assert found["short"].tolist() == [0.0, 10.0, 0.0, 0.0, 40.0, 50.0]


def test_given_totals_are_summed_to_longer_periods_of_which_none_is_missing(path):
    rows = [(i * FIVE, 1.0, 2.0, (i + 1) * FIVE) for i in range(9) if i != 4]
    given_totals(path, "5m", *rows)
    found = load_totals(path, PAIR, "15m", "gate")
    np.testing.assert_array_equal(found["long"], [3.0, math.nan, 3.0])
    assert len(load_totals(path, PAIR, "1m", "gate")) == 0
    given_totals(path, "15m", (3 * FIVE, 7.0, 8.0, 6 * FIVE))
    assert load_totals(path, PAIR, "15m", "gate")["long"].tolist() == [3.0, 7.0, 3.0]


def test_a_revised_total_counts_from_when_it_was_known(path):
    given_totals(path, "5m", (0, 1.0, 1.0, FIVE), (0, 2.0, 2.0, 2 * FIVE), (0, 3.0, 3.0, 2 * FIVE + 1))
    assert load_totals(path, PAIR, "5m")["long"].tolist() == [2.0]
    assert load_totals(path, PAIR, "15m").empty or load_totals(path, PAIR, "15m")["long"].isna().all()


# As scores and columns take them.


def test_single_liquidations_with_what_was_heard_give_the_same_totals(path):
    record(path, PRINTS, at((0, 12 * FIVE), (24 * FIVE, 36 * FIVE)))
    recorded = load_recorded(path, PAIR)
    assert len(recorded) == len(PRINTS)
    for timeframe, period in (("5m", FIVE), ("1h", 12 * FIVE)):
        theirs = totals_of(recorded, period, silence=0).to_frame()
        pd.testing.assert_frame_equal(load_totals(path, PAIR, timeframe), theirs)


def test_without_single_liquidations_the_given_totals_are_what_is_scored(path):
    given_totals(path, "1h", (0, 5.0, 6.0, 13 * FIVE))
    given_totals(path, "5m", *((i * FIVE, 1.0, 2.0, (i + 1) * FIVE) for i in range(24)))
    found = load_recorded(path, PAIR, "gate")
    assert found["long"].tolist() == [1.0] * 24
    assert totals_of(found, 12 * FIVE, silence=0).to_frame()["short"].tolist() == [24.0, 24.0]
    with pytest.raises(DataError, match="must hold liquidations of ETH/USDT:USDT, received none"):
        load_recorded(path, ETH, "gate")


def test_the_estimate_takes_totals_as_they_are(path):
    """A lookback after it began, `liq_cascade_*` refers to what was recorded; nothing else changes."""
    candles = random_candles(400, 3)
    config = HeatmapConfig(max_age=96, lookback=24, cascade=CascadeRule(recorded_share=0.02))
    first = int(candles["date"].iloc[0].timestamp() * 1000) - START
    rng = np.random.default_rng(4)
    prints = [
        sold(first + int(at), ("long", "short")[i % 2], 1000.0 + i)
        for i, at in enumerate(np.sort(rng.integers(0, 400 * FIVE, 3000)))
    ]
    record(path, prints, at((first, first + 250 * FIVE), (first + 253 * FIVE, first + 400 * FIVE)))
    totals = load_totals(path, PAIR, "5m")
    without, informed = (liquidation_features(candles, config, liquidations=one) for one in (None, totals))
    changed = (without != informed) & ~(without.isna() & informed.isna())
    assert set(changed.columns[changed.any()]) == {"liq_cascade_above", "liq_cascade_below"}
    rows = np.flatnonzero(changed.any(axis=1))
    assert rows.size > 50
    assert not set(rows) & set(range(252, 275))  # some of the lookback was not recorded


# Export.


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_an_export_is_read_as_the_database_is(path, tmp_path, suffix):
    record(path, [*PRINTS, sold(3, exchange="okx", price=None, bankruptcy_price=5.0)])
    out = tmp_path / f"mine{suffix}"
    assert export(path, ORDERS.name, out, exchanges=["binance"]) == len(PRINTS)
    found = load_recorded(out, PAIR)
    pd.testing.assert_frame_equal(found[list(RECORDED)], load_recorded(path, PAIR, "binance")[list(RECORDED)])
    assert export(path, ORDERS.name, out, pairs=[PAIR]) == len(PRINTS) + 1
    with pytest.raises(DataError, match="must hold liquidation_orders of them, received none"):
        export(path, ORDERS.name, out, pairs=[ETH])


def test_other_kinds_are_exported_with_their_timeframe(path, tmp_path):
    given_totals(path, "5m", (0, 1.0, 2.0, FIVE))
    export(path, TOTALS.name, tmp_path / "mine.parquet")
    (row,) = pd.read_parquet(tmp_path / "mine.parquet").to_dict("records")
    assert row == {
        "date": pd.Timestamp(START, unit="ms", tz="UTC"),
        "exchange": "gate",
        "pair": PAIR,
        "timeframe": "5m",
        "long": 1.0,
        "short": 2.0,
        "available": pd.Timestamp(START + FIVE, unit="ms", tz="UTC"),
        "source": "rest",
    }
