"""Another filled entry: by /forceenter of Freqtrade's REST API, or of a strategy that adds to its trades.

Freqtrade asks no callback before it, and lets the stop move either way after it.
"""

import math
from dataclasses import replace

import pytest

pytest.importorskip("freqtrade")

from builders.driving import (
    FAR,
    PAIR,
    TICK,
    WALLET,
    adjustment,
    ask,
    enter,
    fill_entry,
    leave,
    look,
    mirrored,
    sides,
    wants_out,
)

seen_from = pytest.mark.parametrize(
    "seen", [None, 100.5, 101.3, 99.4], ids=["backtest", "100.5", "101.3", "99.4"]
)


def show_behind(bot, side, near, far):
    """Make a cluster behind the position the nearest one; prices of a long."""
    where = "below" if side == "long" else "above"
    bot.show(**{f"liq_near_{where}": mirrored(near, side), f"liq_far_{where}": mirrored(far, side)})


def risk_of(strategy, trade):
    """Loss at the stop in force as a share of the wallet, costs of both orders included."""
    plan = strategy.plan_of(trade)
    sign = -1 if trade.is_short else 1
    loss = sign * (trade.open_rate - plan.current_stop) * trade.amount
    return (loss + strategy.order_cost * trade.amount * (trade.open_rate + plan.current_stop)) / WALLET


@sides
@seen_from
def test_a_stop_that_followed_does_not_move_away(bot, strategy, side, seen):
    trade = enter(strategy, side)
    show_behind(bot, side, 99.0, 98.5)
    adjustment(strategy, trade, mirrored(100.5, side))
    tight = look(strategy, trade, mirrored(100.5, side))
    assert tight == pytest.approx(mirrored(98.36, side))
    show_behind(bot, side, 97.5, 96.6)
    price = mirrored(100.5, side)
    fill_entry(strategy, trade, 5.0, price, seen=seen and mirrored(seen, side))
    assert trade.stop_loss == pytest.approx(tight, abs=1e-9)
    assert look(strategy, trade, price) == pytest.approx(tight, abs=1e-9)
    assert bot.strategy().plan_of(trade).to_dict() == strategy.plan_of(trade).to_dict()


@sides
@seen_from
def test_a_nearer_stop_is_taken_and_the_targets_are_those_of_the_new_price(bot, strategy, side, seen):
    trade = enter(strategy, side)
    ahead = "above" if side == "long" else "below"
    show_behind(bot, side, 99.0, 98.5)
    bot.show(
        **{
            f"liq_far_{'below' if side == 'long' else 'above'}": mirrored(98.5, side),
            f"liq_near_{ahead}": mirrored(103.0, side),
            f"liq_peak_{ahead}": mirrored(103.5, side),
        }
    )
    fill_entry(strategy, trade, 10.0, mirrored(101.0, side), seen=seen and mirrored(seen, side))
    plan = strategy.plan_of(trade)
    assert plan.entry_price == pytest.approx(mirrored(100.5, side)) == pytest.approx(trade.open_rate)
    assert plan.current_stop == pytest.approx(mirrored(98.5 - 0.35 * 0.4, side))
    assert plan.first_target == pytest.approx(mirrored(103 - 0.1 * 0.4, side))
    assert plan.second_target == pytest.approx(mirrored(103.5, side))
    assert trade.stop_loss == pytest.approx(mirrored(98.36, side), abs=TICK)


@sides
def test_the_stop_stands_where_the_new_price_has_no_acceptable_one(bot, strategy, side):
    trade = enter(strategy, side)
    before = strategy.plan_of(trade)
    bot.show(atr=math.nan)
    fill_entry(strategy, trade, 10.0, mirrored(101.0, side))
    plan = strategy.plan_of(trade)
    assert plan.current_stop == before.stop
    assert (plan.first_target, plan.second_target) == (before.first_target, before.second_target)
    assert plan.entry_price == pytest.approx(mirrored(100.5, side))


@sides
def test_the_stop_stands_where_the_plan_cannot_be_adapted(bot, strategy, side, monkeypatch, caplog):
    trade = enter(strategy, side)
    before = strategy.plan_of(trade)
    monkeypatch.setitem(bot.exchange._markets, PAIR, {"info": {"liquidationFee": "unknown"}})
    fill_entry(strategy, trade, 10.0, mirrored(101.0, side))
    assert strategy.plan_of(trade) is before
    assert trade.stop_loss == pytest.approx(before.stop, abs=TICK)
    (record,) = [record for record in caplog.records if record.name.startswith("liqfeature")]
    assert "its plan could not follow an order that was filled: ValueError" in record.getMessage()


@sides
@pytest.mark.parametrize("live", [False, True], ids=["backtest", "live"])
@pytest.mark.parametrize("added", [1.0, 7.0, 100.0])
def test_what_is_held_beyond_the_risk_is_sold(bot, strategy, side, live, added):
    stake = ask(strategy, "custom_stake_amount", side, leverage=5.0)
    trade = enter(strategy, side, amount=stake * 5.0 / 100)
    assert adjustment(strategy, trade, 100.0)[0] is None
    assert risk_of(strategy, trade) == pytest.approx(strategy.risk_per_trade, rel=1e-3)
    fill_entry(strategy, trade, added, 100.0, seen=100.0 if live else None)
    assert risk_of(strategy, trade) > strategy.risk_per_trade
    sold, tag = adjustment(strategy, trade, 100.0)
    assert tag == "risk"
    leave(strategy, trade, sold_amount(trade, sold), 100.0, live=live, tag=tag)
    step = trade.amount_precision * 100 * 0.06 / WALLET
    assert strategy.risk_per_trade - step <= risk_of(strategy, trade) <= strategy.risk_per_trade
    assert adjustment(strategy, trade, 100.0)[0] is None
    assert adjustment(bot.strategy(), trade, 100.0)[0] is None  # after a restart


@sides
def test_the_risk_is_that_of_the_stop_in_force(bot, strategy, side):
    trade = enter(strategy, side)
    show_behind(bot, side, 99.0, 98.5)
    adjustment(strategy, trade, 100.0)
    show_behind(bot, side, 97.5, 96.6)
    fill_entry(strategy, trade, 30.0, 100.0)
    sold, tag = adjustment(strategy, trade, 100.0)
    leave(strategy, trade, sold_amount(trade, sold), 100.0, tag=tag)
    assert strategy.plan_of(trade).current_stop == pytest.approx(mirrored(98.36, side))
    assert 0.99 * strategy.risk_per_trade < risk_of(strategy, trade) <= strategy.risk_per_trade


def sold_amount(trade, stake):
    """Return what Freqtrade sells for a stake: whole steps."""
    return (
        math.floor(-stake * trade.amount / trade.stake_amount / trade.amount_precision)
        * trade.amount_precision
    )


@sides
def test_the_first_target_is_still_sold_after_that(strategy, side):
    trade = enter(strategy, side, amount=30.0)
    fill_entry(strategy, trade, 30.0, 100.0)
    sold, tag = adjustment(strategy, trade, 100.0)
    leave(strategy, trade, sold_amount(trade, sold), 100.0, tag=tag)
    first = strategy.plan_of(trade).first_target
    sold, tag = adjustment(strategy, trade, first)
    assert (sold, tag) == (pytest.approx(-trade.stake_amount * strategy.first_share), "near_edge")
    leave(strategy, trade, sold_amount(trade, sold), first, tag=tag)
    assert adjustment(strategy, trade, first)[0] is None


@sides
def test_all_is_sold_where_the_rest_would_be_too_small_to_sell(strategy, side):
    trade = enter(strategy, side)
    fill_entry(strategy, trade, 300.0, 100.0)
    left = 0.005 * WALLET / 3.3 * 100 / 5
    assert adjustment(strategy, trade, 100.0, min_stake=left / 3)[0] > -trade.stake_amount
    assert adjustment(strategy, trade, 100.0, min_stake=left)[0] == -trade.stake_amount


@sides
def test_an_entry_that_keeps_within_the_risk_is_left_alone(strategy, side):
    trade = enter(strategy, side, amount=4.0)
    fill_entry(strategy, trade, 4.0, mirrored(100.5, side))
    assert risk_of(strategy, trade) < strategy.risk_per_trade
    assert adjustment(strategy, trade, mirrored(100.5, side))[0] is None


@sides
def test_a_stop_in_profit_limits_nothing(bot, strategy, side):
    trade = enter(strategy, side)
    show_behind(bot, side, 101.5, 101.0)
    adjustment(strategy, trade, mirrored(101.9, side))
    fill_entry(strategy, trade, 1.0, mirrored(101.9, side), seen=mirrored(101.9, side))
    plan = strategy.plan_of(trade)
    assert plan.current_stop == pytest.approx(mirrored(100.86, side))
    assert adjustment(strategy, trade, mirrored(101.9, side))[0] is None


@sides
def test_own_liquidation_stays_beyond_the_stop(bot, strategy, side):
    """A trade that has run far is added to: its old stop lies beyond where it would be liquidated."""
    type(strategy).plan_rule = replace(strategy.plan_rule, max_distance=0.3)
    trade = enter(strategy, side, leverage=5.0)
    before = strategy.plan_of(trade)
    bot.show(atr=math.nan)  # no acceptable stop at the new price
    price = mirrored(150.0, side)
    fill_entry(strategy, trade, 30.0, price, seen=price)
    plan = strategy.plan_of(trade)
    assert abs(plan.current_stop / plan.entry_price - 1) == pytest.approx(abs(before.stop / 100 - 1))


@sides
def test_a_stop_whose_liquidation_lies_far_enough_stays_where_it_is(bot, strategy, side):
    trade = enter(strategy, side, leverage=5.0)
    before = strategy.plan_of(trade)
    bot.show(atr=math.nan)
    price = mirrored(104.0, side)
    fill_entry(strategy, trade, 10.0, price, seen=price)
    assert strategy.plan_of(trade).current_stop == before.stop


@sides
def test_a_lost_plan_is_made_anew_and_its_stop_is_no_farther_than_the_one_in_force(bot, strategy, side):
    trade = enter(strategy, side)
    show_behind(bot, side, 99.0, 98.5)
    adjustment(strategy, trade, mirrored(100.5, side))
    tight = look(strategy, trade, mirrored(100.5, side))
    trade.set_custom_data("plan", {"side": side})
    again = bot.strategy()
    assert wants_out(again, trade, 100.0) == "no_plan"
    show_behind(bot, side, 97.5, 96.6)
    fill_entry(again, trade, 1.0, mirrored(100.5, side), seen=mirrored(100.5, side))
    assert again.plan_of(trade).current_stop == pytest.approx(tight)
    assert trade.stop_loss == pytest.approx(tight, abs=1e-9)
    assert bot.strategy().plan_of(trade).to_dict() == again.plan_of(trade).to_dict()
    assert wants_out(again, trade, 100.0) is None


@sides
def test_a_leverage_of_ones_own_is_refused_where_liquidation_comes_before_the_stop(bot, strategy, side):
    """/forceenter takes a leverage, about which the strategy's `leverage` is not asked."""
    stakes = [ask(strategy, "custom_stake_amount", side, leverage=leverage) for leverage in (5.0, 15.0, 30.0)]
    assert stakes == pytest.approx([stakes[0], stakes[0] / 3, 0.0])
    assert stakes[0] > 0
    bot.show(**{FAR[side]: mirrored(99.5, side)})
    assert ask(strategy, "custom_stake_amount", side, leverage=30.0) > 0
