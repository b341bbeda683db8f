import re
from collections.abc import Callable
from datetime import timedelta
from itertools import accumulate

import numpy as np
import pandas as pd
import pytest
from frames import CANDLE, SEEDED, Market, markets, random_candles, random_funding, random_open_interest
from hypothesis import given, settings

from liqfeature import DataError, MissingColumnError
from liqfeature.candles import Candles, align

FIVE_MINUTES = pd.Timedelta(minutes=5)
LOOKBACK = 24


def aligned(market: Market, lookback: int = LOOKBACK) -> Candles:
    return align(market.candles, market.open_interest, market.funding_rate, lookback=lookback)


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
@given(markets(n=60))
def test_each_candle_gets_the_last_row_that_a_live_bot_has_at_its_close(market: Market) -> None:
    got = aligned(market)
    if market.open_interest is None:
        assert np.isnan(got.open_interest).all()
        assert np.isnan(got.staleness).all()
        return
    rows = market.open_interest.dropna().reset_index(drop=True)
    stamp, steps = rows["date"], rows["date"].diff()
    usable = [stamp[k] + min(steps[k], steps[k - 1]) for k in range(2, len(rows))]
    usable = list(accumulate(usable, max))  # a row after two long steps waits, and none overtakes it
    for t, opened in enumerate(market.candles["date"]):
        close = opened + FIVE_MINUTES
        known = [k for k, at in enumerate(usable, start=2) if at <= close]
        if known and close - stamp[known[-1] - 2] <= LOOKBACK * FIVE_MINUTES:
            assert got.open_interest[t] == rows["open_interest_amount"][known[-1]]
            assert got.staleness[t] == (close - usable[known[-1] - 2]) / FIVE_MINUTES
        else:
            assert np.isnan(got.open_interest[t])
            assert np.isnan(got.staleness[t])
    assert (got.late_first >= 0).all()
    assert (got.late_stop >= got.late_first).all()
    assert (got.late_stop <= np.arange(len(market.candles))).all()


def test_a_row_is_usable_once_its_period_is_over() -> None:
    hourly = reported([("00:00", 1.0), ("01:00", 2.0), ("02:00", 3.0), ("03:00", 4.0)])
    got = aligned(Market(flat(60), hourly), lookback=48)
    # The row of 02:00 is complete at 03:00, the close of candle 35; that of 03:00 at 04:00, of candle 47.
    np.testing.assert_array_equal(got.open_interest, [np.nan] * 35 + [3.0] * 12 + [4.0] * 13)
    assert got.staleness[[35, 46, 47]].tolist() == [0, 11, 0]


def test_a_change_belongs_to_the_candles_between_its_rows() -> None:
    hourly = reported([("00:00", 1.0), ("01:00", 2.0), ("02:00", 3.0), ("03:00", 4.0)])
    got = aligned(Market(flat(60), hourly), lookback=48)
    assert (got.late_first[47], got.late_stop[47]) == (24, 36)  # from 02:00 to 03:00
    every = reported([(f"00:{m:02}", 5.0 + m) for m in range(0, 60, 5)])
    got = aligned(Market(flat(12), every))
    # The row stamped 00:20 is complete at 00:25, with the candle that opens at 00:20.
    assert got.open_interest[4] == 25
    assert (got.late_first[4], got.late_stop[4]) == (3, 4)


def test_rows_finer_than_the_candles_are_thinned_to_their_openings() -> None:
    minutes = reported([(f"00:{m:02}", 5.0 + m) for m in range(60)])
    got = aligned(Market(flat(12), minutes))
    assert got.open_interest[1:].tolist() == [5.0 + 5 * t for t in range(1, 12)]
    assert got.late_first[2:].tolist() == list(range(1, 11))
    assert got.late_stop[2:].tolist() == list(range(2, 12))


def test_across_a_gap_the_change_reaches_back_to_the_candle_before_it() -> None:
    candles = flat(12).drop(index=[4, 5, 6]).reset_index(drop=True)
    every = reported([(f"00:{m:02}", 5.0 + m) for m in range(0, 60, 5)])
    got = aligned(Market(candles, every))
    # Candle 4 opens at 00:35; candle 3, at 00:15, knew the row of 00:15.
    assert (got.late_first[4], got.late_stop[4]) == (3, 4)
    assert got.open_interest[4] == 40


def test_a_row_is_carried_while_it_and_the_two_before_it_lie_within_the_lookback() -> None:
    early = reported([("00:00", 1.0), ("00:05", 2.0), ("00:10", 3.0)])
    got = aligned(Market(flat(60), early))
    # The row of 00:00 is 24 candles old at 02:00, the close of candle 23.
    np.testing.assert_array_equal(got.open_interest, [np.nan] * 2 + [3.0] * 22 + [np.nan] * 36)
    assert got.staleness[[2, 23]].tolist() == [0, 21]
    assert np.isnan(got.staleness[24:]).all()


def test_a_gap_does_not_change_when_a_row_is_usable() -> None:
    rows = reported([("00:00", 1.0), ("00:05", 2.0), ("00:10", 3.0), ("00:30", 4.0), ("00:35", 5.0)])
    got = aligned(Market(flat(10), rows)).open_interest
    np.testing.assert_array_equal(got, [np.nan, np.nan, 3, 3, 3, 3, 4, 5, 5, 5])


def test_a_later_row_does_not_change_when_a_row_is_usable() -> None:
    rows = [("00:00", 1.0), ("00:20", 2.0), ("00:25", 3.0), ("00:30", 4.0)]
    for n in (3, 4):
        got = aligned(Market(flat(8), reported(rows[:n]))).open_interest
        np.testing.assert_array_equal(got, [np.nan] * 5 + [3, n, n])


@pytest.mark.parametrize("n", [0, 1, 2])
def test_rows_without_two_before_them_have_no_period_and_are_not_used(n: int) -> None:
    rows = [("00:00", 1.0), ("00:05", 2.0)]
    assert np.isnan(aligned(Market(flat(8), reported(rows[:n]))).open_interest).all()


def test_amounts_in_contracts_are_left_for_the_value() -> None:
    candles = random_candles(40, 3)
    rows = random_open_interest(candles, 3)
    contracts = rows.assign(open_interest_amount=rows["open_interest_amount"] * 100)
    got = align(candles, contracts, None, lookback=LOOKBACK, in_contracts=True)
    want = align(candles, rows.drop(columns="open_interest_amount"), None, lookback=LOOKBACK)
    np.testing.assert_array_equal(got.open_interest, want.open_interest)
    assert np.isfinite(got.open_interest).all()


def test_value_serves_where_amount_is_missing() -> None:
    candles = random_candles(40, 3)
    rows = random_open_interest(candles, 3)
    amounts = aligned(Market(candles, rows))
    for empty in (np.nan, 0.0):
        value_only = aligned(Market(candles, rows.assign(open_interest_amount=empty)))
        np.testing.assert_allclose(value_only.open_interest[2:], amounts.open_interest[2:], rtol=1e-12)
        amount_only = aligned(Market(candles, rows.assign(open_interest_value=empty)))
        np.testing.assert_array_equal(amount_only.open_interest, amounts.open_interest)
    dropped = aligned(Market(candles, rows.drop(columns="open_interest_value")))
    np.testing.assert_array_equal(dropped.open_interest, amounts.open_interest)
    dropped = aligned(Market(candles, rows.drop(columns="open_interest_amount")))
    np.testing.assert_allclose(dropped.open_interest[2:], amounts.open_interest[2:], rtol=1e-12)


def test_value_is_divided_by_the_last_close_before_its_stamp() -> None:
    close = np.array([10.0, 20, 40, 80, 160, 320])
    candles = flat(6).assign(open=close, high=close, low=close, close=close)
    rows = reported([(f"00:{m:02}", 0.0) for m in range(0, 30, 5)], open_interest_value=[3200.0] * 6)
    # The row of 00:20 belongs to the close at 00:20, 80, and is usable with the candle that closes at 00:25.
    assert aligned(Market(candles, rows)).open_interest[4] == 40


def test_rows_that_imply_another_price_are_passed_over() -> None:
    value = [1000, 1999, 501, 2001, 499, 1000]
    rows = reported([(f"00:{m:02}", 10.0) for m in range(0, 30, 5)], open_interest_value=value)
    got = aligned(Market(flat(7), rows))
    assert got.staleness[2:].tolist() == [0, 1, 2, 0, 1]


def test_empty_and_unusable_rows_are_passed_over() -> None:
    amounts = [1.0, 2.0, 3.0, np.nan, 0.0, np.inf, 7.0]
    got = aligned(Market(flat(8), reported([(f"00:{5 * i:02}", a) for i, a in enumerate(amounts)])))
    np.testing.assert_array_equal(got.open_interest, [np.nan, np.nan, 3, 3, 3, 3, 7, 7])


def test_funding_is_known_an_hour_after_its_stamp_and_summed() -> None:
    date = pd.to_datetime([f"2025-12-31 {at}" for at in ("23:00", "23:05", "23:20", "23:30")], utc=True)
    funding = pd.DataFrame({"date": date, "funding_rate": [0.01, 0.02, 0.03, np.nan]})
    got = aligned(Market(flat(12), None, funding)).funding
    assert got.tolist() == [0.02, 0, 0, 0.03, *[0] * 8]  # 00:05 is the close of candle 0
    as_open = funding.rename(columns={"funding_rate": "open"})
    np.testing.assert_array_equal(aligned(Market(flat(12), None, as_open)).funding, got)
    twice = pd.concat([funding, funding.assign(date=date + pd.Timedelta(minutes=1))]).sort_values("date")
    got = aligned(Market(flat(12), None, twice)).funding
    np.testing.assert_allclose(got[:5], [0.01 + 0.02, 0.02, 0, 0.03, 0.03])


def test_funding_that_falls_due_in_a_gap_comes_with_the_candle_after_it() -> None:
    candles = flat(12).drop(index=[2, 3, 4]).reset_index(drop=True)
    date = pd.date_range("2025-12-31 22:35", periods=9, freq="5min", tz="UTC")
    got = aligned(Market(candles, None, pd.DataFrame({"date": date, "funding_rate": 0.001}))).funding
    # Known from 23:35 to 00:15; candles close at 00:05, 00:10, then at 00:30.
    np.testing.assert_allclose(got[:3], [0.001, 0.001, 0.001])
    assert got[3:].sum() == 0


@pytest.mark.parametrize("rate", [0.11, -0.11, np.inf])
def test_funding_that_no_exchange_asks_for_is_refused(rate: float) -> None:
    funding = random_funding(flat(40), 1, size=0.0)
    funding.loc[2, "funding_rate"] = rate
    rule = "a fraction of notional within 0.1 of 0"
    with pytest.raises(DataError, match=rf"^funding: column 'funding_rate' must be {rule}, received {rate}$"):
        align(flat(40), None, funding, lookback=LOOKBACK)


def test_ticks_count_candles_since_1970() -> None:
    got = aligned(Market(random_candles(3, 1)))
    assert got.interval == CANDLE
    assert got.candles_per_day == 288
    assert list(got.tick) == [pd.Timestamp("2026-01-01").value // 10**9 // 300 + i for i in range(3)]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_the_resolution_and_the_zone_of_dates_do_not_matter(unit: str) -> None:
    candles = random_candles(30, 5)
    want = aligned(Market(candles))
    for dates in (
        candles["date"].dt.as_unit(unit),
        candles["date"].dt.tz_convert("Asia/Tokyo").dt.as_unit(unit),
        candles["date"].dt.tz_localize(None).dt.as_unit(unit),  # without a zone: UTC
    ):
        np.testing.assert_array_equal(aligned(Market(candles.assign(date=dates))).tick, want.tick)


def test_arrays_are_contiguous_floats_whatever_the_frame_holds() -> None:
    columns = ["open", "high", "low", "close", "volume"]
    whole = random_candles(30, 5).round(dict.fromkeys(columns, 0))
    for dtype in ("int64", "float32", "Float64", "object", "int32"):
        got = aligned(Market(whole.astype(dict.fromkeys(columns, dtype))))
        want = aligned(Market(whole))
        for name in ("high", "low", "close", "volume"):
            values = getattr(got, name)
            assert values.dtype == np.float64
            assert values.flags.c_contiguous
            np.testing.assert_array_equal(values, getattr(want, name))


# --- what is refused -------------------------------------------------------------------------------------


def put(column: str, value: object, row: int = 3) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.copy()
        frame.loc[row, column] = value
        return frame

    return change


AT = "in row 3 (2026-01-01 00:15:00+00:00)"
REFUSED = {
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
        align(change(flat(6)), None, None, lookback=LOOKBACK)


def test_a_missing_column_is_an_error_of_its_own() -> None:
    with pytest.raises(MissingColumnError):
        align(flat(6).drop(columns="volume"), None, None, lookback=LOOKBACK)


def test_columns_that_do_not_hold_numbers_are_refused() -> None:
    candles = flat(6).astype({"close": object})
    candles.loc[3, "close"] = "n/a"
    with pytest.raises(DataError, match=r"^candles: column 'close' must hold numbers, received 'n/a'$"):
        align(candles, None, None, lookback=LOOKBACK)
    rows = random_open_interest(flat(6), 1).assign(open_interest_value="?")
    column = "open interest: column 'open_interest_value'"
    with pytest.raises(DataError, match=rf"^{column} must hold numbers, received '\?'$"):
        align(flat(6), rows, None, lookback=LOOKBACK)
    rows = rows.assign(open_interest_value=None)  # empty, whatever its type
    assert align(flat(6), rows, None, lookback=LOOKBACK).open_interest[-1] > 0


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
        "open interest: column 'open_interest_amount' must be at least 0, received -2.0",
    ),
    "negative value": (
        reported(ROWS, open_interest_value=[1.0, -3.0, 1.0]),
        "open interest: column 'open_interest_value' must be at least 0, received -3.0",
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
        align(flat(6), rows, None, lookback=LOOKBACK)


def test_funding_without_a_rate_or_in_disorder_is_refused() -> None:
    funding = random_funding(flat(40), 1)
    with pytest.raises(
        MissingColumnError, match=r"^funding lack column 'funding_rate'; received \['date', 'rate'\]$"
    ):
        align(flat(40), None, funding.rename(columns={"funding_rate": "rate"}), lookback=LOOKBACK)
    with pytest.raises(DataError, match=r"^funding: column 'date' must ascend without duplicates, received "):
        align(flat(40), None, funding.iloc[::-1], lookback=LOOKBACK)


@pytest.mark.parametrize("empty", [reported([]), reported(ROWS).iloc[:0]], ids=["no dtype", "dates"])
def test_empty_frames_of_open_interest_and_funding_are_as_none(empty: pd.DataFrame) -> None:
    got = align(flat(6), empty, empty, lookback=LOOKBACK)
    assert np.isnan(got.open_interest).all()
    assert not got.funding.any()


@pytest.mark.parametrize("shift", [-timedelta(days=30), timedelta(days=30)], ids=["long before", "after"])
def test_open_interest_of_another_time_is_not_used(shift: timedelta) -> None:
    candles = random_candles(40, 1)
    rows = random_open_interest(candles, 1)
    got = aligned(Market(candles, rows.assign(date=rows["date"] + shift)))
    assert np.isnan(got.open_interest).all()


def test_a_price_that_would_blow_up_the_grid_is_refused() -> None:
    candles = flat(6)
    highest = candles["high"].max()
    candles.loc[3, "low"] = highest * 1e-21
    rule = f"column 'low' must not lie under {highest / 1e20:g}, the highest high over 1e+20, received"
    with pytest.raises(DataError, match=f"^candles: {re.escape(rule)} .* in row 3"):
        align(candles, None, None, lookback=LOOKBACK)
