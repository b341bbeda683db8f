"""What Gate gives out later, and nobody else does: liquidations of about 90 days, and totals of longer.

Liquidations are asked for by hour, the longest that Gate allows, and an hour with more than one answer holds
is halved until it fits. An hour that was asked for counts as listened to, as if a recorder had been there;
but not the hours before the first liquidation, which may lie before what Gate keeps.
"""

import asyncio
import contextlib
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from liqfeature.data.botconfig import is_sandbox
from liqfeature.data.database import Database, Row
from liqfeature.data.kinds import LAG, LISTENED, OPEN_INTEREST, ORDERS, TOTALS, Kind, Series
from liqfeature.data.recordings import Span, listened, load_recording, united, without
from liqfeature.durations import HOUR, MINUTE
from liqfeature.errors import DataError, extra
from liqfeature.market.liquidations import HEARD, totals_of
from liqfeature.recorder.normalise import Contract, received
from liqfeature.recorder.stream import contracts_of
from liqfeature.sides import SIDES

EXCHANGE, SOURCE = "gate", "backfill"

FETCHED = (ORDERS, TOTALS)
"""What may be asked for; with totals comes open interest."""

PERIOD, TIMEFRAME = 5 * MINUTE, "5m"
"""Of totals."""

MOST_ROWS = 1000
"""Of one answer."""

AT_ONCE = 8
"""Hours asked for at the same time; ccxt keeps to Gate's limit of 200 requests in ten seconds."""

DELAYS = (1.0, 2.0, 4.0, 8.0)
"""Seconds to wait after each failure of a request, before it is left to the next run."""

SETTLED = 2 * MINUTE
"""Milliseconds after which nothing is added to what Gate gives out."""

_STATISTICS = ("time", "long_liq_usd", "short_liq_usd", "open_interest", "open_interest_usd")


@dataclass(slots=True)
class Filled:
    """What a backfill has added, by table, and what is wrong with the rest."""

    added: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


class Backfill:
    """Ask Gate for the liquidations of some pairs, and add them to a database.

    Parameters
    ----------
    path : Path
        Database, made where there is none.
    options : mapping
        For ccxt's constructor, such as Freqtrade's `exchange.ccxt_config`.
    done : callable, optional
        Called with a pair, a kind, and the share of it that is done.

    Raises
    ------
    MissingExtraError
        If ccxt is not installed.
    """

    def __init__(
        self, path: Path, options: Mapping[str, Any], done: Callable[[str, Kind, float], None] | None = None
    ) -> None:
        with extra("record"):
            from ccxt import async_support
        own = {
            "fetchMarkets": {"types": ["swap"]},
            "swap": {"fetchMarkets": {"settlementCurrencies": ["usdt"]}},
        }
        self._api = async_support.gate({**options, "options": {**own, **options.get("options", {})}})
        self._path, self._simulated = path, is_sandbox(options)
        self._done = done or (lambda pair, kind, share: None)
        self.filled = Filled()

    async def run(
        self, pairs: Sequence[str], days: float, kinds: Sequence[Kind] = (ORDERS, TOTALS)
    ) -> Filled:
        """Fetch what is missing of the last days.

        Raises
        ------
        ConfigError, DataError
            If a pair is unknown, or Gate does not answer; what was fetched before is there.
        """
        from ccxt import BaseError

        try:
            with Database(self._path, write=True, simulated=self._simulated) as self._database:
                markets = {market["symbol"]: market for market in await self._api.fetch_markets()}
                contracts = contracts_of(EXCHANGE, pairs, markets)
                until = (self._api.milliseconds() - SETTLED) // MINUTE * MINUTE
                since = (until - int(days * 24 * HOUR)) // HOUR * HOUR
                for (name, contract), kind in itertools.product(contracts.items(), kinds):
                    fetch = self._orders if kind is ORDERS else self._totals
                    await fetch(name, contract, since, until)
        except BaseError as error:
            message = f"gate must answer, received {type(error).__name__} {error}"
            raise DataError(message[:300]) from error
        finally:
            await self._api.close()
        return self.filled

    # Single liquidations.

    async def _orders(self, name: str, contract: Contract, since: int, until: int) -> None:
        """Fetch the hours in which nobody listened, and note that they were asked for."""
        heard = Series(EXCHANGE, contract.pair, LISTENED)
        orders = Series(EXCHANGE, contract.pair, ORDERS)
        begun = self._database.number(orders) is not None
        hours = list(_hours(without([(since, until)], listened(self._database, EXCHANGE, contract.pair))))
        for begin in range(0, len(hours), AT_ONCE):
            some = hours[begin : begin + AT_ONCE]
            answers = await asyncio.gather(*(self._between(name, a // 1000, b // 1000 - 1) for a, b in some))
            for (first, end), rows in zip(some, answers, strict=True):
                found = received(EXCHANGE, rows, {name: contract})
                self.filled.faults += found.malformed
                begun = begun or bool(found.prints)
                with self._database.writing():
                    self._add(orders, [Row(one.time, one.time + LAG, one[3:]) for one in found.prints])
                    if begun:
                        self._database.extend(heard, SOURCE, Row(first, first + LAG, (end,)))
            self._done(contract.pair, ORDERS, (some[-1][1] - since) / (until - since))

    async def _between(self, name: str, first: int, last: int) -> list[Any]:
        """Return the rows of some seconds, both bounds included, as Gate has it."""
        ask = self._api.publicFuturesGetSettleLiqOrders
        rows = await self._asked(ask, contract=name, limit=MOST_ROWS, **{"from": first, "to": last})
        if len(rows) < MOST_ROWS:
            return list(rows)
        if first == last:
            self.filled.faults.append(f"{name}: more than {MOST_ROWS} liquidations in second {first}")
            return list(rows)
        middle = (first + last) // 2
        return [*await self._between(name, first, middle), *await self._between(name, middle + 1, last)]

    # Totals.

    async def _totals(self, name: str, contract: Contract, since: int, until: int) -> None:
        """Fetch the periods that are missing, and open interest with them."""
        totals = Series(EXCHANGE, contract.pair, TOTALS, TIMEFRAME)
        interest = Series(EXCHANGE, contract.pair, OPEN_INTEREST, TIMEFRAME)
        there = self._database.read(totals, first=since)["stamp"].tolist()
        ask = self._api.publicFuturesGetSettleContractStats
        for begin, end in without([(since, until)], united((t, t + PERIOD) for t in there)):
            start = begin
            while start + PERIOD <= end:
                bounds = {"from": start // 1000, "limit": MOST_ROWS}
                answer = await self._asked(ask, contract=name, interval=TIMEFRAME, **bounds)
                rows = [row for row in map(self._row, answer) if row]
                rows = [row for row in rows if start <= row["time"] <= end - PERIOD]
                with self._database.writing():
                    self._add(
                        totals, [_known(row, row["long_liq_usd"], row["short_liq_usd"]) for row in rows]
                    )
                    amounts = [row["open_interest"] * contract.size for row in rows]
                    values = [row["open_interest_usd"] for row in rows]
                    self._add(interest, list(map(_known, rows, amounts, values)))
                start = max([row["time"] + PERIOD for row in rows] or [start + MOST_ROWS * PERIOD])
                self._done(contract.pair, TOTALS, (start - since) / (until - since))

    def _row(self, row: Any) -> dict[str, Any] | None:
        """Read one row of Gate's statistics; None where it is damaged."""
        try:
            values = {name: float(row[name]) for name in _STATISTICS}
        except (KeyError, TypeError, ValueError):
            values = {}
        if not values or not all(0 <= value < math.inf for value in values.values()):
            self.filled.faults.append(
                f"statistics must hold {', '.join(_STATISTICS)}, received {row!r}"[:300]
            )
            return None
        return values | {"time": int(values["time"] * 1000)}

    # Both.

    async def _asked(self, call: Callable[[dict[str, Any]], Any], **values: Any) -> Any:
        """Ask until it is answered."""
        from ccxt import NetworkError

        for delay in DELAYS:
            with contextlib.suppress(NetworkError):
                return await call({"settle": "usdt", **values})
            await asyncio.sleep(delay)
        return await call({"settle": "usdt", **values})

    def _add(self, series: Series, rows: list[Row]) -> None:
        new = sum(self._database.add(series, SOURCE, rows))
        self.filled.added[series.kind.name] = self.filled.added.get(series.kind.name, 0) + new


def agreement(path: Path, pair: str) -> tuple[float, float]:
    """Return which share of Gate's own totals its single liquidations make up, of longs and of shorts.

    Over the hours in which both are known; NaN where there are none.
    """
    with Database(path) as database:
        given = database.read(Series(EXCHANGE, pair, TOTALS, TIMEFRAME))
    orders = load_recording(path, pair, EXCHANGE)
    orders.attrs.setdefault(HEARD, [])
    single = totals_of(orders, HOUR, silence=0).to_frame().set_index("date")
    given.index = pd.to_datetime(given["stamp"] // HOUR * HOUR, unit="ms", utc=True)
    hours = given.groupby(level=0)[list(SIDES)].sum(min_count=HOUR // PERIOD)
    both = single.join(hours.add_suffix("_given")).dropna().sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        long, short = (float(both[side] / both[f"{side}_given"]) for side in SIDES)
    return long, short


def _known(row: Mapping[str, Any], *content: float) -> Row:
    """Count a period as known one period after its end: a backtest must not know it before a bot could."""
    return Row(row["time"], row["time"] + 2 * PERIOD, content)


def _hours(spans: Sequence[Span]) -> Iterator[Span]:
    """Cut spans at full hours."""
    for since, until in spans:
        edges = [since, *range(since // HOUR * HOUR + HOUR, until, HOUR), until]
        yield from itertools.pairwise(edges)
