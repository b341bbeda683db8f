"""The same coin under other names: what one counts, and what is never guessed."""

import pytest

from liqfeature.exchange.coins import Counterpart, counterpart
from liqfeature.exchange.pairs import linear_pair


@pytest.mark.parametrize(
    ("pair", "here", "there", "listed", "found", "multiple"),
    [
        ("BTC/USDT:USDT", "binance", "bybit", ["BTC/USDT:USDT", "BTC/USDC:USDC"], "BTC/USDT:USDT", 1),
        ("BTC/USDT:USDT", "binance", "hyperliquid", ["BTC/USDC:USDC"], "BTC/USDC:USDC", 1),
        ("BTC/USDC:USDC", "hyperliquid", "bybit", ["BTC/USDT:USDT"], "BTC/USDT:USDT", 1),
        ("1000PEPE/USDT:USDT", "binance", "okx", ["PEPE/USDT:USDT"], "PEPE/USDT:USDT", 1000),
        ("PEPE/USDT:USDT", "okx", "binance", ["1000PEPE/USDT:USDT"], "1000PEPE/USDT:USDT", 1e-3),
        ("1000PEPE/USDT:USDT", "binance", "hyperliquid", ["KPEPE/USDC:USDC"], "KPEPE/USDC:USDC", 1),
        ("kPEPE/USDC:USDC", "hyperliquid", "okx", ["PEPE/USDT:USDT"], "PEPE/USDT:USDT", 1000),
        ("KPEPE/USDC:USDC", "hyperliquid", "bybit", ["1000PEPE/USDT:USDT"], "1000PEPE/USDT:USDT", 1),
        ("1000SHIB/USDT:USDT", "binance", "bybit", ["SHIB1000/USDT:USDT"], "SHIB1000/USDT:USDT", 1),
        ("1MBABYDOGE/USDT:USDT", "binance", "gate", ["BABYDOGE/USDT:USDT"], "BABYDOGE/USDT:USDT", 1e6),
        ("MATIC/USDT:USDT", "binance", "bybit", ["POL/USDT:USDT"], "POL/USDT:USDT", 1),
        ("POL/USDT:USDT", "binance", "bybit", ["MATIC/USDT:USDT"], "MATIC/USDT:USDT", 1),
        ("LUNA2/USDT:USDT", "binance", "okx", ["LUNA/USDT:USDT"], "LUNA/USDT:USDT", 1),
        ("KAS/USDC:USDC", "hyperliquid", "bybit", ["KAS/USDT:USDT", "AS/USDT:USDT"], "KAS/USDT:USDT", 1),
        ("KAS/USDT:USDT", "bybit", "hyperliquid", ["KAS/USDC:USDC"], "KAS/USDC:USDC", 1),
    ],
)
def test_a_coin_is_found_under_the_name_it_has_there(pair, here, there, listed, found, multiple):
    assert counterpart(pair, here, there, ["ETH/USDT:USDT", *listed]) == Counterpart(found, multiple)


@pytest.mark.parametrize(
    ("pair", "listed"),
    [
        ("BTC/USDT:USDT", []),
        ("BTC/USDT:USDT", ["BTCDOM/USDT:USDT", "WBTC/USDT:USDT"]),
        ("KAS/USDT:USDT", ["AS/USDT:USDT"]),  # no exchange but one writes a thousand as K
        ("BTC/EUR:EUR", ["BTC/USDT:USDT"]),
        ("S/USDT:USDT", ["SUI/USDT:USDT"]),
    ],
)
def test_nothing_is_guessed(pair, listed):
    assert counterpart(pair, "binance", "bybit", listed) is None


@pytest.mark.parametrize("base", ["1000PEPE", "PEPE", "10000SATS", "1000000MOG", "1MBABYDOGE"])
def test_there_and_back_is_one(base):
    for name in ("PEPE", "1000PEPE", "SATS", "10000SATS", "MOG", "1000000MOG", "BABYDOGE", "1MBABYDOGE"):
        there = counterpart(f"{base}/USDT:USDT", "binance", "okx", [f"{name}/USDT:USDT"])
        if there is not None:
            back = counterpart(there.pair, "okx", "binance", [f"{base}/USDT:USDT"])
            assert back is not None
            assert linear_pair(back.pair).base == base
            assert there.multiple * back.multiple == pytest.approx(1.0)
