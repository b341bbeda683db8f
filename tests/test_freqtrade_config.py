"""With the sandbox's configuration, no request of ccxt can leave this machine."""

import json
from urllib.parse import urlsplit

import pytest

from liqfeature.sandbox.freqtrade_config import exchange_config

ccxt = pytest.importorskip("ccxt")

URL = "http://127.0.0.1:8080"


def addresses(tree):
    """All addresses in a tree."""
    if isinstance(tree, dict):
        return [address for branch in tree.values() for address in addresses(branch)]
    if isinstance(tree, list):
        return [address for branch in tree for address in addresses(branch)]
    return [tree] if isinstance(tree, str) and "://" in tree else []


@pytest.fixture(params=["binance", "pro.binance"])
def exchange(request):
    kinds = {"binance": ccxt.binance, "pro.binance": ccxt.pro.binance}
    return kinds[request.param](exchange_config(URL)["exchange"]["ccxt_config"])


def test_every_address_that_ccxt_knows_is_the_sandbox(exchange):
    import ccxt.pro

    known = addresses(ccxt.pro.binance().urls)
    assert len(known) > 50
    assert any("binance.com" in address for address in known)
    redirected = addresses(exchange.urls)
    assert len(redirected) >= len(known) - 25  # without ccxt.pro's streams
    assert {urlsplit(address).netloc for address in redirected} == {"127.0.0.1:8080"}
    assert {urlsplit(address).scheme for address in redirected} <= {"http", "ws"}


def test_paths_stay_as_they_were(exchange):
    assert exchange.urls["api"]["fapiPublic"] == f"{URL}/fapi/v1"
    assert exchange.urls["api"]["fapiData"] == f"{URL}/futures/data"


def test_only_linear_markets_are_fetched(exchange):
    assert exchange.options["fetchMarkets"]["types"] == ["linear"]


def test_freqtrade_is_kept_from_streams_and_archives():
    overlay = exchange_config(URL)["exchange"]
    assert (overlay["enable_ws"], overlay["only_from_ccxt"]) == (False, True)
    assert not overlay["key"]
    assert not overlay["secret"]


def test_it_can_be_written_as_json():
    assert json.loads(json.dumps(exchange_config(URL))) == exchange_config(URL)
