"""Your own entries and exits, sized by the sigma that the columns state, with stops beyond clusters.

The signal is the oldest of all, relative strength crossing a line. What the clusters add is marked.
"""

from typing import Any

from freqtrade.strategy import IntParameter, IStrategy
from pandas import DataFrame
from ta.momentum import rsi

from liqfeature.strategy import around_clusters  # clusters


class SampleWithClusters(around_clusters(IStrategy)):  # clusters: the callbacks
    """Buy strength out of weakness, sell weakness out of strength."""

    INTERFACE_VERSION = 3
    can_short = True
    timeframe = "5m"
    process_only_new_candles = True
    minimal_roi = {}
    sized_by, risk_per_trade = "sigma", 0.001  # clusters: one sigma of an hour costs 0.1 % of equity

    enter_oversold = IntParameter(15, 45, default=30, space="enter")
    enter_overbought = IntParameter(55, 85, default=70, space="enter")

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        dataframe["rsi"] = rsi(dataframe["close"], window=14)
        return self.cluster_columns(dataframe, metadata)  # clusters: all columns

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        pulse, before = dataframe["rsi"], dataframe["rsi"].shift()
        low, high = self.enter_oversold.value, self.enter_overbought.value
        trusted = dataframe["liq_quality"] >= 0.4  # clusters: none are known before the warm-up is over
        dataframe.loc[(before <= low) & (pulse > low) & trusted, ["enter_long", "enter_tag"]] = (1, "rsi")
        dataframe.loc[(before >= high) & (pulse < high) & trusted, ["enter_short", "enter_tag"]] = (1, "rsi")
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        return dataframe
