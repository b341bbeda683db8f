"""Positions of Hyperliquid, which anybody may ask for: kept as a map, without addresses.

Accounts are met where they trade: its websocket names buyer and seller. Those near liquidation are asked for
every ten minutes, others less often (`accounts.py`), within a budget of weight that leaves a bot on the same
machine its own. The map of each pair is written at every fifth minute.
"""

import asyncio
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from liqfeature.data.kinds import MAPS, Series
from liqfeature.data.maps import packed
from liqfeature.durations import MINUTE
from liqfeature.errors import ConfigError, extra
from liqfeature.recorder.accounts import Accounts, Budget, positions_of
from liqfeature.recorder.poll import States
from liqfeature.recorder.stream import contracts_of

_LOG = logging.getLogger(__name__)

EXCHANGE = "hyperliquid"

PERIOD = 5 * MINUTE
"""Milliseconds from one map to the next."""

WEIGHT = 600
"""To be spent in a minute, of the 1,200 that an address has."""

WEIGHT_OF_STATE, WEIGHT_OF_MARKETS = 2, 20

LEAST_TRADE = 50_000.0
"""Quote currency of a trade whose users are asked for."""

LOOK = 0.5
"""Seconds from one look at what is due to the next."""

AT_ONCE = 8
"""Accounts that are asked for at the same time."""

RETRY = 5.0
"""Seconds after which a connection that broke is set up again."""


class PositionPoller:
    """Ask for the positions of accounts until stopped.

    Parameters
    ----------
    pairs : sequence of str
    options : mapping
        For ccxt.
    seeds : iterable of str
        Addresses to begin with.
    raw : Path, optional
        File to which every answer is added as received, with its address. Nothing else holds one.

    Attributes
    ----------
    count : int
        States that were made.

    Raises
    ------
    MissingExtraError
        If ccxt is not installed.
    """

    def __init__(
        self,
        pairs: Sequence[str],
        options: Mapping[str, Any],
        seeds: Iterable[str] = (),
        raw: Path | None = None,
    ) -> None:
        with extra("record"):
            from ccxt import pro
        own = {"fetchMarkets": {"types": ["swap"]}}
        self._api = pro.hyperliquid({**options, "options": {**own, **options.get("options", {})}})
        self.name, self.pairs, self.count = f"{EXCHANGE} positions", pairs, 0
        self.accounts, self._budget, self._raw = Accounts(), Budget(WEIGHT), raw
        self.accounts.meet(seeds, self.now())
        self.marks: dict[str, float] = {}
        self._coins: dict[str, str] = {}  # by pair
        self._span: dict[str, tuple[float, float]] = {}  # lowest and highest price since the last map
        self._mapped = 0
        self._waiting: States = {}

    async def run(self) -> None:
        """Ask, meet and map; only a pair that is unknown ends it."""
        tasks = [asyncio.create_task(one) for one in (self._ask(), *map(self._meet, self.pairs))]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._api.close()

    def now(self) -> int:
        """Milliseconds by this machine's clock."""
        return int(self._api.milliseconds())

    def waiting(self) -> States:
        """Return what is not on disk yet; once it is, call `written`."""
        return dict(self._waiting)

    def written(self, maps: States) -> None:
        """Forget what is on disk."""
        for key in maps:
            del self._waiting[key]

    # Asking.

    async def _ask(self) -> None:
        from ccxt import BaseError

        trouble = ""
        while True:
            try:
                await self._look()
                trouble = ""
            except ConfigError:
                raise
            except BaseError as error:
                if (reason := type(error).__name__) != trouble:
                    _LOG.warning("%s: no answer: %s", self.name, reason)
                trouble = reason
                await asyncio.sleep(RETRY)
            await asyncio.sleep(LOOK)

    async def _look(self) -> None:
        """Ask for what is due, prices first."""
        now = self.now()
        if now // PERIOD > self._mapped // PERIOD and self._budget.spend(WEIGHT_OF_MARKETS, now):
            self._take_prices(await self._api.fetch_markets())
            self._map(now)
        some: list[str] = []
        while len(some) < AT_ONCE and self.marks and self._budget.left(now) >= WEIGHT_OF_STATE:
            if (address := self.accounts.due(now)) is None:
                break
            self._budget.spend(WEIGHT_OF_STATE, now)
            some.append(address)
        await asyncio.gather(*map(self._ask_for, some))

    async def _ask_for(self, address: str) -> None:
        answer = await self._api.public_post_info({"type": "clearinghouseState", "user": address})
        try:
            positions = positions_of(answer)
        except (KeyError, TypeError, ValueError) as error:
            _LOG.warning("%s: not understood: positions of an account: %r", self.name, error)
            return
        self.accounts.answered(address, positions, self.now(), self.marks)
        if self._raw is not None:
            self._keep({"time": self.now(), "user": address, "answer": answer}, self._raw)

    def _keep(self, answer: Mapping[str, Any], raw: Path) -> None:
        """Add an answer to the file that was asked for; a full disk costs that answer alone."""
        try:
            with raw.open("a", encoding="utf-8") as file:
                file.write(json.dumps(answer) + "\n")
        except OSError as error:
            _LOG.warning("%s: cannot write an answer: %s", self.name, error.strerror)

    def _take_prices(self, answer: Sequence[Mapping[str, Any]]) -> None:
        markets = {market["symbol"]: market for market in answer}
        contracts_of(EXCHANGE, self.pairs, markets)
        self._api.set_markets(answer)  # or it would ask for them, and for coins, once more
        for market in answer:
            try:
                coin, price = str(market["info"]["name"]), float(market["info"]["markPx"])
            except (KeyError, TypeError, ValueError):
                continue
            self._coins[market["symbol"]] = coin
            self.marks[coin] = price
            self._note_price(coin, price)

    def _note_price(self, coin: str, price: float) -> None:
        low, high = self._span.get(coin, (price, price))
        self._span[coin] = min(low, price), max(high, price)

    def _map(self, now: int) -> None:
        """Leave out what price has passed, and keep a map of each pair once accounts are known."""
        for coin, (low, high) in self._span.items():
            self.accounts.cross(coin, low, high, self._mapped or now)
        self._span = {coin: (price, price) for coin, price in self.marks.items()}
        self._mapped = now
        for pair in self.pairs:
            levels = self.accounts.levels(self._coins[pair], now)
            if levels:
                self._waiting[Series(EXCHANGE, pair, MAPS), now] = packed(levels)
                self.count += 1

    # Meeting.

    async def _meet(self, pair: str) -> None:
        from ccxt import BaseError

        while not self.marks:
            await asyncio.sleep(LOOK)
        while True:
            try:
                for trade in await self._api.watch_trades(pair):
                    self._take_trade(trade["info"])
            except BaseError as error:
                _LOG.debug("%s: no trades of %s: %s", self.name, pair, type(error).__name__)
                await asyncio.sleep(RETRY)

    def _take_trade(self, trade: Mapping[str, Any]) -> None:
        try:
            coin, price, amount = str(trade["coin"]), float(trade["px"]), float(trade["sz"])
            users = [str(user) for user in trade["users"]]
        except (KeyError, TypeError, ValueError) as error:
            _LOG.warning("%s: not understood: a trade: %r", self.name, error)
            return
        self._note_price(coin, price)
        if price * amount >= LEAST_TRADE:
            self.accounts.meet(users, self.now())
