"""Other exchanges' rows as they come: once each, closed, with the moment of receipt; and after an outage."""

import asyncio
import dataclasses

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("ccxt")

import ccxt

from builders.tapes import walking_tape
from builders.waiting import until
from liqfeature.data.database import Database
from liqfeature.data.kinds import CANDLES, OPEN_INTEREST, Series
from liqfeature.data.venues import VenueSource
from liqfeature.durations import MINUTE
from liqfeature.recorder import collect as module
from liqfeature.recorder.collect import MOST_ROWS, Collector, collect
from liqfeature.sandbox.freqtrade_config import exchange_config
from liqfeature.sandbox.server.serve import running
from liqfeature.sandbox.server.venue import Venue

PAIR, FIVE, START = "BTC/USDT:USDT", 300_000, 1_767_225_600_000
"""2026-01-01."""


class Exchange:
    """A stand-in for ccxt's: `moment` is the time there, `withheld` the stamps that it does not give yet."""

    def __init__(self, listed=(PAIR,), lag=0):
        self.moment, self.lag, self.withheld, self.failures, self.asked = START, lag, set(), 0, 0
        self.listed, self.closed = listed, False

    def milliseconds(self):
        return self.moment + 77_000  # this machine's clock is ahead

    async def load_time_difference(self):
        return 77_000

    async def load_markets(self):
        return {name: {"swap": True, "linear": True} for name in self.listed} | {"BTC/USDT": {"swap": False}}

    def rows(self, since, limit, until):
        self.asked += 1
        if self.failures:
            self.failures -= 1
            raise ccxt.RateLimitExceeded("429")
        last = min(self.moment // FIVE * FIVE, until)  # the candle that is open, too
        stamps = range(-(-since // FIVE) * FIVE, last + 1, FIVE)
        return [stamp for stamp in stamps if stamp not in self.withheld][:limit]

    async def fetch_ohlcv(self, pair, timeframe, since, limit):
        done = self.moment // FIVE * FIVE
        return [[s, 1.0, 2.0, 0.5, 1.5, 7.0 if s < done else 3.0] for s in self.rows(since, limit, 2**62)]

    async def fetch_open_interest_history(self, pair, timeframe, since, limit, params):
        found = self.rows(since, limit, params["until"])
        return [{"timestamp": s, "openInterestAmount": 10.0, "openInterestValue": None} for s in found]

    async def close(self):
        self.closed = True


def rows_of(path, kind, exchange="bybit", pair=PAIR):
    with Database(path) as database:
        return database.read(Series(exchange, pair, kind, "5m"))


def caught_up(path, api, history=10, kinds=(CANDLES, OPEN_INTEREST)):
    with Database(path, write=True) as database:
        collector = Collector("bybit", api, database, "5m", history)
        asyncio.run(collector.measure_clock())
        for kind in kinds:
            asyncio.run(collector.catch_up(Series("bybit", PAIR, kind, "5m")))
        return collector


@pytest.fixture
def path(tmp_path):
    return tmp_path / "r.sqlite"


@pytest.mark.parametrize("history", [10, MOST_ROWS, 2 * MOST_ROWS + 3])
def test_rows_that_have_closed_are_stored_with_the_moment_of_receipt(path, history):
    api = Exchange()
    api.moment += 2_000
    caught_up(path, api, history)
    for kind in (CANDLES, OPEN_INTEREST):
        rows = rows_of(path, kind)
        np.testing.assert_array_equal(rows["stamp"], START - FIVE * np.arange(history, 0, -1))
        assert (rows["available"] == api.moment).all()
    assert (rows_of(path, CANDLES)["volume"] == 7.0).all()
    assert rows_of(path, OPEN_INTEREST)["value"].isna().all()


def test_what_is_known_is_not_stored_again_and_an_outage_is_made_up_for(path):
    api = Exchange()
    caught_up(path, api)
    count = len(rows_of(path, CANDLES))
    assert caught_up(path, api).count == 0
    api.moment += 7 * FIVE + 1_500
    assert caught_up(path, api).count == 14
    rows = rows_of(path, CANDLES)
    assert len(rows) == count + 7
    assert (rows["available"].iloc[-7:] == api.moment).all()


def test_a_candle_that_an_exchange_gives_late_is_asked_for_again(path):
    api = Exchange()
    api.withheld = {START - FIVE}
    with Database(path, write=True) as database:
        collector = Collector("bybit", api, database, "5m", 10)
        series = Series("bybit", PAIR, CANDLES, "5m")
        asyncio.run(collector.measure_clock())
        asyncio.run(collector.catch_up(series))
        api.withheld, api.moment = set(), START + 9_000
        asyncio.run(collector.catch_up(series))
    last = rows_of(path, CANDLES).iloc[-1]
    assert (last["stamp"], last["available"]) == (START - FIVE, START + 9_000)


def test_a_hole_of_the_exchange_is_passed_over(path):
    api, history = Exchange(), 3 * MOST_ROWS
    api.withheld = set(range(START - history * FIVE, START - MOST_ROWS * FIVE, FIVE))

    async def bounded(pair, timeframe, since, limit):
        found = api.rows(since, limit, since + (limit - 1) * FIVE)
        return [[s, 1.0, 2.0, 0.5, 1.5, 7.0] for s in found]

    api.fetch_ohlcv = bounded
    caught_up(path, api, history, kinds=(CANDLES,))
    assert len(rows_of(path, CANDLES)) == MOST_ROWS


def test_errors_are_told_once_and_it_goes_on(path, monkeypatch, caplog):
    monkeypatch.setattr(module, "FIRST_DELAY", 0.001)
    monkeypatch.setattr(module, "LOOK", 0.001)
    api = Exchange(listed=(PAIR, "1000PEPE/USDT:USDT"))
    api.failures = 5

    async def run():
        with Database(path, write=True) as database:
            collector = Collector("bybit", api, database, "5m", 10)
            task = asyncio.create_task(collector.run([PAIR, "PEPE/USDT:USDT", "XYZ/USDT:USDT"], "okx"))
            await until(lambda: collector.count == 40)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert api.closed
    assert caplog.text.count("RateLimitExceeded 429") == 1
    assert caplog.text.count("answers again") == 1
    assert caplog.text.count("XYZ/USDT:USDT is not listed") == 1
    assert len(rows_of(path, CANDLES, pair="1000PEPE/USDT:USDT")) == 10


def test_the_real_ccxt_collects_what_a_bot_reads(path):
    """From the sandbox, which speaks as Binance does, beside a bot that trades on Bybit."""
    tape = walking_tape(PAIR)
    with running(Venue.of([tape], oi_days=2)) as url:
        options = exchange_config(url)["exchange"]["ccxt_config"]

        async def run():
            stop, found = asyncio.Event(), []
            arguments = ([PAIR], "bybit", "5m", 50, stop, found.extend)
            task = asyncio.create_task(collect(path, {"binance": options}, *arguments))
            await until(lambda: task.done() or (found and found[0].count >= 96))
            stop.set()
            await task

        asyncio.run(run())
    source = VenueSource(directories={"binance": None}, database=path)
    venue = source.load(PAIR, "5m", "bybit")["binance"]
    candles = venue.candles
    assert len(candles) >= 48
    first = (candles["date"].astype("int64").to_numpy() - tape.start) // MINUTE
    np.testing.assert_allclose(candles["close"], np.round(tape.close[first + 4], 1))
    assert (candles["available"] >= candles["date"] + pd.Timedelta("5min")).all()
    assert venue.open_interest["open_interest_amount"].notna().all()
    assert dataclasses.replace(venue, wait=1.0).wait == 1.0
