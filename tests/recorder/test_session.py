"""The recorder against stand-ins for exchanges and the sandbox, through the real ccxt."""

import asyncio
import logging
import resource
from collections import Counter
from contextlib import asynccontextmanager

import numpy as np
import pandas as pd
import pytest

from builders.recordings import spans_in
from builders.tapes import HandClock, walking_tape, with_forced_orders

pytest.importorskip("ccxt")
pytest.importorskip("aiohttp")

from builders.venues import binance_order, bybit_orders, okx_orders, venues
from builders.waiting import until
from liqfeature.data.database import Database
from liqfeature.data.recordings import load_recording
from liqfeature.errors import ConfigError
from liqfeature.recorder import listener
from liqfeature.recorder.inbox import Inbox
from liqfeature.recorder.session import Pace, Session
from liqfeature.recorder.stream import Stream
from liqfeature.sandbox.freqtrade_config import exchange_config
from liqfeature.sandbox.server.serve import running
from liqfeature.sandbox.server.streams import Subscriptions
from liqfeature.sandbox.server.venue import Venue

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
START = 1_767_225_600_000
"""2026-01-01 in milliseconds."""

PATIENCE = 200
"""Seconds after which a recorder counts as hung."""

QUICK = Pace(save=0.02, retry=0.05, note=0.1)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Connect again at once."""
    monkeypatch.setattr(listener, "FIRST_DELAY", 0.05)


@asynccontextmanager
async def recording(root, exchanges, *, pairs=(BTC,), pace=QUICK, most=1000, left=None):
    """Record for as long as the block lasts; put into `left` what `run` returns."""
    session, stop = Session(root, pace, Inbox(most)), asyncio.Event()
    run = asyncio.create_task(session.run(exchanges, pairs, stop))
    try:
        yield session
    finally:
        stop.set()
        unwritten = await asyncio.wait_for(run, PATIENCE)
        if left is not None:
            left.append(unwritten)


@pytest.fixture
def root(tmp_path):
    return tmp_path / "my recordings.sqlite"


def times(root, exchange, pair=BTC):
    dates = load_recording(root, pair, exchange)["date"]
    return [int(date.timestamp() * 1000) - START for date in dates]


def test_each_exchange_is_heard_and_normalised(root):
    async def story():
        async with venues() as there:
            names = ("binance", "bybit", "okx")
            everyone = {name: there.options(name) for name in names}
            async with recording(root, everyone, pairs=(BTC, ETH)) as session:
                await there.listened(4)  # Bybit asks once a pair
                await there.send(
                    binance_order(START + 1, side="BUY"),
                    bybit_orders(START + 2, START + 3),
                    okx_orders(START + 4, START + 5),
                    binance_order(START + 6, symbol="ETHUSDT"),
                    bybit_orders(START + 7, symbol="ETHUSDT", side="Sell"),
                    okx_orders(START + 8, base="ETH"),
                )
                await until(lambda: sum(session.inbox.tally(name).prints for name in names) == 8)
            return there.subscribed

    subscribed = asyncio.run(story())
    asked = [request.get("params") or request["args"] for request in subscribed]
    assert sorted(asked, key=str) == sorted(
        [
            ["btcusdt@forceOrder", "ethusdt@forceOrder"],
            ["allLiquidation.BTCUSDT"],
            ["allLiquidation.ETHUSDT"],
            [{"channel": "liquidation-orders", "instType": "SWAP"}],
        ],
        key=str,
    )
    found = pd.concat(
        [load_recording(root, pair, name) for pair in (BTC, ETH) for name in ("binance", "bybit", "okx")]
    )
    found = found.assign(ms=[int(date.timestamp() * 1000) - START for date in found["date"]]).set_index("ms")
    assert sorted(found.index) == list(range(1, 9))
    assert found["side"].to_dict() == {
        1: "short", 2: "long", 3: "long", 4: "long", 5: "long", 6: "long", 7: "short", 8: "long"
    }  # fmt: skip
    assert found["amount"].to_dict() == pytest.approx(
        dict.fromkeys((1, 2, 3, 6, 7), 2.0) | dict.fromkeys((4, 5, 8), 0.05)
    )
    assert found.loc[1, ["price", "bankruptcy_price", "notional"]].tolist() == [100.0, 100.0, 200.0]
    assert found["price"].isna().tolist() == (found["exchange"] != "binance").tolist()


def test_binance_is_subscribed_on_the_path_that_is_served(root):
    """On its old path, /ws, subscriptions are acknowledged and silent since April 2026."""

    async def story():
        async with venues() as there, recording(root, {"binance": there.options("binance")}):
            await there.listened()
            return there.paths

    (path,) = asyncio.run(story())
    assert path.startswith("/market/ws/")


@pytest.fixture
def clock(monkeypatch):
    """The time of this machine, in a list, as ccxt reads it."""
    from ccxt import pro

    clock = [START]
    owner = next(kind for kind in pro.binance.__mro__ if "milliseconds" in vars(kind))
    monkeypatch.setattr(owner, "milliseconds", staticmethod(lambda: clock[0]))
    return clock


def test_a_machine_that_slept_while_it_asked_for_the_time_keeps_its_clock(clock):
    def woken():
        clock[0] += 3_600_000
        return clock[0]

    async def story():
        async with venues() as there:
            there.now = lambda: clock[0] + 500
            stream = Stream("binance", [BTC], print, print, there.options("binance"))
            await stream.measure_clock()
            there.now = woken
            await stream.measure_clock()
            await stream.close()
            return stream.now()

    assert asyncio.run(story()) == clock[0] + 500


def test_silence_while_price_moves_is_reported_and_not_taken_for_quiet(root, caplog, clock):
    hour = 3_600_000
    still, moving = ([[START, "100", high, "100", "100", "1"]] for high in ("101", "102"))

    async def story():
        async with venues() as there:
            there.now, there.candles = lambda: clock[0], still
            async with recording(root, {"binance": there.options("binance")}) as session:
                await there.listened()
                await there.send(binance_order(START))
                await there.taken_in()
                clock[0] = START + hour + 1000
                await there.send({"result": None, "id": 7})  # alive
                await until(lambda: (spans_in(root, "binance", BTC) or [(0, 0)])[0][1] > START + hour)
                assert "nothing came" not in caplog.text
                there.candles = moving
                clock[0] = START + 2 * hour
                await until(lambda: "nothing came" in caplog.text)
                clock[0] = START + 3 * hour
                await until(lambda: spans_in(root, "binance", BTC) == [])
                await there.send(binance_order(clock[0]))
                await until(lambda: "something comes again" in caplog.text)
                clock[0] += 1000
                await there.send({"result": None, "id": 8})
                await until(lambda: spans_in(root, "binance", BTC))
            return session

    asyncio.run(story())
    assert "for 120 minutes in which BTC/USDT:USDT moved by 2.0 %" in caplog.text
    assert spans_in(root, "binance", BTC) == [(START + 3 * hour, START + 3 * hour + 1000)]


def test_a_dropped_connection_comes_back_and_what_is_sent_again_counts_once(root, caplog):
    caplog.set_level(logging.WARNING)

    async def story(name, order):
        async with venues() as there, recording(root, {name: there.options(name)}) as session:
            for connection in range(1, 4):
                await there.listened(connection)
                await there.send(order(START + 10 * connection), order(START))
                await until(lambda n=connection: session.inbox.tally(name).prints >= 1 + n)
                await there.drop()
            await there.listened(4)
            return session.inbox.tally(name)

    for name, order in (("binance", binance_order), ("bybit", bybit_orders), ("okx", okx_orders)):
        tally = asyncio.run(story(name, order))
        assert (tally.prints, tally.repeated, tally.lost) == (4, 2, 0)
        assert tally.connections >= 4
        assert times(root, name) == [0, 10, 20, 30]
    assert "connecting again" in caplog.text


def test_an_exchange_that_is_away_at_first_is_asked_again(root, caplog):
    async def story():
        async with venues() as there:
            options = there.options("bybit")
        async with recording(root, {"bybit": options}) as session:
            await until(lambda: caplog.text.count("connecting again") >= 2)
            return session.inbox.tally("bybit")

    assert asyncio.run(story()).connections == 0


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("binance", binance_order, {"e": "forceOrder", "o": {"s": "BTCUSDT", "S": "?", "z": "1"}}),
        ("bybit", bybit_orders, {"topic": "allLiquidation.BTCUSDT", "data": [{"s": "BTCUSDT"}]}),
        ("okx", okx_orders, {"arg": {"channel": "liquidation-orders"}, "data": [{"instId": 1}]}),
    ],
)
def test_messages_that_make_no_sense_are_counted_told_and_survived(root, name, good, bad, caplog):
    junk = ('{"e": "forceOrder", ', '["never"]', '{"topic": 5, "e": [], "data": 7}', "\x00")

    async def story():
        async with venues() as there, recording(root, {name: there.options(name)}) as session:
            await there.listened()
            await there.send(good(START), bad, *junk, bad, good(START + 1))
            await until(lambda: session.inbox.tally(name).prints == 2)
            return session.inbox.tally(name)

    tally = asyncio.run(story())
    assert tally.malformed >= 3  # both bad ones, and what is no JSON
    assert tally.connections == 1
    assert caplog.text.count("not understood") == tally.malformed
    assert times(root, name) == [0, 1]


def test_a_full_disk_is_waited_out_in_memory(root, caplog):
    async def story():
        async with (
            venues() as there,
            recording(root, {"binance": there.options("binance")}, most=60) as session,
        ):
            await there.listened()
            await there.send(binance_order(START))
            await until(lambda: session.inbox.unwritten == 0 and session.inbox.tally("binance").prints == 1)
            before = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
            try:
                await there.send(*(binance_order(START + i) for i in range(1, 51)))
                await until(lambda: session.trouble is not None and session.inbox.unwritten == 50)
                await there.send(*(binance_order(START + i) for i in range(51, 71)))
                await until(lambda: session.inbox.tally("binance").lost == 10)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)
            await until(lambda: session.inbox.unwritten == 0)
            await there.send(*(binance_order(START + i) for i in range(71, 81)))
            await until(lambda: session.inbox.tally("binance").prints == 71)
            return session

    session = asyncio.run(story())
    assert session.trouble is None
    assert "prints kept in memory (at most 60)" in caplog.text
    assert "writing again" in caplog.text
    assert times(root, "binance") == [*range(61), *range(71, 81)]


def test_what_cannot_be_written_in_the_end_is_told(root):
    left = []

    async def story():
        async with venues() as there:
            before = resource.getrlimit(resource.RLIMIT_FSIZE)
            try:
                async with recording(root, {"binance": there.options("binance")}, left=left) as session:
                    await there.listened()
                    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
                    await there.send(binance_order(START), binance_order(START + 1))
                    await until(lambda: session.inbox.unwritten == 2)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)

    asyncio.run(story())
    assert left == [2]


def test_an_unknown_pair_ends_it_with_a_clear_error(root):
    async def story():
        async with venues() as there:
            await Session(root, QUICK).run({"okx": there.options("okx")}, ["X/USDT:USDT"], asyncio.Event())

    with pytest.raises(ConfigError, match="received X/USDT:USDT"):
        asyncio.run(asyncio.wait_for(story(), PATIENCE))


def test_a_burst_of_the_sandbox_s_market_loses_none(root, monkeypatch):
    """5,000 in one turn of the clock, half of them of the other side; then repeated after a reconnect."""
    rng = np.random.default_rng(1)
    orders = [
        (int(ms), ("long", "short")[i % 2], float(price), 0.001 * (1 + i))
        for i, (ms, price) in enumerate(
            zip(np.sort(rng.integers(1, 60_000, 5000)), 6e4 + rng.random(5000), strict=True)
        )
    ]
    tape = with_forced_orders(walking_tape(minutes=60), *orders)
    clock, asked, answer = HandClock(tape.start), [], Subscriptions.answer
    monkeypatch.setattr(Subscriptions, "answer", lambda *all: (answer(*all), asked.append(all))[0])

    async def story(url):
        options = exchange_config(url)["exchange"]["ccxt_config"]
        async with recording(root, {"binance": options}, most=100_000) as session:
            await until(lambda: asked)
            await clock.turn(tape.start + 60_000)
            await until(lambda: session.inbox.tally("binance").prints == 5000)
            return session.inbox.tally("binance")

    with running(Venue.of([tape], clock=clock, liquidations="all")) as url:
        tally = asyncio.run(story(url))
    assert (tally.repeated, tally.malformed, tally.lost) == (0, 0, 0)
    found, sent = load_recording(root, BTC), tape.forced_orders
    with Database(root) as database:
        assert database.query("SELECT simulated FROM about") == [(1,)]
    key = ["date", "side"]
    expected = sent.assign(date=sent["date"].dt.as_unit("ms")).sort_values([*key, "amount"])
    found = found.sort_values([*key, "amount"])
    assert found[key].to_numpy().tolist() == expected[key].to_numpy().tolist()
    np.testing.assert_allclose(found["amount"], expected["amount"], rtol=0, atol=5e-4)
    np.testing.assert_allclose(found["price"], expected["price"], rtol=0, atol=0.05)
    np.testing.assert_allclose(found["notional"], found["amount"] * found["price"], rtol=1e-12)
    assert Counter(found["side"]) == {"long": 2500, "short": 2500}


def test_it_is_noted_when_it_listened_by_the_exchange_s_clock(root, monkeypatch):
    """The exchange's clock is two hours ahead; its connection drops, and comes back after a while."""
    from ccxt import pro

    ahead, clock = 7_200_000, [START]
    owner = next(kind for kind in pro.bybit.__mro__ if "milliseconds" in vars(kind))
    monkeypatch.setattr(owner, "milliseconds", staticmethod(lambda: clock[0]))

    async def story():
        async with venues() as there:
            there.now = lambda: clock[0] + ahead
            seldom = Pace(save=0.02, note=3600)  # of the clock it asks when it begins
            async with recording(root, {"bybit": there.options("bybit")}, pace=seldom) as session:
                await there.listened(1)
                clock[0] = START + 1_000
                await there.send(bybit_orders(START))
                await there.taken_in()
                clock[0] = START + 3_000
                there.away = True
                await there.drop()
                await until(lambda: there.refused)
                clock[0] = START + 7_000
                there.away = False
                await there.listened(2)
                clock[0] = START + 8_000
                await there.send(bybit_orders(START + 1))
                await there.taken_in()
                clock[0] = START + 15_000
            return session.inbox.tally("bybit")

    assert asyncio.run(story()).prints == 2
    (first, second) = spans_in(root, "bybit", BTC)
    zero = START + ahead
    assert first[0] == zero
    assert zero + 1_000 <= first[1] <= zero + 3_000  # the end itself may count as a sign of life
    assert second[0] == zero + 7_000
    assert zero + 8_000 <= second[1] <= zero + 15_000
