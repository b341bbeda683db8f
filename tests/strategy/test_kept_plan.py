"""The plan of a trade, kept in its custom data."""

import json
import math
from datetime import timedelta

import pytest

pytest.importorskip("freqtrade")

from freqtrade.persistence import CustomDataWrapper

from builders.driving import (
    NOW,
    PAIR,
    adjustment,
    ask,
    enter,
    fill_entry,
    leave,
    look,
    mirrored,
    open_trade,
    sides,
    wants_out,
)
from liqfeature.strategy.plan import Plan


@sides
def test_a_filled_entry_writes_one_plan_of_plain_values(strategy, side):
    trade = enter(strategy, side)
    (entry,) = trade.get_all_custom_data()
    assert entry.cd_key == "plan"
    assert {type(value) for value in entry.value.values()} == {str, int, float}
    assert entry.value["version"] == 1
    plan = Plan.from_dict(json.loads(entry.cd_value))
    assert (plan.side, plan.entry_price) == (side, 100.0)
    # A third of a range beyond the far edge, a tenth before the near edge, and the peak.
    expected = [mirrored(price, side) for price in (97 - 0.35 * 0.4, 102 - 0.1 * 0.4, 102.5)]
    assert [plan.stop, plan.first_target, plan.second_target] == pytest.approx(expected)


@sides
def test_a_plan_stands_while_a_candle_lasts(strategy, bot, side):
    trade = enter(strategy, side)
    stop = look(strategy, trade, 100.0)
    bot.show(liq_far_below=99.0, liq_far_above=101.0, liq_near_above=100.5, liq_near_below=99.5, atr=0.1)
    assert look(strategy, trade, mirrored(100.2, side)) == stop
    assert adjustment(strategy, trade, mirrored(101.0, side))[0] is None


@sides
def test_the_plan_is_the_one_that_leverage_and_stake_were_chosen_for(bot, strategy, side):
    """A new candle may close between the order and its fill."""
    assert ask(strategy, "confirm_trade_entry", side)
    trade = open_trade(strategy, side)
    bot.show(atr=0.1, liq_far_below=99.0, liq_far_above=101.0)
    fill_entry(strategy, trade, 10.0, 100.0)
    assert strategy.plan_of(trade).stop == pytest.approx(mirrored(97 - 0.35 * 0.4, side))


@sides
def test_an_entry_filled_after_a_restart_is_planned_from_the_price_of_the_fill(bot, side):
    first, second = bot.strategy(), bot.strategy()
    ask(first, "confirm_trade_entry", side)
    trade = open_trade(first, side, rate=mirrored(100.7, side))
    fill_entry(second, trade, 10.0, mirrored(100.7, side))
    plan = second.plan_of(trade)
    assert (plan.side, plan.entry_price) == (side, pytest.approx(mirrored(100.7, side)))


def test_a_confirmation_serves_one_trade_of_its_own_pair(bot, strategy):
    assert ask(strategy, "confirm_trade_entry", "long", pair="ETH/USDT:USDT") is False
    enter(strategy, "long", number=1)
    bot.show(liq_far_below=98.0)
    trade = open_trade(strategy, "long", number=2)
    fill_entry(strategy, trade, 10.0, 100.0)
    assert strategy.plan_of(trade).stop == pytest.approx(98 - 0.35 * 0.4)


@sides
def test_a_confirmation_of_the_other_side_serves_no_trade(strategy, side):
    """As of an order that was cancelled before another entry was forced."""
    assert ask(strategy, "confirm_trade_entry", "long" if side == "short" else "short")
    trade = open_trade(strategy, side)
    fill_entry(strategy, trade, 10.0, 100.0)
    assert strategy.plan_of(trade).side == side


@sides
@pytest.mark.parametrize("live", [False, True], ids=["backtest", "live"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_partial_exit_keeps_the_plan(strategy, reads, side, live, share):
    trade = enter(strategy, side)
    plan = strategy.plan_of(trade)
    leave(strategy, trade, 10.0 * share, mirrored(102.0, side), live=live)
    assert trade.is_open
    assert strategy.plan_of(trade) == plan
    assert live or reads == []  # a backtest pays dearly for each


def test_the_last_exit_forgets_the_plan(strategy, reads):
    trade = enter(strategy, "long")
    leave(strategy, trade, 4.0, 102.0, live=True)
    assert strategy.plan_of(trade)
    assert reads == []
    leave(strategy, trade, trade.amount, 102.5, live=True)
    assert not trade.is_open
    assert strategy.plan_of(trade)
    assert reads == ["plan"]  # from custom data: nothing is left in memory


def test_a_trade_inherits_no_plan_of_an_earlier_run_that_had_its_number(bot, strategy):
    leave(strategy, enter(strategy, "long"), 10.0, 102.5)
    CustomDataWrapper.reset_custom_data()
    bot.show(atr=math.nan)
    assert strategy.plan_of(enter(strategy, "long")) is None


def test_a_trade_that_ends_takes_no_other_plan_with_it(strategy, reads):
    first, second = enter(strategy, "long", number=1), enter(strategy, "short", number=2)
    leave(strategy, first, 10.0, 102.5)
    assert strategy.plan_of(second).side == "short"
    assert reads == []


@sides
def test_custom_data_is_read_once_after_a_restart_and_never_before(bot, reads, side):
    first = bot.strategy()
    trade = enter(first, side)
    for rate in (100.0, 100.5):
        look(first, trade, rate)
        adjustment(first, trade, rate)
        wants_out(first, trade, rate)
    assert reads == []
    stop = trade.stop_loss
    second = bot.strategy()
    bot.show(atr=0.1, liq_far_below=97.5, liq_far_above=102.5)
    trade.stop_loss = mirrored(95.0, side)
    for rate in (100.0, 100.5):
        assert look(second, trade, rate) == stop
        adjustment(second, trade, rate)
        wants_out(second, trade, rate)
    assert reads == ["plan"]
    assert second.plan_of(trade) == first.plan_of(trade)


@sides
def test_a_trade_without_a_plan_is_left_at_once(bot, strategy, side):
    bot.show(atr=math.nan)
    trade = enter(strategy, side)
    assert trade.get_all_custom_data() == []
    assert wants_out(strategy, trade, 100.0) == "no_plan"
    assert strategy.custom_stoploss(PAIR, trade, NOW, 100.0, 0.0, after_fill=False) is None
    assert adjustment(strategy, trade, mirrored(110.0, side))[0] is None
    assert look(strategy, trade, 100.0) == pytest.approx(mirrored(100 * (1 + strategy.stoploss / 5), side))


@sides
def test_a_fill_out_of_reach_of_a_stop_is_left_at_once(bot, side):
    """Price ran 5 % while the bot was down: the stop would be farther away than an entry accepts."""
    strategy, rate = bot.strategy(), mirrored(105.0, side)
    trade = open_trade(strategy, side, rate=rate)
    fill_entry(strategy, trade, 10.0, rate)
    assert wants_out(strategy, trade, rate) == "no_plan"


@sides
@pytest.mark.parametrize(("minutes", "accepted"), [(5, True), (9.99, True), (10, False), (14, False)])
def test_nothing_is_entered_on_a_candle_that_another_has_followed(strategy, side, minutes, accepted):
    now = NOW + timedelta(minutes=minutes)
    assert ask(strategy, "confirm_trade_entry", side, current_time=now) is accepted
