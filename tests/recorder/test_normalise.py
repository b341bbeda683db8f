"""What each exchange sends becomes the same print. The payloads are those of the exchanges' documentation."""

import json

import pytest

from liqfeature import ConfigError
from liqfeature.data.prints import Print
from liqfeature.recorder.normalise import Contract, received
from liqfeature.recorder.stream import contracts_of

BINANCE = {
    "e": "forceOrder",
    "E": 1568014460893,
    "o": {
        "s": "BTCUSDT",
        "S": "SELL",
        "o": "LIMIT",
        "f": "IOC",
        "q": "0.014",
        "p": "9910",
        "ap": "9910",
        "X": "FILLED",
        "l": "0.014",
        "z": "0.014",
        "T": 1568014460893,
    },
}
"""developers.binance.com, USD-M futures, Liquidation Order Streams."""

BYBIT = {
    "topic": "allLiquidation.ROSEUSDT",
    "type": "snapshot",
    "ts": 1739502303204,
    "data": [{"T": 1739502302929, "s": "ROSEUSDT", "S": "Sell", "v": "20000", "p": "0.04499"}],
}
"""bybit-exchange.github.io, v5, All Liquidation: Buy means that a long position has been liquidated."""

BYBIT_OLD = {
    "topic": "liquidation.BTCUSDT",
    "type": "snapshot",
    "ts": 1703485237953,
    "data": {
        "updatedTime": 1703485237953,
        "symbol": "BTCUSDT",
        "side": "Sell",
        "size": "0.003",
        "price": "43511.70",
    },
}
"""bybit-exchange.github.io, v5, Liquidation (deprecated)."""

OKX = {
    "arg": {"channel": "liquidation-orders", "instType": "SWAP"},
    "data": [
        {
            "details": [
                {
                    "bkLoss": "0",
                    "bkPx": "0.007831",
                    "ccy": "",
                    "posSide": "short",
                    "side": "buy",
                    "sz": "13",
                    "ts": "1692266434010",
                }
            ],
            "instFamily": "IOST-USDT",
            "instId": "IOST-USDT-SWAP",
            "instType": "SWAP",
            "uly": "IOST-USDT",
        }
    ],
}
"""www.okx.com/docs-v5, Liquidation orders channel."""

CONTRACTS = {
    "BTCUSDT": Contract("BTC/USDT:USDT", 1.0),
    "ROSEUSDT": Contract("ROSE/USDT:USDT", 1.0),
    "IOST-USDT-SWAP": Contract("IOST/USDT:USDT", 1000.0),
}
"""A contract of IOST at OKX is 1,000 IOST."""


def changed(message, **fields):
    """Copy a message with other values in the one row that it holds."""
    copy = json.loads(json.dumps(message))
    row = copy["o"] if "o" in copy else copy["data"][0] if isinstance(copy["data"], list) else copy["data"]
    (row["details"][0] if "details" in row else row).update(fields)
    return copy


def only(exchange, message):
    found = received(exchange, message, CONTRACTS)
    assert found.malformed == ()
    (one,) = found.prints
    return one


def test_binance_tells_the_order_s_side_and_both_prices():
    one = only("binance", changed(BINANCE, p="9900", ap="9910"))
    assert one[:6] == (1568014460893, "binance", "BTC/USDT:USDT", "long", 9910.0, 9900.0)
    assert one.amount == 0.014
    assert one.notional == pytest.approx(138.74)  # at the fill, not at the bankruptcy price
    assert only("binance", changed(BINANCE, S="BUY")).side == "short"


def test_binance_counts_what_was_filled_in_all():
    one = only("binance", changed(BINANCE, q="5", l="1", z="3", X="PARTIALLY_FILLED"))
    assert one.amount == 3.0
    nothing = received("binance", changed(BINANCE, z="0", l="0", X="NEW"), CONTRACTS)
    assert (nothing.prints, nothing.malformed, nothing.ignored) == ((), (), 1)


def test_bybit_tells_the_position_s_side_and_the_bankruptcy_price():
    one = only("bybit", BYBIT)
    assert one == Print(
        1739502302929, "bybit", "ROSE/USDT:USDT", "short", None, 0.04499, 20_000.0, pytest.approx(899.8)
    )
    assert only("bybit", changed(BYBIT, S="Buy")).side == "long"


def test_bybit_s_older_topic_means_the_same():
    one = only("bybit", BYBIT_OLD)
    assert one == Print(
        1703485237953, "bybit", "BTC/USDT:USDT", "short", None, 43511.7, 0.003, pytest.approx(130.5351)
    )


def test_okx_counts_contracts():
    one = only("okx", OKX)
    assert one == Print(
        1692266434010, "okx", "IOST/USDT:USDT", "short", None, 0.007831, 13_000.0, pytest.approx(101.803)
    )


@pytest.mark.parametrize(("side", "position"), [("sell", "long"), ("buy", "short")])
def test_okx_s_net_positions_are_told_by_the_order(side, position):
    assert only("okx", changed(OKX, posSide="net", side=side)).side == position


def test_okx_s_message_of_several_orders_loses_none():
    message = changed(OKX)
    details = message["data"][0]["details"]
    details += [details[0] | {"ts": "1692266434011"}, details[0] | {"posSide": "long", "side": "sell"}]
    message["data"].append(json.loads(json.dumps(message["data"][0])) | {"instId": "BTC-USD-SWAP"})
    found = received("okx", message, CONTRACTS)
    assert [(one.time, one.side) for one in found.prints] == [
        (1692266434010, "short"),
        (1692266434011, "short"),
        (1692266434010, "long"),
    ]
    assert found.ignored == 3  # of a contract that is not recorded


def test_equal_orders_of_one_message_are_two_and_of_two_messages_one():
    twice = changed(BYBIT)
    twice["data"] *= 2
    first, second = received("bybit", twice, CONTRACTS).prints
    assert (first.copy, second.copy) == (0, 1)
    assert first != second
    assert received("bybit", twice, CONTRACTS).prints == (first, second)


def test_a_market_of_okx_that_cannot_be_understood_costs_no_other():
    message = changed(OKX)
    message["data"] = [{"instId": "IOST-USDT-SWAP"}, 5, {"instId": [], "details": [{}]}, *message["data"]]
    found = received("okx", message, CONTRACTS)
    assert (len(found.prints), len(found.malformed)) == (1, 3)


@pytest.mark.parametrize(
    ("exchange", "message"),
    [
        ("binance", changed(BINANCE, S="HOLD")),
        ("binance", changed(BINANCE, s=[])),
        ("binance", changed(BINANCE, T="soon")),
        ("binance", changed(BINANCE, T=1568014460)),  # seconds
        ("binance", changed(BINANCE, z="-1")),
        ("binance", changed(BINANCE, z="nan")),
        ("binance", changed(BINANCE, ap="inf")),
        ("binance", changed(BINANCE, ap="0", p="0")),
        ("binance", changed(BINANCE, z=None)),
        ("binance", {"e": "forceOrder"}),
        ("binance", "forceOrder"),
        ("binance", None),
        ("bybit", changed(BYBIT, S="buy")),
        ("bybit", changed(BYBIT, p="")),
        ("bybit", {"topic": "allLiquidation.BTCUSDT"}),
        ("bybit", {"data": [7]}),
        ("okx", changed(OKX, posSide="both", side="short")),
        ("okx", changed(OKX, sz=[])),
        ("okx", {"data": [{"instId": "IOST-USDT-SWAP"}]}),
    ],
)
def test_what_cannot_be_understood_is_told_and_kept_out(exchange, message):
    found = received(exchange, message, CONTRACTS)
    assert (found.prints, found.ignored, len(found.malformed)) == ((), 0, 1)
    assert found.malformed[0].split()[0].endswith("Error")


def test_a_row_that_cannot_be_understood_costs_no_other():
    message = changed(BYBIT)
    message["data"] = [message["data"][0] | {"S": "?"}, message["data"][0]]
    found = received("bybit", message, CONTRACTS)
    assert len(found.prints) == len(found.malformed) == 1


def test_a_missing_price_is_none_and_the_other_values_the_order():
    one = only("binance", changed(BINANCE, ap="0", p="9900"))
    assert (one.price, one.bankruptcy_price) == (None, 9900.0)
    assert one.notional == pytest.approx(138.6)


def test_contract_sizes_are_the_exchange_s_and_inverse_contracts_are_refused():
    swap = {"id": "IOST-USDT-SWAP", "linear": True, "contractSize": 1000}
    markets = {"IOST/USDT:USDT": swap, "BTC/USD:BTC": swap | {"id": "BTC-USD-SWAP", "linear": False}}
    assert contracts_of("okx", ["IOST/USDT:USDT"], markets) == {
        "IOST-USDT-SWAP": Contract("IOST/USDT:USDT", 1000.0)
    }
    with pytest.raises(ConfigError, match=r"must be linear futures of okx .*, received BTC/USD:BTC"):
        contracts_of("okx", ["BTC/USD:BTC"], markets)
    with pytest.raises(ConfigError, match=r"must be markets of okx .*, received X/USDT:USDT"):
        contracts_of("okx", ["X/USDT:USDT"], markets)
