"""How often a market is looked at: seldom while price is calm, each second while it runs."""

import time
from collections import deque

import pytest

from liqfeature.durations import MINUTE
from liqfeature.serve.live import QUICK, Live, moves
from liqfeature.serve.sources import Forming, Look


class Source:
    pairs, title, timeframe, simulated = ("X",), "", "5m", False


class Maps:
    source = Source()


@pytest.mark.parametrize(
    ("prices", "runs"),
    [
        ([(0, 100.0)], False),
        ([(0, 100.0), (30, 102.4)], False),
        ([(0, 100.0), (30, 102.6)], True),
        ([(0, 102.6), (30, 100.0)], True),
        ([(0, 100.0), (50, 103.0), (70, 103.0)], False),  # the first is older than a minute
        ([(0, 100.0), (15, 103.0), (30, 100.0)], True),
    ],
)
def test_price_runs_where_it_moved_by_more_than_2_5_percent_within_a_minute(prices, runs):
    assert moves(deque(prices), prices[-1][0]) == runs


def live_at(opened, *closes):
    """A calm interval of 15 s, and looks ten seconds apart."""
    live = Live(Maps(), seconds=15.0)
    pauses = []
    for i, close in enumerate(closes):
        forming = Forming(opened=opened, open=1.0, high=2.0, low=0.5, close=close)
        live._last["X"] = Look(version=1, forming=forming)
        pauses.append(live._pause("X", 10.0 * i))
    return pauses


def test_a_market_that_runs_is_looked_at_each_second_until_it_is_calm_again():
    past = 0  # a simulated market: its candles do not end by this clock
    assert live_at(past, 100.0, 101.0, 104.0, *[104.0] * 7) == [15.0, 15.0, *[QUICK] * 6, 15.0, 15.0]


def test_the_end_of_the_forming_candle_is_not_slept_through(monkeypatch):
    now = 1_767_225_600
    monkeypatch.setattr(time, "time", lambda: now)
    opened = now * 1000 - 5 * MINUTE + 4_000
    assert live_at(opened, 100.0)[0] == pytest.approx(4.3)
    assert live_at(opened + 5 * MINUTE, 100.0) == [15.0]


def test_closed_candles_alone_are_looked_at_in_even_steps():
    live = Live(Maps(), seconds=2.0)
    live._last["X"] = Look(version=1)
    assert live._pause("X", 0.0) == 2.0
