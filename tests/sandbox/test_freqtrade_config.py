"""With the sandbox's configuration, no request of ccxt can leave this machine."""

import json
from urllib.parse import urlsplit

import pytest

from liqfeature.errors import DataError
from liqfeature.sandbox.freqtrade_config import check_overlay, exchange_config, write_overlay

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


def test_an_overlay_is_written_and_replaced_by_the_next(tmp_path):
    overlay = tmp_path / "new" / "exchange.json"
    for url in (URL, "http://127.0.0.1:9090"):
        write_overlay(overlay, url, tmp_path)
        written = json.loads(overlay.read_text())
        assert written == exchange_config(url) | {"db_url": f"sqlite:///{tmp_path}/trades.sqlite"}
    overlay.write_text("")
    check_overlay(overlay)


def with_another_host(overlay):
    overlay["exchange"]["ccxt_config"]["urls"]["api"]["fapiPublic"] = "https://fapi.binance.com/fapi/v1"
    return overlay


FOREIGN = {
    "a note": "not JSON",
    "a list": "[]",
    "a bot's configuration": json.dumps({"stake_currency": "USDT", "exchange": {"name": "binance"}}),
    "an overlay with more": json.dumps(exchange_config(URL) | {"dry_run": True}),
    "an overlay of another host": json.dumps(with_another_host(exchange_config(URL))),
}


@pytest.mark.parametrize("text", FOREIGN.values(), ids=FOREIGN)
def test_a_file_that_no_sandbox_wrote_is_refused_and_kept(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_text(text)
    for refuse in (lambda: check_overlay(path), lambda: write_overlay(path, URL, tmp_path)):
        with pytest.raises(DataError, match=r"must be new or a sandbox's earlier configuration"):
            refuse()
    assert path.read_text() == text


def test_an_overlay_needs_a_place(tmp_path):
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path, tmp_path / "file" / "exchange.json"):
        with pytest.raises(DataError, match=r"must be new or a sandbox's|must be writable, received"):
            check_overlay(path)
