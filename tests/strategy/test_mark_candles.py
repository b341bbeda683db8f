"""Mark candles of the strategy's own timeframe: only where a bot and its backtest know the same."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("freqtrade")

from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType
from freqtrade.strategy import IStrategy

from builders.driving import PAIR, exchanges
from builders.frames import random_candles
from liqfeature import COLUMNS, ConfigError, liquidation_features
from liqfeature.strategy import around_clusters
from liqfeature.strategy.feed import WITHOUT_MARK

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")  # Freqtrade's, of pandas

MARK = (PAIR, "5m", "mark")


class WithMark(around_clusters(IStrategy)):
    timeframe = "5m"
    mark_candles = True

    def populate_indicators(self, dataframe, metadata):
        return self.cluster_columns(dataframe, metadata)

    def populate_entry_trend(self, dataframe, metadata):
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe


@pytest.fixture
def candles(strategy):
    return random_candles(strategy.startup_candle_count + 100, seed=4, volatility=0.002)


@pytest.fixture
def mark(candles):
    """Mark candles that follow no wick."""
    body = candles[["open", "close"]]
    return candles.assign(high=body.max(axis=1), low=body.min(axis=1))


@pytest.fixture
def store(tmp_path):
    (tmp_path / "futures").mkdir()
    handler = get_datahandler(tmp_path, "feather")
    return lambda rows, timeframe: handler.ohlcv_store(PAIR, timeframe, rows, CandleType.MARK)


def columns_of(bot, candles):
    """Columns by a strategy that wants mark candles, and the strategy."""
    strategy = WithMark(bot.config)
    strategy.dp = bot.provider
    return strategy.cluster_columns(candles, {"pair": PAIR})[list(COLUMNS)], strategy


def test_columns_know_the_mark_price_where_it_is_wanted(bot, store, candles, mark):
    store(mark, "5m")
    found, strategy = columns_of(bot, candles)
    assert MARK in strategy.informative_pairs()
    plain = liquidation_features(candles, strategy.heatmap_config(PAIR))
    want = liquidation_features(candles, strategy.heatmap_config(PAIR), mark=mark)
    pd.testing.assert_frame_equal(found, want)
    assert not want.equals(plain)


def test_a_bot_sees_the_row_that_its_backtest_sees(bot, store, candles, mark):
    """A bot gets as many mark candles as candles, and knows none that lie before those."""
    store(mark, "5m")
    whole, strategy = columns_of(bot, candles)
    begin = len(candles) - strategy.startup_candle_count
    bot.provider.get_pair_dataframe = lambda pair, timeframe, kind: (
        mark[begin:] if kind == "mark" else pd.DataFrame()
    )
    live, _ = columns_of(bot, candles[begin:])
    np.testing.assert_array_equal(live.iloc[-1].to_numpy(), whole.iloc[-1].to_numpy())


def test_without_the_setting_nothing_is_asked_for(bot, store, strategy, candles, mark):
    store(mark, "5m")
    assert not strategy.mark_candles
    assert MARK not in strategy.informative_pairs()
    found = strategy.cluster_columns(candles, {"pair": PAIR})[list(COLUMNS)]
    pd.testing.assert_frame_equal(found, liquidation_features(candles, strategy.heatmap_config(PAIR)))


def test_candles_of_an_hour_are_not_used_and_what_is_missing_is_reported_once(bot, store, candles, caplog):
    hourly = candles.iloc[::12]
    store(hourly, "1h")
    found, strategy = columns_of(bot, candles)
    strategy.cluster_columns(candles, {"pair": PAIR})
    pd.testing.assert_frame_equal(found, liquidation_features(candles, strategy.heatmap_config(PAIR)))
    ours = [record for record in caplog.records if record.name.startswith("liqfeature")]
    missing = [record for record in ours if "mark candles" in record.getMessage()]
    assert [record.getMessage() for record in missing] == [
        f"{PAIR}: no mark candles of 5m: every wick counts (download them for a backtest)"
    ]


@exchanges
def test_where_a_bot_gets_fewer_mark_candles_than_candles_they_are_refused(make_bot, name):
    """As far as one request of Freqtrade reaches back, and it makes as many of either."""
    bot = make_bot(name)
    reach = [bot.exchange.ohlcv_candle_limit("5m", kind) for kind in (CandleType.MARK, CandleType.FUTURES)]
    offered = bot.exchange.check_candle_type_support(CandleType.MARK) and reach[0] >= reach[1]
    assert offered == (name not in WITHOUT_MARK)
    if offered:
        assert WithMark(bot.config)
    else:
        with pytest.raises(ConfigError, match=f"mark_candles must be False on {name}, received True"):
            WithMark(bot.config)
