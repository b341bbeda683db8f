"""Markets of an exchange, polled through ccxt: closed candles as they come, and the forming one."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from liqfeature.data.botconfig import ccxt_options, is_sandbox
from liqfeature.data.pair import PairData
from liqfeature.durations import DAY, MINUTE, minutes
from liqfeature.errors import DataError, extra
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.exchange.traits import canonical, exchange_traits
from liqfeature.serve.sources import Forming, Look

_PAGE = 500
"""Rows of candles and funding asked for at a time: what every exchange gives."""

_INTEREST_PAGE = 100
"""Rows of open interest asked for at a time, between two moments; OKX gives no more."""

_INTEREST_KEPT = 30 * DAY
"""How far back the history of open interest reaches at most; Binance refuses an earlier start."""

_LOOK = 2
"""Rows of candles asked for in a short look: the last closed one, and the forming one."""

_CANDLE = ("date", "open", "high", "low", "close", "volume")
_INTEREST = ("date", "open_interest_amount", "open_interest_value")
_FUNDING = ("date", "funding_rate")

Rows = list[tuple[Any, ...]]
"""Milliseconds since 1970 and numbers, ascending."""


@dataclass
class _Series:
    """Rows of one kind received so far; `since` is the moment from which the next ones are asked for."""

    columns: tuple[str, ...]
    since: int
    frame: pd.DataFrame | None = None

    def extend(self, rows: Rows) -> None:
        if rows:
            new = _frame(rows, self.columns)
            self.frame = new if self.frame is None else pd.concat([self.frame, new], ignore_index=True)
            self.since = int(rows[-1][0]) + 1


@dataclass
class _Kept:
    """What was received of one pair."""

    candles: _Series
    interest: _Series
    funding: _Series

    @classmethod
    def since(cls, moment: int) -> "_Kept":
        return cls(_Series(_CANDLE, moment), _Series(_INTEREST, moment), _Series(_FUNDING, moment))


class ExchangeSource:
    """Markets of the exchange that a configuration of Freqtrade names.

    Parameters
    ----------
    bot : mapping
        The configuration: `exchange.name`, `exchange.pair_whitelist`, and what it gives to ccxt.
    timeframe : str
    days : float
        History to load, beside the warm-up.

    Raises
    ------
    ConfigError, DataError
        If the exchange is not known, or there is no pair.
    MissingExtraError
        If ccxt is not installed.
    """

    def __init__(self, bot: Mapping[str, Any], timeframe: str = "5m", days: float = 30.0) -> None:
        self.timeframe = timeframe
        self._days = days
        self._exchange = canonical(str(bot.get("exchange", {}).get("name", "")))
        self._traits = exchange_traits(self._exchange)
        self._options = ccxt_options(bot)
        self.pairs: tuple[str, ...] = tuple(map(str, bot.get("exchange", {}).get("pair_whitelist", ())))
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()
        if not self.pairs:
            message = "exchange.pair_whitelist of a configuration must name at least one pair, received none"
            raise DataError(message)

    @property
    def title(self) -> str:
        """Name of the exchange."""
        return self._exchange

    @property
    def simulated(self) -> bool:
        """Whether the exchange is the sandbox."""
        return is_sandbox(self._options)

    def load(self, pair: str) -> PairData:
        """Ask for what is new since the last time, and return everything."""
        config = HeatmapConfig.for_pair(pair, self._exchange)
        with self._asking(pair):
            kept = self._kept.get(pair)
            if kept is None:
                kept = self._kept[pair] = _Kept.since(self._begin(pair, config.warmup))
            kept.candles.extend(self._candles(pair, kept.candles.since)[:-1])
            kept.funding.extend(self._fundings(pair, kept.funding.since))
            if self._traits.open_interest:
                kept.interest.extend(self._interest(pair, kept.interest.since))
            candles, interest, funding = kept.candles.frame, kept.interest.frame, kept.funding.frame
        if candles is None:
            message = f"{self._exchange} must have closed candles of {pair}, received none"
            raise DataError(message)
        return PairData(
            pair=pair,
            timeframe=self.timeframe,
            candles=candles,
            inputs={"open_interest": interest, "funding_rate": funding},
            config=config,
            exchange=self._exchange,
            simulated=self.simulated,
        )

    def look(self, pair: str) -> Look:
        """Ask for the forming candle: the newest is taken for unfinished, as Freqtrade does."""
        with self._asking(pair):
            rows = self._api.fetch_ohlcv(pair, self.timeframe, limit=_LOOK)
        if not rows:
            message = f"{self._exchange} must have candles of {pair}, received none"
            raise DataError(message)
        opened, first, high, low, last = rows[-1][:5]
        forming = Forming(opened=int(opened), open=first, high=high, low=low, close=last)
        return Look(version=forming.opened, forming=forming)

    @contextmanager
    def _asking(self, pair: str) -> Iterator[None]:
        """Ask one thing at a time, and make what ccxt raises a DataError."""
        with extra("serve"):
            from ccxt import BaseError
        with self._lock:
            try:
                yield
            except BaseError as error:
                message = f"{self._exchange} must answer about {pair}, received {error!r}"
                raise DataError(message) from error

    @cached_property
    def _api(self) -> Any:
        import ccxt

        options = {**self._options, "options": {"defaultType": "swap", **self._options.get("options", {})}}
        api = getattr(ccxt, self._exchange)(options)
        api.load_markets()
        return api

    @property
    def _interval(self) -> int:
        return minutes(self.timeframe) * MINUTE

    def _begin(self, pair: str, warmup: int) -> int:
        """Return the moment at which the history begins: the warm-up before the first day shown."""
        newest = self._api.fetch_ohlcv(pair, self.timeframe, limit=_LOOK)
        now = int(newest[-1][0]) if newest else int(self._api.milliseconds())
        return now - round(self._days * DAY) - warmup * self._interval

    def _candles(self, pair: str, since: int) -> Rows:
        return _pages(lambda start: self._api.fetch_ohlcv(pair, self.timeframe, start, _PAGE), since)

    def _fundings(self, pair: str, since: int) -> Rows:
        def ask(start: int) -> Rows:
            rows = self._api.fetch_funding_rate_history(pair, start, _PAGE)
            return [(row["timestamp"], row["fundingRate"]) for row in rows]

        return _pages(ask, since)

    def _interest(self, pair: str, since: int) -> Rows:
        timeframe = self._traits.interest_timeframe(self.timeframe)
        span = _INTEREST_PAGE * minutes(timeframe) * MINUTE
        now = int(self._api.fetch_time())
        found: Rows = []
        for start in range(max(since, now - _INTEREST_KEPT + span), now, span):
            until = {"until": min(start + span - 1, now)}
            rows = self._api.fetch_open_interest_history(pair, timeframe, start, _INTEREST_PAGE, until)
            found += [(row["timestamp"], row["openInterestAmount"], row["openInterestValue"]) for row in rows]
        return found


def _pages(ask: Callable[[int], Rows], since: int) -> Rows:
    """Ask again from behind the last row, until there is nothing new."""
    found: Rows = []
    while page := [row for row in ask(since) if row[0] >= since]:
        found += page
        since = int(page[-1][0]) + 1
    return found


def _frame(rows: Rows, columns: tuple[str, ...]) -> pd.DataFrame:
    frame = pd.DataFrame([row[: len(columns)] for row in rows], columns=pd.Index(columns))
    date = pd.to_datetime(frame["date"].astype("int64"), unit="ms", utc=True)
    return frame.astype(dict.fromkeys(columns[1:], "float64")).assign(date=date)
