"""The configurations for real exchanges: Freqtrade takes them, and trades with none of them by accident."""

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("freqtrade")

import ccxt
from freqtrade.configuration import Configuration
from freqtrade.enums import CandleType, RunMode
from freqtrade.resolvers import ExchangeResolver, StrategyResolver

from liqfeature import HeatmapConfig
from liqfeature.exchange.traits import EXCHANGES

ROOT = Path(__file__).parents[2]
NAMES = ("binance", "bybit", "okx", "hyperliquid")
SECRETS = {"key", "secret", "password", "privatekey", "walletaddress", "uid", "apikey", "token"}
PAGE = (ROOT / "docs" / "exchanges.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.parametrize("name", NAMES)


def path_of(name):
    return ROOT / "configs" / f"{name}.json"


@pytest.fixture
def configured(name, tmp_path):
    """Load a file as Freqtrade's commands do."""
    options = {
        "config": [str(path_of(name))],
        "strategy": "LiquidationClusters",
        "strategy_path": str(ROOT / "user_data" / "strategies"),
        "user_data_dir": str(tmp_path),
        "datadir": str(tmp_path),
        "logfile": None,
    }
    return lambda: Configuration(dict(options), RunMode.DRY_RUN).get_config()


@pytest.fixture
def exchange(configured):
    """Freqtrade's exchange of it; without validation it asks nobody anything."""
    exchange = ExchangeResolver.load_exchange(configured(), validate=False)
    yield exchange
    exchange.close()


def all_keys(tree):
    if isinstance(tree, dict):
        return {key.lower() for key in tree} | {key for branch in tree.values() for key in all_keys(branch)}
    return {key for branch in tree for key in all_keys(branch)} if isinstance(tree, list) else set()


def test_it_is_a_dry_run_without_any_secret(configured, name):
    config = configured()
    assert config["dry_run"] is True
    assert config["initial_state"] == "running"
    assert config["exchange"]["name"] == name
    assert not SECRETS & all_keys(json.loads(path_of(name).read_text()))


def test_freqtrade_loads_strategy_and_exchange_of_it(configured, exchange, name):
    config = configured()
    strategy = StrategyResolver.load_strategy(config)
    warmup = HeatmapConfig.for_pair(config["exchange"]["pair_whitelist"][0], exchange=name).warmup
    assert strategy.startup_candle_count == warmup
    assert exchange.validate_required_startup_candles(warmup, config["timeframe"]) <= 5
    assert exchange.check_candle_type_support(CandleType.OPEN_INTEREST) is EXCHANGES[name].open_interest
    assert {pair.partition("/")[2] for pair in config["exchange"]["pair_whitelist"]} == {
        f"{config['stake_currency']}:{config['stake_currency']}"
    }


def test_live_it_is_refused_for_want_of_keys_before_anything_is_sent(configured, exchange, name):
    client = exchange._init_ccxt(configured()["exchange"], True, {})
    with pytest.raises(ccxt.AuthenticationError, match=rf'{name} requires "\w+" credential'):
        client.check_required_credentials()  # as ccxt does before each private request


def test_the_page_of_exchanges_says_what_each_has(name):
    (row,) = [line for line in PAGE.splitlines() if re.match(rf"\| {name} \|", line)]
    _, _, config, interest, candles, *_ = (cell.strip() for cell in row.split("|"))
    assert f"configs/{name}.json" in config
    assert (interest == "none") is not EXCHANGES[name].open_interest
    assert int(candles.replace(",", "")) == HeatmapConfig.for_exchange(name).warmup
