"""In which units volume and open interest come: what ccxt makes of exchanges' own answers, and the traits."""

import pytest

from liqfeature.exchange.facts import facts_of
from liqfeature.exchange.traits import EXCHANGES

ccxt = pytest.importorskip("ccxt")

CONTRACTS, BASE, QUOTE = 628.0, 2.5819, 62800.0
CANDLES = {
    "binance": [0, "1", "2", "0.5", "1.5", str(BASE), 1, str(QUOTE), 40, "1", "1", "0"],
    "bybit": ["0", "1", "2", "0.5", "1.5", str(BASE), str(QUOTE)],
    "okx": ["0", "1", "2", "0.5", "1.5", str(CONTRACTS), str(BASE), str(QUOTE), "0"],
    "gate": {"t": 0, "o": "1", "h": "2", "l": "0.5", "c": "1.5", "v": int(CONTRACTS), "sum": str(QUOTE)},
    "bitget": ["0", "1", "2", "0.5", "1.5", str(BASE), str(QUOTE)],
    "hyperliquid": {"t": 0, "o": "1", "h": "2", "l": "0.5", "c": "1.5", "v": str(BASE)},
}
"""A candle of a linear contract in each exchange's own words, as its documentation orders the fields."""

OPEN_INTEREST = {
    "binance": {"sumOpenInterest": str(BASE), "sumOpenInterestValue": str(QUOTE), "timestamp": 0},
    "bybit": {"openInterest": str(BASE), "timestamp": "0"},
    "okx": ["0", str(CONTRACTS), str(BASE), str(QUOTE)],
    "gate": {"open_interest": str(CONTRACTS), "open_interest_usd": str(QUOTE), "time": 0},
}
"""A row of the history of open interest, likewise."""

MARKET = {
    "symbol": "X/USDT:USDT",
    "linear": True,
    "inverse": False,
    "type": "swap",
    "swap": True,
    "spot": False,
}


@pytest.mark.parametrize("name", EXCHANGES)
def test_volume_comes_as_the_traits_say(name):
    volume = getattr(ccxt, name)().parse_ohlcv(CANDLES[name], MARKET)[5]
    assert volume == (CONTRACTS if EXCHANGES[name].volume_in_contracts else BASE)


@pytest.mark.parametrize("name", OPEN_INTEREST)
def test_open_interest_comes_as_the_traits_say(name):
    exchange, traits = getattr(ccxt, name)(), EXCHANGES[name]
    exchange.markets, exchange.markets_by_id = {}, {}
    row = exchange.parse_open_interest(OPEN_INTEREST[name], MARKET)
    assert row["openInterestAmount"] == (CONTRACTS if traits.open_interest_in_contracts else BASE)
    assert row["openInterestValue"] == (None if name == "bybit" else QUOTE)


def test_every_exchange_with_open_interest_is_tested():
    assert set(OPEN_INTEREST) == {name for name, traits in EXCHANGES.items() if traits.open_interest}
    assert set(CANDLES) == set(EXCHANGES)


def test_a_market_says_its_limit_and_its_contract_size():
    market = {"limits": {"leverage": {"min": 1.0, "max": 3}}, "contractSize": "0.0001"}
    assert facts_of(market) == {"max_leverage": 3.0, "contract_size": 0.0001}


@pytest.mark.parametrize(
    "market",
    [
        None,
        {},
        {"limits": None},
        {"limits": {"leverage": {"min": None, "max": None}}, "contractSize": None},
        {"limits": {"leverage": {"max": 0}}, "contractSize": 0},
        {"limits": {"leverage": {"max": "n/a"}}, "contractSize": "n/a"},
        {"limits": {"leverage": {"max": float("inf")}}, "contractSize": float("nan")},
        {"limits": {"leverage": {"max": 1e9}}, "contractSize": 1e300},
        {"limits": {"leverage": {"max": 10**400}}, "contractSize": 5e-324},
    ],
)
def test_what_a_market_does_not_say_is_none(market):
    assert facts_of(market) == {"max_leverage": None, "contract_size": None}


def test_ccxt_takes_both_from_hyperliquids_own_answer():
    row = {"szDecimals": "0", "name": "PURR", "maxLeverage": "3", "funding": "0", "openInterest": "1"}
    exchange = ccxt.hyperliquid()
    market = exchange.parse_market({**row, "baseId": 1, "quoteId": 0, "isDelisted": False})
    assert facts_of(market) == {"max_leverage": 3.0, "contract_size": 1.0}
