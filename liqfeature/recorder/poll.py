"""Open interest of exchanges that give out only the present one: asked for every five minutes.

What is received within a minute after a round time is the state then. What comes later is none: a bot and its
backtest would take it for an earlier one.
"""

import asyncio
import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

from liqfeature.data.kinds import INTEREST_TIMEFRAME, OPEN_INTEREST, Series
from liqfeature.durations import MINUTE, minutes
from liqfeature.errors import extra
from liqfeature.recorder.stream import contracts_of

_LOG = logging.getLogger(__name__)

PERIOD = minutes(INTEREST_TIMEFRAME) * MINUTE

WITHIN = MINUTE
"""Milliseconds after a round time within which an answer counts as the state then."""

LOOK = 1.0
"""Seconds from one look at the clock to the next, which may be set or stand still meanwhile."""

RETRY = 5.0
"""Seconds after which an exchange that did not answer is asked again."""

States = dict[tuple[Series, int], tuple[Any, ...]]
"""Rows by series and stamp: of open interest its amount and value."""


class Poller:
    """Ask an exchange for the open interest of some pairs until stopped.

    Parameters
    ----------
    name : str
        Freqtrade's name of the exchange.
    pairs : sequence of str
    options : mapping
        For ccxt.

    Attributes
    ----------
    count : int
        Rows that were received.

    Raises
    ------
    MissingExtraError
        If ccxt is not installed.
    """

    def __init__(self, name: str, pairs: Sequence[str], options: Mapping[str, Any]) -> None:
        with extra("record"):
            from ccxt import async_support
        own = {"fetchMarkets": {"types": ["swap"]}}
        self._api = getattr(async_support, name)(
            {**options, "options": {**own, **options.get("options", {})}}
        )
        self.name, self.pairs, self.count = name, pairs, 0
        self._waiting: States = {}

    async def run(self) -> None:
        """Ask at every round time; only a pair that is unknown ends it."""
        from ccxt import BaseError

        answered, trouble = 0, ""
        try:
            while True:
                stamp = self.now() // PERIOD * PERIOD
                if stamp > answered and self.now() - stamp < WITHIN:
                    try:
                        self._take(await self._api.fetch_markets(), stamp)
                        answered, trouble = stamp, ""
                    except BaseError as error:
                        trouble = self._reported(f"{type(error).__name__} {error}"[:300], trouble)
                        await asyncio.sleep(RETRY)
                await asyncio.sleep(LOOK)
        finally:
            await self._api.close()

    def now(self) -> int:
        """Milliseconds by this machine's clock."""
        return int(self._api.milliseconds())

    def waiting(self) -> States:
        """Return what is not on disk yet; once it is, call `written`."""
        return dict(self._waiting)

    def written(self, states: States) -> None:
        """Forget what is on disk."""
        for key in states:
            del self._waiting[key]

    def _take(self, answer: Sequence[Mapping[str, Any]], stamp: int) -> None:
        found = self._states(answer, stamp)
        if self.now() - stamp < WITHIN:
            self._waiting |= found
            self.count += len(found)

    def _reported(self, reason: str, before: str) -> str:
        """Log why there is no answer, once for as long as it stays the same."""
        if reason != before:
            _LOG.warning("%s: no open interest: %s", self.name, reason)
        return reason

    def _states(self, answer: Sequence[Mapping[str, Any]], stamp: int) -> States:
        """Read amount and mark price of each pair; what makes no sense is reported and left out."""
        markets = {market["symbol"]: market for market in answer}
        contracts_of(self.name, self.pairs, markets)
        found: States = {}
        for pair in self.pairs:
            info = markets[pair]["info"]
            try:
                amount, price = float(info["openInterest"]), float(info["markPx"])
            except (KeyError, TypeError, ValueError):
                amount = price = math.nan
            if 0 < amount < math.inf and 0 < price < math.inf:
                series = Series(self.name, pair, OPEN_INTEREST, INTEREST_TIMEFRAME)
                found[series, stamp] = (amount, amount * price)
            else:
                _LOG.warning("%s: not understood: open interest of %s in %.200r", self.name, pair, info)
        return found
