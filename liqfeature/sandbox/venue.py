"""The simulated exchange: its markets, its clock, and how far back it tells of open interest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from liqfeature.errors import ConfigError
from liqfeature.sandbox.bars import Bars, Price, bars
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
    def _gathered(self) -> dict[tuple[str, Price], Bars]:
        return {}


@dataclass(eq=False)
class Venue:
    """Everything that the server answers from.

    Parameters
    ----------
    markets : mapping of str to Market
        By Binance's symbol.
    now : int
        The venue's clock, milliseconds since 1970. It stands still until somebody turns it.
    oi_days : int, optional
        Days of open interest before `now` that are told; all of it where left out. Binance tells 30.
    """

    markets: Mapping[str, Market]
    now: int
    oi_days: int | None = None

    @classmethod
    def of(cls, tapes: Iterable[Tape], *, oi_days: int | None = None) -> "Venue":
        """Open a venue at the end of its tapes.

        Parameters
        ----------
        tapes : iterable of Tape
            One per pair.
        oi_days : int, optional
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
        return cls(markets, min(ends), oi_days)

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
