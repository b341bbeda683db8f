"""One computation, however many ask."""

import asyncio
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from builders.backtests import CANDLES, PAIR
from builders.serving import unpack_tile
from liqfeature.errors import ConfigError
from liqfeature.serve.maps import Maps, Shared
from liqfeature.serve.sources import DirectorySource, Look, Several, market_of
from liqfeature.serve.tiles import Spot


class Counted:
    """A source that counts, and whose version a test sets."""

    def __init__(self, source):
        self.source, self.version, self.loaded, self.looked = source, 1, 0, 0
        self.pairs, self.title, self.timeframe, self.simulated = source.pairs, "", "5m", False

    def load(self, pair):
        self.loaded += 1
        return self.source.load(pair)

    def look(self, pair):
        self.looked += 1
        return Look(version=self.version)


def test_ten_clients_on_one_pair_cost_one_computation(source):
    counted = Counted(source)

    async def ask():
        maps = Maps(counted)
        first = (await maps.pair(PAIR)).state["tiles"][0][1]
        spot = Spot(level=0, number=first)
        tiles = await asyncio.gather(*(maps.tile(PAIR, spot) for _ in range(10)))
        states = await asyncio.gather(*(maps.pair(PAIR) for _ in range(10)))
        maps.close()
        return tiles, states, maps

    tiles, states, maps = asyncio.run(ask())
    assert len(set(tiles)) == 1
    assert len({id(state) for state in states}) == 1
    assert (counted.loaded, maps.pairs_made.made, maps.tiles_made.made) == (1, 1, 1)


def test_another_version_is_loaded_once_it_was_seen(source):
    counted = Counted(source)

    async def ask():
        maps = Maps(counted)
        versions = [(await maps.pair(PAIR)).version]
        counted.version = 2
        versions.append((await maps.pair(PAIR)).version)
        await maps.look(PAIR)
        versions.append((await maps.pair(PAIR)).version)
        maps.close()
        return versions

    assert asyncio.run(ask()) == [1, 1, 2]
    assert counted.loaded == 2


def test_a_pair_is_looked_up_and_never_more(source):
    maps = Maps(source)
    assert maps.known(PAIR) == PAIR
    for name in ("", "../../etc/passwd", "BTC", PAIR + "\0", "BTC_USDT_USDT"):
        with pytest.raises(ConfigError, match="pair must be one of the 1 served"):
            maps.known(name)
    maps.close()


def test_the_least_recently_used_goes_first_and_a_failure_is_not_kept():
    made = []

    def make(key):
        made.append(key)
        if key == "bad":
            raise ValueError(key)
        return key

    async def ask():
        shared = Shared(2, ThreadPoolExecutor(1))
        for key in ("a", "b", "a", "c", "a", "b"):
            assert await shared.result(key, lambda key=key: make(key)) == key
        for _ in range(2):
            with pytest.raises(ValueError, match="bad"):
                await shared.result("bad", lambda: make("bad"))

    asyncio.run(ask())
    assert made == ["a", "b", "c", "b", "bad", "bad"]


def test_a_client_that_leaves_does_not_stop_the_others():
    begun, go = threading.Event(), threading.Event()

    def make():
        begun.set()
        go.wait(60)
        return 7

    async def ask():
        shared = Shared(1, ThreadPoolExecutor(1))
        leaver = asyncio.create_task(shared.result("x", make))
        stayer = asyncio.create_task(shared.result("x", make))
        await asyncio.to_thread(begun.wait, 60)
        leaver.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaver
        go.set()
        return await stayer, shared.made

    assert asyncio.run(ask()) == (7, 1)


def test_several_directories_are_markets_of_their_own(datadir, tmp_path):
    other = shutil.copytree(datadir, tmp_path / "bybit")
    both = Several([DirectorySource(datadir=one) for one in (datadir, other)])
    assert both.pairs == (f"binance {PAIR}", f"bybit {PAIR}")
    assert [market_of(name) for name in both.pairs] == [("binance", PAIR), ("bybit", PAIR)]
    assert market_of(PAIR) == ("", PAIR)
    assert [both.load(name).exchange for name in both.pairs] == ["binance", "bybit"]

    async def ask():
        maps = Maps(both)
        states = [(await maps.pair(name)).state["pair"] for name in both.pairs]
        maps.close()
        return states

    assert asyncio.run(ask()) == list(both.pairs)
    with pytest.raises(ConfigError, match="--datadir must be of another exchange each time"):
        Several([DirectorySource(datadir=datadir)] * 2)


def test_recorded_orders_reach_the_tiles_and_a_pair_without_any_has_its_map(source, tmp_path):
    date = CANDLES["date"].iloc[-3]
    order = {
        "date": date,
        "pair": PAIR,
        "side": "long",
        "price": float(CANDLES["close"].iloc[-3]),
        "notional": 5e4,
        "amount": 1.0,
    }
    table = pd.DataFrame([order]).assign(exchange="binance")
    table.to_feather(tmp_path / "orders.feather")
    table.assign(exchange="okx").to_feather(tmp_path / "elsewhere.feather")
    table.assign(pair="OTHER/USDT:USDT").to_feather(tmp_path / "others.feather")

    async def dots(path):
        maps = Maps(source, path)
        number = (await maps.pair(PAIR)).state["tiles"][0][1]
        heading, _ = unpack_tile(await maps.tile(PAIR, Spot(level=0, number=number)))
        maps.close()
        return heading

    heading = asyncio.run(dots(tmp_path / "orders.feather"))
    ((column, row, side, held),) = heading["dots"]
    assert heading["date"][column] == round(date.timestamp() * 1000)
    assert heading["edge"][row] <= order["price"] < heading["edge"][row + 1]
    assert (side, held) == (0, 5e4)
    for name in ("elsewhere", "others"):
        assert asyncio.run(dots(tmp_path / f"{name}.feather"))["dots"] == []
    assert asyncio.run(dots(None))["dots"] == []
