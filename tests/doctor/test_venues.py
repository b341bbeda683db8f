"""What `doctor` says of other exchanges."""

import pytest

from builders.frames import random_candles, random_open_interest
from liqfeature.data.store import write_frame
from liqfeature.doctor.finding import Level
from liqfeature.doctor.venues import check_venues

PAIRS = ["BTC/USDT:USDT", "ETH/USDT:USDT"]
CONFIG = {"exchange": {"name": "binance"}, "venues": {"names": ["bybit"]}}
ROWS = random_candles(30, 1)


def found(tmp_path, config=CONFIG):
    return list(check_venues(config, tmp_path / "binance", PAIRS, "5m", "--config c.json"))


def download(tmp_path, *coins, interest=True):
    futures = tmp_path / "bybit" / "futures"
    futures.mkdir(parents=True)
    for coin in coins:
        write_frame(ROWS, futures / f"{coin}_USDT_USDT-5m-futures.feather")
        if interest:
            rows = random_open_interest(ROWS, 2)
            write_frame(rows, futures / f"{coin}_USDT_USDT-5m-open_interest.feather")


def test_nothing_is_said_without_them(tmp_path):
    assert found(tmp_path, {"exchange": {"name": "binance"}}) == []


def test_an_exchange_of_which_all_is_read_is_fine(tmp_path):
    download(tmp_path, "BTC", "ETH")
    (one,) = found(tmp_path)
    assert one.level is Level.OK
    assert one.saw == f"2 of 2 pairs, candles up to {ROWS['date'].iloc[-1]:%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("coins", "interest", "said"),
    [
        ((), True, "nothing of it is read"),
        (("BTC",), True, "nothing of ETH/USDT:USDT"),
        (("BTC", "ETH"), False, "never fresh without open interest: BTC/USDT:USDT, ETH/USDT:USDT"),
    ],
)
def test_what_is_missing_is_named_with_the_command(tmp_path, coins, interest, said):
    download(tmp_path, *coins, interest=interest)
    (one,) = found(tmp_path)
    assert one.level is Level.WARN
    assert said in one.saw
    assert one.do == "liqfeature collect --config c.json"


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"venues": {"names": ["ftx"]}}, "received ftx"), ({"recordings": __file__}, "database")],
)
def test_what_is_wrong_is_a_failure(tmp_path, changed, said):
    (one,) = found(tmp_path, CONFIG | changed)
    assert one.level is Level.FAIL
    assert said in one.saw
