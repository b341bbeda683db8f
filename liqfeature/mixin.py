"""Stops beyond clusters and targets at them for any Freqtrade strategy: inherit from `around_clusters`."""

from datetime import datetime
from types import new_class
from typing import Any

from liqfeature.feed import ClusterFeed
from liqfeature.funding import funding_is_adverse, hours_to_funding
from liqfeature.health import is_sound
from liqfeature.plan import Plan, PlanRule
from liqfeature.risk import leverage_for_stop, risk_notional, risk_stake
from liqfeature.sizing import cautious, stop_ratio
from liqfeature.tiers import tiers_for


class ClusterTrades(ClusterFeed):
    """Freqtrade's callbacks for trades that are stopped out beyond clusters and sold into them.

    The plan of a trade (stop and targets) is kept in its custom data under the one key "plan", so that it
    outlives a restart. Class attributes are the settings. Inherit from `around_clusters(IStrategy)`.
    """

    use_custom_stoploss = True
    position_adjustment_enable = True
    stoploss = -0.25
    """Of margin, should a plan's stop ever be missing."""

    plan_rule = PlanRule()
    risk_per_trade = 0.005
    """Share of equity lost at the stop where no cascade is to be feared."""
    order_cost = 0.001
    """Of the notional of either order, slippage included."""
    liquidation_fee_rate = 0.0125
    """Of notional, charged for a liquidation, where the exchange does not say; see `fee_of_liquidation`."""
    first_share = 0.5
    """Of the position, sold at the first target."""
    stops_tighten = True
    """Whether the stop follows to the far side of newer clusters that lie nearer to price."""
    targets_move = True
    """Whether targets are set anew once their cluster is gone."""
    longest_hours = 24.0
    """After which a trade is left wherever it stands."""
    funding_hours = 8.0
    """From one funding payment to the next."""
    funding_lead = 0.25
    """Hours before a payment from which a trade that would pay dearly is left."""
    dearest_funding = 0.0005
    """Of notional: a payment from which it is dear."""

    wallets: Any

    def prepare(self, config: dict[str, Any]) -> None:
        """Set what depends on the configuration; called once, after the strategy's own `__init__`.

        `parameters` in the configuration, by space and name, stand in for the defaults of hyperopt's
        parameters: what a search found is promoted by hand into a file of `configs/`.
        """
        for space, values in config.get("parameters", {}).items():
            setattr(self, f"{space}_params", values)
        self.prepare_feed(config)
        self.confirmed: dict[str, Plan] = {}  # by pair, until the entry is filled
        self.plans: dict[int, Plan] = {}  # by trade

    # Entry: the plan decides leverage and stake.

    def planned(self, pair: str, rate: float, side: str) -> Plan | None:
        """Plan an entry from the last closed candle; None where it has no acceptable stop."""
        row = self.last_row(pair)
        if row is None:
            return None
        prices = {"entry_price": rate, "average_true_range": row["atr"]}
        return Plan.for_entry(row, is_short=side == "short", rule=self.plan_rule, **prices)

    def risked(self, plan: Plan) -> dict[str, float]:
        """Return what `risk_notional` and `risk_stake` want to know."""
        equity = self.wallets.get_total_stake_amount()
        prices = {"entry_price": plan.entry_price, "stop_price": plan.stop}
        return {"equity": equity, "risk": self.risk_per_trade, "fee": self.order_cost, **prices}

    def fee_of_liquidation(self, pair: str) -> float:
        """Return the share of notional that a liquidation costs, by which own liquidation is kept farther.

        Freqtrade and ccxt reckon without it. Binance names it for each pair, as `liquidationFee` of
        `exchangeInfo`: 1.25 % for BTC/USDT when it was recorded, 1 % in the example of its documentation.
        """
        market = self.dp.market(pair) or {}
        return float(market.get("info", {}).get("liquidationFee", self.liquidation_fee_rate))

    def leverage(
        self, pair: str, current_time: datetime, current_rate: float, *args: Any, **kw: Any
    ) -> float:
        """Return the highest leverage whose own liquidation lies well beyond the stop."""
        plan = self.planned(pair, current_rate, kw["side"])
        if plan is None:
            return 1.0
        allowed = leverage_for_stop(
            plan.stop,
            entry_price=plan.entry_price,
            is_short=plan.is_short,
            tiers=tiers_for(pair, self.venue),
            notional=risk_notional(**self.risked(plan)),
            liquidation_fee_rate=self.fee_of_liquidation(pair),
        )
        return max(1.0, min(allowed, float(kw["max_leverage"])))  # 1.0 first: NaN loses every comparison

    def custom_stake_amount(self, pair: str, current_time: datetime, current_rate: float, **kw: Any) -> float:
        """Return the margin with which the stop loses the risk, less where a cascade threatens.

        0, which is no trade, without a plan, without columns or where they are not sound.
        """
        plan = self.planned(pair, current_rate, kw["side"])
        if plan is None or not self.is_sound(pair):
            return 0.0
        cascade = self.last_row(pair)["liq_cascade_above" if plan.is_short else "liq_cascade_below"]
        stake = cautious(risk_stake(**self.risked(plan), leverage=kw["leverage"]), float(cascade))
        return max(0.0, min(stake, float(kw["max_stake"])))

    def confirm_trade_entry(self, pair: str, order_type: str, amount: float, rate: float, **kw: Any) -> bool:
        """Fix the plan at the rate of the order; refuse one without a plan, on late candles or bad data."""
        plan = self.planned(pair, rate, kw["side"])
        if plan is None or self.is_late(pair, kw["current_time"]) or not self.is_sound(pair):
            return False
        self.confirmed[pair] = plan
        return True

    # The plan, kept with the trade.

    def order_filled(self, pair: str, trade: Any, order: Any, current_time: datetime, **kw: Any) -> None:
        """Give a new trade its plan, and forget that of an ended one."""
        if order.ft_order_side == trade.entry_side:
            self.plans.pop(trade.id, None)  # an earlier run may have had a trade of this number
            plan = self.confirmed.pop(pair, None)  # none after a restart between order and fill
            if plan := plan or self.planned(pair, trade.open_rate, trade.trade_direction):
                self.keep(trade, plan)
        elif not trade.is_open:
            self.plans.pop(trade.id, None)

    def keep(self, trade: Any, plan: Plan) -> None:
        """Make this the plan of the trade."""
        self.plans[trade.id] = plan
        trade.set_custom_data("plan", plan.to_dict())

    def plan_of(self, trade: Any) -> Plan | None:
        """Return the trade's plan; reading custom data is slow, so only once after a restart."""
        if trade.id not in self.plans and (stored := trade.get_custom_data("plan")):
            self.plans[trade.id] = Plan.from_dict(stored)
        return self.plans.get(trade.id)

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
        self, trade: Any, current_time: datetime, current_rate: float, *args: Any, **kw: Any
    ) -> tuple[float, str] | None:
        """Follow the clusters with stop and targets, and sell a share at the first target."""
        plan = self.plan_of(trade)
        if plan is None:
            return None
        plan = self.followed(trade, plan, current_rate)
        if trade.nr_of_successful_exits or not plan.reached_first(current_rate):
            return None
        return -trade.stake_amount * self.first_share, "near_edge"

    def followed(self, trade: Any, plan: Plan, rate: float) -> Plan:
        """Return the plan after the last closed candle, and keep it with the trade if it changed.

        On a row that is not sound it stands: a row without columns is none without clusters.
        """
        row = self.last_row(trade.pair) if self.stops_tighten or self.targets_move else None
        if row is None or not is_sound(row, self.blocking()):
            return plan
        at: dict[str, Any] = {"price": rate, "average_true_range": float(row["atr"]), "rule": self.plan_rule}
        moved = plan.tightened(row, **at) if self.stops_tighten else plan
        moved = moved.retargeted(row, **at) if self.targets_move else moved
        if moved is not plan and moved.to_dict() != plan.to_dict():
            self.keep(trade, moved)
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
        if self.funding_is_near(pair, trade, current_time):
            return "funding"
        held = (current_time - trade.open_date_utc).total_seconds() / 3600
        return "time" if held >= self.longest_hours else None

    def funding_is_near(self, pair: str, trade: Any, current_time: datetime) -> bool:
        """Return whether the trade would soon have to pay dear funding."""
        if hours_to_funding(current_time, self.funding_hours) > self.funding_lead:
            return False
        row = self.last_row(pair)
        if row is None:
            return False
        return funding_is_adverse(row["funding"], is_short=trade.is_short, least=self.dearest_funding)


def around_clusters(strategy: type[Any]) -> type[Any]:
    """Return a base class whose trades are stopped out beyond clusters and sold into them.

    Parameters
    ----------
    strategy : type
        Freqtrade's `IStrategy`, or a strategy of your own that inherits from it.

    Returns
    -------
    type
        `strategy` with the callbacks of `ClusterTrades`. Add `cluster_columns` in `populate_indicators`; keep
        your own entries and exits.

    Notes
    -----
    Freqtrade's hyperopt ships a strategy's bases to its workers by value, up to `IStrategy`. A mixin beside
    it leads that on to `object` and the whole of Python, which ends in a RecursionError.
    """

    def __init__(self: Any, config: dict[str, Any]) -> None:  # noqa: N807
        strategy.__init__(self, config)
        self.prepare(config)

    both = {**vars(ClusterFeed), **vars(ClusterTrades)}
    members = {name: value for name, value in both.items() if name not in _OF_ITS_OWN}
    members |= {"__init__": __init__}
    return new_class("ClusterTrades", (strategy,), exec_body=lambda body: body.update(members))


_OF_ITS_OWN = ("__dict__", "__weakref__", "__annotations__")
