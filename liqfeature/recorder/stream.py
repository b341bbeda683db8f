"""Liquidations from an exchange's websocket, by ccxt, taken where every message passes.

What ccxt's `watch_liquidations` returns will not do: of 200 messages that arrive at once it returns two, and
of OKX's orders in one message the first.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from liqfeature.data.recordings import Span
from liqfeature.durations import DAY
from liqfeature.errors import ConfigError, extra
from liqfeature.recorder.normalise import Contract, Contracts

_MARKETS = {"binance": ["linear"], "bybit": ["linear"], "okx": ["swap"]}
"""Kinds of markets to load, in each exchange's words: those of linear perpetual contracts."""

_KEEP_ALIVE = 18_000
"""Milliseconds from one ping to the next; after two without an answer a connection is dead."""

_LOOKED_AT = 5
"""Pairs whose prices are looked at when nothing comes."""

_ONE_BY_ONE = {"bybit"}
"""Exchanges of which ccxt watches one symbol a call."""

Take = Callable[[Any], None]
"""Called with every message about liquidations, decoded."""

Spoiled = Callable[[str], None]
"""Called with the reason for which a message could not even be decoded or handled."""


class Stream:
    """The liquidations of some contracts of one exchange.

    Parameters
    ----------
    exchange : str
        Freqtrade's name.
    pairs : sequence of str
        Such as "BTC/USDT:USDT".
    take, spoiled : callable
        What becomes of messages.
    options : mapping
        For ccxt's constructor, such as Freqtrade's `exchange.ccxt_config`.

    Raises
    ------
    MissingExtraError
        If ccxt is not installed.
    """

    def __init__(
        self, exchange: str, pairs: Sequence[str], take: Take, spoiled: Spoiled, options: Mapping[str, Any]
    ) -> None:
        self.exchange, self.pairs = exchange, list(dict.fromkeys(pairs))
        self._api = _listening(exchange, take, spoiled)(_with_markets(exchange, options))
        self._ahead = 0
        self._since: int | None = None

    async def contracts(self) -> Contracts:
        """Ask the exchange for its markets and the time, and return the contracts of the pairs.

        Raises
        ------
        ConfigError
            If one of the pairs is no linear contract of the exchange.
        ccxt.BaseError
            If the exchange does not answer.
        """
        markets = await self._answer(self._api.load_markets(True))
        await self.measure_clock()
        return contracts_of(self.exchange, self.pairs, markets)

    async def measure_clock(self) -> None:
        """Ask the exchange how far its clock is ahead of this machine's; raises as `contracts` does.

        An answer that took longer than a request may says nothing: this machine slept, or its clock was set.
        """
        asked = self._api.milliseconds()
        theirs = await self._answer(self._api.fetch_time())
        answered = self._api.milliseconds()
        if 0 <= answered - asked <= self._api.timeout:
            self._ahead = theirs - (asked + answered) // 2

    async def moved(self, since: int) -> tuple[float, str]:
        """Return how far a price has moved since then, a share of it, and of which pair.

        Of the first pairs; raises as `contracts` does.
        """
        moves = [(0.0, self.pairs[0])]
        for pair in self.pairs[:_LOOKED_AT]:
            candles = await self._answer(self._api.fetch_ohlcv(pair, "15m", max(since, self.now() - DAY)))
            if candles:
                moves.append((max(row[2] for row in candles) / min(row[3] for row in candles) - 1.0, pair))
        return max(moves)

    async def _answer(self, request: Awaitable[Any]) -> Any:
        """Wait for an answer, and make one that makes no sense an error of ccxt, too."""
        from ccxt import BaseError, ExchangeNotAvailable

        try:
            answer = await request
        except BaseError:
            raise
        except Exception as error:  # of whichever kind ccxt's parsers stumble with
            msg = f"{self.exchange} answered what cannot be read: {error!r}"
            raise ExchangeNotAvailable(msg) from error
        if answer is None:
            msg = f"{self.exchange} answered nothing"
            raise ExchangeNotAvailable(msg)
        return answer

    def now(self) -> int:
        """Milliseconds by the exchange's clock."""
        return int(self._api.milliseconds()) + self._ahead

    def heard(self) -> Span | None:
        """Return from when until when the present connection, or else the last one, was alive.

        By the exchange's clock, and to the last sign of life: pings are answered every few seconds.
        """
        if self._since is None:
            return None
        last = self._api.connection.last_message_at or 0
        return self._since, max(self._since, last + self._ahead)

    def interrupt(self) -> None:
        """Begin another span now, because something was lost in the present one."""
        if self._since is not None:
            self._since = self.now()

    async def follow(self, connected: Callable[[], None]) -> None:
        """Listen until the connection ends, which raises a group of ccxt's errors.

        Parameters
        ----------
        connected : callable
            Called whenever a connection stands.
        """

        def begin() -> None:
            self._since = self.now()
            connected()

        self._since = None
        self._api.when_connected = begin
        try:
            async with asyncio.TaskGroup() as group:
                for call in self._calls():
                    group.create_task(_until_closed(call))
        finally:
            await self._api.close_ws_clients()

    async def close(self) -> None:
        """Close every connection."""
        await self._api.close()

    def _calls(self) -> list[Callable[[], Coroutine[Any, Any, Any]]]:
        if self.exchange not in _ONE_BY_ONE:
            return [lambda: self._api.watch_liquidations_for_symbols(self.pairs)]
        return [lambda pair=pair: self._api.watch_liquidations(pair) for pair in self.pairs]  # type: ignore[misc]


def contracts_of(exchange: str, pairs: Sequence[str], markets: Mapping[str, Any]) -> Contracts:
    """Find the contracts of pairs among ccxt's markets, by the exchange's own names.

    Raises
    ------
    ConfigError
        If a pair is missing, or its contract is not linear: amounts of inverse ones are quote currency.
    """
    found = {}
    for pair in pairs:
        market = markets.get(pair)
        if market is None or not market.get("linear"):
            rule = "linear futures" if market else "markets"
            msg = f"pairs must be {rule} of {exchange} such as BTC/USDT:USDT, received {pair}"
            raise ConfigError(msg)
        found[market["id"]] = Contract(pair, float(market["contractSize"]))
    return found


async def _until_closed(subscribe: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """Subscribe, and wait for the end of the connection, which raises one of ccxt's errors."""
    from ccxt import NetworkError

    try:
        while True:
            await subscribe()
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        msg = "connection closed"  # ccxt cancels what waits for a connection that it closes
        raise NetworkError(msg) from error


def _listening(exchange: str, take: Take, spoiled: Spoiled) -> Any:
    """Make a class of ccxt's exchange that hands every message about liquidations on.

    An error in a handler would end ccxt's loop that receives, without a word. None gets that far.
    """
    with extra("record"):
        from ccxt import pro
    base: Any = getattr(pro, exchange)

    def guarded(handle: Callable[..., None]) -> Callable[..., None]:
        def handle_or_tell(*message: Any) -> None:
            try:
                handle(*message)
            except Exception as error:  # whatever it is, the stream must go on; it is reported
                spoiled(f"{type(error).__name__} {error} in {message[-1]!r}"[:300])

        return handle_or_tell

    def client(self: Any, url: str) -> Any:
        found = self.connection = base.client(self, url)
        if not hasattr(found, "guarded"):
            found.guarded = True
            found.on_message_callback = guarded(found.on_message_callback)
            found.handle_text_or_binary_message = guarded(found.handle_text_or_binary_message)
        return found

    def handle_liquidation(self: Any, connection: Any, message: Any) -> None:
        take(
            message
        )  # and nothing else: ccxt's own would wake `watch_liquidations`, whose result is not used

    def on_connected(self: Any, connection: Any, message: Any = None) -> None:
        base.on_connected(self, connection, message)
        self.when_connected()

    own = {"client": client, "handle_liquidation": handle_liquidation, "on_connected": on_connected}
    return type(f"Recorded{base.__name__}", (base,), own)


def _with_markets(exchange: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Complete options by the markets to load, and by how soon a silent connection counts as dead."""
    own = {
        "fetchMarkets": {"types": _MARKETS[exchange]},
        "defaultType": "swap",  # whose clock is asked for
        "ws": {"keepAlive": _KEEP_ALIVE},
    }
    return {**options, "options": {**own, **options.get("options", {})}}
