"""A strategy with a planted fault: one column knows the next candles."""

from freqtrade.strategy import IStrategy
from pandas import DataFrame


class LooksAhead(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "5m"
    can_short = True
    stoploss = -0.05
    minimal_roi = {"0": 0.005}  # noqa: RUF012
    startup_candle_count = 10

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe["ahead"] = dataframe["close"].shift(-3) / dataframe["close"] - 1
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[dataframe["ahead"] > 0.005, "enter_long"] = 1
        dataframe.loc[dataframe["ahead"] < -0.005, "enter_short"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        return dataframe
