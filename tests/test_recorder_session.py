"""The recorder against stand-ins for exchanges and the sandbox, through the real ccxt."""

import asyncio
import logging
import resource
import time
from collections import Counter
from contextlib import asynccontextmanager

import numpy as np
import pandas as pd
import pytest
from tapes import walking_tape, with_forced_orders

pytest.importorskip("ccxt")
pytest.importorskip("aiohttp")

from venues import binance_order, bybit_orders, okx_orders, venues

from liqfeature.data.recordings import load_recording, read_spans, segments
from liqfeature.errors import ConfigError
from liqfeature.recorder import listener
from liqfeature.recorder.inbox import Inbox
from liqfeature.recorder.session import Pace, Session
from liqfeature.sandbox.clock import FileClock, set_clock
from liqfeature.sandbox.freqtrade_config import exchange_config
from liqfeature.sandbox.server import running
from liqfeature.sandbox.venue import Venue

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
START = 1_767_225_600_000
"""2026-01-01 in milliseconds."""

QUICK = Pace(save=0.02, compact=0.2, retry=0.05, note=0.1)


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
        unwritten = await asyncio.wait_for(run, 20)
        if left is not None:
            left.append(unwritten)


@pytest.fixture
def root(tmp_path):
    return tmp_path / "my recordings"


async def until(condition, seconds=10):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


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
                await until(lambda: all(session.inbox.tally(name).prints >= 2 for name in names))
                await asyncio.sleep(0.1)
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
                    await until(lambda: session.inbox.tally("binance").prints == 2)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)

    asyncio.run(story())
    assert left == [2]


def test_the_journal_goes_into_days_files_while_recording(root):
    async def story():
        async with venues() as there, recording(root, {"okx": there.options("okx")}) as session:
            await there.listened()
            await there.send(okx_orders(START), okx_orders(START + 86_400_000))
            await until(lambda: len(list(root.glob("okx/*/*.parquet"))) == 2)
            await there.send(okx_orders(START + 1))
            await until(lambda: times(root, "okx") == [0, 1, 86_400_000] and session.inbox.unwritten == 0)
            assert session.inbox.tally("okx").last == START + 86_400_000

    asyncio.run(story())
    assert segments(root) == []


def test_an_unknown_pair_ends_it_with_a_clear_error(root):
    async def story():
        async with venues() as there, recording(root, {"okx": there.options("okx")}, pairs=("X/USDT:USDT",)):
            await asyncio.sleep(1)

    with pytest.raises(ConfigError, match="received X/USDT:USDT"):
        asyncio.run(asyncio.wait_for(story(), 10))


def test_a_burst_of_the_sandbox_s_market_loses_none(root, tmp_path):
    """5,000 in one turn of the clock, half of them of the other side; then repeated after a reconnect."""
    rng = np.random.default_rng(1)
    orders = [
        (int(ms), ("long", "short")[i % 2], float(price), 0.001 * (1 + i))
        for i, (ms, price) in enumerate(
            zip(np.sort(rng.integers(1, 60_000, 5000)), 6e4 + rng.random(5000), strict=True)
        )
    ]
    tape, clock = with_forced_orders(walking_tape(minutes=60), *orders), tmp_path / "clock"
    set_clock(clock, tape.start)

    async def story(url):
        options = exchange_config(url)["exchange"]["ccxt_config"]
        async with recording(root, {"binance": options}, most=100_000) as session:
            await until(lambda: session.inbox.tally("binance").connections == 1)
            await asyncio.sleep(0.3)
            set_clock(clock, tape.start + 60_000)
            await until(lambda: session.inbox.tally("binance").prints == 5000, 30)
            return session.inbox.tally("binance")

    with running(Venue.of([tape], clock=FileClock(clock), liquidations="all")) as url:
        tally = asyncio.run(story(url))
    assert (tally.repeated, tally.malformed, tally.lost) == (0, 0, 0)
    found, sent = load_recording(root, BTC), tape.forced_orders
    assert (root / "SANDBOX").exists()
    key = ["date", "side"]
    expected = sent.assign(date=sent["date"].dt.as_unit("ms")).sort_values([*key, "amount"])
    found = found.sort_values([*key, "amount"])
    assert found[key].to_numpy().tolist() == expected[key].to_numpy().tolist()
    np.testing.assert_allclose(found["amount"], expected["amount"], rtol=0, atol=5e-4)
    np.testing.assert_allclose(found["price"], expected["price"], rtol=0, atol=0.05)
    np.testing.assert_allclose(found["notional"], found["amount"] * found["price"], rtol=1e-12)
    assert Counter(found["side"]) == {"long": 2500, "short": 2500}


def test_it_is_noted_when_it_listened_by_the_exchange_s_clock(root):
    """The clock is two hours ahead; the connection drops and comes back after a second."""

    async def story(ahead):
        async with venues() as there:
            there.ahead = ahead
            moments = []

            def now():
                moments.append(round(time.time() * 1000) + ahead)

            async with recording(root, {"bybit": there.options("bybit")}):
                now()
                await there.listened(1)
                now()
                await there.send(bybit_orders(moments[0]))
                await asyncio.sleep(0.5)
                now()
                await there.drop()
                now()
                there.away = True
                await asyncio.sleep(1.0)
                there.away = False
                now()
                await there.listened(2)
                now()
                await asyncio.sleep(0.4)
                await there.send(bybit_orders(moments[1]))
                await asyncio.sleep(0.3)
            now()
            return moments

    begun, heard, sent, dropped, back, again, ended = asyncio.run(story(7_200_000))
    (first, second) = read_spans(root, "bybit")[BTC]
    margin = 60
    assert begun - margin <= first[0] <= heard + margin
    assert heard - margin <= first[1] <= dropped + margin
    assert back - margin <= second[0] <= again + margin
    assert again - margin <= second[1] <= ended + margin
    assert sent <= dropped
