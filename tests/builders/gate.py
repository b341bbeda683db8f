"""A stand-in for Gate's public futures API, with its rules, for the real ccxt."""

from collections import Counter
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from aiohttp import web

from builders.loopback import on_loopback
from builders.venues import redirected


class Gate:
    """What Gate answers: `orders` and `statistics` are lists of its rows."""

    def __init__(self):
        self.orders, self.statistics = [], []
        self.asked = Counter()
        self.spans = []
        self.failures = 0
        self.keeps_since = 0
        self.url = ""

    def options(self):
        """Return ccxt's options that lead here."""
        import ccxt

        urls = redirected(ccxt.gate().urls["api"], urlsplit(self.url).netloc)
        return {"enableRateLimit": False, "urls": {"api": urls}}

    async def answer(self, request):
        what = request.path.removeprefix("/api/v4/futures/usdt/")
        self.asked[what] += 1
        if what != "contracts" and self.failures:
            self.failures -= 1
            return web.json_response({"label": "TOO_BUSY"}, status=503)
        if what == "contracts":
            return web.json_response([CONTRACT | {"name": name} for name in ("BTC_USDT", "ETH_USDT")])
        if what == "liq_orders":
            return self.liquidations(request.query)
        if what == "contract_stats":
            return self.stats(request.query)
        return web.json_response({"label": "NOT_FOUND"}, status=404)

    def liquidations(self, query):
        first, last, limit = (int(query[name]) for name in ("from", "to", "limit"))
        if last - first > 3600 or limit > 1000:
            label = {"label": "INVALID_PARAM_VALUE", "message": "range from/to must in 1 hour"}
            return web.json_response(label, status=400)
        self.spans.append((first, last))
        mine = [
            row
            for row in self.orders
            if row["contract"] == query["contract"] and max(first, self.keeps_since) <= row["time"] <= last
        ]
        return web.json_response(mine[::-1][:limit])

    def stats(self, query):
        first, limit = int(query["from"]), int(query["limit"])
        rows = [row for row in self.statistics if row["time"] >= max(first, self.keeps_since)]
        return web.json_response(rows[: min(limit, 100)])


@asynccontextmanager
async def gate():
    """Serve on loopback for as long as the block lasts."""
    served = Gate()
    async with on_loopback(served.answer) as served.url:
        yield served


CONTRACT = {
    "type": "direct",
    "quanto_multiplier": "0.0001",
    "in_delisting": False,
    "order_price_round": "0.1",
    "order_size_min": 1,
    "order_size_max": 1_000_000,
    "leverage_min": "1",
    "leverage_max": "100",
    "mark_price": "60000",
    "maker_fee_rate": "-0.0001",
    "taker_fee_rate": "0.0005",
}


def order(time, size=100, fill="60000", limit=None, contract="BTC_USDT", left=0):
    """Return one liquidation as Gate tells it: `size` of the position, the order the other way."""
    beyond = "59800" if size > 0 else "60200"
    return {
        "time": time,
        "contract": contract,
        "size": size,
        "order_size": -size,
        "fill_price": fill,
        "order_price": limit or beyond,
        "left": left,
    }


def statistic(time, long=0.0, short=0.0, contracts=1000):
    """Return one row of Gate's statistics, of the five minutes that begin then."""
    return {
        "time": time,
        "long_liq_usd": long,
        "short_liq_usd": short,
        "open_interest": contracts,
        "open_interest_usd": contracts * 6.0,
        "mark_price": 60000,
    }
