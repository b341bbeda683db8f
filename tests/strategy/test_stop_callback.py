"""Where Freqtrade takes the stop to be, from whichever price it looks."""

import math

import pytest

pytest.importorskip("freqtrade")

from freqtrade.persistence import LocalTrade

from builders.driving import (
    NOW,
    TICK,
    adjustment,
    assert_stop_of_plan,
    enter,
    leave,
    leverages,
    look,
    mirrored,
    sides,
)


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


# Tightening: a cluster at 101 to 100.5 forms behind a long that has run to 103.

NEWER = {"near": 101.0, "far": 100.5}
TIGHTER = 100.5 - 0.35 * 0.4


def newer_cluster(bot, side, edges=NEWER):
    """Make a newer cluster behind the position the nearest one of the last closed candle."""
    where = "below" if side == "long" else "above"
    bot.show(**{f"liq_{edge}_{where}": mirrored(price, side) for edge, price in edges.items()})


@sides
@leverages
@pytest.mark.parametrize("live", [False, True], ids=["backtest", "live"])
def test_the_stop_follows_to_the_far_side_of_a_newer_cluster(bot, strategy, side, leverage, live):
    trade = enter(strategy, side, leverage=leverage, seen=100.0 if live else None)
    at_entry = strategy.plan_of(trade).stop
    newer_cluster(bot, side)
    adjustment(strategy, trade, mirrored(103.0, side))
    low, high = sorted([mirrored(102.5, side), mirrored(103.5, side)])
    candle = {} if live else {"low": low, "high": high}
    stop = look(strategy, trade, mirrored(103.0, side), **candle)
    assert stop == pytest.approx(mirrored(TIGHTER, side), abs=TICK)
    assert strategy.plan_of(trade).stop == at_entry
    newer_cluster(bot, side, {"near": math.nan, "far": math.nan})
    adjustment(strategy, trade, mirrored(102.0, side))
    assert look(strategy, trade, mirrored(102.0, side)) == stop  # though it is gone again
    assert exits(strategy, trade, mirrored(TIGHTER - 0.05, side)) == {"trailing_stop_loss"}


@sides
@leverages
@pytest.mark.parametrize("live", [False, True], ids=["backtest", "live"])
def test_a_tightened_stop_survives_a_part_that_is_sold_and_a_restart(bot, strategy, side, leverage, live):
    trade = enter(strategy, side, leverage=leverage)
    newer_cluster(bot, side)
    adjustment(strategy, trade, mirrored(103.0, side))
    look(strategy, trade, mirrored(103.0, side))
    leave(strategy, trade, 5.0, mirrored(103.0, side), live=live)
    assert look(strategy, trade, mirrored(103.0, side)) == pytest.approx(mirrored(TIGHTER, side), abs=TICK)
    restarted = bot.strategy()
    assert restarted.plan_of(trade).to_dict() == strategy.plan_of(trade).to_dict()
    trade.stop_loss = mirrored(95.0, side)
    assert look(restarted, trade, mirrored(103.0, side)) == pytest.approx(mirrored(TIGHTER, side), abs=TICK)
    assert len(trade.get_all_custom_data()) == 1


@sides
def test_the_stop_stays_where_price_is_in_the_newer_cluster_or_a_strategy_wants_it_to(bot, strategy, side):
    trade = enter(strategy, side)
    stop = look(strategy, trade, 100.0)
    newer_cluster(bot, side)
    adjustment(strategy, trade, mirrored(100.8, side))
    assert look(strategy, trade, mirrored(100.8, side)) == stop
    strategy.stops_tighten = False
    adjustment(strategy, trade, mirrored(103.0, side))
    assert look(strategy, trade, mirrored(103.0, side)) == stop


@sides
def test_the_stop_follows_by_the_price_at_which_freqtrade_would_sell(bot, strategy, side):
    """A price that has entered the newer cluster leaves no shield, whatever that of an entry is."""
    trade = enter(strategy, side)
    newer_cluster(bot, side)
    inside, beyond = mirrored(100.9, side), mirrored(101.3, side)
    adjustment(strategy, trade, inside, entry_rate=beyond)
    assert strategy.plan_of(trade).current_stop == strategy.plan_of(trade).stop
    adjustment(strategy, trade, beyond, entry_rate=inside)
    assert strategy.plan_of(trade).current_stop == pytest.approx(mirrored(TIGHTER, side))


@sides
@leverages
def test_a_gap_through_the_tightened_stop_ends_the_trade(bot, strategy, side, leverage):
    trade = enter(strategy, side, leverage=leverage)
    newer_cluster(bot, side)
    adjustment(strategy, trade, mirrored(103.0, side))
    look(strategy, trade, mirrored(103.0, side))
    assert exits(strategy, trade, mirrored(98.0, side)) == {"trailing_stop_loss"}


@sides
def test_nothing_is_kept_while_nothing_changes(bot, strategy, side, reads, monkeypatch):
    """Writing is as slow as reading: once at the entry, once when the stop follows."""
    written = []
    monkeypatch.setattr(LocalTrade, "set_custom_data", lambda trade, key, value: written.append(value))
    trade = enter(strategy, side)
    for _ in range(5):
        adjustment(strategy, trade, mirrored(101.5, side))
        look(strategy, trade, mirrored(101.5, side))
    assert len(written) == 1
    newer_cluster(bot, side)
    for _ in range(5):
        adjustment(strategy, trade, mirrored(101.9, side))
        look(strategy, trade, mirrored(101.9, side))
    tightened = [value.get("tightened_stop") for value in written]
    assert tightened == [None, pytest.approx(mirrored(TIGHTER, side))]
    assert reads == []
