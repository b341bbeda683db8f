"""Controls: the same strategy with one thing taken away. One that does as well says it did not matter."""

from typing import Any

import numpy as np
from LiquidationClusters import LiquidationClusters
from pandas import DataFrame, concat

from liqfeature import liquidation_features
from liqfeature.data.store import load_beside, load_candles
from liqfeature.plan import Plan
from liqfeature.walkforward.controls import of_earlier, path_only, permuted, usual_edges


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

    def stored(self, pair: str, candle_type: str) -> DataFrame | None:
        return load_beside(self.config["datadir"], pair, self.timeframe, candle_type)

    def open_interest(self, pair: str) -> DataFrame | None:
        return self.stored(pair, "open_interest")

    def funding_rates(self, pair: str) -> DataFrame | None:
        return self.stored(pair, "funding_rate")

    def with_earlier(self, candles: DataFrame, pair: str) -> DataFrame:
        whole = load_candles(self.config["datadir"], pair, self.timeframe)
        earlier = whole[whole["date"] < candles["date"].iloc[0]].tail(self.candles)
        return concat([earlier, candles], ignore_index=True)


class ShiftedColumns(WithEarlierDays):
    """Look at the map of five days before: its distances and amounts, laid around today's price."""

    def liquidation_columns(self, candles: DataFrame, pair: str) -> DataFrame:
        whole = self.with_earlier(candles, pair)
        features = super().liquidation_columns(whole, pair)
        earlier = of_earlier(features, whole["close"], candles=self.candles)
        return earlier.tail(len(candles)).set_index(candles.index)


class UsualDistances(WithEarlierDays):
    """Put stops and targets where clusters lay on average, so far from price, in the last five days.

    Such a map is the same at every candle: it never leans, nothing in it is swept, and no entry would follow
    from it. Entries and exits by signal are therefore the strategy's own.
    """

    def liquidation_columns(self, candles: DataFrame, pair: str) -> DataFrame:
        whole = self.with_earlier(candles, pair)
        features = super().liquidation_columns(whole, pair)
        usual = usual_edges(features, whole["close"], candles=self.candles).add_prefix("usual_")
        return concat([features, usual], axis=1).tail(len(candles)).set_index(candles.index)

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        frame = super().populate_exit_trend(dataframe, metadata)  # the last to look at the map itself
        usual = [name for name in frame if name.startswith("usual_")]
        frame[[name.removeprefix("usual_") for name in usual]] = frame[usual]
        return frame


class PathOnly(LiquidationClusters):
    """Look at a map in which every candle opens the same amount: no volume, open interest or funding."""

    def liquidation_columns(self, candles: DataFrame, pair: str) -> DataFrame:
        return liquidation_features(path_only(candles), self.heatmap_config(pair))


class RangeStops(FrozenPlans):
    """Take stops and targets from the average true range alone."""

    first_ranges, second_ranges = 5.0, 7.0

    def planned(self, pair: str, rate: float, side: str) -> Plan | None:
        row = self.last_row(pair)
        if row is None:
            return None
        sign = -1 if side == "short" else 1
        atr, rule = float(row["atr"]), self.plan_rule
        if not 0 < rule.fallback * atr <= rule.max_distance * rate:
            return None
        targets = {
            "first_target": rate + sign * self.first_ranges * atr,
            "second_target": rate + sign * self.second_ranges * atr,
        }
        stop = rate - sign * rule.fallback * atr
        return Plan(side=side, entry_price=float(rate), stop=stop, **targets)


class RandomEntries(LiquidationClusters):
    """Enter as often, at candles drawn by lot."""

    seed = 1

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        frame = super().populate_entry_trend(dataframe, metadata)
        signals = ["enter_long", "enter_short", "enter_tag"]
        rng = np.random.default_rng([self.seed, *metadata["pair"].encode()])
        return permuted(frame, signals, self.startup_candle_count, rng)
