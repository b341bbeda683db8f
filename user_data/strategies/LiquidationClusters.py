"""Trade around estimated liquidation clusters: stops beyond them that mean the same in calm and wild hours.

The three entries are research: no study found that one of them earns more than chance. Each can be switched
off.
"""

from dataclasses import replace
from typing import Any

from freqtrade.persistence import Trade
from freqtrade.strategy import (
    BooleanParameter,
    CategoricalParameter,
    DecimalParameter,
    IntParameter,
    IStrategy,
)
from pandas import DataFrame, Series
from ta.momentum import rsi
from ta.trend import ema_indicator

from liqfeature import HeatmapConfig
from liqfeature.strategy import (
    HealthRule,
    PlanRule,
    around_clusters,
    cluster_areas,
    indicators,
    plan_lines,
    plot_config,
    signals,
)


class LiquidationClusters(around_clusters(IStrategy)):
    """Follow the trend towards a dense cluster, turn after a reclaimed sweep, go with a break.

    A tag names whose liquidations an entry is about: `shorts_above` and `longs_below` go towards them,
    `longs_swept` and `shorts_swept` turn after them, `through_shorts` and `through_longs` go with them.
    """

    INTERFACE_VERSION = 3
    can_short = True
    timeframe = "5m"
    process_only_new_candles = True
    order_types = {"entry": "limit", "exit": "limit", "stoploss": "market", "stoploss_on_exchange": False}
    minimal_roi = {}
    plot_config = plot_config()
    # The map. None of these may change config.warmup.
    heatmap_churn = DecimalParameter(0.10, 0.40, default=0.20, decimals=2, space="heatmap")
    heatmap_ratio = DecimalParameter(1.2, 2.5, default=1.5, decimals=1, space="heatmap")

    # Which entries. Shorts after a squeeze are off: they lost wherever they were studied.
    enter_towards = BooleanParameter(default=True, space="enter", optimize=False)
    enter_reclaim = CategoricalParameter(["off", "longs", "both"], default="longs", space="enter")
    enter_break = BooleanParameter(default=True, space="enter")

    # Towards a cluster: near enough to be reached, dense enough to matter, across open air.
    enter_room = DecimalParameter(0.004, 0.015, default=0.010, decimals=3, space="enter")
    enter_distance = DecimalParameter(0.015, 0.045, default=0.030, decimals=3, space="enter")
    enter_density = DecimalParameter(0.00, 0.08, default=0.03, decimals=2, space="enter")
    enter_air = DecimalParameter(0.4, 1.2, default=1.0, decimals=1, space="enter")
    enter_consensus = DecimalParameter(0.0, 1.0, default=0.0, decimals=1, space="enter", optimize=False)
    # After a sweep: most of the cluster is gone, little fuel is left behind.
    enter_cleared = DecimalParameter(0.3, 0.9, default=0.6, decimals=1, space="enter")
    enter_remaining = DecimalParameter(0.2, 0.7, default=0.5, decimals=1, space="enter")
    # Through a cluster: more is likely to be set off on its far side.
    enter_follow = DecimalParameter(0.10, 0.90, default=0.40, decimals=2, space="enter")

    # Filters: nothing that is likely to be set off against the position, sound columns, enough volume.
    enter_wall = DecimalParameter(0.02, 0.30, default=0.10, decimals=2, space="enter")
    enter_hit = DecimalParameter(0.05, 0.60, default=0.10, decimals=2, space="enter")
    enter_cascade = DecimalParameter(0.05, 0.50, default=0.10, decimals=2, space="enter")
    enter_quality = DecimalParameter(0.30, 0.90, default=0.40, decimals=1, space="enter", optimize=False)
    enter_volume = DecimalParameter(0.0, 1.0, default=0.2, decimals=1, space="enter")
    enter_confluence = IntParameter(0, 3, default=1, space="enter")

    exit_cascade = DecimalParameter(0.20, 0.90, default=0.60, decimals=1, space="exit")
    exit_cleared = DecimalParameter(0.5, 1.0, default=0.8, decimals=1, space="exit")
    exit_remaining = DecimalParameter(0.1, 0.6, default=0.4, decimals=1, space="exit")
    exit_first_share = DecimalParameter(0.2, 0.8, default=0.5, decimals=1, space="exit")
    exit_hours = IntParameter(2, 48, default=24, space="exit")

    # How likely the stop is hit within `exit_hours` if price has no drift; where to sell.
    stop_probability = DecimalParameter(0.10, 0.60, default=0.35, decimals=2, space="stop")
    stop_buffer = DecimalParameter(0.0, 1.0, default=0.35, decimals=2, space="stop")
    exit_targets = CategoricalParameter(["clusters", "plain"], default="clusters", space="exit")

    protection_pause = IntParameter(0, 24, default=2, space="protection")  # candles after each trade
    protection_stops = IntParameter(2, 6, default=4, space="protection")  # stop-outs within half a day

    @property
    def protections(self) -> list[dict[str, Any]]:
        halt = {"lookback_period_candles": 144, "stop_duration_candles": 144, "only_per_pair": True}
        return [
            {"method": "CooldownPeriod", "stop_duration_candles": self.protection_pause.value},
            {"method": "StoplossGuard", "trade_limit": self.protection_stops.value, **halt},
        ]

    @property
    def plan_rule(self) -> PlanRule:
        return PlanRule(
            stop_probability=self.stop_probability.value,
            buffer=self.stop_buffer.value,
            targets=self.exit_targets.value,
            min_distance=0.008,
        )

    @property
    def first_share(self) -> float:
        return self.exit_first_share.value

    @property
    def longest_hours(self) -> float:
        return self.exit_hours.value

    @property
    def health_rule(self) -> HealthRule:
        return HealthRule(quality=self.enter_quality.value)

    def heatmap_config(self, pair: str) -> HeatmapConfig:
        config = super().heatmap_config(pair)
        flow = replace(config.flow, churn=self.heatmap_churn.value)
        clusters = replace(config.clusters, ratio=self.heatmap_ratio.value)
        return replace(config, flow=flow, clusters=clusters)

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        frame = self.cluster_columns(dataframe, metadata)
        frame = frame.assign(
            volume_usual=indicators.usual_volume(dataframe["volume"]),
            rsi=rsi(dataframe["close"], window=14),
            ema_fast=ema_indicator(dataframe["close"], window=24),
            ema_slow=ema_indicator(dataframe["close"], window=96),
        )
        return frame.assign(**indicators.chart_reasons(frame))

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        ways, named = (self.towards, self.reclaimed, self.through), {}
        for is_short, column, tags in (
            (False, "enter_long", ("shorts_above", "longs_swept", "through_shorts")),
            (True, "enter_short", ("longs_below", "shorts_swept", "through_longs")),
        ):
            safe = self.filters(dataframe, is_short)
            entries = {tag: safe & way(dataframe, is_short) for tag, way in zip(tags, ways, strict=True)}
            dataframe[column] = signals.any_of(*entries.values())
            named = entries | named
        dataframe["enter_tag"] = signals.first_of(named)
        return dataframe

    def towards(self, rows: DataFrame, is_short: bool) -> Series:
        """Follow the trend towards a cluster, only with open air in between."""
        trend, pulse = rows["ema_fast"] - rows["ema_slow"], rows["rsi"]
        with_trend = (trend < 0) & (pulse > 30) if is_short else (trend > 0) & (pulse < 70)
        reach = {"room": self.enter_room.value, "distance": self.enter_distance.value}
        dense, air = self.enter_density.value, self.enter_air.value
        open_way = signals.open_way(rows, is_short=is_short, **reach, density=dense, air=air)
        agreed = signals.agreed(rows, is_short=is_short, consensus=self.enter_consensus.value)
        level = rows[f"liq_peak_{signals.ahead(is_short)}"]
        return (
            with_trend & open_way & agreed & self.confluent(rows, level, is_short) & self.enter_towards.value
        )

    def reclaimed(self, rows: DataFrame, is_short: bool) -> Series:
        """Turn with price that swept a cluster and came back."""
        most = {"cleared": self.enter_cleared.value, "remaining": self.enter_remaining.value}
        swept = signals.swept_and_reclaimed(rows, is_short=is_short, **most)
        allowed = self.enter_reclaim.value in (("both",) if is_short else ("longs", "both"))
        level = rows[f"liq_pierced_{signals.behind(is_short)}"]
        return swept & self.confluent(rows, level, is_short) & allowed

    def through(self, rows: DataFrame, is_short: bool) -> Series:
        """Go with a break that is likely to set off more."""
        follow = {"cleared": self.enter_cleared.value, "cascade": self.enter_follow.value}
        broken = signals.broken_through(rows, is_short=is_short, **follow)
        level = rows[f"liq_pierced_{signals.ahead(is_short)}"]
        return broken & self.confluent(rows, level, is_short) & self.enter_break.value

    def filters(self, rows: DataFrame, is_short: bool) -> Series:
        """Refuse what could be set off against the position, and rows that are not to be trusted."""
        risk = {"hit": self.enter_hit.value, "cascade": self.enter_cascade.value}
        safe = signals.safe_behind(rows, is_short=is_short, density=self.enter_wall.value, **risk)
        trusted = signals.trusted(rows, quality=self.enter_quality.value, volume=self.enter_volume.value)
        return safe & trusted & self.cluster_feed.sound(rows) & self.cluster_feed.quiet(rows)

    def confluent(self, rows: DataFrame, level: Series, is_short: bool) -> Series:
        """Return where enough of the reasons hold that a chart reader counts."""
        return indicators.confluence(rows, level, is_short=is_short) >= self.enter_confluence.value

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        least = {"cleared": self.exit_cleared.value, "remaining": self.exit_remaining.value}
        cascade, spent = {}, {}
        for is_short, column in ((False, "exit_long"), (True, "exit_short")):
            behind = dataframe[f"liq_cascade_{signals.behind(is_short)}"]
            cascade[column] = behind > self.exit_cascade.value
            spent[column] = signals.fuel_spent(dataframe, is_short=is_short, **least)
            dataframe[column] = signals.any_of(cascade[column], spent[column])
        either = {"cascade_behind": cascade, "fuel_spent": spent}  # the first of them names the exit
        dataframe["exit_tag"] = signals.first_of(
            {reason: signals.any_of(*sides.values()) for reason, sides in either.items()}
        )
        return dataframe

    def plot_annotations(self, pair, start_date, end_date, dataframe, **kw):
        """Show FreqUI the current clusters, and stop and targets of open trades."""
        plans = ((self.plan_of(trade), trade) for trade in Trade.get_trades_proxy(pair=pair, is_open=True))
        lines = (plan_lines(plan, trade.open_date_utc, dataframe["date"]) for plan, trade in plans if plan)
        areas = cluster_areas(dataframe, self.cluster_feed.ladders.get(pair))
        return areas + [line for plan in lines for line in plan]
