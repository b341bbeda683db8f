"""Targets, funding and time."""

import math
from datetime import timedelta

import pytest

pytest.importorskip("freqtrade")


from builders.driving import (
    MARKET,
    NOW,
    PAIR,
    adjustment,
    enter,
    leave,
    leverages,
    mirrored,
    sides,
    wants_out,
)


@sides
@leverages
@pytest.mark.parametrize("live", [False, True], ids=["backtest", "live"])
def test_the_first_target_sells_a_share_once(strategy, side, leverage, live):
    trade = enter(strategy, side, leverage=leverage)
    first = strategy.plan_of(trade).first_target
    assert adjustment(strategy, trade, first + (-0.01 if side == "long" else 0.01))[0] is None
    stake, tag = adjustment(strategy, trade, first)
    assert stake == pytest.approx(-strategy.exit_first_share.value * trade.stake_amount)
    assert tag == "near_edge"
    leave(strategy, trade, trade.amount * -stake / trade.stake_amount, first, live=live)
    assert trade.amount == pytest.approx(10.0 * (1 - strategy.exit_first_share.value))
    for price in (first, mirrored(102.4, side), mirrored(110.0, side)):
        assert adjustment(strategy, trade, price)[0] is None


@sides
def test_targets_are_reached_by_the_price_at_which_freqtrade_would_sell(strategy, side):
    """A live bot is given the price of an entry beside it; both are equal in a backtest."""
    trade = enter(strategy, side)
    near, wide = mirrored(101.9, side), mirrored(102.3, side)
    assert adjustment(strategy, trade, near, entry_rate=wide)[0] is None
    assert adjustment(strategy, trade, wide, entry_rate=near)[1] == "near_edge"


@sides
def test_the_second_target_ends_the_trade(strategy, side):
    trade = enter(strategy, side)
    prices = [mirrored(price, side) for price in (100.0, 102.49, 102.5, 104.0)]
    assert [wants_out(strategy, trade, price) for price in prices] == [None, None, "peak", "peak"]


@sides
def test_either_target_may_be_missing(bot, strategy, side):
    bot.show(liq_peak_above=math.nan, liq_peak_below=math.nan)
    trade = enter(strategy, side, number=1)
    assert adjustment(strategy, trade, mirrored(102.0, side))[1] == "near_edge"
    assert wants_out(strategy, trade, mirrored(150.0, side)) is None
    bot.show(liq_near_above=math.nan, liq_near_below=math.nan)
    trade = enter(strategy, side, number=2)
    assert adjustment(strategy, trade, mirrored(150.0, side))[0] is None
    assert wants_out(strategy, trade, mirrored(102.5, side)) == "peak"


@sides
def test_targets_move_on_once_the_cluster_is_gone_and_the_stop_stays(bot, strategy, side):
    trade = enter(strategy, side)
    before = strategy.plan_of(trade)
    ahead = "above" if side == "long" else "below"
    bot.show(**{f"liq_near_{ahead}": mirrored(103.0, side), f"liq_peak_{ahead}": mirrored(103.5, side)})
    assert adjustment(strategy, trade, mirrored(101.0, side))[0] is None
    plan = strategy.plan_of(trade)
    assert (plan.stop, plan.entry_price) == (before.stop, before.entry_price)
    assert plan.first_target == pytest.approx(mirrored(103 - 0.1 * 0.4, side))
    assert plan.second_target == pytest.approx(mirrored(103.5, side))
    assert bot.strategy().plan_of(trade) == plan
    assert len(trade.get_all_custom_data()) == 1
    assert wants_out(strategy, trade, mirrored(102.5, side)) is None


@sides
def test_a_target_that_price_has_reached_is_taken_although_its_cluster_is_swept(bot, strategy, side):
    trade = enter(strategy, side)
    ahead = "above" if side == "long" else "below"
    bot.show(**{f"liq_near_{ahead}": mirrored(103.0, side), f"liq_peak_{ahead}": mirrored(103.5, side)})
    assert adjustment(strategy, trade, mirrored(102.5, side))[1] == "near_edge"
    assert wants_out(strategy, trade, mirrored(102.5, side)) == "peak"


@pytest.mark.parametrize(
    ("side", "rate", "minutes", "reason"),
    [
        ("long", 0.001, 10, "funding"),
        ("long", 0.001, 20, None),
        ("long", 0.001, 470, None),
        ("long", 0.0004, 10, None),
        ("long", -0.001, 10, None),
        ("long", math.nan, 10, None),
        ("short", -0.001, 10, "funding"),
        ("short", 0.001, 10, None),
    ],
)
def test_a_trade_is_left_before_it_would_pay_dear_funding(bot, strategy, side, rate, minutes, reason):
    trade = enter(strategy, side)
    bot.show(funding=rate)
    due = NOW + timedelta(hours=16)
    now = due - timedelta(minutes=minutes)
    assert strategy.custom_exit(PAIR, trade, now, 100.0, 0.0) == reason


@pytest.mark.parametrize(
    ("every", "due"), [(1.0, range(1, 24)), (4.0, range(4, 24, 4)), (8.0, (8, 16)), (math.nan, (8, 16))]
)
def test_a_trade_is_left_before_each_payment_of_a_market(bot, strategy, every, due):
    trade = enter(strategy, "long")
    bot.show(funding=0.01, funding_hours=every)
    asked = [NOW + timedelta(hours=hour, minutes=-10) for hour in range(1, 24)]
    left = [strategy.custom_exit(PAIR, trade, now, 100.0, 0.0) == "funding" for now in asked]
    assert [hour for hour, is_left in enumerate(left, 1) if is_left] == list(due)


@sides
def test_a_trade_that_lasts_too_long_is_left(strategy, side):
    trade = enter(strategy, side)
    hours = strategy.exit_hours.value
    for late, reason in ((-0.1, None), (0.0, "time"), (5.0, "time")):
        now = NOW + timedelta(hours=hours + late)
        assert strategy.custom_exit(PAIR, trade, now, 100.0, 0.0) == reason


@sides
def test_targets_stand_where_a_strategy_wants_them_to(bot, strategy, side):
    strategy.targets_move = False
    trade = enter(strategy, side)
    before = strategy.plan_of(trade)
    bot.show(liq_near_above=math.nan, liq_near_below=math.nan)
    assert adjustment(strategy, trade, 100.0)[0] is None
    assert strategy.plan_of(trade) == before
    strategy.targets_move = True
    assert adjustment(strategy, trade, 100.0)[0] is None
    assert strategy.plan_of(trade) != before


@sides
@pytest.mark.parametrize("health", [1.0, 2.0, 4.0, math.nan])
def test_a_plan_stands_while_nothing_is_known(bot, strategy, side, health):
    """Columns are NaN without clusters too; then, and only then, the targets are gone."""
    trade = enter(strategy, side)
    before = strategy.plan_of(trade)
    nothing = {name: math.nan for name in MARKET if name.startswith("liq_")}
    bot.show(**nothing | {"liq_health": health})
    assert adjustment(strategy, trade, 100.0)[0] is None
    assert strategy.plan_of(trade) is before
    assert wants_out(strategy, trade, mirrored(102.5, side)) == "peak"
    assert adjustment(strategy, trade, mirrored(102.0, side))[1] == "near_edge"
    bot.show(**nothing | {"liq_health": 0.0})
    adjustment(strategy, trade, 100.0)
    assert wants_out(strategy, trade, mirrored(102.5, side)) is None
    assert strategy.plan_of(trade).stop == before.stop


@sides
def test_after_a_restart_a_trade_goes_on_where_it_was(bot, strategy, side):
    """A part was sold: the second strategy sells none again, waits for the peak, and knows the time."""
    trade = enter(strategy, side)
    leave(strategy, trade, 5.0, mirrored(102.0, side), live=True)
    restarted = bot.strategy()
    assert adjustment(restarted, trade, mirrored(102.1, side))[0] is None
    assert wants_out(restarted, trade, mirrored(102.1, side)) is None
    assert wants_out(restarted, trade, mirrored(102.5, side)) == "peak"
    late = NOW + timedelta(hours=restarted.longest_hours)
    assert restarted.custom_exit(PAIR, trade, late, mirrored(102.1, side), 0.0) == "time"
