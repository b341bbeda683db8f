"""The options of `liqfeature record`, and what it shows."""

import io
import json
from types import SimpleNamespace

import pytest
from rich.console import Console
from venues import okx_orders

from liqfeature.cli import main
from liqfeature.recorder.command import _wanted
from liqfeature.recorder.normalise import Contract, received
from liqfeature.recorder.session import Session
from liqfeature.recorder.show import counts_line, counts_table

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
START = 1_767_225_600_000
NO_PAIRS = "pairs must be at least one (--pairs or the whitelist of --config), received none"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([], "exchange must be one of binance, bybit, okx, received None"),
        (
            ["--exchange", "okx"],
            "pairs must be at least one (--pairs or the whitelist of --config), received none",
        ),
        (["--exchange", "okx", "--pairs", BTC, "--most", "0"], "most must be at least 1, received 0"),
        (["--exchange", "okx", "--pairs", BTC, "--save", "0"], "save must be above 0 seconds, received 0.0"),
    ],
)
def test_bad_use_is_told_in_one_line(tmp_path, options, complaint, capsys):
    assert main(["record", "--out", str(tmp_path), *options]) == 2
    assert capsys.readouterr().err == f"liqfeature: {complaint}\n"
    assert not (tmp_path / "out").exists()


def test_exchange_pairs_and_options_come_from_freqtrade_s_configuration(tmp_path):
    config = tmp_path / "config.json"
    venue = {"name": "bybit", "pair_whitelist": [BTC, ETH], "ccxt_config": {"aiohttp_proxy": "http://x"}}
    config.write_text(json.dumps({"exchange": venue}))
    arguments = SimpleNamespace(config=[config], exchange=None, pairs=None)
    assert _wanted(arguments) == ({"bybit": {"aiohttp_proxy": "http://x"}}, [BTC, ETH])
    both = SimpleNamespace(config=[config], exchange=["okx", "bybit"], pairs=[ETH])
    assert _wanted(both) == ({"okx": {}, "bybit": {"aiohttp_proxy": "http://x"}}, [ETH])


def test_counts_are_shown(tmp_path):
    session = Session(tmp_path)
    session.inbox.take(
        "okx", received("okx", okx_orders(START, START + 1), {"BTC-USDT-SWAP": Contract(BTC, 0.01)})
    )
    session.inbox.take("okx", received("okx", {"data": 5}, {}))
    line = "okx: 2 liquidations (10 long, 0 short; 0 repeated, 1 malformed, 0 lost); 2 not on disk"
    assert counts_line(session) == line
    console = Console(width=150, file=io.StringIO())
    console.print(counts_table(session))
    shown = console.file.getvalue()
    assert "okx" in shown
    assert "01-01 00:00:00" in shown
    assert "2 rows not on disk yet" in shown
