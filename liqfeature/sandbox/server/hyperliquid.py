"""What Hyperliquid tells of a simulated market: prices, each account's positions, and who traded.

An account has one position. Weight is counted as the exchange counts it: more than it allows in a minute is
refused with 429, and `most` says how much was asked for.
"""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from liqfeature.durations import MINUTE
from liqfeature.sandbox.server.clock import Clock
from liqfeature.sandbox.simulation.tape import Tape

WEIGHT = {"clearinghouseState": 2, "metaAndAssetCtxs": 20}
"""Of a request by its type."""

ALLOWED = 1200
"""Weight in any minute."""

LOOK = 0.02
"""Seconds from one look at the clock to the next, of a stream."""


class Held(NamedTuple):
    """What an account has at a moment; base currency, above 0 for longs."""

    coin: str
    amount: float
    liquidation_price: float


class RefusedError(Exception):
    """More was asked for than is allowed."""


class Hyperliquid:
    """The exchange's public interface over tapes.

    Parameters
    ----------
    tapes : mapping of str to Tape
        By coin.
    clock : Clock
        No answer holds anything later than what it shows.

    Attributes
    ----------
    most : int
        Largest weight that was asked for in any minute.
    asked : dict
        How many requests there were of each type.
    """

    def __init__(self, tapes: Mapping[str, Tape], clock: Clock) -> None:
        self.tapes, self.clock = tapes, clock
        self.most, self.asked = 0, dict.fromkeys(WEIGHT, 0)
        self._spent: deque[tuple[int, int]] = deque()
        self._logs = {coin: _Log(tape, number) for number, (coin, tape) in enumerate(tapes.items())}

    def info(self, query: Mapping[str, Any]) -> Any:
        """Answer a request; KeyError where its type is unknown, RefusedError without weight."""
        kind = str(query["type"])
        self._spend(WEIGHT[kind])
        self.asked[kind] += 1
        return self._markets() if kind == "metaAndAssetCtxs" else self._state(str(query["user"]))

    def held(self) -> dict[str, Held]:
        """Return the position of each account at present."""
        return {user: one for log in self._logs.values() for user, one in log.held(self.clock.now()).items()}

    def trades(self, coin: str, since: int) -> list[dict[str, Any]]:
        """Return what was opened and closed in the minutes that ended after a moment."""
        return self._logs[coin].trades(since, self.clock.now())

    def _spend(self, weight: int) -> None:
        now = self.clock.now()
        while self._spent and self._spent[0][0] <= now - MINUTE:
            self._spent.popleft()
        self._spent.append((now, weight))
        self.most = max(self.most, sum(one for _, one in self._spent))
        if self.most > ALLOWED:
            raise RefusedError

    def _markets(self) -> list[Any]:
        universe = [{"name": coin, "szDecimals": 4, "maxLeverage": 40} for coin in self.tapes]
        contexts = []
        for tape in self.tapes.values():
            minute = min(max((self.clock.now() - tape.start) // MINUTE - 1, 0), len(tape.close) - 1)
            mark = f"{tape.mark_close[minute]:.8g}"
            amount = f"{tape.open_interest[minute]:.8g}"
            contexts.append({"openInterest": amount, "markPx": mark, "oraclePx": mark, "funding": "0.0"})
        return [{"universe": universe}, contexts]

    def _state(self, user: str) -> dict[str, Any]:
        logs = [log.held(self.clock.now()) for log in self._logs.values()]
        one = next((log[user] for log in logs if user in log), None)
        positions = (
            []
            if one is None
            else [
                {
                    "type": "oneWay",
                    "position": {
                        "coin": one.coin,
                        "szi": f"{one.amount:.10g}",
                        "liquidationPx": None
                        if np.isnan(one.liquidation_price)
                        else f"{one.liquidation_price:.10g}",
                    },
                }
            ]
        )
        return {"assetPositions": positions, "time": self.clock.now()}


class _Log:
    """The log of positions of one coin, and how far it was read."""

    def __init__(self, tape: Tape, number: int) -> None:
        log = tape.positions
        self._coin = next(iter(tape.pair.split("/")))
        self._ends = log["date"].dt.as_unit("ms").astype("int64").to_numpy() + MINUTE
        self._position, self._change = log["position"].to_numpy(), log["change"].to_numpy()
        self._level, self._short = log["liquidation_price"].to_numpy(), (log["side"] == "short").to_numpy()
        self._price = tape.close[np.clip((self._ends - tape.start) // MINUTE - 1, 0, len(tape.close) - 1)]
        self._number, self._done = number, 0
        self._held: dict[str, Held] = {}

    def held(self, now: int) -> dict[str, Held]:
        """Read on to a moment, or from the start where the clock was set back."""
        stop = int(np.searchsorted(self._ends, now, side="right"))
        if stop < self._done:
            self._done, self._held = 0, {}
        for row in range(self._done, stop):
            user = self._user(row)
            before = abs(self._held[user].amount) if user in self._held else 0.0
            amount = before + float(self._change[row])
            if amount > 1e-12:
                sign = -1.0 if self._short[row] else 1.0
                self._held[user] = Held(self._coin, sign * amount, float(self._level[row]))
            else:
                self._held.pop(user, None)
        self._done = max(self._done, stop)
        return self._held

    def trades(self, since: int, now: int) -> list[dict[str, Any]]:
        first, stop = np.searchsorted(self._ends, (since, now), side="right")
        return [
            {
                "coin": self._coin,
                "side": "A" if self._short[row] else "B",
                "px": f"{self._price[row]:.8g}",
                "sz": f"{abs(self._change[row]):.8g}",
                "time": int(self._ends[row]),
                "tid": row + 1,
                "users": [self._user(row), f"0x{'f' * 40}"],
            }
            for row in range(first, stop)
            if self._change[row] != 0.0
        ]

    def _user(self, row: int) -> str:
        return f"0x{self._number + 1:08x}{int(self._position[row]):032x}"


async def answered(exchange: Hyperliquid, request: Any) -> Any:
    """Answer a request of aiohttp: `POST /info`, or the websocket."""
    from aiohttp import web

    if request.headers.get("Upgrade", "").lower() == "websocket":
        return await _streamed(exchange, request)
    try:
        return web.json_response(exchange.info(await request.json()))
    except RefusedError:
        return web.Response(status=429)
    except (KeyError, json.JSONDecodeError):
        return web.Response(status=422)


async def _streamed(exchange: Hyperliquid, request: Any) -> Any:
    """Send the trades of the coins that a client subscribes to, as the clock passes them."""
    from aiohttp import WSMsgType, web

    socket = web.WebSocketResponse()
    await socket.prepare(request)
    since: dict[str, int] = {}

    async def send() -> None:
        while True:
            for coin, last in since.items():
                since[coin] = exchange.clock.now()
                if rows := exchange.trades(coin, last):
                    await socket.send_json({"channel": "trades", "data": rows})
            await asyncio.sleep(LOOK)

    sending = asyncio.create_task(send())
    try:
        async for message in socket:
            asked = json.loads(message.data) if message.type == WSMsgType.TEXT else {}
            if asked.get("method") == "subscribe":
                since.setdefault(asked["subscription"]["coin"], exchange.clock.now())
    finally:
        sending.cancel()
    return socket
