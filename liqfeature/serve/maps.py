"""Every computation once, however many look at it."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Generic, TypeVar

import pandas as pd

from liqfeature.data.pair import PairData
from liqfeature.data.recorded import load_recorded
from liqfeature.errors import ConfigError, DataError
from liqfeature.market.liquidations import are_orders
from liqfeature.serve.sources import Look, Source
from liqfeature.serve.state import Pair
from liqfeature.serve.tiles import Spot, make_tile

_LOG = logging.getLogger(__name__)

_PAIRS_KEPT = 8
_TILES_KEPT = 48

Value = TypeVar("Value")


class Shared(Generic[Value]):
    """Results by key, the last used of which are kept; whoever asks while one is made waits for it.

    Parameters
    ----------
    kept : int
        Results at most.
    pool : Executor
        Where they are made.
    """

    def __init__(self, kept: int, pool: ThreadPoolExecutor) -> None:
        self.made = 0
        self._kept = kept
        self._pool = pool
        self._results: OrderedDict[object, asyncio.Future[Value]] = OrderedDict()

    async def result(self, key: object, make: Callable[[], Value]) -> Value:
        """Return the result of a key; a failed one is made again at the next call."""
        found = self._results.get(key)
        if found is None:
            self.made += 1
            found = asyncio.get_running_loop().run_in_executor(self._pool, make)
            self._results[key] = found
            while len(self._results) > self._kept:
                self._results.popitem(last=False)
        self._results.move_to_end(key)
        try:
            return await asyncio.shield(found)
        except Exception:
            if self._results.get(key) is found:
                del self._results[key]
            raise


class Maps:
    """Maps of all pairs of a source.

    Parameters
    ----------
    source : Source
    recordings : Path or None
        Of liquidations, as `load_recorded` reads them.
    """

    def __init__(self, source: Source, recordings: Path | None = None) -> None:
        self.source = source
        self.recordings = recordings
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="liqfeature-serve")
        self.pairs_made: Shared[Pair] = Shared(_PAIRS_KEPT, self._pool)
        self.tiles_made: Shared[bytes] = Shared(_TILES_KEPT, self._pool)
        self.table = {pair: pair for pair in source.pairs}
        self._versions: dict[str, int] = {}

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)

    def known(self, pair: str) -> str:
        """Return the pair of the table that a client names; a ConfigError says that there is none.

        What a client sends goes no further than this table.
        """
        if pair not in self.table:
            message = f"pair must be one of the {len(self.table)} served, received {pair[:40]!r}"
            raise ConfigError(message)
        return self.table[pair]

    async def look(self, pair: str) -> Look:
        """Look at the source; what it shows decides which version `pair` returns."""
        look = await asyncio.get_running_loop().run_in_executor(self._pool, self.source.look, pair)
        self._versions[pair] = look.version
        return look

    async def pair(self, pair: str) -> Pair:
        """Return a pair as of its last look."""
        if pair not in self._versions:
            await self.look(pair)
        version = self._versions[pair]
        return await self.pairs_made.result((pair, version), lambda: self._load(pair, version))

    def _load(self, pair: str, version: int) -> Pair:
        data = self.source.load(pair)
        return Pair.of(version, data, pair, self._recorded(data))

    def _recorded(self, data: PairData) -> pd.DataFrame | None:
        """Return recorded orders of a pair; none where there are totals only, which have no price."""
        if self.recordings is None:
            return None
        try:
            found = load_recorded(self.recordings, data.pair, data.exchange)
        except DataError as error:  # a pair that was not recorded: its map is shown all the same
            _LOG.warning("%s", error)
            return None
        if "exchange" in found:  # a table may hold those of several
            found = found[found["exchange"] == data.exchange]
        return found if are_orders(found) and len(found) else None

    async def tile(self, pair: str, spot: Spot) -> bytes:
        """Return a tile of a pair as of its last look."""
        loaded = await self.pair(pair)
        key = (pair, loaded.version, spot)
        held = (loaded.data, loaded.features, spot, loaded.recorded)
        return await self.tiles_made.result(key, lambda: make_tile(*held))
