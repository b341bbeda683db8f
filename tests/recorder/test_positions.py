"""Positions through the real ccxt from the sandbox's Hyperliquid: maps of what is known, and no addresses."""

import asyncio
import dataclasses
import json
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import numpy as np
import pytest

pytest.importorskip("ccxt")
pytest.importorskip("aiohttp")

from aiohttp import web

from builders.loopback import on_loopback
from builders.tapes import HandClock
from builders.venues import redirected
from builders.waiting import PATIENCE, until
from liqfeature.data.maps import load_maps
from liqfeature.durations import HOUR, MINUTE
from liqfeature.recorder import accounts, poll, positions
from liqfeature.recorder.session import Pace, Session
from liqfeature.sandbox.server.hyperliquid import ALLOWED, Hyperliquid, answered
from liqfeature.sandbox.simulation.scenario import SCENARIOS
from liqfeature.sandbox.simulation.simulate import simulate
from liqfeature.sides import SIDES

BTC = "BTC/USDC:USDC"
PERIOD = positions.PERIOD


@pytest.fixture(scope="module")
def tape():
    market = dataclasses.replace(SCENARIOS["liquid"], arrivals=0.5)
    return simulate(market, "BTC/USDT:USDT", start="2026-01-01", days=1, seed=3)


@pytest.fixture
def clock(monkeypatch, tape):
    from ccxt.async_support import hyperliquid as exchange

    moment = HandClock(tape.start + 6 * HOUR)
    owner = next(kind for kind in exchange.__mro__ if "milliseconds" in vars(kind))
    monkeypatch.setattr(owner, "milliseconds", staticmethod(moment.now))
    for module in (poll, positions):
        monkeypatch.setattr(module, "LOOK", 0.002)
        monkeypatch.setattr(module, "RETRY", 0.005)
    monkeypatch.setattr(positions, "LEAST_TRADE", 0.0)
    monkeypatch.setattr(accounts, "LEAST_NOTIONAL", 0.0)
    return moment


@pytest.fixture
def root(tmp_path):
    return tmp_path / "recordings.sqlite"


@asynccontextmanager
async def served(exchange):
    """The exchange on loopback; it may be away."""
    away = asyncio.Event()

    async def answer(request):
        return web.Response(status=503) if away.is_set() else await answered(exchange, request)

    async with on_loopback(answer) as url:
        yield url, away


@asynccontextmanager
async def recording(root, url, **options):
    import ccxt.pro

    urls = redirected(ccxt.pro.hyperliquid().urls["api"], urlsplit(url).netloc)
    given = {"hyperliquid": {"enableRateLimit": False, "urls": {"api": urls}}}
    session, stop = (
        Session(root, Pace(save=0.01, retry=0.05, note=3600.0), positions=options),
        asyncio.Event(),
    )
    run = asyncio.create_task(session.run(given, [BTC], stop))
    try:
        await until(lambda: "hyperliquid positions" in session.pollers or run.done())
        yield session.pollers["hyperliquid positions"]
    finally:
        stop.set()
        await asyncio.wait_for(run, PATIENCE)


async def map_at(poller, clock, moment):
    """Let it be this moment, and wait for the map of it on disk."""
    count = poller.count
    clock.moment = moment
    await until(lambda: poller.count > count and not poller.waiting())


def expected(exchange, users):
    """Notional by side and bin of the accounts that are known."""
    sums = {}
    for user, one in exchange.held().items():
        if user in users and np.isfinite(one.liquidation_price):
            side = SIDES[0 if one.amount > 0 else 1]
            key = side, int(np.floor(np.log(one.liquidation_price) / accounts.WIDTH))
            sums[key] = sums.get(key, 0.0) + abs(one.amount) * one.liquidation_price
    return sums


def last_map(root):
    maps = load_maps(root, BTC, "hyperliquid")
    maps = maps[maps["date"] == maps["date"].max()]
    bins = np.floor(np.log(np.sqrt(maps["low"] * maps["high"])) / accounts.WIDTH).astype(int)
    return maps, dict(zip(zip(maps["side"], bins, strict=True), maps["notional"], strict=True))


def test_known_positions_are_the_map_and_no_address_is_in_any_file(tape, clock, root):
    exchange = Hyperliquid({"BTC": tape}, clock)
    users = [user for user, one in exchange.held().items() if np.isfinite(one.liquidation_price)][:200]

    async def story():
        async with served(exchange) as (url, _), recording(root, url, seeds=users) as poller:
            await until(lambda: exchange.asked["clearinghouseState"] >= len(users))
            await until(lambda: len(poller.accounts) == len(users) and not poller.accounts.ages({}, 0))
            want = expected(exchange, set(users))
            await map_at(poller, clock, (clock.moment // PERIOD + 1) * PERIOD)
            return want

    want = asyncio.run(story())
    maps, found = last_map(root)
    assert found == pytest.approx(want, rel=1e-6)
    assert maps["positions"].sum() == len(users)
    assert maps["age"].between(0, 6).all()
    assert exchange.most <= ALLOWED
    for path in root.parent.iterdir():
        assert b"0x0" not in path.read_bytes()


def test_who_trades_is_met_and_raw_answers_are_kept_where_they_are_asked_for(tape, clock, root):
    exchange = Hyperliquid({"BTC": tape}, clock)
    raw = root.parent / "raw.jsonl"

    async def story():
        async with served(exchange) as (url, _), recording(root, url, raw=raw) as poller:
            await until(lambda: poller.marks)
            for _ in range(100):
                clock.moment += MINUTE
                seen = clock.looks + 30
                await until(lambda seen=seen: clock.looks >= seen)
                if poller.count and raw.exists():
                    break
            return len(poller.accounts)

    assert asyncio.run(story()) > 0
    rows = [json.loads(line) for line in raw.read_text().splitlines()]
    assert all(row["user"].startswith("0x") and "assetPositions" in row["answer"] for row in rows)
    assert len(last_map(root)[0]) > 0


def test_an_outage_and_a_restart_are_survived(tape, clock, root):
    exchange = Hyperliquid({"BTC": tape}, clock)
    users = list(exchange.held())[:50]

    async def story():
        async with served(exchange) as (url, away):
            async with recording(root, url, seeds=users) as poller:
                await until(lambda: exchange.asked["clearinghouseState"] >= 50)
                await map_at(poller, clock, (clock.moment // PERIOD + 1) * PERIOD)
                away.set()
                clock.moment += 3 * PERIOD
                seen = clock.looks + 30
                await until(lambda: clock.looks >= seen)
                away.clear()
                await until(lambda: poller.count == 2 and not poller.waiting())
            async with recording(root, url, seeds=users) as poller:
                asked = exchange.asked["clearinghouseState"]
                await until(lambda: exchange.asked["clearinghouseState"] >= asked + 50)
                await map_at(poller, clock, (clock.moment // PERIOD + 1) * PERIOD)

    asyncio.run(story())
    maps = load_maps(root, BTC, "hyperliquid")
    stamps = maps["date"].drop_duplicates()
    assert len(stamps) == 3
    assert (stamps.diff().dropna() >= np.timedelta64(PERIOD, "ms")).all()
