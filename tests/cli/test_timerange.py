"""A range of time is the one that Freqtrade would take."""

import argparse
from datetime import UTC, datetime

import pandas as pd
import pytest

from liqfeature.cli.timerange import EVERYTHING, time_range

TEXTS = (
    *("20260101-20260201", "20260101-", "-20260201", "20260101-20260101", ""),
    *("20260101T0930-20260101T093015", "1767225600-1767312000", "1767225600123-", "-1767225600999"),
    *("20260101-1767312000000", "20240229-20240301"),
    *("-", "20260101", "20260201-20260101", "20261301-", "20250229-", "2026-01-01", "july", "20260101-x"),
    *("20260101-20260201-20260301", "202601-", "20260101T24-", "20260101 -", "176722560-"),
)


@pytest.mark.parametrize("text", TEXTS)
def test_every_form_means_what_it_means_to_freqtrade(text):
    freqtrade = pytest.importorskip("freqtrade.configuration")
    from freqtrade.exceptions import ConfigurationError

    try:
        theirs = freqtrade.TimeRange.parse_timerange(text)
    except ConfigurationError:
        with pytest.raises(argparse.ArgumentTypeError, match="received"):
            time_range(text)
    else:
        assert time_range(text) == (theirs.startdt, theirs.stopdt)


def test_the_candle_that_opens_at_the_end_belongs_to_the_range():
    """As where Freqtrade cuts its frames."""
    converter = pytest.importorskip("freqtrade.data.converter")
    from freqtrade.configuration import TimeRange

    candles = pd.DataFrame({"date": pd.date_range("2026-01-01", "2026-01-03", freq="1h", tz="UTC")})
    span = time_range("20260101-20260102").timestamps()
    ours = candles[candles["date"].between(span["first"], span["last"])]
    theirs = converter.trim_dataframe(candles, TimeRange.parse_timerange("20260101-20260102"))
    pd.testing.assert_frame_equal(ours, theirs)
    assert ours["date"].iloc[-1] == pd.Timestamp("2026-01-02", tz="UTC")


def test_an_open_end_is_none():
    assert time_range("20260101-") == (datetime(2026, 1, 1, tzinfo=UTC), None)
    assert EVERYTHING.timestamps() == {"first": None, "last": None}
