"""Trades that know nothing of the map, to compare sizes and stops with on equal entries.

`liqfeature walkforward` compares `HoldBySigma` with `HoldByConstant`, `HoldByRealised`, `HoldByRange`, whose
sizes follow another forecast of volatility, and `HoldStatedStop` with `HoldRangeStop`; the same names exist
with `Trend` and `Random`. Entry tags are deciles of 24 h realised volatility, 1 the calmest. Freqtrade finds
only classes that are written out.
"""

from datetime import datetime
from typing import Any

import numpy as np
from freqtrade.persistence import Trade
from freqtrade.strategy import IStrategy, stoploss_from_absolute
from pandas import DataFrame, Series
from ta.volatility import average_true_range

from liqfeature import HeatmapConfig, outlook


class NeutralTrades(IStrategy):
    """Enter at every fourth hour, leave a candle before the next one, or at the stop if there is one."""

    INTERFACE_VERSION = 3
    can_short = True
    timeframe = "5m"
    process_only_new_candles = True
    minimal_roi = {}
    stoploss = -0.99
    use_custom_stoploss = True
    startup_candle_count = HeatmapConfig().warmup

    entry, size_by, stop_by = "Hold", "Sigma", ""

    hours, candles = 4, 47
    aimed, most = 0.008, 5.0
    """One-sigma move, of a position of the proposed stake, that sizes aim at; and times the stake at most."""
    hit, ranges = 0.2, 6.4
    """Probability that a stop is hit; and the multiple of ATR(14) that was hit as often on BTC of 2024."""
    seed = 1

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        ahead, close = outlook(dataframe, HeatmapConfig()), dataframe["close"]
        spread = np.sqrt(self.candles)
        true_range = average_true_range(dataframe["high"], dataframe["low"], close, window=14) / close
        realised = np.log(close).diff().pow(2).rolling(288).mean().pow(0.5)
        rank = realised.rolling(2016).rank(pct=True)
        columns = {
            "Constant": self.aimed,
            "Sigma": ahead.sigma(self.candles),
            "Realised": realised * spread,
            "Range": true_range * spread / 1.35,  # of the level of sigma on BTC of 2024
            "stop_long": ahead.stop_distance("below", self.hit, self.candles),
            "stop_short": ahead.stop_distance("above", self.hit, self.candles),
            "range_stop": self.ranges * true_range,
            "decile": np.ceil(10 * rank),
        }
        return dataframe.assign(**columns)

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        closing = dataframe["date"] + np.timedelta64(5, "m")
        due = (closing.dt.hour % self.hours == 0) & (closing.dt.minute == 0)
        known = dataframe[["Sigma", "Realised", "Range", "decile"]].notna().all(axis=1)
        side = self.side(dataframe, metadata["pair"])
        tag = "decile " + dataframe["decile"].fillna(0).astype(int).astype(str)
        for column, wanted in (("enter_long", side > 0), ("enter_short", side < 0)):
            rows = due & known & wanted
            dataframe.loc[rows, column] = 1
            dataframe.loc[rows, "enter_tag"] = tag[rows]
        return dataframe

    def side(self, dataframe: DataFrame, pair: str) -> Series:
        """Return 1 for a long, -1 for a short."""
        close = dataframe["close"]
        if self.entry == "Trend":
            rising = close.ewm(span=24).mean() >= close.ewm(span=96).mean()
            return rising.map({True: 1, False: -1})
        if self.entry == "Random":  # by the clock, so that it does not depend on the first candle
            opening = dataframe["date"].dt.as_unit("ms").astype("int64") // 300_000
            seeds = ([self.seed, *pair.encode(), int(number)] for number in opening)
            drawn = [np.random.default_rng(seed).random() < 0.5 for seed in seeds]
            return Series(np.where(drawn, 1, -1), index=dataframe.index)
        return Series(1, index=dataframe.index)

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        return dataframe

    def last_row(self, pair: str) -> Series:
        """Return the last closed candle."""
        rows, _ = self.dp.get_analyzed_dataframe(pair, self.timeframe)
        return rows.iloc[-1]

    def stop_distance(self, pair: str, side: str) -> float:
        """Return the distance of the stop, as a fraction of the entry price."""
        row = self.last_row(pair)
        return float(row["range_stop"] if self.stop_by == "Range" else row[f"stop_{side}"])

    def leverage(self, *args: Any, **kw: Any) -> float:
        return 1.0

    def custom_stake_amount(
        self, pair: str, current_time: datetime, current_rate: float, proposed_stake: float, **kw: Any
    ) -> float:
        sized = float(self.last_row(pair)[self.size_by])
        away = self.stop_distance(pair, kw["side"]) if self.stop_by else sized
        return proposed_stake * min(self.aimed / away, self.most)

    def order_filled(self, pair: str, trade: Trade, order: Any, current_time: datetime, **kw: Any) -> None:
        if self.stop_by and order.ft_order_side == trade.entry_side:
            away = self.stop_distance(pair, trade.trade_direction)
            trade.set_custom_data("stop", trade.open_rate * (1 + away if trade.is_short else 1 - away))

    def custom_stoploss(
        self, pair: str, trade: Trade, current_time: datetime, current_rate: float, *args: Any, **kw: Any
    ) -> float | None:
        stop = trade.get_custom_data("stop")
        return stop and stoploss_from_absolute(stop, current_rate, is_short=trade.is_short)

    def custom_exit(
        self, pair: str, trade: Trade, current_time: datetime, *args: Any, **kw: Any
    ) -> str | None:
        held = (current_time - trade.open_date_utc).total_seconds() / 300
        return "time" if held >= self.candles else None


class HoldBySigma(NeutralTrades):
    """Always long, sized by sigma."""

    entry = "Hold"


class HoldByConstant(HoldBySigma):
    """Always long, of one size."""

    size_by = "Constant"


class HoldByRealised(HoldBySigma):
    """Always long, sized by 24 h realised volatility."""

    size_by = "Realised"


class HoldByRange(HoldBySigma):
    """Always long, sized by the average true range."""

    size_by = "Range"


class HoldStatedStop(HoldBySigma):
    """Always long, stopped at a stated probability, of equal risk."""

    stop_by = "Stated"


class HoldRangeStop(HoldBySigma):
    """Always long, stopped at a multiple of the average true range, of equal risk."""

    stop_by = "Range"


class TrendBySigma(NeutralTrades):
    """With the trend, sized by sigma."""

    entry = "Trend"


class TrendByConstant(TrendBySigma):
    """With the trend, of one size."""

    size_by = "Constant"


class TrendByRealised(TrendBySigma):
    """With the trend, sized by 24 h realised volatility."""

    size_by = "Realised"


class TrendByRange(TrendBySigma):
    """With the trend, sized by the average true range."""

    size_by = "Range"


class TrendStatedStop(TrendBySigma):
    """With the trend, stopped at a stated probability, of equal risk."""

    stop_by = "Stated"


class TrendRangeStop(TrendBySigma):
    """With the trend, stopped at a multiple of the average true range, of equal risk."""

    stop_by = "Range"


class RandomBySigma(NeutralTrades):
    """On a random side, sized by sigma."""

    entry = "Random"


class RandomByConstant(RandomBySigma):
    """On a random side, of one size."""

    size_by = "Constant"


class RandomByRealised(RandomBySigma):
    """On a random side, sized by 24 h realised volatility."""

    size_by = "Realised"


class RandomByRange(RandomBySigma):
    """On a random side, sized by the average true range."""

    size_by = "Range"


class RandomStatedStop(RandomBySigma):
    """On a random side, stopped at a stated probability, of equal risk."""

    stop_by = "Stated"


class RandomRangeStop(RandomBySigma):
    """On a random side, stopped at a multiple of the average true range, of equal risk."""

    stop_by = "Range"
