import numpy as np
import pandas as pd
import pytest

from liqfeature.durations import HOUR, WEEK
from liqfeature.estimate.seasonality import mean_activity, week_activity

HOURS = tuple(float(h + 1) for h in range(24))
ACTIVITY = week_activity(HOURS, 0.5)


def milliseconds(*times: str) -> np.ndarray:
    return np.array([int(pd.Timestamp(t, tz="UTC").timestamp() * 1000) for t in times])


def test_saturday_and_sunday_are_the_weekend() -> None:
    """1 January 2024 was a Monday."""
    hours = pd.date_range("2024-01-01", periods=168, freq="h", tz="UTC")
    got = mean_activity(ACTIVITY, milliseconds(*(str(t)[:19] for t in hours)), HOUR)
    want = [(t.hour + 1) * (0.5 if t.day_name() in ("Saturday", "Sunday") else 1) for t in hours]
    assert got.tolist() == want


@pytest.mark.parametrize(
    ("begin", "minutes", "want"),
    [
        ("2024-01-01 10:00", 5, 11),
        ("2024-01-01 10:30", 60, (11 + 12) / 2),
        ("2024-01-01 10:45", 120, (11 * 15 + 12 * 60 + 13 * 45) / 120),
        ("2024-01-05 23:00", 120, (24 + 0.5 * 1) / 2),
        ("2024-01-07 23:50", 15, (0.5 * 24 * 10 + 1 * 5) / 15),
        ("2024-01-01 00:00", 1440, 12.5),
        ("2024-01-03 17:00", 7 * 1440, 12.5 * 6 / 7),
        ("2024-01-03 10:00", 7 * 1440 + 60, (12.5 * 6 * 24 + 11) / 169),
        ("2024-01-03 23:30", 21 * 1440 + 60, (12.5 * 6 * 24 * 3 + 12 + 0.5) / 505),
    ],
)
def test_means_over_parts_of_hours_and_whole_weeks(begin: str, minutes: int, want: float) -> None:
    got = mean_activity(ACTIVITY, milliseconds(begin), minutes * 60_000)
    assert got[0] == pytest.approx(want, rel=1e-12)


def test_even_hours_have_a_mean_of_exactly_one() -> None:
    begin = np.random.default_rng(1).integers(0, 3 * WEEK, 500) * 7
    for length in (60_000, 300_000, 86_400_000, 40 * WEEK + 123):
        assert (mean_activity(week_activity((1.0,) * 24, 1.0), begin, length) == 1.0).all()


def test_a_week_later_is_the_same_to_the_last_bit() -> None:
    begin = np.random.default_rng(2).integers(0, WEEK, 500)
    later = mean_activity(ACTIVITY, begin + 2900 * WEEK, 300_000)
    np.testing.assert_array_equal(later, mean_activity(ACTIVITY, begin, 300_000))
