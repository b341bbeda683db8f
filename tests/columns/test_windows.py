"""Minutes to and since funding, expiry and events: dates from outside, summer time, and the ends of years."""

import calendar
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from liqfeature import DataError, MissingColumnError
from liqfeature.columns.events import load_events
from liqfeature.columns.windows import WINDOWS, scheduled_windows


def candles_of(first: str, n: int, freq: str = "h") -> pd.DataFrame:
    return pd.DataFrame({"date": pd.date_range(first, periods=n, freq=freq, tz="UTC")})


def at(close: str, *, freq: str = "h", **inputs: object) -> pd.Series:
    """Minutes at the candle that closes at a time, the second of two."""
    first = pd.Timestamp(close) - 2 * pd.Timedelta(f"1{freq}")
    return scheduled_windows(candles_of(str(first), 2, freq), **inputs).iloc[-1]  # type: ignore[arg-type]


def events_of(text: str, directory: Path) -> pd.DataFrame:
    path = directory / "events.csv"
    path.write_text(text, encoding="utf-8")
    return load_events(path)


# --- options ---------------------------------------------------------------------------------------------


def last_friday(year: int, month: int) -> datetime:
    weeks = calendar.monthcalendar(year, month)
    day = max(week[calendar.FRIDAY] for week in weeks)
    return datetime(year, month, day, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "expiry"),
    [
        ("quarterly", "2024-03-29 08:00"),  # Good Friday, and Europe's clocks change two days later
        ("quarterly", "2024-06-28 08:00"),
        ("quarterly", "2024-09-27 08:00"),
        ("quarterly", "2024-12-27 08:00"),
        ("monthly", "2025-01-31 08:00"),
        ("monthly", "2024-02-23 08:00"),
        ("quarterly", "2026-12-25 08:00"),  # Christmas
        ("weekly", "2025-01-03 08:00"),
    ],
)
def test_expiries_that_deribit_had_or_lists(kind: str, expiry: str) -> None:
    assert at(expiry)[f"liq_until_{kind}_expiry"] == 0
    assert at(expiry)[f"liq_since_{kind}_expiry"] == 0
    hour_before = at(str(pd.Timestamp(expiry) - pd.Timedelta("1h")))
    assert hour_before[f"liq_until_{kind}_expiry"] == 60
    assert at(str(pd.Timestamp(expiry) + pd.Timedelta("1h")))[f"liq_since_{kind}_expiry"] == 60


def test_every_month_of_ten_years_expires_on_its_last_friday() -> None:
    found = scheduled_windows(candles_of("2020-01-01", 3653, "D"))
    close = pd.date_range("2020-01-02", periods=3653, tz="UTC")
    for kind, months in (("monthly", range(1, 13)), ("quarterly", (3, 6, 9, 12))):
        due = [last_friday(year, month) for year in range(2019, 2031) for month in months]
        want = [min(d for d in due if d >= t) for t in close]
        np.testing.assert_array_equal(
            found[f"liq_until_{kind}_expiry"],
            [(w - t) / timedelta(minutes=1) for w, t in zip(want, close, strict=True)],
        )


def test_one_kind_of_expiry_is_also_the_shorter_ones() -> None:
    found = scheduled_windows(candles_of("2023-12-25", 24 * 120))
    kinds = ("daily", "weekly", "monthly", "quarterly")
    for way in ("until", "since"):
        columns = [f"liq_{way}_{kind}_expiry" for kind in kinds]
        assert (np.diff(found[columns], axis=1) >= 0).all()
    assert found["liq_until_daily_expiry"].max() < 1440
    assert found["liq_until_weekly_expiry"].max() < 7 * 1440
    assert (found["liq_until_daily_expiry"] + found["liq_since_daily_expiry"]).isin([0, 1440]).all()


# --- funding ---------------------------------------------------------------------------------------------


def paid(first: str, n: int, freq: str) -> pd.DataFrame:
    return pd.DataFrame({"date": pd.date_range(first, periods=n, freq=freq, tz="UTC"), "funding_rate": 1e-4})


@pytest.mark.parametrize(("hours", "until", "since"), [(1, 30, 30), (2, 30, 90), (4, 150, 90), (8, 150, 330)])
def test_funding_falls_due_as_often_as_its_rows_say(hours: int, until: float, since: float) -> None:
    """At 21:30, with rows of the days before a new year."""
    rows = paid("2025-12-30", 48 // hours + 1, f"{hours}h")
    row = at("2025-12-31 21:30", freq="min", funding_rate=rows)
    assert (row["liq_until_funding"], row["liq_since_funding"]) == (until, since)


def test_a_payment_at_the_close_is_neither_ahead_nor_past() -> None:
    row = at("2026-01-01 00:00", funding_rate=paid("2025-12-30", 4, "8h"))
    assert (row["liq_until_funding"], row["liq_since_funding"]) == (0, 0)


def test_rows_that_a_bot_does_not_know_yet_decide_nothing() -> None:
    candles = candles_of("2026-01-01", 24)
    slow = paid("2025-12-30", 9, "8h")
    fast = pd.concat([slow, paid("2026-01-01 17:00", 7, "h")], ignore_index=True)
    now, later = (scheduled_windows(candles, funding_rate=rows)["liq_until_funding"] for rows in (slow, fast))
    hour = candles["date"].dt.hour + 1  # of the close
    np.testing.assert_array_equal(now[hour < 18], later[hour < 18])
    assert now[17] == 360
    assert (later[hour >= 18] == 0).all()


def test_nothing_is_known_without_rows() -> None:
    found = scheduled_windows(candles_of("2026-01-01", 5))
    assert (
        found[["liq_until_funding", "liq_since_funding", "liq_until_event", "liq_since_event"]]
        .isna()
        .all(axis=None)
    )
    assert list(found.columns) == list(WINDOWS)
    assert (found.dtypes == np.float64).all()
    assert found.filter(like="expiry").notna().all(axis=None)
    assert scheduled_windows(candles_of("2026-01-01", 0)).empty


# --- events ----------------------------------------------------------------------------------------------

CPI = """time,name,weight
2026-03-06 08:30 America/New_York,jobs,1
2026-03-11 08:30 America/New_York,CPI,3
2026-10-14T08:30-04:00,CPI,3
2026-11-10 08:30 America/New_York,CPI,3
2026-12-09 19:00Z,FOMC,2.5
"""


def test_half_past_eight_in_new_york_is_another_hour_in_summer(tmp_path: Path) -> None:
    """Clocks went forward on 2026-03-08, and go back on 2026-11-01."""
    events = events_of(CPI, tmp_path)
    assert [f"{t:%m-%d %H:%M}" for t in events["time"]] == [
        "03-06 13:30",
        "03-11 12:30",
        "10-14 12:30",
        "11-10 13:30",
        "12-09 19:00",
    ]
    assert events["time"].dt.tz == UTC or str(events["time"].dt.tz) == "UTC"
    assert at("2026-03-06 13:00", events=events)["liq_until_event"] == 30
    assert at("2026-03-11 13:00", events=events)["liq_since_event"] == 30


def test_minutes_between_events_by_hand_and_none_beyond_the_first_and_the_last(tmp_path: Path) -> None:
    events = events_of("time,name,weight\n2026-01-01 00:10Z,b,1\n2025-12-31T23:50Z,a,1\n", tmp_path)
    found = scheduled_windows(candles_of("2025-12-31 23:40", 8, "5min"), events=events)
    np.testing.assert_array_equal(found["liq_until_event"], [5, 0, 15, 10, 5, 0, np.nan, np.nan])
    np.testing.assert_array_equal(found["liq_since_event"], [np.nan, 0, 5, 10, 15, 0, 5, 10])


def test_light_events_do_not_count(tmp_path: Path) -> None:
    events = events_of(CPI, tmp_path)
    at_jobs = at("2026-03-06 13:00", events=events, least_weight=2.0)
    assert at_jobs["liq_until_event"] == 5 * 1440 - 60 + 30
    assert np.isnan(at("2026-03-06 13:00", events=events, least_weight=4.0)["liq_until_event"])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2026-03-11 08:30,CPI,1", "row 1: time must have an offset or a zone, such as 2026-03-11 08:30Z"),
        ("2026-03-11,CPI,1", "row 1: time must have an offset or a zone"),
        ("11.3.2026 08:30Z,CPI,1", r"row 1: time must be such as .* received '11.3.2026 08:30Z'"),
        ("2026-03-11 08:30 America/Gotham,CPI,1", "row 1: time must be .*No time zone found"),
        ("2026-03-11T08:30Z Europe/Berlin,CPI,1", "row 1: .* an offset and a zone"),
        ("2026-03-08 02:30 America/New_York,CPI,1", "clocks of America/New_York skip it"),
        ("2026-11-01 01:30 America/New_York,CPI,1", "clocks of America/New_York show it twice"),
        ("2026-03-11T08:30Z,CPI,heavy", "'weight' must hold numbers, received 'heavy'"),
        ("2026-03-11T08:30Z,CPI,-1", "row 1: weight must be a number of at least 0, received '-1'"),
        ("2026-03-11T08:30Z,CPI", "'weight' must hold numbers, received ''"),
    ],
)
def test_what_is_no_event_is_refused(row: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        events_of(f"time,name,weight\n{row}\n", tmp_path)


def test_a_file_without_the_columns_is_refused_and_one_without_rows_is_not(tmp_path: Path) -> None:
    with pytest.raises(MissingColumnError, match="lack column 'weight'"):
        events_of("time,name\n2026-03-11T08:30Z,CPI\n", tmp_path)
    with pytest.raises(DataError, match="must be CSV with columns time, name, weight"):
        events_of("", tmp_path)
    nothing = events_of("time,name,weight\n", tmp_path)
    assert scheduled_windows(candles_of("2026-01-01", 5), events=nothing)["liq_until_event"].isna().all()


def test_events_of_a_frame_are_checked_too() -> None:
    naive = pd.DataFrame({"time": pd.to_datetime(["2026-01-01"]), "weight": [1.0]})
    with pytest.raises(DataError, match="'time' must have a time zone, received dtype datetime64"):
        scheduled_windows(candles_of("2026-01-01", 5), events=naive)
    zoned = naive.assign(time=naive["time"].dt.tz_localize("Asia/Tokyo"))
    assert at("2026-01-01 00:00", events=zoned)["liq_since_event"] == 9 * 60
