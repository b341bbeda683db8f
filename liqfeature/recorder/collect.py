"""Closed candles and open interest of other exchanges, stored as they come with the moment of receipt.

A row is stored once, when it is first seen closed: what a bot read then is what its backtest reads. After an
outage the rows since the last stored one are fetched; they count from when they were received.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from liqfeature.data.botconfig import is_sandbox
from liqfeature.data.database import Database, Row
from liqfeature.data.kinds import CANDLES, OPEN_INTEREST, Kind, Series
from liqfeature.durations import MINUTE, minutes
from liqfeature.errors import DataError, extra
from liqfeature.exchange.coins import counterpart
from liqfeature.exchange.traits import exchange_traits
from liqfeature.recorder.options import POLLED
from liqfeature.recorder.poll import PERIOD, WITHIN, states_of

_LOG = logging.getLogger(__name__)

MEASURE_EVERY = 300.0
"""Seconds from one look at the exchange's clock to the next."""

LOOK = 1.0
"""Seconds after which an exchange that has not closed its candle yet is asked again."""

FIRST_DELAY, LONGEST_DELAY = 2.0, 60.0
"""Seconds to wait after an error, doubled each time."""

MOST_ROWS = 100
"""Asked for at once: what every exchange gives of both kinds."""

_UNTIL = ("binance", "bybit")
"""Whose open interest needs the end of a span, too: else they give the newest rows."""

_LINEAR = ("binance", "bybit")
"""Who list perpetuals among linear futures; elsewhere they are swaps."""


class Collector:
    """What one exchange gives of some pairs, into a database.

    Parameters
    ----------
    name : str
        Freqtrade's name of the exchange.
    api : ccxt exchange
        Asynchronous.
    database : Database
        Open for writing.
    timeframe : str
    history : int
        Candles that are fetched where nothing is stored yet.

    Attributes
    ----------
    count : int
        Rows stored.
    trouble : str
        Why the exchange does not answer; empty while it does.
    """

    def __init__(self, name: str, api: Any, database: Database, timeframe: str, history: int) -> None:
        self.name, self.timeframe, self.history = name, timeframe, history
        self.count, self.trouble = 0, ""
        self._api, self._database = api, database
        self._next: dict[Series, int] = {}  # stamp of the row that comes next
        self._ahead, self._measure_at = 0, -math.inf  # milliseconds; by the monotonic clock
        self._polled = 0  # last round time whose open interest is stored

    async def run(self, pairs: Sequence[str], exchange: str) -> None:
        """Collect until cancelled the coins of `pairs`, which are those of `exchange`."""
        from ccxt import BaseError

        series: list[Series] = []
        delay = FIRST_DELAY
        try:
            while True:
                try:
                    await self.measure_clock()
                    series = series or await self._listed(pairs, exchange)
                    await asyncio.gather(*(self.catch_up(one) for one in series))
                    if self.name in POLLED:
                        await self.poll([one.pair for one in series])
                    delay = FIRST_DELAY
                    self._tell("")
                    await asyncio.sleep(LOOK)
                except (BaseError, DataError) as error:
                    self._tell(f"{type(error).__name__} {error}"[:300])
                    await asyncio.sleep(delay * random.uniform(0.5, 1.0))
                    delay = min(2 * delay, LONGEST_DELAY)
        finally:
            await self._api.close()

    async def catch_up(self, series: Series) -> None:
        """Store what has closed since the last stored row of a series."""
        period = minutes(series.timeframe) * MINUTE
        if series not in self._next:
            self._next[series] = self._first(series, period)
        while (first := self._next[series]) + period <= self.now():
            stop = first + MOST_ROWS * period
            rows = await self._fetch(series, first, stop)
            now = self.now()
            closed = [
                Row(stamp, now, row) for stamp, row in rows if first <= stamp < min(stop, now - period + 1)
            ]
            with self._database.writing():
                self.count += sum(self._database.add(series, "rest", closed))
            if closed:
                self._next[series] = closed[-1].stamp + period
            elif stop < now:
                self._next[series] = stop  # a hole of the exchange's own
            else:
                return

    async def poll(self, pairs: Sequence[str]) -> None:
        """Store the present open interest at a round time, of an exchange that gives out only that."""
        stamp = self.now() // PERIOD * PERIOD
        if stamp > self._polled and self.now() - stamp < WITHIN:
            states = states_of(self.name, pairs, await self._api.fetch_markets(), stamp)
            if (now := self.now()) - stamp < WITHIN:
                with self._database.writing():
                    for (series, _), values in states.items():
                        self.count += sum(self._database.add(series, "rest", [Row(stamp, now, values)]))
                self._polled = stamp

    def now(self) -> int:
        """Milliseconds by the exchange's clock."""
        return int(self._api.milliseconds()) - self._ahead

    async def measure_clock(self) -> None:
        """Ask now and then by how much this machine's clock is ahead of the exchange's."""
        if time.monotonic() >= self._measure_at:
            self._ahead = int(await self._api.load_time_difference())
            self._measure_at = time.monotonic() + MEASURE_EVERY

    def _first(self, series: Series, period: int) -> int:
        found = self._database.number(series)
        sql = f"SELECT max(stamp) FROM {series.kind.name} WHERE series = ?"
        last = None if found is None else self._database.query(sql, (found,))[0][0]
        oldest = (
            self.now() // period - max(self.history * minutes(self.timeframe) * MINUTE // period, 3)
        ) * period
        return oldest if last is None else max(last + period, oldest)

    async def _listed(self, pairs: Sequence[str], exchange: str) -> list[Series]:
        """Return the series to collect: candles, and open interest where there is a history of it."""
        markets = await self._api.load_markets()
        linear = [name for name, market in markets.items() if market.get("swap") and market.get("linear")]
        found = {pair: counterpart(pair, exchange, self.name, linear) for pair in pairs}
        for pair in (pair for pair, there in found.items() if there is None):
            _LOG.warning("%s: %s is not listed", self.name, pair)
        there = [one.pair for one in found.values() if one is not None]
        kinds: dict[Kind, str] = {CANDLES: self.timeframe}
        if interest := exchange_traits(self.name).interest_timeframe(self.timeframe):
            kinds[OPEN_INTEREST] = interest
        return [
            Series(self.name, pair, kind, timeframe) for kind, timeframe in kinds.items() for pair in there
        ]

    async def _fetch(self, series: Series, since: int, stop: int) -> list[tuple[int, tuple[Any, ...]]]:
        """Ask for rows from a stamp on: stamp and content of each, ascending."""
        asked = (series.pair, series.timeframe, since, MOST_ROWS)
        if series.kind is CANDLES:
            rows = await self._api.fetch_ohlcv(*asked)
            found = {int(row[0]): tuple(row[1:6]) for row in rows}
        else:
            until = {"until": stop - 1} if self.name in _UNTIL else {}
            rows = await self._api.fetch_open_interest_history(*asked, until)
            names = ("openInterestAmount", "openInterestValue")
            found = {int(row["timestamp"]): tuple(row.get(name) for name in names) for row in rows}
        return sorted(found.items())

    def _tell(self, trouble: str) -> None:
        """Log why nothing comes, once for as long as it stays the same, and that something comes again."""
        if trouble and trouble != self.trouble:
            _LOG.warning("%s: %s", self.name, trouble)
        elif self.trouble and not trouble:
            _LOG.warning("%s: answers again", self.name)
        self.trouble = trouble


async def collect(
    path: Path,
    exchanges: Mapping[str, Mapping[str, Any]],
    pairs: Sequence[str],
    exchange: str,
    timeframe: str,
    history: int,
    stop: asyncio.Event,
    started: Callable[[Sequence[Collector]], None] = lambda _: None,
) -> None:
    """Collect from every exchange into one database until `stop` is set.

    Parameters
    ----------
    path : Path
        Database; made where there is none.
    exchanges : mapping
        ccxt's options by Freqtrade's name of the exchange.
    pairs, exchange, timeframe
        Of the traded markets.
    history : int
        Candles to begin with.
    stop : Event
    started : callable, optional
        Given the collectors, once they are there.

    Raises
    ------
    MissingExtraError, DataError
        If ccxt is not installed, or the file is something else.
    """
    with extra("record"):
        from ccxt import async_support
    simulated = any(map(is_sandbox, exchanges.values()))
    with Database(path, write=True, simulated=simulated) as database:
        collectors, tasks = [], []
        for name, options in exchanges.items():
            types = ["linear" if name in _LINEAR else "swap"]
            own = {"defaultType": "swap", "fetchMarkets": {"types": types}}
            api = getattr(async_support, name)({**options, "options": {**own, **options.get("options", {})}})
            collectors.append(Collector(name, api, database, timeframe, history))
            tasks.append(asyncio.create_task(collectors[-1].run(pairs, exchange)))
        started(collectors)
        ended = asyncio.create_task(stop.wait())
        done, pending = await asyncio.wait([ended, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for task in done - {ended}:
            task.result()
