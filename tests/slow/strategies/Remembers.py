"""A strategy with a planted fault: one column depends on where the candles begin."""

from freqtrade.strategy import IStrategy
from pandas import DataFrame


class Remembers(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "5m"
    stoploss = -0.05
    startup_candle_count = 2400

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe["remembered"] = dataframe["close"].ewm(span=5000).mean()
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        return dataframe
