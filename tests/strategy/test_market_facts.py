"""A bot knows its market: its own leverage limit and contract size decide the map, in place of a table's."""

from types import SimpleNamespace

import pytest

from liqfeature import HeatmapConfig
from liqfeature.exchange.tables import tiers_for
from liqfeature.exchange.tiers import fallback_tiers
from liqfeature.strategy.leverage import leverage_for_stop

pytest.importorskip("freqtrade")

from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import RunMode
from freqtrade.strategy import IStrategy

from liqfeature.strategy import around_clusters


class Clusters(around_clusters(IStrategy)):
    timeframe = "15m"

    def populate_indicators(self, dataframe, metadata):
        return self.cluster_columns(dataframe, metadata)

    def populate_entry_trend(self, dataframe, metadata):
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe


def strategy_on(name, pair, exchange):
    config = {"exchange": {"name": name, "pair_whitelist": [pair]}, "runmode": RunMode.DRY_RUN}
    strategy = Clusters(config | {"stake_currency": pair.split(":")[1], "timeframe": "15m"})
    strategy.dp = DataProvider(config, exchange, SimpleNamespace(whitelist=[pair]))
    return strategy


def listed(pair, max_leverage=None, contract_size=1.0):
    """An exchange as Freqtrade has it, with one market of ccxt's."""
    market = {"limits": {"leverage": {"min": None, "max": max_leverage}}, "contractSize": contract_size}
    return SimpleNamespace(markets={pair: market | {"info": {}}})


def test_the_limit_of_a_market_that_no_table_lists():
    pair = "PURR/USDC:USDC"
    strategy = strategy_on("hyperliquid", pair, listed(pair, 3))
    config = strategy.heatmap_config(pair)
    assert config.leverage.max_leverage == 3
    assert config.limits_known
    assert config == HeatmapConfig.for_pair(pair, "hyperliquid", max_leverage=3)
    assert strategy.cluster_feed.facts(pair)["max_leverage"] == 3


def test_own_leverage_is_allowed_by_the_markets_own_limit():
    pair = "PURR/USDC:USDC"
    strategy = strategy_on("hyperliquid", pair, listed(pair, 3))
    plan = SimpleNamespace(entry_price=100.0, current_stop=99.0, is_short=False)
    assert leverage_for_stop(**strategy._position(pair, plan, 100.0)) <= 3.0
    assert tiers_for(pair, "hyperliquid", max_leverage=3.0) == fallback_tiers(3.0)


def test_the_contract_size_of_the_market():
    pair = "BTC/USDT:USDT"
    strategy = strategy_on("gate", pair, listed(pair, 100.0, "0.0001"))
    flow = strategy.heatmap_config(pair).flow
    assert (flow.contract_size, flow.volume_in_contracts) == (0.0001, True)


def test_a_market_that_says_nothing_leaves_it_to_the_table():
    pair = "BTC/USDT:USDT"
    for exchange in (listed(pair), SimpleNamespace(markets={}), None):  # None: a notebook's
        assert strategy_on("binance", pair, exchange).heatmap_config(pair) == HeatmapConfig.for_pair(pair)


@pytest.mark.parametrize(("name", "interest"), [("binance", "15m"), ("okx", "5m"), ("hyperliquid", None)])
def test_open_interest_is_asked_for_in_a_timeframe_that_the_exchange_has(name, interest):
    pair = "BTC/USDC:USDC"
    strategy = strategy_on(name, pair, None)
    asked = [(timeframe, kind) for _, timeframe, kind in strategy.informative_pairs()]
    assert asked == [("1h", "funding_rate")] + ([(interest, "open_interest")] if interest else [])
