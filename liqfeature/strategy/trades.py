"""Freqtrade's callbacks for trades that are stopped out beyond clusters and sold into them."""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pandas as pd

from liqfeature.estimate.config import HeatmapConfig
from liqfeature.exchange.tables import tiers_for
from liqfeature.strategy.excess import TAG, excess_of, has_sold, risk_amount
from liqfeature.strategy.feed import ClusterFeed
from liqfeature.strategy.funding import funding_is_adverse, hours_to_funding
from liqfeature.strategy.kept import KeptPlans
from liqfeature.strategy.leverage import leverage_for_stop, stop_comes_first
from liqfeature.strategy.plan import Plan
from liqfeature.strategy.risk import risk_notional, sigma_notional, stop_ratio
from liqfeature.strategy.settings import ClusterSettings

_LOG = logging.getLogger(__name__)

_NO_ENTRY = "no entry, since planning it failed"


class ClusterTrades(ClusterSettings):
    """Freqtrade's callbacks for trades that are stopped out beyond clusters and sold into them.

    The plan of a trade (stop and targets) is kept in its custom data under the one key "plan", so that a
    restart finds it again. `ClusterSettings` names the settings; `heatmap_config`, `cluster_columns` and
    `plan_entry` may be overridden. Inherit from `around_clusters(IStrategy)`.

    Where a callback raises, Freqtrade goes on with an answer of its own: the proposed stake, a confirmed
    entry, no exit. These report what goes wrong once, and then enter nothing, or keep to the plan.
    """

    use_custom_stoploss = True
    position_adjustment_enable = True

    config: dict[str, Any]
    dp: Any
    timeframe: str
    wallets: Any

    @property
    def cluster_feed(self) -> ClusterFeed:
        """What the strategy reads: inputs of the map, its columns, and whether a row is sound."""
        if "_cluster_feed" not in vars(self):
            self._cluster_feed = ClusterFeed(self)
        return self._cluster_feed

    @property
    def _cluster_plans(self) -> KeptPlans:
        if "_cluster_kept" not in vars(self):
            self._cluster_kept = KeptPlans()
        return self._cluster_kept

    # The map.

    def informative_pairs(self) -> list[tuple[str, str, str]]:
        """Ask for what the map takes beside candles."""
        return self.cluster_feed.informative_pairs()

    def heatmap_config(self, pair: str) -> HeatmapConfig:
        """Return the parameters of the pair's map; override it, but leave `warmup` as it is."""
        return HeatmapConfig.for_pair(pair, self.cluster_feed.venue, **self.cluster_feed.facts(pair))

    def cluster_columns(self, dataframe: pd.DataFrame, metadata: dict[str, Any]) -> pd.DataFrame:
        """Return the candles with all `liq_` columns and those that trades around clusters need.

        These are the last `funding` and the `funding_hours` between payments, and `atr` where it is missing.
        `liq_health` is 0 where a row is sound, else the sum of its reasons (`columns.health.Reason`); those
        of the last row are reported once per pair.
        """
        return self.cluster_feed.columns(dataframe, metadata["pair"])

    # Entry: the plan decides leverage and stake.

    def plan_entry(self, pair: str, rate: float, side: str) -> Plan | None:
        """Plan an entry from the last closed candle; None where it has no acceptable stop."""
        row = self.cluster_feed.last_row(pair)
        if row is None:
            return None
        prices = {"entry_price": rate, "average_true_range": row["atr"]}
        return Plan.for_entry(row, is_short=side == "short", rule=self.plan_rule, **prices)

    def _risked(self, plan: Plan) -> dict[str, float]:
        """Return what `risk_notional` and `risk_amount` want to know."""
        equity = self.wallets.get_total_stake_amount()
        prices = {"entry_price": plan.entry_price, "stop_price": plan.current_stop}
        return {"equity": equity, "risk": self.risk_per_trade, "fee": self.order_cost, **prices}

    def _notional(self, plan: Plan, row: Any) -> float:
        """Return the notional at the entry that the risk allows; NaN if it is not known."""
        risked = self._risked(plan)
        if self.sized_by == "stop":
            return risk_notional(**risked)
        return sigma_notional(risked["equity"], risked["risk"], sigma=float(row["liq_sigma"]))

    def _position(self, pair: str, plan: Plan, notional: float) -> dict[str, Any]:
        """Return what `leverage_for_stop` and `stop_comes_first` want to know."""
        own = self.cluster_feed.facts(pair)["max_leverage"]
        return {
            "stop_price": plan.current_stop,
            "entry_price": plan.entry_price,
            "is_short": plan.is_short,
            "tiers": tiers_for(pair, self.cluster_feed.venue, max_leverage=own),
            "notional": notional,
            "liquidation_fee_rate": self.cluster_feed.liquidation_fee(pair, self.liquidation_fee_rate),
        }

    @contextmanager
    def _reporting(self, pair: str, effect: str) -> Iterator[None]:
        """Go on where an error is raised, and report it once for the pair."""
        try:
            yield
        except Exception as error:
            if self._cluster_plans.is_news(pair, repr(error)):
                _LOG.error("%s: %s: %r", pair, effect, error, exc_info=True)

    def leverage(
        self, pair: str, current_time: datetime, current_rate: float, *args: Any, **kw: Any
    ) -> float:
        """Return the highest leverage whose own liquidation lies well beyond the stop; 1 if in doubt."""
        allowed, most = 1.0, 1.0
        with self._reporting(pair, _NO_ENTRY):
            plan, row = self.plan_entry(pair, current_rate, kw["side"]), self.cluster_feed.last_row(pair)
            if plan is not None and row is not None:
                notional, most = self._notional(plan, row), float(kw["max_leverage"])
                allowed = leverage_for_stop(**self._position(pair, plan, notional))
        return min(allowed, most) if allowed >= 1 and most >= 1 else 1.0  # NaN is neither

    def custom_stake_amount(self, pair: str, current_time: datetime, current_rate: float, **kw: Any) -> float:
        """Return the margin with which the stop, or one sigma, loses the risk.

        0, which is no trade, without a plan, without columns, where they are not sound, in a quiet window, or
        where own liquidation would come before the stop.
        """
        stake, most = 0.0, 0.0
        with self._reporting(pair, _NO_ENTRY):
            plan, row = self.plan_entry(pair, current_rate, kw["side"]), self.cluster_feed.last_row(pair)
            if plan is not None and row is not None and self.cluster_feed.may_enter(row):
                stake, most = self._stake(pair, plan, row, float(kw["leverage"])), float(kw["max_stake"])
        return min(stake, most) if 0 < stake < math.inf and most > 0 else 0.0  # NaN is neither

    def _stake(self, pair: str, plan: Plan, row: Any, leverage: float) -> float:
        """Return the margin of an entry: 0 at a leverage of the user's own that is too high."""
        notional = self._notional(plan, row)
        if not (notional > 0 and leverage >= 1):
            return 0.0
        position = self._position(pair, plan, notional)
        return notional / leverage if stop_comes_first(**position, leverage=leverage) else 0.0

    def confirm_trade_entry(self, pair: str, order_type: str, amount: float, rate: float, **kw: Any) -> bool:
        """Fix the plan at the rate of the order; refuse one without a plan, on late candles or bad data.

        In a quiet window, too.
        """
        confirmed = False
        with self._reporting(pair, _NO_ENTRY):
            feed, plan = self.cluster_feed, self.plan_entry(pair, rate, kw["side"])
            row = feed.last_row(pair)
            if plan is not None and row is not None and feed.may_enter(row):
                confirmed = feed.is_fresh(row, kw["current_time"])
            if plan is not None and confirmed:
                self._cluster_plans.confirm(pair, plan)
        return confirmed

    # The plan, kept with the trade.

    def order_filled(self, pair: str, trade: Any, order: Any, current_time: datetime, **kw: Any) -> None:
        """Give a new trade its plan, adapt it to another entry, and forget that of an ended one."""
        plans = self._cluster_plans
        if order.ft_order_side != trade.entry_side:
            if not trade.is_open:
                plans.forget(trade)
            return
        with self._reporting(pair, "its plan could not follow an order that was filled"):
            if trade.nr_of_successful_entries > 1:
                plan = self._plan_after_entry(pair, trade, plans.of(trade))
            else:
                plans.forget(trade)
                plan = plans.confirmed(pair, is_short=trade.is_short)  # none after a restart since the order
                plan = plan or self.plan_entry(pair, trade.open_rate, trade.trade_direction)
            if plan is not None:
                plans.keep(trade, plan)

    def _plan_after_entry(self, pair: str, trade: Any, old: Plan | None) -> Plan | None:
        """Return the plan after another entry, before which Freqtrade asks no callback.

        The stop never moves away. Where own liquidation would come before it, it moves as near to the mean
        entry as it was to the first, in proportion: at that distance the leverage was right.
        """
        fresh = self.plan_entry(pair, trade.open_rate, trade.trade_direction)
        if old is None:
            return fresh and fresh.stopped_at(trade.stop_loss)
        plan = old.after_entry(trade.open_rate, fresh)
        position = self._position(pair, plan, trade.amount * plan.entry_price)
        if stop_comes_first(**position, leverage=trade.leverage):
            return plan
        return plan.stopped_at(plan.entry_price * old.stop / old.entry_price)

    def plan_of(self, trade: Any) -> Plan | None:
        """Return the trade's plan; None if it has none."""
        return self._cluster_plans.of(trade)

    # Exit.

    def custom_stoploss(
        self,
        pair: str,
        trade: Any,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        after_fill: bool,  # Freqtrade asks after fills only where it finds this name
        **kw: Any,
    ) -> float | None:
        """Return the distance to the stop of the plan in force."""
        plan = self.plan_of(trade)
        if plan is None:
            return None
        return stop_ratio(plan.current_stop, current_rate, is_short=trade.is_short, leverage=trade.leverage)

    def adjust_trade_position(
        self,
        trade: Any,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        min_stake: float | None,
        max_stake: float,
        current_entry_rate: float,
        current_exit_rate: float,  # at which Freqtrade would sell; `current_rate` is that of an entry
        *args: Any,
        **kw: Any,
    ) -> tuple[float, str] | None:
        """Follow the clusters with stop and targets, and sell a share at the first target.

        After another entry, what is held beyond the risk is sold before that.
        """
        plan = self.plan_of(trade)
        if plan is None:
            return None
        with self._reporting(trade.pair, "stop and targets could not follow the clusters"):
            plan = self._followed(trade, plan, current_exit_rate)
        with self._reporting(trade.pair, "what is held beyond the risk is not known"):
            if (excess := self._excess(trade, plan, min_stake)) > 0:
                return -excess, TAG
        sold = trade.stake_amount * self.first_share
        if not sold > 0 or not plan.reached_first(current_exit_rate) or has_sold(trade):
            return None
        return -sold, "near_edge"

    def _excess(self, trade: Any, plan: Plan, min_stake: float | None) -> float:
        """Return the stake of what is held beyond the risk once more than one entry has been filled."""
        if trade.nr_of_successful_entries <= 1:
            return 0.0
        if self.sized_by == "stop":
            limit = risk_amount(**self._risked(plan), is_short=plan.is_short)
        else:
            limit = self._notional(plan, self.cluster_feed.last_row(trade.pair)) / plan.entry_price
        return excess_of(trade, limit, min_stake)

    def _followed(self, trade: Any, plan: Plan, rate: float) -> Plan:
        """Return the plan after the last closed candle, and keep it with the trade if it changed.

        On a row that is not sound it stands: a row without columns is none without clusters.
        """
        row = self.cluster_feed.last_row(trade.pair) if self.stops_tighten or self.targets_move else None
        if row is None or not self.cluster_feed.is_sound(row):
            return plan
        at: dict[str, Any] = {"price": rate, "average_true_range": float(row["atr"]), "rule": self.plan_rule}
        moved = plan.tightened(row, **at) if self.stops_tighten else plan
        moved = moved.retargeted(row, **at) if self.targets_move else moved
        if moved is not plan and moved.to_dict() != plan.to_dict():
            self._cluster_plans.keep(trade, moved)
        return moved

    def custom_exit(
        self, pair: str, trade: Any, current_time: datetime, current_rate: float, *args: Any, **kw: Any
    ) -> str | None:
        """Leave at the second target, before dear funding, or after `longest_hours`."""
        plan = self.plan_of(trade)
        if plan is None:
            return "no_plan"
        if plan.reached_second(current_rate):
            return "peak"
        with self._reporting(pair, "funding is not known"):
            if self._funding_is_near(pair, trade, current_time):
                return "funding"
        held = (current_time - trade.open_date_utc).total_seconds() / 3600
        return "time" if held >= self.longest_hours else None

    def _funding_is_near(self, pair: str, trade: Any, current_time: datetime) -> bool:
        """Return whether the trade would soon have to pay dear funding."""
        if hours_to_funding(current_time, every=1.0) > self.funding_lead:
            return False  # payments fall due at whole hours
        row = self.cluster_feed.last_row(pair)
        if row is None:
            return False
        known = row.get("funding_hours", math.nan)
        hours = hours_to_funding(current_time, every=known if known > 0 else self.funding_hours)
        adverse = funding_is_adverse(row["funding"], is_short=trade.is_short, least=self.dearest_funding)
        return adverse and hours <= self.funding_lead
