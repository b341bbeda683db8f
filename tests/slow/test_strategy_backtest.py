"""What the strategy's trades must look like after a real backtest, whatever they earned."""

from datetime import timedelta

import pytest

from slow.span import START, WARMUP_DAYS, timerange

TAGS = {
    False: {"shorts_above", "longs_swept", "through_shorts"},
    True: {"longs_below", "through_longs"},
}
STOPPED = {"stop_loss", "trailing_stop_loss"}
REASONS = STOPPED | {"peak", "near_edge", "cascade_behind", "fuel_spent", "funding", "time", "force_exit"}
WALLET, RISK = 10_000, 0.005


@pytest.fixture
def filled(trades):
    """Orders of each trade: entries first, then exits."""
    return [(trade, *_split(trade["orders"])) for trade in trades]


def _split(orders):
    return (
        [order for order in orders if order["ft_is_entry"]],
        [order for order in orders if not order["ft_is_entry"]],
    )


def test_every_trade_is_entered_once_and_by_the_signal_of_its_side(filled):
    for trade, entered, _ in filled:
        assert trade["enter_tag"] in TAGS[trade["is_short"]]
        assert len(entered) == 1


def test_each_of_the_three_entries_is_taken(trades):
    assert {trade["enter_tag"] for trade in trades} == TAGS[False] | TAGS[True]


def test_trades_end_as_planned_and_never_by_liquidation(trades):
    assert {trade["exit_reason"] for trade in trades} <= REASONS
    assert {"peak", "fuel_spent"} < {trade["exit_reason"] for trade in trades}


def test_a_part_is_sold_at_most_once_and_at_a_profit(filled):
    sold = 0
    for trade, (entry,), left in filled:
        sign = -1 if trade["is_short"] else 1
        parts = [order for order in left if order["ft_order_tag"] == "near_edge"]
        assert len(parts) <= 1
        for part in parts:
            assert part["amount"] < entry["amount"]
            assert sign * (part["safe_price"] - entry["safe_price"]) > 0
        sold += len(parts)
    assert sold > 0


def test_leverage_is_moderate_and_the_stop_begins_on_the_losing_side(trades, frozen_trades):
    assert all(1 <= trade["leverage"] <= 5 for trade in trades)
    for trade in frozen_trades:
        sign = -1 if trade["is_short"] else 1
        assert sign * (trade["open_rate"] - trade["stop_loss_abs"]) > 0


def test_some_stops_are_tightened_and_none_of_them_loosened(trades, frozen_trades):
    """What was stopped out at a tightened stop lost less than at the one of the entry."""
    tightened = [trade for trade in trades if trade["exit_reason"] == "trailing_stop_loss"]
    assert tightened
    at_entry = {key_of(trade): trade for trade in frozen_trades}
    compared = [(trade, at_entry[key_of(trade)]) for trade in tightened if key_of(trade) in at_entry]
    assert compared
    for trade, frozen in compared:
        sign = -1 if trade["is_short"] else 1
        assert sign * (trade["stop_loss_abs"] - frozen["stop_loss_abs"]) > 0
    assert not [trade for trade in frozen_trades if trade["exit_reason"] == "trailing_stop_loss"]


def key_of(trade):
    return trade["pair"], trade["open_date"], trade["is_short"]


@pytest.fixture(scope="module")
def frozen_trades(trades_of):
    return trades_of("FrozenPlans")


def test_no_trade_loses_more_than_its_risk(trades):
    """The wallet changes little enough to judge by its start; a candle may open beyond the stop."""
    worst = min(trade["profit_abs"] for trade in trades)
    assert -1.5 * RISK * WALLET <= worst < 0


def test_without_columns_freqtrade_finds_no_trade_where_there_were_some(bot, trades, planted):
    end = START + timedelta(days=WARMUP_DAYS + 10)
    assert any(trade["open_date"] < f"{end:%Y-%m-%d}" for trade in trades)
    days = timerange(WARMUP_DAYS, WARMUP_DAYS + 10)
    output = bot("backtesting", days, *planted("SeesNothing"), "--cache=none")
    assert "SeesNothing" in output
    assert "No trades made." in output
