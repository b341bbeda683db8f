"""What differs between exchanges, by Freqtrade's names."""

from dataclasses import dataclass

from liqfeature.checks import require
from liqfeature.durations import minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeTraits:
    """What differs between exchanges: warm-up that a live bot can load, open interest, and leverage.

    Parameters
    ----------
    most_candles : int
        Warm-up that Freqtrade loads for futures: five requests, less one candle.
    interest_timeframes : tuple of str
        Of the history of open interest, as ccxt asks for it, ascending; none where there is no history.
    open_interest_sides : int
        1 where open interest counts each contract once, 2 where it adds both sides.
    open_interest_in_contracts, volume_in_contracts : bool
        Whether the amount of open interest, or the volume of candles, comes in contracts instead of base
        currency, as ccxt parses it and Freqtrade stores it.
    open_interest_opening_since : str
        Date from which rows of open interest are stamped with the opening of their period; empty for never.
    median_leverage, leverage_sigma : float
        Of `LeveragePrior`.
    recorded_share : float
        Share of what the map sweeps that the stream of liquidations shows; 0 where it was not measured.
        Binance: BTC, summer 2024, .011 to .018.
    """

    most_candles: int
    interest_timeframes: tuple[str, ...] = ()
    open_interest_sides: int = 1
    open_interest_in_contracts: bool = False
    volume_in_contracts: bool = False
    open_interest_opening_since: str = ""
    median_leverage: float = 8.0
    leverage_sigma: float = 1.0
    recorded_share: float = 0.0

    @property
    def open_interest(self) -> bool:
        """Whether there is a history of open interest."""
        return bool(self.interest_timeframes)

    def interest_timeframe(self, timeframe: str) -> str:
        """Return the timeframe of open interest that goes with candles of one.

        It is the coarsest that is no coarser than the candles, else the finest; empty where there is none.
        """
        if not self.interest_timeframes:
            return ""
        finest, *coarser = self.interest_timeframes
        return [finest, *(one for one in coarser if minutes(one) <= minutes(timeframe))][-1]


EXCHANGES = {
    "binance": ExchangeTraits(
        most_candles=2494,
        interest_timeframes=("5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d"),
        open_interest_opening_since="2026-06-25",
        recorded_share=0.015,
    ),
    "bybit": ExchangeTraits(
        most_candles=4999,
        interest_timeframes=("5m", "15m", "30m", "1h", "4h", "1d"),
        open_interest_sides=2,
    ),
    "okx": ExchangeTraits(
        most_candles=1499, interest_timeframes=("5m", "1h", "1d"), open_interest_in_contracts=True
    ),
    "gate": ExchangeTraits(
        most_candles=4994,
        interest_timeframes=("5m", "15m", "30m", "1h", "4h", "1d"),
        open_interest_in_contracts=True,
        volume_in_contracts=True,
    ),
    "bitget": ExchangeTraits(most_candles=999),
    "hyperliquid": ExchangeTraits(most_candles=4999, median_leverage=3.5, leverage_sigma=0.7),
}

ALIASES = {"gateio": "gate", "binanceusdm": "binance"}
"""Other names under which Freqtrade and ccxt know an exchange."""


def canonical(exchange: str) -> str:
    """Return the name in `EXCHANGES` of an exchange by any of its names; an unknown one in lower case."""
    name = exchange.lower()
    return ALIASES.get(name, name)


def exchange_traits(exchange: str) -> ExchangeTraits:
    """Traits of an exchange by any of its names; a ConfigError lists the known ones."""
    name = canonical(exchange) if isinstance(exchange, str) else None
    require("exchange", name in EXCHANGES, f"one of {', '.join(EXCHANGES)}", repr(exchange))
    return EXCHANGES[name]
