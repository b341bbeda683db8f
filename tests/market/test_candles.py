import re
from collections.abc import Callable
from datetime import timedelta
from itertools import accumulate

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from builders.frames import (
    CANDLE,
    SEEDED,
    Frames,
    markets,
    random_candles,
    random_funding,
    random_open_interest,
)
from liqfeature import DataError, MissingColumnError
from liqfeature.market.market import Inputs, JoinRule, Market

FIVE_MINUTES = pd.Timedelta(minutes=5)
LOOKBACK = 24


def aligned(market: Frames, lookback: int = LOOKBACK) -> Market:
    return Market.of(
        market.candles,
        JoinRule(lookback=lookback),
        open_interest=market.open_interest,
        funding_rate=market.funding_rate,
    )


def reported(rows: list[tuple[str, float]], **columns: list[float]) -> pd.DataFrame:
    """Open interest from times of day and amounts."""
    date = pd.to_datetime([f"2026-01-01 {at}" for at, _ in rows], utc=True)
    return pd.DataFrame({"date": date, "open_interest_amount": [a for _, a in rows]} | columns)


def flat(n: int, price: float = 100.0) -> pd.DataFrame:
    """Candles from midnight that do not move."""
    candles = random_candles(n, 1)
    return candles.assign(open=price, high=price, low=price, close=price, volume=50.0)


# --- alignment -------------------------------------------------------------------------------------------


@settings(SEEDED, max_examples=25)
@given(markets(n=60, plain=True))
def test_each_candle_gets_the_last_row_that_a_live_bot_has_at_its_close(market: Frames) -> None:
    got = aligned(market)
    if market.open_interest is None:
        assert np.isnan(got.open_interest).all()
        assert np.isnan(got.staleness).all()
        return
    rows = market.open_interest.dropna().reset_index(drop=True)
    stamp, steps = rows["date"], rows["date"].diff()
    usable = {k: stamp[k] + min(steps[k], steps[k - 1]) for k in range(2, len(rows))}
    longest = LOOKBACK * FIVE_MINUTES
    usable = {
        k: at for k, at in usable.items() if at - stamp[k - 2] <= longest
    }  # too old before it is usable
    usable = dict(zip(usable, accumulate(usable.values(), max), strict=True))  # none overtakes one that waits
    for t, opened in enumerate(market.candles["date"]):
        close = opened + FIVE_MINUTES
        known = [k for k, at in usable.items() if at <= close]
        if known and close - stamp[known[-1] - 2] <= longest:
            assert got.open_interest[t] == rows["open_interest_amount"][known[-1]]
            assert got.staleness[t] == (close - usable[known[-1]]) / FIVE_MINUTES
        else:
            assert np.isnan(got.open_interest[t])
            assert np.isnan(got.staleness[t])
    assert (got.late_first >= 0).all()
    assert (got.late_stop >= got.late_first).all()
    assert (got.late_stop <= np.arange(len(market.candles))).all()


def test_a_row_is_usable_once_its_period_is_over() -> None:
    hourly = reported([("00:00", 1.0), ("01:00", 2.0), ("02:00", 3.0), ("03:00", 4.0)])
    got = aligned(Frames(flat(60), hourly), lookback=48)
    # The row of 02:00 is complete at 03:00, the close of candle 35; that of 03:00 at 04:00, of candle 47.
    np.testing.assert_array_equal(got.open_interest, [np.nan] * 35 + [3.0] * 12 + [4.0] * 13)
    assert got.staleness[[35, 46, 47]].tolist() == [0, 11, 0]


def test_a_change_belongs_to_the_candles_between_its_rows() -> None:
    hourly = reported([("00:00", 1.0), ("01:00", 2.0), ("02:00", 3.0), ("03:00", 4.0)])
    got = aligned(Frames(flat(60), hourly), lookback=48)
    assert (got.late_first[47], got.late_stop[47]) == (24, 36)  # from 02:00 to 03:00
    every = reported([(f"00:{m:02}", 5.0 + m) for m in range(0, 60, 5)])
    got = aligned(Frames(flat(12), every))
    # The row stamped 00:20 is complete at 00:25, with the candle that opens at 00:20.
    assert got.open_interest[4] == 25
    assert (got.late_first[4], got.late_stop[4]) == (3, 4)


def test_rows_finer_than_the_candles_are_thinned_to_their_openings() -> None:
    minutes = reported([(f"00:{m:02}", 5.0 + m) for m in range(60)])
    got = aligned(Frames(flat(12), minutes))
    assert got.open_interest[1:].tolist() == [5.0 + 5 * t for t in range(1, 12)]
    assert got.late_first[2:].tolist() == list(range(1, 11))
    assert got.late_stop[2:].tolist() == list(range(2, 12))


def test_across_a_gap_the_change_reaches_back_to_the_candle_before_it() -> None:
    candles = flat(12).drop(index=[4, 5, 6]).reset_index(drop=True)
    every = reported([(f"00:{m:02}", 5.0 + m) for m in range(0, 60, 5)])
    got = aligned(Frames(candles, every))
    # Candle 4 opens at 00:35; candle 3, at 00:15, knew the row of 00:15.
    assert (got.late_first[4], got.late_stop[4]) == (3, 4)
    assert got.open_interest[4] == 40


def test_a_row_is_carried_while_it_and_the_two_before_it_lie_within_the_lookback() -> None:
    early = reported([("00:00", 1.0), ("00:05", 2.0), ("00:10", 3.0)])
    got = aligned(Frames(flat(60), early))
    # The row of 00:00 is 24 candles old at 02:00, the close of candle 23.
    np.testing.assert_array_equal(got.open_interest, [np.nan] * 2 + [3.0] * 22 + [np.nan] * 36)
    assert got.staleness[[2, 23]].tolist() == [0, 21]
    assert np.isnan(got.staleness[24:]).all()


def test_a_gap_does_not_change_when_a_row_is_usable() -> None:
    rows = reported([("00:00", 1.0), ("00:05", 2.0), ("00:10", 3.0), ("00:30", 4.0), ("00:35", 5.0)])
    got = aligned(Frames(flat(10), rows)).open_interest
    np.testing.assert_array_equal(got, [np.nan, np.nan, 3, 3, 3, 3, 4, 5, 5, 5])


def test_a_later_row_does_not_change_when_a_row_is_usable() -> None:
    rows = [("00:00", 1.0), ("00:20", 2.0), ("00:25", 3.0), ("00:30", 4.0)]
    for n in (3, 4):
        got = aligned(Frames(flat(8), reported(rows[:n]))).open_interest
        np.testing.assert_array_equal(got, [np.nan] * 5 + [3, n, n])


def test_a_row_after_two_long_steps_waits_and_none_overtakes_it() -> None:
    rows = [("00:00", 1.0), ("00:15", 2.0), ("00:30", 3.0), ("00:35", 4.0), ("00:40", 5.0), ("00:45", 6.0)]
    got = aligned(Frames(flat(12), reported(rows))).open_interest
    # The row of 00:30 stands for a quarter of an hour: nothing is known before 00:45, the close of candle 8.
    np.testing.assert_array_equal(got, [np.nan] * 8 + [5, 6, 6, 6])


@pytest.mark.parametrize(
    ("gap", "expected"),
    [(40, [*[np.nan] * 7, 10.0]), (45, [np.nan, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0])],
)
def test_a_row_that_is_too_old_before_it_is_usable_holds_back_no_other(
    gap: int, expected: list[float]
) -> None:
    """Stamped after steps of 40 minutes it is usable 120 minutes after the first: the lookback."""
    stamp = [0, 40, 40 + gap, *range(45 + gap, 120 + gap, 5)]
    date = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(stamp, unit="min")
    rows = pd.DataFrame({"date": date, "open_interest_amount": np.arange(1.0, len(stamp) + 1)})
    got = aligned(Frames(flat(60), rows)).open_interest
    first = (40 + gap) // 5
    np.testing.assert_array_equal(got[first : first + 8], expected)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_rows_without_two_before_them_have_no_period_and_are_not_used(n: int) -> None:
    rows = [("00:00", 1.0), ("00:05", 2.0)]
    assert np.isnan(aligned(Frames(flat(8), reported(rows[:n]))).open_interest).all()


def test_value_serves_where_amount_is_missing() -> None:
    candles = random_candles(40, 3)
    rows = random_open_interest(candles, 3)
    amounts = aligned(Frames(candles, rows))
    for empty in (np.nan, 0.0):
        value_only = aligned(Frames(candles, rows.assign(open_interest_amount=empty)))
        np.testing.assert_allclose(value_only.open_interest[2:], amounts.open_interest[2:], rtol=1e-12)
        amount_only = aligned(Frames(candles, rows.assign(open_interest_value=empty)))
        np.testing.assert_array_equal(amount_only.open_interest, amounts.open_interest)
    dropped = aligned(Frames(candles, rows.drop(columns="open_interest_value")))
    np.testing.assert_array_equal(dropped.open_interest, amounts.open_interest)
    dropped = aligned(Frames(candles, rows.drop(columns="open_interest_amount")))
    np.testing.assert_allclose(dropped.open_interest[2:], amounts.open_interest[2:], rtol=1e-12)


def test_value_is_divided_by_the_last_close_before_its_stamp() -> None:
    close = np.array([10.0, 20, 40, 80, 160, 320])
    candles = flat(6).assign(open=close, high=close, low=close, close=close)
    rows = reported([(f"00:{m:02}", 0.0) for m in range(0, 30, 5)], open_interest_value=[3200.0] * 6)
    # The row of 00:20 belongs to the close at 00:20, 80, and is usable with the candle that closes at 00:25.
    assert aligned(Frames(candles, rows)).open_interest[4] == 40


def test_rows_that_imply_another_price_are_passed_over() -> None:
    value = [1000, 1499, 667, 1501, 666, 1000]
    rows = reported([(f"00:{m:02}", 10.0) for m in range(0, 30, 5)], open_interest_value=value)
    got = aligned(Frames(flat(7), rows))
    assert got.staleness[2:].tolist() == [0, 1, 2, 0, 1]


def test_empty_and_unusable_rows_are_passed_over() -> None:
    amounts = [1.0, 2.0, 3.0, np.nan, 0.0, 6.0]
    got = aligned(Frames(flat(7), reported([(f"00:{5 * i:02}", a) for i, a in enumerate(amounts)])))
    np.testing.assert_array_equal(got.open_interest, [np.nan, np.nan, 3, 3, 3, 6, 6])


def test_funding_is_known_an_hour_after_its_stamp_and_summed() -> None:
    date = pd.to_datetime([f"2025-12-31 {at}" for at in ("23:00", "23:05", "23:20", "23:30")], utc=True)
    funding = pd.DataFrame({"date": date, "funding_rate": [0.01, 0.02, 0.03, np.nan]})
    got = aligned(Frames(flat(12), None, funding)).funding
    assert got.tolist() == [0.02, 0, 0, 0.03, *[0] * 8]  # 00:05 is the close of candle 0
    as_open = funding.rename(columns={"funding_rate": "open"})
    np.testing.assert_array_equal(aligned(Frames(flat(12), None, as_open)).funding, got)
    twice = pd.concat([funding, funding.assign(date=date + pd.Timedelta(minutes=1))]).sort_values("date")
    got = aligned(Frames(flat(12), None, twice)).funding
    np.testing.assert_allclose(got[:5], [0.01 + 0.02, 0.02, 0, 0.03, 0.03])


def test_funding_that_falls_due_in_a_gap_comes_with_the_candle_after_it() -> None:
    candles = flat(12).drop(index=[2, 3, 4]).reset_index(drop=True)
    date = pd.date_range("2025-12-31 22:35", periods=9, freq="5min", tz="UTC")
    got = aligned(Frames(candles, None, pd.DataFrame({"date": date, "funding_rate": 0.001}))).funding
    # Known from 23:35 to 00:15; candles close at 00:05, 00:10, then at 00:30.
    np.testing.assert_allclose(got[:3], [0.001, 0.001, 0.001])
    assert got[3:].sum() == 0


@pytest.mark.parametrize("rate", [0.11, -0.11, np.inf])
def test_funding_that_no_exchange_asks_for_is_refused(rate: float) -> None:
    funding = random_funding(flat(40), 1, size=0.0)
    funding.loc[2, "funding_rate"] = rate
    rule = "a fraction of notional within 0.1 of 0"
    with pytest.raises(DataError, match=rf"^funding: column 'funding_rate' must be {rule}, received {rate}$"):
        Market.of(flat(40), JoinRule(lookback=LOOKBACK), funding_rate=funding)


def test_funding_in_percent_is_refused() -> None:
    """The usual payment is .01 %: a hundredth of a percent, which as a fraction would be 1 %."""
    rng = np.random.default_rng(1)
    date = pd.date_range("2025-12-25", periods=30, freq="8h", tz="UTC")
    usual = rng.normal(1e-4, 5e-5, 30)
    rule = JoinRule(lookback=LOOKBACK)
    Market.of(flat(40), rule, funding_rate=pd.DataFrame({"date": date, "funding_rate": usual}))
    column = "funding: column 'open' must be fractions, not percent, received"
    with pytest.raises(DataError, match=rf"^{column} 0\.0\d+ as the median of 30 payments$"):
        Market.of(flat(40), rule, funding_rate=pd.DataFrame({"date": date, "open": usual * 100}))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_payments_of_one_candle_are_bounded(sign: float) -> None:
    """Ten percent a second would make the grid span more than memory holds."""
    date = pd.date_range("2025-12-31 23:30", periods=10, freq="30s", tz="UTC")
    rows = pd.DataFrame({"date": date, "funding_rate": sign * 0.1})
    rule = "sum to within 0.1 of 0 per hour"
    with pytest.raises(
        DataError, match=rf"^funding: column 'funding_rate' must {rule}, received -?0\.9 with"
    ):
        Market.of(flat(40), JoinRule(lookback=LOOKBACK), funding_rate=rows)


def test_payments_of_a_gap_of_hours_may_be_more() -> None:
    candles = flat(100).drop(index=range(10, 70)).reset_index(drop=True)
    date = pd.date_range("2025-12-31 23:00", periods=6, freq="1h", tz="UTC")
    rows = pd.DataFrame({"date": date, "funding_rate": 0.04})
    got = aligned(Frames(candles, None, rows)).funding
    assert got[10] == pytest.approx(0.2)


def test_ticks_count_candles_since_1970() -> None:
    got = aligned(Frames(random_candles(3, 1)))
    assert got.interval == CANDLE
    assert got.candles_per_day == 288
    assert list(got.tick) == [pd.Timestamp("2026-01-01").value // 10**9 // 300 + i for i in range(3)]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_the_resolution_and_the_zone_of_dates_do_not_matter(unit: str) -> None:
    candles = random_candles(30, 5)
    want = aligned(Frames(candles))
    for dates in (
        candles["date"].dt.as_unit(unit),
        candles["date"].dt.tz_convert("Asia/Tokyo").dt.as_unit(unit),
        candles["date"].dt.tz_localize(None).dt.as_unit(unit),  # without a zone: UTC
    ):
        np.testing.assert_array_equal(aligned(Frames(candles.assign(date=dates))).tick, want.tick)


def test_arrays_are_contiguous_floats_whatever_the_frame_holds() -> None:
    columns = ["open", "high", "low", "close", "volume"]
    whole = random_candles(30, 5).round(dict.fromkeys(columns, 0))
    for dtype in ("int64", "float32", "Float64", "object", "int32"):
        got = aligned(Frames(whole.astype(dict.fromkeys(columns, dtype))))
        want = aligned(Frames(whole))
        for name in ("high", "low", "close", "volume"):
            values = getattr(got, name)
            assert values.dtype == np.float64
            assert values.flags.c_contiguous
            np.testing.assert_array_equal(values, getattr(want, name))


def test_an_input_that_does_not_exist_is_refused() -> None:
    rows = random_open_interest(flat(6), 1)
    inputs = ", ".join(Inputs.__annotations__)
    message = f"no input is named 'open_intrest'; there are {inputs}"
    with pytest.raises(TypeError, match=f"^{message}$"):
        Market.of(flat(6), JoinRule(lookback=LOOKBACK), open_intrest=rows)


# --- what is refused -------------------------------------------------------------------------------------


def put(column: str, value: object, row: int = 3) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.copy()
        frame.loc[row, column] = value
        return frame

    return change


AT = "in row 3 (2026-01-01 00:15:00+00:00)"
REFUSED = {
    "no frame": (lambda f: f.to_dict("list"), "candles must be a DataFrame, received dict"),
    "nothing": (lambda f: None, "candles must be a DataFrame, received NoneType"),
    "no date": (
        lambda f: f.drop(columns="date"),
        "candles lack column 'date'; received ['open', 'high', 'low', 'close', 'volume']",
    ),
    "no close": (
        lambda f: f.drop(columns="close"),
        "candles lack column 'close'; received ['date', 'open', 'high', 'low', 'volume']",
    ),
    "dates as numbers": (
        lambda f: f.assign(date=range(len(f))),
        "candles: column 'date' must hold dates, received dtype int64",
    ),
    "no date in a row": (
        put("date", pd.NaT),
        "candles: column 'date' must not be empty, received NaT in row 3",
    ),
    "unsorted": (
        lambda f: f.iloc[[0, 1, 3, 2]],
        "candles: column 'date' must ascend without duplicates, received 2026-01-01 00:10:00+00:00 "
        "after 2026-01-01 00:15:00+00:00 in row 3",
    ),
    "duplicate": (
        lambda f: f.iloc[[0, 1, 1, 2]],
        "candles: column 'date' must ascend without duplicates, received 2026-01-01 00:05:00+00:00 "
        "after 2026-01-01 00:05:00+00:00 in row 2",
    ),
    "off the grid": (
        put("date", pd.Timestamp("2026-01-01 00:16", tz="UTC")),
        "candles: column 'date' must lie on a grid of 240 seconds, "
        "received 2026-01-01 00:05:00+00:00 in row 1",
    ),
    "NaN price": (
        put("close", np.nan),
        f"candles: column 'close' must be finite and above 0, received nan {AT}",
    ),
    "zero price": (put("low", 0.0), f"candles: column 'low' must be finite and above 0, received 0.0 {AT}"),
    "negative price": (
        put("open", -1.0),
        f"candles: column 'open' must be finite and above 0, received -1.0 {AT}",
    ),
    "infinite price": (
        put("high", np.inf),
        f"candles: column 'high' must be finite and above 0, received inf {AT}",
    ),
    "NaN volume": (
        put("volume", np.nan),
        f"candles: column 'volume' must be finite and at least 0, received nan {AT}",
    ),
    "infinite volume": (
        put("volume", np.inf),
        f"candles: column 'volume' must be finite and at least 0, received inf {AT}",
    ),
    "negative volume": (
        put("volume", -1.0),
        f"candles: column 'volume' must be finite and at least 0, received -1.0 {AT}",
    ),
    "tiny volume": (
        put("volume", 1e-101),
        f"candles: column 'volume' must be 0 or between 1e-100 and 1e+100, received 1e-101 {AT}",
    ),
    "huge volume": (
        put("volume", 2e100),
        f"candles: column 'volume' must be 0 or between 1e-100 and 1e+100, received 2e+100 {AT}",
    ),
    "tiny price": (
        put("open", 1e-101),
        f"candles: column 'open' must be 0 or between 1e-100 and 1e+100, received 1e-101 {AT}",
    ),
    "close twice": (
        lambda f: pd.concat([f, f["close"]], axis=1),
        "candles: column 'close' must be there once, received 2 of that name",
    ),
    "date twice": (
        lambda f: pd.concat([f, f["date"]], axis=1),
        "candles: column 'date' must be there once, received 2 of that name",
    ),
    "volume as dates": (
        lambda f: f.assign(volume=f["date"]),
        "candles: column 'volume' must hold numbers, received dtype datetime64[ms, UTC]",
    ),
    "volume as spans of time": (
        lambda f: f.assign(volume=f["date"] - f["date"].iloc[0]),
        "candles: column 'volume' must hold numbers, received dtype timedelta64[ms]",
    ),
    "complex prices": (
        lambda f: f.assign(close=f["close"] + 0j),
        "candles: column 'close' must hold numbers, received dtype complex128",
    ),
    "complex objects": (
        lambda f: f.assign(close=(f["close"] + 0j).astype(object)),
        "candles: column 'close' must hold numbers, received dtype complex128",
    ),
    "truths": (
        lambda f: f.assign(volume=f["volume"] > 0),
        "candles: column 'volume' must hold numbers, received dtype bool",
    ),
    "high under low": (
        lambda f: put("high", 90.0)(f),
        f"candles: column 'high' must not lie under low, received 90.0 {AT}",
    ),
    "close over high": (
        put("close", 101.0),
        f"candles: column 'close' must not lie over high, received 101.0 {AT}",
    ),
    "close under low": (
        put("close", 99.0),
        f"candles: column 'close' must not lie under low, received 99.0 {AT}",
    ),
    "open over high": (
        put("open", 101.0),
        f"candles: column 'open' must not lie over high, received 101.0 {AT}",
    ),
    "open under low": (
        put("open", 99.0),
        f"candles: column 'open' must not lie under low, received 99.0 {AT}",
    ),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_candles_that_break_a_rule_are_refused(
    change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        Market.of(change(flat(6)), JoinRule(lookback=LOOKBACK))


@pytest.mark.parametrize("kind", ["date32", "date64"])
def test_days_are_no_moments(kind: str) -> None:
    pa = pytest.importorskip("pyarrow")
    days = flat(6)["date"].dt.tz_localize(None).dt.floor("1D").astype(pd.ArrowDtype(getattr(pa, kind)()))
    rule = rf"^candles: column 'date' must hold dates, received dtype {kind}\[\w+\]\[pyarrow\]$"
    with pytest.raises(DataError, match=rule):
        Market.of(flat(6).assign(date=days), JoinRule(lookback=LOOKBACK))
    moments = flat(6)["date"].astype(pd.ArrowDtype(pa.timestamp("ms", tz="UTC")))
    assert Market.of(flat(6).assign(date=moments), JoinRule(lookback=LOOKBACK)).tick.size == 6


def zoneless(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(date=frame["date"].dt.tz_localize(None))


INPUTS = {
    "open_interest": random_open_interest(flat(40), 1),
    "funding_rate": random_funding(flat(40), 1),
    "mark": flat(40),
    "liquidations": flat(40)[["date"]].assign(long=1.0, short=2.0),
}


@pytest.mark.parametrize("name", INPUTS)
def test_dates_with_a_zone_are_not_mixed_with_dates_without(name: str) -> None:
    """Local candles beside open interest in UTC let an hour of the future in."""
    candles, rows, rule = flat(40), INPUTS[name], JoinRule(lookback=LOOKBACK)
    column = f"{name.replace('_', ' ')}: column 'date' must have"
    with pytest.raises(DataError, match=rf"^{column} no time zone, as candles have, received UTC$"):
        Market.of(zoneless(candles), rule, **{name: rows})
    with pytest.raises(DataError, match=rf"^{column} a time zone, as candles have, received none$"):
        Market.of(candles, rule, **{name: zoneless(rows)})
    plain = Market.of(candles, rule, **{name: rows})
    elsewhere = rows.assign(date=rows["date"].dt.tz_convert("Asia/Tokyo"))
    for got in (
        Market.of(zoneless(candles), rule, **{name: zoneless(rows)}),
        Market.of(candles, rule, **{name: elsewhere}),
    ):
        for field in ("open_interest", "funding", "touched_low", "liquidated"):
            np.testing.assert_array_equal(getattr(got, field), getattr(plain, field))


def test_a_missing_column_is_an_error_of_its_own() -> None:
    with pytest.raises(MissingColumnError):
        Market.of(flat(6).drop(columns="volume"), JoinRule(lookback=LOOKBACK))


def test_columns_that_do_not_hold_numbers_are_refused() -> None:
    candles = flat(6).astype({"close": object})
    candles.loc[3, "close"] = "n/a"
    with pytest.raises(DataError, match=r"^candles: column 'close' must hold numbers, received 'n/a'$"):
        Market.of(candles, JoinRule(lookback=LOOKBACK))
    rows = random_open_interest(flat(6), 1).assign(open_interest_value="?")
    column = "open interest: column 'open_interest_value'"
    with pytest.raises(DataError, match=rf"^{column} must hold numbers, received '\?'$"):
        Market.of(flat(6), JoinRule(lookback=LOOKBACK), open_interest=rows)
    for wrong in (True, 10**400, [1.0], 1j):
        candles = flat(6).astype({"volume": object})
        candles["volume"] = [*candles["volume"][:5], wrong]
        with pytest.raises(DataError, match=r"^candles: column 'volume' must hold numbers, received "):
            Market.of(candles, JoinRule(lookback=LOOKBACK))
    rows = rows.assign(open_interest_value=None)  # empty, whatever its type
    assert Market.of(flat(6), JoinRule(lookback=LOOKBACK), open_interest=rows).open_interest[-1] > 0


def test_what_is_no_frame_of_plain_columns_is_refused() -> None:
    rule, nested = JoinRule(lookback=LOOKBACK), pd.concat({"BTC": flat(6)}, axis=1)
    for wrong in (None, [1], dict(flat(6))):
        with pytest.raises(DataError, match=r"^candles must be a DataFrame, received "):
            Market.of(wrong, rule)
    for name in ("open_interest", "funding_rate", "mark", "liquidations", "positioning"):
        with pytest.raises(DataError, match=rf"^{name.replace('_', ' ')} must be a DataFrame, received list"):
            Market.of(flat(6), rule, **{name: []})
    with pytest.raises(DataError, match=r"^candles must have columns of one name each, received \[\('BTC', "):
        Market.of(nested, rule)


@pytest.mark.parametrize(("hours", "usual"), [(1, 1.25e-5), (2, 2.5e-5), (4, 5e-5), (8, 1e-4)])
def test_funding_in_percent_is_refused_however_often_it_is_paid(hours, usual) -> None:
    candles = random_candles(1200, 1)
    dates = pd.date_range(candles["date"].iloc[0], candles["date"].iloc[-1], freq=f"{hours}h")
    rows = pd.DataFrame({"date": dates, "funding_rate": usual})
    rule = JoinRule(lookback=LOOKBACK)
    assert Market.of(candles, rule, funding_rate=rows).funding.max() == usual
    assert Market.of(candles, rule, funding_rate=rows.assign(funding_rate=20 * usual)).funding.any()
    for sign in (100, -100):
        with pytest.raises(DataError, match="must be fractions, not percent"):
            Market.of(candles, rule, funding_rate=rows.assign(funding_rate=sign * usual))


BOUNDS = "0 or between 1e-100 and 1e+100"
ROWS = [("00:00", 1.0), ("00:05", 2.0), ("00:10", 3.0)]
REFUSED_OPEN_INTEREST = {
    "neither column": (
        reported(ROWS).rename(columns={"open_interest_amount": "oi"}),
        "open interest lack column 'open_interest_amount'; received ['date', 'oi']",
    ),
    "no date": (
        reported(ROWS).drop(columns="date"),
        "open interest lack column 'date'; received ['open_interest_amount']",
    ),
    "negative amount": (
        reported([("00:00", 1.0), ("00:05", -2.0)]),
        "open interest: column 'open_interest_amount' must be finite and at least 0, received -2.0",
    ),
    "negative value": (
        reported(ROWS, open_interest_value=[1.0, -3.0, 1.0]),
        "open interest: column 'open_interest_value' must be finite and at least 0, received -3.0",
    ),
    "infinite amount": (
        reported([("00:00", 1.0), ("00:05", np.inf)]),
        "open interest: column 'open_interest_amount' must be finite and at least 0, received inf",
    ),
    "tiny amount": (
        reported([("00:00", 1.0), ("00:05", 1e-310)]),
        f"open interest: column 'open_interest_amount' must be {BOUNDS}, received 1e-310",
    ),
    "huge value": (
        reported(ROWS, open_interest_value=[1.0, 1e101, 1.0]),
        f"open interest: column 'open_interest_value' must be {BOUNDS}, received 1e+101",
    ),
    "amount twice": (
        pd.concat([reported(ROWS), reported(ROWS)["open_interest_amount"]], axis=1),
        "open interest: column 'open_interest_amount' must be there once, received 2 of that name",
    ),
    "date twice": (
        pd.concat([reported(ROWS), reported(ROWS)["date"]], axis=1),
        "open interest: column 'date' must be there once, received 2 of that name",
    ),
    "duplicate": (
        reported([ROWS[0], ROWS[0]]),
        "open interest: column 'date' must ascend without duplicates, received 2026-01-01 00:00:00+00:00 "
        "after 2026-01-01 00:00:00+00:00 in row 1",
    ),
}


@pytest.mark.parametrize(("rows", "message"), REFUSED_OPEN_INTEREST.values(), ids=REFUSED_OPEN_INTEREST)
def test_open_interest_that_breaks_a_rule_is_refused(rows: pd.DataFrame, message: str) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        Market.of(flat(6), JoinRule(lookback=LOOKBACK), open_interest=rows)


def test_funding_without_a_rate_or_in_disorder_is_refused() -> None:
    funding = random_funding(flat(40), 1)
    with pytest.raises(
        MissingColumnError, match=r"^funding lack column 'funding_rate'; received \['date', 'rate'\]$"
    ):
        Market.of(
            flat(40),
            JoinRule(lookback=LOOKBACK),
            funding_rate=funding.rename(columns={"funding_rate": "rate"}),
        )
    with pytest.raises(DataError, match=r"^funding: column 'date' must ascend without duplicates, received "):
        Market.of(flat(40), JoinRule(lookback=LOOKBACK), funding_rate=funding.iloc[::-1])


@pytest.mark.parametrize("empty", [reported([]), reported(ROWS).iloc[:0]], ids=["no dtype", "dates"])
def test_empty_frames_of_open_interest_and_funding_are_as_none(empty: pd.DataFrame) -> None:
    got = Market.of(flat(6), JoinRule(lookback=LOOKBACK), open_interest=empty, funding_rate=empty)
    assert np.isnan(got.open_interest).all()
    assert not got.funding.any()


@pytest.mark.parametrize("shift", [-timedelta(days=30), timedelta(days=30)], ids=["long before", "after"])
def test_open_interest_of_another_time_is_not_used(shift: timedelta) -> None:
    candles = random_candles(40, 1)
    rows = random_open_interest(candles, 1)
    got = aligned(Frames(candles, rows.assign(date=rows["date"] + shift)))
    assert np.isnan(got.open_interest).all()


def test_a_price_that_would_blow_up_the_grid_is_refused() -> None:
    candles = flat(6)
    highest = candles["high"].max()
    candles.loc[3, "low"] = highest * 1e-21
    rule = f"column 'low' must not lie under {highest / 1e20:g}, the highest high over 1e+20, received"
    with pytest.raises(DataError, match=f"^candles: {re.escape(rule)} .* in row 3"):
        Market.of(candles, JoinRule(lookback=LOOKBACK))
