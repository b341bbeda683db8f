"""Controls: the same strategy with one thing taken away. One that does as well says it did not matter."""

from typing import Any

import numpy as np
from LiquidationClusters import LiquidationClusters
from pandas import DataFrame

from liqfeature.plan import Plan
from liqfeature.walkforward.controls import other_days, permuted


class ShiftedColumns(LiquidationClusters):
    """Look at the map of another time: its distances and amounts, laid around today's price."""

    days = 5

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        frame = super().populate_indicators(dataframe, metadata)
        return other_days(frame, self.startup_candle_count, candles=288 * self.days)


class RangeStops(LiquidationClusters):
    """Take stops and targets from the average true range alone."""

    targets_move = False
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
