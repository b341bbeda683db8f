"""No entry within minutes of what is scheduled: funding, expiry of options, events of a user's file."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("freqtrade")

from builders.driving import NOW, PAIR, ask, sides
from builders.frames import random_candles
from liqfeature.errors import ConfigError
from liqfeature.strategy import signals
from liqfeature.strategy.feed import ClusterFeed

AT_EXPIRY = {"liq_until_weekly_expiry": 0.0, "liq_since_weekly_expiry": 0.0}
CALM = {"liq_until_weekly_expiry": 61.0, "liq_since_weekly_expiry": 31.0}


def answers(strategy, side):
    return [ask(strategy, name, side) for name in ("custom_stake_amount", "confirm_trade_entry")]


@sides
def test_in_a_window_nothing_is_staked_or_confirmed(bot, strategy, side):
    for windows, row, allowed in (
        ({}, AT_EXPIRY, True),
        ({"weekly_expiry": (60, 30)}, CALM, True),
        ({"weekly_expiry": (60, 30)}, CALM | {"liq_until_weekly_expiry": 60.0}, False),
        ({"weekly_expiry": (60, 30)}, CALM | {"liq_since_weekly_expiry": 30.0}, False),
        ({"weekly_expiry": (60, 30)}, {}, False),  # a column is missing: no entry
    ):
        type(strategy).quiet_windows = windows
        bot.show(**row)
        stake, confirmed = answers(strategy, side)
        assert (stake > 0, confirmed) == (allowed, allowed)


def rows_around(strategy, first, n=3000):
    candles = random_candles(n, seed=3, start=first)
    return strategy.advise_indicators(candles, {"pair": PAIR})


@pytest.mark.parametrize(
    ("hour", "zone"),
    [
        ("2026-03-29T08:00", "Europe/Berlin"),
        ("2026-01-01 00:00", "UTC"),
        ("2026-11-01 08:30", "America/New_York"),
    ],
)
def test_events_of_a_file_are_met_on_the_minute_across_summer_time_and_the_year_s_end(
    bot, tmp_path, hour, zone
):
    moment = pd.Timestamp(hour).tz_localize(zone).tz_convert("UTC")
    file = tmp_path / "events.csv"
    file.write_text(f"time,name,weight\n{moment.isoformat()},CPI,3\n")
    bot.config["events"] = str(file)
    strategy = bot.strategy()
    type(strategy).quiet_windows = {"event": (60, 30)}
    first = (moment - pd.Timedelta(minutes=5 * 2700)).strftime("%Y-%m-%d %H:%M")
    frame = rows_around(strategy, first)
    close = frame["date"] + pd.Timedelta("5min")
    inside = (close >= moment - pd.Timedelta("60min")) & (close <= moment + pd.Timedelta("30min"))
    assert inside.sum() == 19
    np.testing.assert_array_equal(~strategy.cluster_feed.quiet(frame), inside)
    type(strategy).least_event_weight = 3.5
    assert strategy.cluster_feed.quiet(rows_around(strategy, first)).all()


def test_a_window_of_events_needs_a_file_of_them(bot):
    strategy = bot.strategy()
    type(strategy).quiet_windows = {"event": (60, 30)}
    with pytest.raises(ConfigError, match=r"^events must be the path of a file of events"):
        ClusterFeed(strategy)


def test_without_windows_no_column_is_added_and_every_row_is_quiet(strategy):
    frame = rows_around(strategy, f"{NOW:%Y-%m-%d}", n=300)
    assert not [name for name in frame if name.startswith("liq_until_")]
    assert signals.outside_windows(frame, {}).all()
