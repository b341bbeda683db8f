"""Forced orders as Binance streams them: what is sent, when, and to whom; the real ccxt listens."""

import asyncio
import json
from dataclasses import replace

import pytest

from builders.tapes import HandClock, walking_tape, with_forced_orders
from builders.waiting import until
from liqfeature.sandbox.freqtrade_config import exchange_config
from liqfeature.sandbox.server.clock import FixedClock
from liqfeature.sandbox.server.serve import running
from liqfeature.sandbox.server.streams import Subscriptions, forced_orders
from liqfeature.sandbox.server.venue import Venue

aiohttp = pytest.importorskip("aiohttp")

ORDERS = (
    (4_000, "long", 59_000.0, 1.5),
    (10_000, "long", 58_000.0, 0.25),
    (10_400, "short", 61_000.0, 0.5),
    (10_999, "long", 57_000.04, 0.75),
    (11_000, "short", 62_000.0, 1.0),
)
BTC = with_forced_orders(walking_tape(minutes=60), *ORDERS)
ETH = with_forced_orders(walking_tape("ETH/USDT:USDT", minutes=60, price=3000), (10_500, "long", 2900.0, 7.0))
START = BTC.start
ALL = "!forceOrder@arr"
PATIENCE = 100
"""Seconds after which a connection counts as hung."""


def sent(after, until, liquidations, tapes=(BTC, ETH)):
    venue = Venue.of(tapes, clock=FixedClock(START), liquidations=liquidations)
    return forced_orders(venue, START + after, START + until)


def seen(events):
    return [(event["E"] - START, event["o"]["s"], event["o"]["T"] - START) for event in events]


def test_an_order_is_sent_in_binance_s_form():
    (event,) = sent(0, 5_000, "all")
    assert event == {
        "e": "forceOrder",
        "E": START + 4_000,
        "o": {
            "s": "BTCUSDT",
            "S": "SELL",
            "o": "LIMIT",
            "f": "IOC",
            "q": "1.500",
            "p": "58941.0",
            "ap": "59000.0",
            "X": "FILLED",
            "l": "1.500",
            "z": "1.500",
            "T": START + 4_000,
        },
    }


def test_a_short_is_liquidated_by_buying():
    (event,) = sent(10_000, 10_400, "all")
    assert (event["o"]["S"], event["o"]["p"]) == ("BUY", "61061.0")


def test_every_order_is_sent_once_in_the_order_of_time():
    whole = sent(0, 60_000, "all")
    assert seen(whole) == [
        (4_000, "BTCUSDT", 4_000),
        (10_000, "BTCUSDT", 10_000),
        (10_400, "BTCUSDT", 10_400),
        (10_500, "ETHUSDT", 10_500),
        (10_999, "BTCUSDT", 10_999),
        (11_000, "BTCUSDT", 11_000),
    ]
    pieces = [sent(after, after + 100, "all") for after in range(0, 60_000, 100)]
    assert [event for piece in pieces for event in piece] == whole


def test_throttled_the_latest_of_each_symbol_is_sent_when_its_second_is_over():
    whole = sent(0, 60_000, "throttled")
    assert seen(whole) == [
        (5_000, "BTCUSDT", 4_000),
        (11_000, "BTCUSDT", 10_999),
        (11_000, "ETHUSDT", 10_500),
        (12_000, "BTCUSDT", 11_000),
    ]
    assert whole[1]["o"]["ap"] == "57000.0"
    pieces = [sent(after, after + 100, "throttled") for after in range(0, 60_000, 100)]
    assert [event for piece in pieces for event in piece] == whole


def test_orders_need_not_be_logged_in_the_order_of_time():
    shuffled = replace(BTC, forced_orders=BTC.forced_orders.iloc[[3, 0, 4, 2, 1]])
    assert sent(0, 60_000, "all", [shuffled]) == sent(0, 60_000, "all", [BTC])


@pytest.mark.parametrize("liquidations", ["all", "throttled"])
def test_without_liquidations_nothing_is_sent(liquidations):
    assert sent(0, 3_600_000, liquidations, [walking_tape(minutes=60)]) == []


@pytest.mark.parametrize(
    ("path", "streams", "names"),
    [
        ("/ws", "", []),
        ("/market/ws/3", "", []),
        ("/ws/btcusdt@forceOrder", "", ["btcusdt@forceOrder"]),
        ("/market/ws/btcusdt@forceOrder/!forceOrder@arr", "", ["btcusdt@forceOrder", ALL]),
        ("/stream", "!forceOrder@arr/ethusdt@forceOrder", [ALL, "ethusdt@forceOrder"]),
    ],
)
def test_a_path_names_streams(path, streams, names):
    assert list(Subscriptions.of_path(path, streams).names) == names


@pytest.mark.parametrize("path", ["/", "/market", "/fapi/v1/time", "/wss"])
def test_other_paths_are_no_stream_s(path):
    assert Subscriptions.of_path(path) is None


def test_messages_change_what_is_heard():
    heard = Subscriptions.of_path("/ws")
    names = ["btcusdt@forceOrder", ALL]
    assert heard.answer(json.dumps({"method": "SUBSCRIBE", "params": names, "id": 1})) == {
        "result": None,
        "id": 1,
    }
    events = sent(0, 60_000, "all")
    assert len(heard.messages(events)) == 6 + 5  # each once per stream, as Binance sends it
    heard.answer(json.dumps({"method": "UNSUBSCRIBE", "params": [ALL], "id": 2}))
    assert heard.answer('{"method": "LIST_SUBSCRIPTIONS", "id": 3}')["result"] == ["btcusdt@forceOrder"]
    assert {event["o"]["s"] for event in heard.messages(events)} == {"BTCUSDT"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nonsense", 3),
        ("[]", 2),
        ('{"method": "SHOUT", "id": 1}', 2),
        ('{"method": "SUBSCRIBE", "params": 5}', 2),
    ],
)
def test_a_bad_message_is_answered_with_an_error(text, code):
    assert Subscriptions.of_path("/ws").answer(text)["error"]["code"] == code


def test_the_combined_path_names_the_stream():
    heard = Subscriptions.of_path("/stream", ALL)
    event = sent(0, 5_000, "all")[0]
    assert heard.messages([event]) == [{"stream": ALL, "data": event}]


@pytest.fixture
def clock():
    return HandClock(START)


@pytest.fixture
def asked(monkeypatch):
    """What clients have sent to a sandbox."""
    texts, answer = [], Subscriptions.answer

    def noted(self, text):
        reply = answer(self, text)
        texts.append(text)
        return reply

    monkeypatch.setattr(Subscriptions, "answer", noted)
    return texts


async def events_of(url, clock, path, moments, count):
    """Listen on a path, turn the clock to the moments, and wait for n events."""
    async with aiohttp.ClientSession() as session, session.ws_connect(url + path) as socket:
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 7})
        assert (await socket.receive_json(timeout=PATIENCE))["id"] == 7
        for moment in moments:
            await clock.turn(START + moment)
        return [await socket.receive_json(timeout=PATIENCE) for _ in range(count)]


def test_events_come_as_the_clock_passes_them(clock):
    venue = Venue.of([BTC, ETH], clock=clock, liquidations="all")
    with running(venue) as url:
        events = asyncio.run(events_of(url, clock, "/ws/" + ALL, (3_999, 10_400, 60_000), 6))
    assert events == sent(0, 60_000, "all")


def test_what_was_before_the_connection_is_not_sent(clock):
    clock.moment = START + 10_400
    venue = Venue.of([BTC], clock=clock, liquidations="all")
    with running(venue) as url:
        events = asyncio.run(events_of(url, clock, "/market/ws/btcusdt@forceOrder", (30_000,), 2))
    assert [event["o"]["T"] - START for event in events] == [10_999, 11_000]


def test_the_server_ends_connections_when_it_ends(clock):
    async def listen(url, stop):
        async with aiohttp.ClientSession() as session, session.ws_connect(url + "/ws/" + ALL) as socket:
            await asyncio.to_thread(stop)
            return (await socket.receive(timeout=PATIENCE)).type

    server = running(Venue.of([BTC], clock=clock))
    url = server.__enter__()
    closed = asyncio.run(listen(url, lambda: server.__exit__(None, None, None)))
    assert closed in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


async def heard_by_ccxt(url, clock, symbols, asked):
    from ccxt import pro

    heard = []

    class Listener(pro.binance):
        def handle_liquidation(self, client, message):
            heard.append(message)
            super().handle_liquidation(client, message)

    client = Listener(exchange_config(url)["exchange"]["ccxt_config"])
    client.options["defaultType"] = "swap"
    try:
        await client.load_markets()
        waiting = asyncio.create_task(client.watch_liquidations_for_symbols(symbols))
        await until(lambda: asked)
        await clock.turn(START + 60_000)
        first = await asyncio.wait_for(waiting, PATIENCE)
        await until(lambda: len(heard) >= 5)
        return first, heard
    finally:
        await client.close()


@pytest.mark.parametrize("symbols", [["BTC/USDT:USDT"], []])
def test_the_real_ccxt_watches_liquidations(clock, symbols, asked):
    pytest.importorskip("ccxt")
    venue = Venue.of([BTC], clock=clock, liquidations="all")
    with running(venue) as url:
        first, heard = asyncio.run(asyncio.wait_for(heard_by_ccxt(url, clock, symbols, asked), PATIENCE))
    assert heard == sent(0, 60_000, "all", [BTC])
    assert first[0]["symbol"] == "BTC/USDT:USDT"
    assert (first[0]["side"], first[0]["price"], first[0]["contracts"]) == ("sell", 59_000.0, 1.5)
