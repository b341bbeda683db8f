"""Open interest of Hyperliquid, asked for at round times, through the real ccxt and from a stand-in."""

import asyncio
import logging
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

pytest.importorskip("ccxt")
pytest.importorskip("aiohttp")

from aiohttp import web

from builders.loopback import on_loopback
from builders.recordings import largest_file
from builders.tapes import HandClock
from builders.venues import redirected
from builders.waiting import PATIENCE, until
from liqfeature.data.database import Database
from liqfeature.data.kinds import OPEN_INTEREST, Series
from liqfeature.data.recordings import load_open_interest
from liqfeature.errors import ConfigError
from liqfeature.recorder import poll
from liqfeature.recorder.session import Pace, Session

BTC, PEPE = "BTC/USDC:USDC", "KPEPE/USDC:USDC"
FIVE, START = 300_000, 1_767_225_600_000
"""2026-01-01."""


class Hyperliquid:
    """What `metaAndAssetCtxs` answers: `amounts` by coin, `price` of all."""

    def __init__(self):
        self.amounts, self.price = {"BTC": "31801.5", "kPEPE": "12345678"}, "63568.0"
        self.asked, self.failures, self.url = 0, 0, ""
        self.on_answer = lambda: None

    def options(self):
        """Return ccxt's options that lead here."""
        import ccxt

        urls = redirected(ccxt.hyperliquid().urls["api"], urlsplit(self.url).netloc)
        return {"enableRateLimit": False, "urls": {"api": urls}}

    async def answer(self, request):
        assert request.path == "/info"
        assert await request.json() == {"type": "metaAndAssetCtxs"}
        self.asked += 1
        if self.failures:
            self.failures -= 1
            return web.Response(status=503)
        universe = [{"name": name, "szDecimals": 4, "maxLeverage": 40} for name in self.amounts]
        contexts = [
            {"openInterest": amount, "markPx": self.price, "funding": "0.0000125", "oraclePx": self.price}
            for amount in self.amounts.values()
        ]
        self.on_answer()
        return web.json_response([{"universe": universe}, contexts])


@asynccontextmanager
async def hyperliquid():
    served = Hyperliquid()
    async with on_loopback(served.answer) as served.url:
        yield served


@pytest.fixture
def root(tmp_path):
    return tmp_path / "my recordings.sqlite"


@pytest.fixture
def clock(monkeypatch):
    """This machine's clock, which a test sets; it is looked at all the time."""
    from ccxt.async_support import hyperliquid as exchange

    moment = HandClock(START)
    owner = next(kind for kind in exchange.__mro__ if "milliseconds" in vars(kind))
    monkeypatch.setattr(owner, "milliseconds", staticmethod(moment.now))
    monkeypatch.setattr(poll, "LOOK", 0.005)
    monkeypatch.setattr(poll, "RETRY", 0.005)
    return moment


@asynccontextmanager
async def recording(root, there, pairs=(BTC,)):
    session, stop = Session(root, Pace(save=0.01, retry=0.05, note=3600.0)), asyncio.Event()
    run = asyncio.create_task(session.run({"hyperliquid": there.options()}, pairs, stop))
    try:
        yield session
    finally:
        stop.set()
        await asyncio.wait_for(run, PATIENCE)


async def looked_at(clock):
    """Wait until the poller has looked at the clock, and gone on, several times."""
    seen = clock.looks + 10
    await until(lambda: clock.looks >= seen)


def count(session):
    return sum(poller.count for poller in session.pollers.values())


def waiting(session):
    return any(poller.waiting() for poller in session.pollers.values())


def rows(root, pair=BTC):
    table = load_open_interest(root, pair, "hyperliquid")
    stamps = (table["date"].astype("int64") - START) // FIVE
    return list(zip(stamps, table["open_interest_amount"], table["open_interest_value"], strict=True))


def test_it_is_asked_for_once_at_each_round_time(root, clock):
    async def story():
        async with hyperliquid() as there, recording(root, there, (BTC, PEPE)) as session:
            for period in range(3):
                there.amounts["BTC"] = f"{100.0 + period}"
                clock.moment = START + period * FIVE + 2_000
                await until(lambda n=period: count(session) == 2 * (n + 1) and not waiting(session))
                clock.moment += 30_000
            return there.asked

    assert asyncio.run(story()) == 3
    assert rows(root) == [(i, 100.0 + i, (100.0 + i) * 63568.0) for i in range(3)]
    assert [row[1] for row in rows(root, PEPE)] == [12345678.0] * 3


def test_what_comes_late_is_no_state_of_the_round_time(root, clock):
    async def story():
        clock.moment = START + 61_000
        async with hyperliquid() as there, recording(root, there) as session:
            await looked_at(clock)
            assert there.asked == 0
            there.on_answer = lambda: setattr(clock, "moment", START + FIVE + 60_000)
            clock.moment = START + FIVE
            await until(lambda: there.asked == 1)
            await looked_at(clock)
            there.on_answer = lambda: None
            clock.moment = START + 2 * FIVE
            await until(lambda: count(session) == 1)
            assert there.asked == 2

    asyncio.run(story())
    assert [row[0] for row in rows(root)] == [2]


def test_an_exchange_that_fails_is_asked_again_and_reported_once(root, clock, caplog):
    caplog.set_level(logging.WARNING)

    async def story():
        async with hyperliquid() as there:
            there.failures = 3
            async with recording(root, there) as session:
                await until(lambda: count(session) == 1)

    asyncio.run(story())
    assert [row[0] for row in rows(root)] == [0]
    assert caplog.text.count("hyperliquid: no open interest: ExchangeNotAvailable") == 1


@pytest.mark.parametrize("amount", ["", "none", "-1", "0", "inf", None])
def test_what_makes_no_sense_is_reported_and_costs_no_other_pair(root, clock, caplog, amount):
    async def story():
        async with hyperliquid() as there:
            there.amounts["BTC"] = amount
            async with recording(root, there, (BTC, PEPE)) as session:
                await until(lambda: count(session) == 1)

    asyncio.run(story())
    assert rows(root) == []
    assert len(rows(root, PEPE)) == 1
    assert f"not understood: open interest of {BTC}" in caplog.text


def test_a_full_disk_is_waited_out_and_what_came_too_late_for_a_bot_is_no_backtest_s_either(root, clock):
    async def story():
        async with hyperliquid() as there, recording(root, there) as session:
            await until(lambda: count(session) == 1 and not waiting(session))
            with largest_file(10):
                for period, passed in ((1, 0), (2, 0), (2, 200_000)):
                    clock.moment = START + period * FIVE + passed
                    await until(lambda n=period: count(session) == n + 1)
                await until(lambda: session.trouble)
            await until(lambda: not waiting(session))

    asyncio.run(story())
    with Database(root) as database:
        series = Series("hyperliquid", BTC, OPEN_INTEREST, "5m")
        table = database.read(series)
    assert ((table["stamp"] - START) // FIVE).tolist() == [0, 1, 2]
    assert table["available"].tolist()[1:] == [START + 2 * FIVE + 200_000] * 2
    assert [row[0] for row in rows(root)] == [0, 2]


def test_an_unknown_pair_ends_it_with_a_clear_error(root, clock):
    async def story():
        async with hyperliquid() as there:
            session = Session(root)
            await session.run({"hyperliquid": there.options()}, ["X/USDC:USDC"], asyncio.Event())

    with pytest.raises(ConfigError, match=r"hyperliquid such as BTC/USDT:USDT, received X/USDC:USDC"):
        asyncio.run(asyncio.wait_for(story(), PATIENCE))
