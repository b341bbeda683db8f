"""The simulated exchange: its markets, its clock, and how far back it tells of open interest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from liqfeature.errors import ConfigError
from liqfeature.sandbox.bars import Bars, Price, bars
from liqfeature.sandbox.clock import Clock, FixedClock
from liqfeature.sandbox.query import INVALID_SYMBOL, BinanceError, mandatory
from liqfeature.sandbox.tape import MINUTE, Tape

DAY = 1440 * MINUTE
"""Milliseconds in a day."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Smallest steps of one market, as decimal places, and its smallest order.

    Parameters
    ----------
    price : int
        Decimal places of a price.
    amount : int
        Decimal places of an amount.
    notional : int
        Smallest order in quote currency.
    """

    price: int
    amount: int
    notional: int


_FILTERS = {"BTC": Filters(1, 3, 50), "ETH": Filters(2, 3, 20), "SOL": Filters(2, 2, 5)}
"""Of Binance; also the market list for backtests on real data, so that orders are rounded alike."""


@dataclass(frozen=True, eq=False)
class Market:
    """One perpetual contract.

    Parameters
    ----------
    tape : Tape
        Its history, which may reach beyond the venue's clock.
    """

    tape: Tape

    @cached_property
    def base(self) -> str:
        """Base currency, such as "BTC"."""
        return self.tape.pair.split("/")[0]

    @cached_property
    def symbol(self) -> str:
        """Binance's name, such as "BTCUSDT"."""
        return self.base + "USDT"

    @cached_property
    def filters(self) -> Filters:
        """Binance's own for the well-known markets, else six significant digits."""
        magnitude = int(np.floor(np.log10(self.tape.open[0])))
        derived = Filters(price=max(0, 5 - magnitude), amount=max(0, magnitude - 1), notional=5)
        return _FILTERS.get(self.base, derived)

    def bars(self, interval: str, price: Price) -> Bars:
        """Return candles of the whole tape, gathered once."""
        key = (interval, price)
        if key not in self._gathered:
            self._gathered[key] = bars(self.tape, interval, price)
        return self._gathered[key]

    @cached_property
    def forced(self) -> dict[str, Any]:
        """Arrays of all forced orders in the order of their time, which is in milliseconds since 1970."""
        orders = self.tape.forced_orders
        times = orders["date"].astype("datetime64[ms, UTC]").astype("int64").to_numpy()
        order = np.argsort(times, kind="stable")
        columns = {
            name: orders[name].to_numpy(np.float64)[order] for name in ("price", "bankruptcy_price", "amount")
        }
        return {"time": times[order], "is_short": (orders["side"] == "short").to_numpy()[order], **columns}

    @cached_property
    def _gathered(self) -> dict[tuple[str, Price], Bars]:
        return {}


@dataclass(frozen=True, eq=False)
class Venue:
    """Everything that the server answers from.

    Parameters
    ----------
    markets : mapping of str to Market
        By Binance's symbol.
    clock : Clock
        Nothing is told that happens after what it shows.
    oi_days : int, optional
        Days of open interest before `now` that are told; all of it where left out. Binance tells 30.
    liquidations : {"throttled", "all"}
        Which forced orders are streamed: as on Binance the latest of each symbol and second, or every one.
    """

    markets: Mapping[str, Market]
    clock: Clock
    oi_days: int | None = None
    liquidations: Literal["throttled", "all"] = "throttled"

    @classmethod
    def of(
        cls,
        tapes: Iterable[Tape],
        *,
        clock: Clock | None = None,
        oi_days: int | None = None,
        liquidations: Literal["throttled", "all"] = "throttled",
    ) -> "Venue":
        """Open a venue over tapes.

        Parameters
        ----------
        tapes : iterable of Tape
            One per pair.
        clock : Clock, optional
            Where left out, it stands at the end of the tapes.
        oi_days, liquidations : optional
            As of the class.

        Raises
        ------
        ConfigError
            If there is no tape.
        """
        markets = {market.symbol: market for market in map(Market, tapes)}
        if not markets:
            message = "a sandbox needs at least one pair, received none"
            raise ConfigError(message)
        ends = (market.tape.start + len(market.tape.close) * MINUTE for market in markets.values())
        return cls(markets, clock or FixedClock(min(ends)), oi_days, liquidations)

    @property
    def now(self) -> int:
        """What the clock shows, milliseconds since 1970."""
        return self.clock.now()

    def at_present(self) -> "Venue":
        """Return the venue with its clock stopped, so that all of one answer is of one moment."""
        return replace(self, clock=FixedClock(self.now))

    @property
    def tapes(self) -> list[Tape]:
        """Tapes of all markets."""
        return [market.tape for market in self.markets.values()]

    def market(self, query: Mapping[str, str]) -> Market:
        """Return the market that a request names."""
        market = self.markets.get(mandatory(query, "symbol"))
        if market is None:
            raise BinanceError(*INVALID_SYMBOL)
        return market

    def asked_markets(self, query: Mapping[str, str]) -> list[Market]:
        """Return the market that a request names, or all where it names none."""
        return [self.market(query)] if "symbol" in query else list(self.markets.values())

    @property
    def oldest_open_interest(self) -> int:
        """Time of the oldest open interest that is told."""
        return 0 if self.oi_days is None else self.now - self.oi_days * DAY
