"""Where Freqtrade takes the stop to be, from whichever price it looks."""

import pytest

pytest.importorskip("freqtrade")


from driving import NOW, TICK, assert_stop_of_plan, enter, leave, leverages, look, mirrored, sides


@sides
@leverages
@pytest.mark.parametrize("first", [97.0, 99.0, 100.0, 101.5, 104.0])
def test_the_stop_is_that_of_the_plan_from_whichever_price_one_looks(strategy, side, leverage, first):
    first = mirrored(first, side)
    trade = enter(strategy, side, leverage=leverage, seen=first)
    look(strategy, trade, first)
    assert_stop_of_plan(strategy, trade)


@sides
@leverages
def test_the_stop_stands_still_while_price_moves(strategy, side, leverage):
    trade = enter(strategy, side, leverage=leverage)
    stop = look(strategy, trade, 100.0)
    for price in (101.0, 103.9, 98.0, 97.0, 100.0, 102.0):
        assert look(strategy, trade, mirrored(price, side)) == stop


@sides
@leverages
@pytest.mark.parametrize("live", [False, True], ids=["backtest", "live"])
def test_the_stop_stands_still_when_a_part_is_sold(strategy, side, leverage, live):
    """Freqtrade applies the last distance again, to the price of the entry, whenever an order fills."""
    seen = mirrored(99.0, side) if live else 100.0
    trade = enter(strategy, side, leverage=leverage, seen=seen)
    look(strategy, trade, seen)
    leave(strategy, trade, 5.0, mirrored(102.0, side), live=live)
    look(strategy, trade, mirrored(102.0, side))
    assert_stop_of_plan(strategy, trade)


@sides
@leverages
def test_the_stop_is_the_same_over_the_range_of_a_candle(strategy, side, leverage):
    trade = enter(strategy, side, leverage=leverage)
    look(strategy, trade, 100.0, low=98.2, high=101.8)
    assert_stop_of_plan(strategy, trade)


@sides
def test_freqtrade_leaves_the_trade_at_the_stop_of_the_plan(strategy, side):
    trade = enter(strategy, side)
    look(strategy, trade, 100.0)
    stop, worse = strategy.plan_of(trade).stop, -2 * TICK if side == "long" else 2 * TICK
    assert exits(strategy, trade, stop - worse) == set()
    (reason,) = exits(strategy, trade, stop + worse)
    assert reason in {"stop_loss", "trailing_stop_loss"}


def exits(strategy, trade, rate):
    """Reasons for which Freqtrade would leave the trade now."""
    found = strategy.should_exit(trade, rate, NOW, enter=False, exit_=False)
    return {reason.exit_type.value for reason in found}


@sides
@leverages
def test_a_trade_whose_stop_was_passed_before_the_first_look_is_left(strategy, side, leverage):
    """As where price falls between the fill and the next turn of a live bot, or while that is down."""
    stop, worse = mirrored(97 - 0.35 * 0.4, side), -0.5 if side == "long" else 0.5
    trade = enter(strategy, side, leverage=leverage, seen=stop + worse)
    assert exits(strategy, trade, stop + worse) != set()
