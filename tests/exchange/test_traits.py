"""What exchanges differ in, checked against ccxt where ccxt knows it."""

import pytest

from liqfeature.errors import ConfigError
from liqfeature.exchange.traits import EXCHANGES, exchange_traits


@pytest.mark.parametrize(
    ("exchange", "timeframe", "expected"),
    [
        ("binance", "5m", "5m"),
        ("binance", "1m", "5m"),  # none offers anything finer
        ("binance", "2h", "2h"),
        ("binance", "8h", "6h"),
        ("bybit", "2h", "1h"),
        ("okx", "15m", "5m"),  # ccxt refuses to ask OKX for 15m
        ("okx", "4h", "1h"),
        ("gate", "1w", "1d"),
        ("gateio", "15m", "15m"),
        ("hyperliquid", "5m", ""),
    ],
)
def test_open_interest_is_as_coarse_as_the_candles_where_the_exchange_has_it(exchange, timeframe, expected):
    assert exchange_traits(exchange).interest_timeframe(timeframe) == expected


@pytest.mark.parametrize("unknown", ["okex", "", "bybit ", None, 3])
def test_an_exchange_that_is_not_known_is_refused(unknown):
    with pytest.raises(ConfigError, match=f"^exchange must be one of binance, .*, received {unknown!r}$"):
        exchange_traits(unknown)


def test_ccxt_asks_okx_and_bybit_for_these_timeframes_and_no_others():
    ccxt = pytest.importorskip("ccxt")

    class AskedError(Exception):
        pass

    class Okx(ccxt.okx):
        def load_markets(self, *args, **kw):
            raise AskedError

    refused = set()
    for timeframe in Okx().timeframes:
        with pytest.raises((AskedError, ccxt.BadRequest)) as raised:
            Okx().fetch_open_interest_history("BTC/USDT:USDT", timeframe)
        refused |= {timeframe} if raised.type is ccxt.BadRequest else set()
    assert set(Okx().timeframes) - refused == set(EXCHANGES["okx"].interest_timeframes)
    assert set(ccxt.bybit().options["intervals"]) == set(EXCHANGES["bybit"].interest_timeframes)


def test_ccxt_has_a_history_of_open_interest_where_the_traits_say_so():
    ccxt = pytest.importorskip("ccxt")
    for name, traits in EXCHANGES.items():
        exchange = getattr(ccxt, name)()
        assert bool(exchange.has["fetchOpenInterestHistory"]) is traits.open_interest, name
        assert set(traits.interest_timeframes) <= set(exchange.timeframes)
