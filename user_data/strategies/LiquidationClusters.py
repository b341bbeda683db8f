"""Trade around estimated liquidation clusters: filters, stops beyond clusters, targets at clusters."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import talib.abstract as ta_lib
from freqtrade.persistence import Order, Trade
from freqtrade.strategy import DecimalParameter, IStrategy, stoploss_from_absolute
from pandas import DataFrame, Series, concat
from ta.momentum import rsi
from ta.trend import ema_indicator

from liqfeature import HeatmapConfig, liquidation_features
from liqfeature.annotations import cluster_areas, plan_lines
from liqfeature.config import exchange_traits
from liqfeature.plan import Plan, PlanRule
from liqfeature.plot import plot_config
from liqfeature.risk import leverage_for_stop, risk_notional, risk_stake
from liqfeature.tiers import tiers_for


class LiquidationClusters(IStrategy):
    """Follow the trend towards a dense cluster while little can be set off behind."""

    INTERFACE_VERSION = 3
    can_short = True
    timeframe = "5m"
    process_only_new_candles = True
    position_adjustment_enable = True
    use_custom_stoploss = True
    stoploss = -0.25  # of margin, should a plan's stop ever be missing
    order_types = {"entry": "limit", "exit": "limit", "stoploss": "market", "stoploss_on_exchange": False}
    minimal_roi = {}
    plot_config = plot_config()

    risk_per_trade = 0.005  # of equity, lost at the stop
    tightest_stop = 1e-9  # as a share of margin
    order_cost = 0.001  # of the notional of either order, slippage included
    plan_rule = PlanRule(fallback=5.0, min_distance=0.008)

    # The map. None of these may change config.warmup.
    heatmap_churn = DecimalParameter(0.10, 0.40, default=0.25, decimals=2, space="heatmap")
    heatmap_ratio = DecimalParameter(1.2, 2.5, default=1.5, decimals=1, space="heatmap")

    # Ahead: a cluster near enough to be reached, dense enough to matter, on the side with more fuel.
    enter_room = DecimalParameter(0.004, 0.015, default=0.010, decimals=3, space="enter")
    enter_distance = DecimalParameter(0.015, 0.045, default=0.030, decimals=3, space="enter")
    enter_density = DecimalParameter(0.00, 0.08, default=0.03, decimals=2, space="enter")
    enter_lean = DecimalParameter(-0.4, 0.8, default=0.5, decimals=1, space="enter")
    # Behind: nothing that is likely to be set off against the position.
    enter_hit = DecimalParameter(0.05, 0.60, default=0.10, decimals=2, space="enter")
    enter_cascade = DecimalParameter(0.05, 0.50, default=0.10, decimals=2, space="enter")
    enter_quality = DecimalParameter(0.30, 0.90, default=0.40, decimals=1, space="enter", optimize=False)

    exit_cascade = DecimalParameter(0.20, 0.90, default=0.60, decimals=1, space="exit")
    exit_first_share = DecimalParameter(0.2, 0.8, default=0.5, decimals=1, space="exit")

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.venue = config["exchange"]["name"]
        self.startup_candle_count = HeatmapConfig.for_exchange(self.venue).warmup
        self.confirmed: dict[str, Plan] = {}  # by pair, until the entry is filled
        self.plans: dict[int, Plan] = {}  # by trade

    def informative_pairs(self) -> list[tuple[str, str, str]]:
        pairs = self.dp.current_whitelist()
        wanted = [("1h", "funding_rate")]
        if exchange_traits(self.venue).open_interest:
            wanted.append((self.timeframe, "open_interest"))
        return [(pair, timeframe, candle_type) for pair in pairs for timeframe, candle_type in wanted]

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        pair = metadata["pair"]
        features = liquidation_features(
            dataframe,
            self.heatmap_config(pair),
            open_interest=self.dp.get_pair_dataframe(pair, self.timeframe, "open_interest"),
            funding_rate=self.dp.get_pair_dataframe(pair, "1h", "funding_rate"),
        )
        context = {
            "atr": ta_lib.ATR(dataframe, timeperiod=14),
            "rsi": rsi(dataframe["close"], window=14),
            "ema_fast": ema_indicator(dataframe["close"], window=24),
            "ema_slow": ema_indicator(dataframe["close"], window=96),
        }
        return concat([dataframe, features, DataFrame(context)], axis=1)

    def heatmap_config(self, pair: str) -> HeatmapConfig:
        config = HeatmapConfig.for_pair(pair, self.venue)
        flow = replace(config.flow, churn=self.heatmap_churn.value)
        clusters = replace(config.clusters, ratio=self.heatmap_ratio.value)
        return replace(config, flow=flow, clusters=clusters)

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        uptrend = (dataframe["ema_fast"] > dataframe["ema_slow"]) & (dataframe["rsi"] < 70)
        downtrend = (dataframe["ema_fast"] < dataframe["ema_slow"]) & (dataframe["rsi"] > 30)
        long = uptrend & self.way_is_open(dataframe, "above", "below")
        short = downtrend & self.way_is_open(dataframe, "below", "above")
        dataframe.loc[long, ["enter_long", "enter_tag"]] = (1, "shorts_above")
        dataframe.loc[short, ["enter_short", "enter_tag"]] = (1, "longs_below")
        return dataframe

    def way_is_open(self, rows: DataFrame, ahead: str, behind: str) -> Series:
        lean = rows["liq_imbalance"] if ahead == "above" else -rows["liq_imbalance"]
        in_reach = rows[f"liq_distance_{ahead}"].between(self.enter_room.value, self.enter_distance.value)
        dense = rows[f"liq_density_{ahead}"] >= self.enter_density.value
        more_fuel_ahead = lean >= self.enter_lean.value
        cluster_behind_is_far = ~(rows[f"liq_hit_{behind}"] > self.enter_hit.value)  # or there is none
        no_cascade_behind = rows[f"liq_cascade_{behind}"] <= self.enter_cascade.value
        trusted = (rows["liq_quality"] >= self.enter_quality.value) & (rows["volume"] > 0)
        return in_reach & dense & more_fuel_ahead & cluster_behind_is_far & no_cascade_behind & trusted

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        below = dataframe["liq_cascade_below"] > self.exit_cascade.value
        above = dataframe["liq_cascade_above"] > self.exit_cascade.value
        dataframe.loc[below, ["exit_long", "exit_tag"]] = (1, "cascade_behind")
        dataframe.loc[above, ["exit_short", "exit_tag"]] = (1, "cascade_behind")
        return dataframe

    def planned(self, pair: str, rate: float, side: str) -> Plan | None:
        """Plan an entry from the last closed candle; None where it has no acceptable stop."""
        rows, _ = self.dp.get_analyzed_dataframe(pair, self.timeframe)
        if rows.empty:
            return None
        row, is_short = rows.iloc[-1], side == "short"
        prices = {"entry_price": rate, "average_true_range": row["atr"]}
        return Plan.for_entry(row, is_short=is_short, rule=self.plan_rule, **prices)

    def risked(self, plan: Plan) -> dict[str, float]:
        equity = self.wallets.get_total_stake_amount()
        prices = {"entry_price": plan.entry_price, "stop_price": plan.stop}
        return {"equity": equity, "risk": self.risk_per_trade, "fee": self.order_cost, **prices}

    def leverage(
        self, pair: str, current_time: datetime, current_rate: float, *args: Any, **kw: Any
    ) -> float:
        plan = self.planned(pair, current_rate, kw["side"])
        if plan is None:
            return 1.0
        position = {"notional": risk_notional(**self.risked(plan)), "tiers": tiers_for(pair, self.venue)}
        prices = {"entry_price": plan.entry_price, "is_short": plan.is_short}
        allowed = leverage_for_stop(plan.stop, **prices, **position)
        return max(1.0, min(allowed, kw["max_leverage"]))  # 1.0 first: NaN loses every comparison

    def custom_stake_amount(self, pair: str, current_time: datetime, current_rate: float, **kw: Any) -> float:
        plan = self.planned(pair, current_rate, kw["side"])
        if plan is None:
            return 0.0
        return max(0.0, min(risk_stake(**self.risked(plan), leverage=kw["leverage"]), kw["max_stake"]))

    def confirm_trade_entry(self, pair: str, order_type: str, amount: float, rate: float, **kw: Any) -> bool:
        plan = self.planned(pair, rate, kw["side"])
        if plan:
            self.confirmed[pair] = plan
        return plan is not None

    def order_filled(self, pair: str, trade: Trade, order: Order, current_time: datetime, **kw: Any) -> None:
        if order.ft_order_side == trade.entry_side:
            self.plans.pop(trade.id, None)  # an earlier run may have had a trade of this number
            plan = self.confirmed.pop(pair, None)  # none after a restart between order and fill
            if plan := plan or self.planned(pair, trade.open_rate, trade.trade_direction):
                self.plans[trade.id] = plan
                trade.set_custom_data("plan", plan.to_dict())
        elif not trade.is_open:
            self.plans.pop(trade.id, None)

    def plan_of(self, trade: Trade) -> Plan | None:
        """Return the trade's plan; reading custom data is slow, so only once after a restart."""
        if trade.id not in self.plans and (stored := trade.get_custom_data("plan")):
            self.plans[trade.id] = Plan.from_dict(stored)
        return self.plans.get(trade.id)

    def custom_stoploss(self, pair, trade, current_time, current_rate, current_profit, after_fill, **kw):
        plan = self.plan_of(trade)
        if plan is None:
            return None
        sided = {"is_short": trade.is_short, "leverage": trade.leverage}
        # 0 once price has passed the stop, which Freqtrade would take for no answer
        return stoploss_from_absolute(plan.stop, current_rate, **sided) or self.tightest_stop

    def adjust_trade_position(self, trade: Trade, current_time: datetime, current_rate: float, *args, **kw):
        plan = self.plan_of(trade)
        if plan is None or trade.nr_of_successful_exits or not plan.reached_first(current_rate):
            return None
        return -trade.stake_amount * self.exit_first_share.value, "near_edge"

    def custom_exit(self, pair: str, trade: Trade, current_time: datetime, current_rate: float, *args, **kw):
        plan = self.plan_of(trade)
        if plan is None:
            return "no_plan"
        return "peak" if plan.reached_second(current_rate) else None

    def plot_annotations(self, pair, start_date, end_date, dataframe, **kw):
        """Show FreqUI the current clusters, and stop and targets of open trades."""
        plans = ((self.plan_of(trade), trade) for trade in Trade.get_trades_proxy(pair=pair, is_open=True))
        lines = (plan_lines(plan, trade.open_date_utc, dataframe["date"]) for plan, trade in plans if plan)
        return cluster_areas(dataframe) + [line for plan in lines for line in plan]
