"""`liqfeature collect`: what is collected, from options and a bot's configuration."""

import json

import pytest

from liqfeature.cli import collect
from liqfeature.cli.main import main

BOT = {
    "exchange": {"name": "bybit", "pair_whitelist": ["BTC/USDT:USDT"], "ccxt_config": {"apiKey": "secret"}},
    "venues": {"names": ["binance", "okx"]},
    "recordings": "here.sqlite",
    "timeframe": "15m",
}


@pytest.fixture
def asked(monkeypatch):
    """What would be collected."""
    found = []
    monkeypatch.setattr(collect, "_collect", lambda *given: found.append(given[:5]))
    return found


def test_a_bot_s_configuration_says_it_all(asked, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps(BOT))
    assert main(["collect", "--config", str(config)]) == 0
    ((path, exchanges, pairs, traded, timeframe),) = asked
    assert (path.name, pairs, traded, timeframe) == ("here.sqlite", ["BTC/USDT:USDT"], "bybit", "15m")
    assert exchanges == {"binance": {}, "okx": {}}  # no key of one exchange goes to another


def test_options_say_it_without_one(asked):
    pairs = ["BTC/USDT:USDT", "ETH/USDT:USDT"]
    assert main(["collect", "--exchange", "bybit", "--pairs", *pairs, "--out", "r.sqlite"]) == 0
    ((path, exchanges, found, traded, timeframe),) = asked
    assert (path.name, list(exchanges), found) == ("r.sqlite", ["bybit"], pairs)
    assert (traded, timeframe) == ("binance", "5m")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "exchange must be at least one"),
        (["--exchange", "okx"], "pairs must be at least one"),
        (["--exchange", "okx", "--pairs", "BTC/USDT:USDT"], "out must be a file"),
    ],
)
def test_what_is_not_said_is_asked_for(asked, capsys, options, said):
    assert main(["collect", *options]) == 2
    assert said in capsys.readouterr().err
    assert not asked
