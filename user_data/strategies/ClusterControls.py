"""Controls: the same strategy with one thing taken away. One that does as well says it did not matter."""

from dataclasses import replace
from typing import Any

import numpy as np
from LiquidationClusters import LiquidationClusters
from pandas import DataFrame, concat

from liqfeature import HeatmapConfig, liquidation_features
from liqfeature.data.store import load_beside, load_candles
from liqfeature.strategy import Plan, PlanRule
from liqfeature.walkforward.controls import of_earlier, permuted, usual_edges


class FrozenPlans(LiquidationClusters):
    """Leave stops and targets where they were placed at the entry."""

    stops_tighten = targets_move = False


class WithEarlierDays(FrozenPlans):
    """Know some days before the first candle too, from the data that backtests read.

    No live bot could: Binance gives it hardly more candles than columns need. Plans are frozen, since stops
    would trail, and targets recede before, a map that is laid around the price of each candle.
    """

    days = 5

    @property
    def candles(self) -> int:
        return self.days * 288

    def with_earlier(self, candles: DataFrame, pair: str) -> tuple[DataFrame, DataFrame]:
        """Return candles that begin `days` earlier, and their columns."""
        stored, place = self.config["datadir"], (pair, self.timeframe)
        whole = load_candles(stored, *place)
        earlier = whole[whole["date"] < candles["date"].iloc[0]].tail(self.candles)
        whole = concat([earlier, candles], ignore_index=True)
        beside = {name: load_beside(stored, *place, name) for name in ("open_interest", "funding_rate")}
        inputs = self.cluster_feed.inputs(whole, pair) | beside
        return whole, liquidation_features(whole, self.heatmap_config(pair), **inputs)


class ShiftedColumns(WithEarlierDays):
    """Look at the map of five days before: its distances and amounts, laid around today's price."""

    def cluster_columns(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        whole, features = self.with_earlier(dataframe, metadata["pair"])
        earlier = of_earlier(features, whole["close"], candles=self.candles).tail(len(dataframe))
        return self.cluster_feed.columns(dataframe, metadata["pair"], earlier.set_index(dataframe.index))


class UsualDistances(WithEarlierDays):
    """Put stops and targets where clusters lay on average, so far from price, in the last five days.

    Such a map is the same at every candle: it never leans, nothing in it is swept, and no entry would follow
    from it. Entries and exits by signal are therefore the strategy's own.
    """

    def cluster_columns(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        whole, features = self.with_earlier(dataframe, metadata["pair"])
        usual = usual_edges(features, whole["close"], candles=self.candles).add_prefix("usual_")
        own = concat([features, usual], axis=1).tail(len(dataframe)).set_index(dataframe.index)
        return self.cluster_feed.columns(dataframe, metadata["pair"], own)

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        frame = super().populate_exit_trend(dataframe, metadata)  # the last to look at the map itself
        usual = [name for name in frame if name.startswith("usual_")]
        frame[[name.removeprefix("usual_") for name in usual]] = frame[usual]
        return frame


class PathOnly(LiquidationClusters):
    """Look at the twin of the map in which every candle opens the same amount: no volume or open interest."""

    def heatmap_config(self, pair: str) -> HeatmapConfig:
        return super().heatmap_config(pair).changed({"flow.opens": "path"})


class RangeStops(FrozenPlans):
    """Take stops and targets from the average true range alone."""

    stop_ranges, first_ranges, second_ranges = 5.0, 5.0, 7.0

    def plan_entry(self, pair: str, rate: float, side: str) -> Plan | None:
        row = self.cluster_feed.last_row(pair)
        if row is None:
            return None
        sign = -1 if side == "short" else 1
        atr = float(row["atr"])
        if not 0 < self.stop_ranges * atr <= self.plan_rule.max_distance * rate:
            return None
        targets = {
            "first_target": rate + sign * self.first_ranges * atr,
            "second_target": rate + sign * self.second_ranges * atr,
        }
        stop = rate - sign * self.stop_ranges * atr
        return Plan(side=side, entry_price=float(rate), stop=stop, **targets)


class PlainTargets(LiquidationClusters):
    """Sell at one and two times the distance to the stop, wherever clusters lie."""

    @property
    def plan_rule(self) -> PlanRule:
        return replace(super().plan_rule, targets="plain")


class RandomEntries(LiquidationClusters):
    """Enter as often, at random candles."""

    seed = 1

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        frame = super().populate_entry_trend(dataframe, metadata)
        signals = ["enter_long", "enter_short", "enter_tag"]
        rng = np.random.default_rng([self.seed, *metadata["pair"].encode()])
        return permuted(frame, signals, self.startup_candle_count, rng)
