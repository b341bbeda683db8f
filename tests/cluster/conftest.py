"""Workers for the tests of this folder, and pairs to compute."""

import pytest

from builders.frames import random_candles, random_open_interest
from liqfeature.data.store import write_frame

PAIRS = ("BTC", "ETH", "SOL", "XRP")


@pytest.fixture
def datadir(tmp_path):
    """Candles and open interest of several pairs, somewhat longer than the warm-up."""
    folder = tmp_path / "binance" / "futures"
    folder.mkdir(parents=True)
    for seed, coin in enumerate(PAIRS):
        candles = random_candles(2500, seed=seed, volatility=0.001)
        write_frame(candles, folder / f"{coin}_USDT_USDT-5m-futures.feather")
        known = random_open_interest(candles, seed)
        write_frame(known, folder / f"{coin}_USDT_USDT-5m-open_interest.feather")
    return folder.parent
