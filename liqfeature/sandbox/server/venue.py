"""The simulated exchange: its perpetuals, its clock, and how far back its open interest reaches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from liqfeature.checks import require
from liqfeature.durations import DAY, MINUTE
from liqfeature.sandbox.server.clock import Clock, FixedClock
from liqfeature.sandbox.server.query import INVALID_SYMBOL, BinanceError, mandatory
from liqfeature.sandbox.simulation.bars import Bars, Price, bars
from liqfeature.sandbox.simulation.statistics import Statistics, statistics_at
from liqfeature.sandbox.simulation.tape import Tape
from liqfeature.types import IntArray


@dataclass(frozen=True, slots=True)
class Filters:
    """Steps of one perpetual, as decimal places, and its smallest order.

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
"""Binance's, also used as the market list for backtests on real data, so that orders round the same."""


@dataclass(frozen=True, eq=False)
class Perpetual:
    """One perpetual contract.

    Parameters
    ----------
    tape : Tape
        Its history, which may reach past the venue's clock.
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
        """Binance's for well-known bases, else six significant digits."""
        magnitude = int(np.floor(np.log10(self.tape.open[0])))
        derived = Filters(price=max(0, 5 - magnitude), amount=max(0, magnitude - 1), notional=5)
        return _FILTERS.get(self.base, derived)

    def bars(self, interval: str, price: Price) -> Bars:
        """Return candles of the whole tape, computed once."""
        key = (interval, price)
        if key not in self._gathered:
            self._gathered[key] = bars(self.tape, interval, price)
        return self._gathered[key]

    @cached_property
    def forced(self) -> dict[str, Any]:
        """Arrays of all forced orders, sorted by `time` in milliseconds since 1970."""
        orders = self.tape.forced_orders
        times = orders["date"].astype("datetime64[ms, UTC]").astype("int64").to_numpy()
        order = np.argsort(times, kind="stable")
        columns = {
            name: orders[name].to_numpy(np.float64)[order] for name in ("price", "bankruptcy_price", "amount")
        }
        return {"time": times[order], "is_short": (orders["side"] == "short").to_numpy()[order], **columns}

    def statistics(self, period: str) -> Statistics:
        """Return open interest and positioning of the whole tape, computed once."""
        if period not in self._statistics:
            self._statistics[period] = statistics_at(self.tape, period)
        return self._statistics[period]

    @cached_property
    def files(self) -> dict[Any, bytes]:
        """Files of its archive, as far as they are kept."""
        return {}

    @cached_property
    def _gathered(self) -> dict[tuple[str, Price], Bars]:
        return {}

    @cached_property
    def _statistics(self) -> dict[str, Statistics]:
        return {}


@dataclass(frozen=True, eq=False)
class Venue:
    """All that the server answers from.

    Parameters
    ----------
    perpetuals : mapping of str to Perpetual
        By Binance's symbol.
    clock : Clock
        No answer holds anything later than what it shows.
    oi_days : int, optional
        Days of open interest before `now` in its history; by default all. Binance keeps 30.
    liquidations : {"throttled", "all"}
        Forced orders of the stream: as on Binance the latest of each symbol and second, or all.
    start_stamped : tuple of (int, int)
        Spans, milliseconds since 1970, the first excluded, in which statistics have the stamp of the start
        of their period. Binance changed to this after 2026-06-25T00:00.
    """

    perpetuals: Mapping[str, Perpetual]
    clock: Clock
    oi_days: int | None = None
    liquidations: Literal["throttled", "all"] = "throttled"
    start_stamped: tuple[tuple[int, int], ...] = ()

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
            By default fixed at the end of the shortest tape.
        oi_days, liquidations : optional
            As of the class.

        Raises
        ------
        ConfigError
            If there is no tape.
        """
        perpetuals = {perpetual.symbol: perpetual for perpetual in map(Perpetual, tapes)}
        require("pairs of a sandbox", bool(perpetuals), "at least one", "none")
        ends = (
            perpetual.tape.start + len(perpetual.tape.close) * MINUTE for perpetual in perpetuals.values()
        )
        return cls(perpetuals, clock or FixedClock(min(ends)), oi_days, liquidations)

    @property
    def now(self) -> int:
        """What the clock shows, milliseconds since 1970."""
        return self.clock.now()

    def at_present(self) -> "Venue":
        """Return the venue with its clock stopped, so that one answer is of one moment."""
        return replace(self, clock=FixedClock(self.now))

    @property
    def tapes(self) -> list[Tape]:
        """Tapes of all perpetuals."""
        return [perpetual.tape for perpetual in self.perpetuals.values()]

    def perpetual(self, query: Mapping[str, str]) -> Perpetual:
        """Return the perpetual that a request names."""
        perpetual = self.perpetuals.get(mandatory(query, "symbol"))
        if perpetual is None:
            raise BinanceError(*INVALID_SYMBOL)
        return perpetual

    def asked_perpetuals(self, query: Mapping[str, str]) -> list[Perpetual]:
        """Return the perpetual that a request names, or all where it names none."""
        return [self.perpetual(query)] if "symbol" in query else list(self.perpetuals.values())

    def stamps(self, times: IntArray, period: int) -> IntArray:
        """Return the stamps of the statistics of some times, both and the period in milliseconds."""
        shifted = [(since < times) & (times <= until) for since, until in self.start_stamped]
        return times - period * np.any(shifted, axis=0) if shifted else times

    @property
    def oldest_open_interest(self) -> int:
        """Time of the oldest open interest in the history."""
        return 0 if self.oi_days is None else self.now - self.oi_days * DAY
