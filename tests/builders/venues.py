"""A stand-in for the websockets of Binance, Bybit and OKX that a test commands, for the real ccxt."""

import itertools
import json
import time
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web

from builders.loopback import on_loopback
from builders.waiting import until

PAIRS = ("BTC/USDT:USDT", "ETH/USDT:USDT")


def binance_order(time, *, symbol="BTCUSDT", side="SELL", price="100", amount="2"):
    order = {"s": symbol, "S": side, "o": "LIMIT", "f": "IOC", "q": amount, "p": price, "ap": price}
    return {"e": "forceOrder", "E": time, "o": order | {"X": "FILLED", "l": amount, "z": amount, "T": time}}


def bybit_orders(*times, symbol="BTCUSDT", side="Buy"):
    rows = [{"T": time, "s": symbol, "S": side, "v": "2", "p": "99"} for time in times]
    return {"topic": f"allLiquidation.{symbol}", "type": "snapshot", "ts": times[0], "data": rows}


def okx_orders(*times, base="BTC"):
    rows = [
        {"bkLoss": "0", "bkPx": "99", "ccy": "", "posSide": "long", "side": "sell", "sz": "5", "ts": str(t)}
        for t in times
    ]
    names = {"instFamily": f"{base}-USDT", "instId": f"{base}-USDT-SWAP", "uly": f"{base}-USDT"}
    arg = {"channel": "liquidation-orders", "instType": "SWAP"}
    return {"arg": arg, "data": [{"details": rows, "instType": "SWAP", **names}]}


class Venues:
    """What the three exchanges answer; `send` and `drop` are the test's."""

    def __init__(self):
        self.sockets = {}
        self.subscribed = []
        self.answered = set()
        self.url = ""
        self.pings = itertools.count()
        self.now = lambda: int(time.time() * 1000)
        self.away, self.refused = False, 0
        self.paths = []
        self.candles = []

    def options(self, exchange):
        """Return ccxt's options that lead here."""
        from ccxt import pro

        urls = redirected(getattr(pro, exchange)().urls["api"], urlsplit(self.url).netloc)
        return {"enableRateLimit": False, "urls": {"api": urls}}

    async def send(self, *messages):
        for socket in tuple(self.sockets):
            with suppress(ConnectionResetError):  # whose client has ended just now
                for message in messages:
                    await socket.send_str(message if isinstance(message, str) else json.dumps(message))

    async def drop(self):
        """Cut every connection without a farewell."""
        sockets, self.sockets = self.sockets, {}
        for transport in sockets.values():
            transport.abort()

    async def listened(self, count=1):
        """Wait until n subscriptions were asked for, and those who asked listen."""
        await until(lambda: len(self.subscribed) >= count)
        await self.taken_in()

    async def taken_in(self):
        """Wait until all that was sent is taken in: a ping is answered in its turn, after it."""
        for socket in tuple(self.sockets):
            ping = next(self.pings).to_bytes(8)
            with suppress(ConnectionResetError):
                await socket.ping(ping)
            await until(lambda socket=socket, ping=ping: socket not in self.sockets or ping in self.answered)

    async def answer(self, request):
        if self.away:
            self.refused += 1
            return web.Response(status=503)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self.talk(request)
        if request.path == "/fapi/v1/exchangeInfo":
            return web.json_response({"symbols": [binance_market(pair) for pair in PAIRS]})
        if request.path == "/v5/market/instruments-info":
            markets = [] if "status" in request.query else [bybit_market(pair) for pair in PAIRS]
            return web.json_response({"retCode": 0, "result": {"category": "linear", "list": markets}})
        if request.path == "/api/v5/public/instruments":
            return web.json_response({"code": "0", "data": [okx_market(pair) for pair in PAIRS]})
        if request.path == "/fapi/v1/klines":
            return web.json_response(self.candles)
        now = self.now()
        return web.json_response(
            {"serverTime": now, "retCode": 0, "time": now, "code": "0", "data": [{"ts": str(now)}]}
        )

    async def talk(self, request):
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        self.sockets[socket] = request.transport
        self.paths.append(request.path)
        async for message in socket:
            if message.type is WSMsgType.PING:
                await socket.pong(message.data)
            elif message.type is WSMsgType.PONG:
                self.answered.add(bytes(message.data))
            elif message.type is WSMsgType.TEXT and "ubscri" in message.data.lower():
                self.subscribed.append(json.loads(message.data))
        self.sockets.pop(socket, None)
        return socket


@asynccontextmanager
async def venues():
    """Serve on loopback for as long as the block lasts."""
    served = Venues()
    async with on_loopback(served.answer) as served.url:
        try:
            yield served
        finally:
            await served.drop()


def redirected(tree, netloc):
    if isinstance(tree, dict):
        return {name: redirected(branch, netloc) for name, branch in tree.items()}
    address = urlsplit(tree)
    return address._replace(scheme="ws" if address.scheme == "wss" else "http", netloc=netloc).geturl()


def binance_market(pair):
    base = pair.split("/")[0]
    kind = {"contractType": "PERPETUAL", "status": "TRADING", "marginAsset": "USDT", "quoteAsset": "USDT"}
    return {"symbol": f"{base}USDT", "pair": f"{base}USDT", "baseAsset": base, "filters": [], **kind}


def bybit_market(pair):
    base = pair.split("/")[0]
    kind = {"contractType": "LinearPerpetual", "status": "Trading", "quoteCoin": "USDT", "settleCoin": "USDT"}
    steps = {"priceFilter": {"tickSize": "0.1"}, "lotSizeFilter": {"qtyStep": "0.001"}, "leverageFilter": {}}
    return {"symbol": f"{base}USDT", "baseCoin": base, **kind, **steps}


def okx_market(pair):
    base = pair.split("/")[0]
    kind = {"instType": "SWAP", "ctType": "linear", "settleCcy": "USDT", "state": "live"}
    size = {
        "ctVal": "0.01",
        "ctMult": "1",
        "ctValCcy": base,
        "lotSz": "0.01",
        "tickSz": "0.1",
        "minSz": "0.01",
    }
    return {"instId": f"{base}-USDT-SWAP", "uly": f"{base}-USDT", **kind, **size}
