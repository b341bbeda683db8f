"""A plan in custom data that cannot be read is missing: the trade is left, and the reason reported once."""

import json
import logging
import math
from datetime import timedelta

import pytest

pytest.importorskip("freqtrade")

from freqtrade.persistence import CustomDataWrapper

from builders.driving import (
    NOW,
    PAIR,
    adjustment,
    enter,
    fill_entry,
    look,
    mirrored,
    sides,
    wants_out,
)
from liqfeature.columns import SCHEMA

LATE = NOW + timedelta(hours=300)

UNREADABLE = {
    "no stop": {"side": "long", "entry_price": 100.0},
    "no side": {"entry_price": 100.0, "stop": 97.0},
    "a missing value": {"side": "long", "entry_price": 100.0, "stop": 97.0, "first_target": None},
    "a price as text": {"side": "long", "entry_price": "100.0", "stop": 97.0},
    "no price": {"side": "long", "entry_price": 100.0, "stop": -math.inf},
    "the other side's": {"side": "short", "entry_price": 100.0, "stop": 103.0},
    "a contradiction": {"side": "long", "entry_price": 100.0, "stop": 103.0},
    "a number": 5,
    "a list": [1, 2],
    "an empty list": [],
    "a text": "stop at 97",
    "true": True,
}


def stored_for(side, what):
    """Turn what is stored for a long into what would be stored for a short."""
    value = UNREADABLE[what]
    if not isinstance(value, dict) or side == "long":
        return value
    turned = {"long": "short", "short": "long"}
    return {
        name: turned[price]
        if name == "side"
        else mirrored(price, side)
        if isinstance(price, float)
        else price
        for name, price in value.items()
    }


def stay_out(strategy, trade, stop):
    """Ask every callback of an open trade: none raises, the stop stays, and the trade is left."""
    assert strategy.plan_of(trade) is None
    assert look(strategy, trade, 100.0) == stop
    assert adjustment(strategy, trade, mirrored(150.0, trade.trade_direction))[0] is None
    assert wants_out(strategy, trade, 100.0) == "no_plan"
    assert strategy.custom_exit(PAIR, trade, LATE, 100.0, 0.5) == "no_plan"


def reports(caplog):
    return [record for record in caplog.records if record.name.startswith("liqfeature")]


@sides
@pytest.mark.parametrize("what", UNREADABLE)
def test_a_plan_that_cannot_be_read_is_missing_and_reported_once(bot, strategy, side, what, reads, caplog):
    trade = enter(strategy, side)
    trade.delete_custom_data("plan")  # Freqtrade would keep the type of what it overwrites
    trade.set_custom_data("plan", stored_for(side, what))
    stay_out(bot.strategy(), trade, trade.stop_loss)
    assert reads == ["plan"]
    (record,) = reports(caplog)
    assert record.levelno == logging.ERROR
    assert record.getMessage().startswith(f"{PAIR}: the plan of trade 1 cannot be read: DataError(")


@sides
@pytest.mark.parametrize("damaged", ["", "{", '{"side": "long", "entry_pri', "NaN}", "\x00"])
def test_damaged_json_is_a_missing_plan(bot, strategy, side, damaged, caplog):
    trade = enter(strategy, side)
    (entry,) = CustomDataWrapper.custom_data
    entry.cd_value = damaged
    stay_out(bot.strategy(), trade, trade.stop_loss)
    assert len(reports(caplog)) == 1


@sides
def test_a_trade_without_any_stored_plan_is_left_without_a_report(bot, strategy, side, caplog):
    trade = enter(strategy, side)
    trade.delete_custom_data("plan")
    stay_out(bot.strategy(), trade, trade.stop_loss)
    assert reports(caplog) == []


@sides
def test_a_plan_of_a_later_version_is_read_as_far_as_it_is_known(bot, strategy, side):
    trade = enter(strategy, side)
    stored = strategy.plan_of(trade).to_dict()
    trade.set_custom_data("plan", stored | {"version": 2, "trailing": {"from": 1}, "note": None})
    again = bot.strategy()
    assert again.plan_of(trade).to_dict() == stored
    assert wants_out(again, trade, mirrored(102.5, side)) == "peak"


@sides
def test_a_plan_of_the_first_release_has_no_version_and_is_read(bot, strategy, side):
    trade = enter(strategy, side)
    stored = strategy.plan_of(trade).to_dict()
    trade.set_custom_data("plan", {name: value for name, value in stored.items() if name != "version"})
    assert bot.strategy().plan_of(trade).to_dict() == stored


@sides
@pytest.mark.parametrize("what", ["a number", "damaged", "a text"])
def test_another_entry_makes_a_new_plan_that_a_restart_can_read(bot, strategy, side, what):
    """Freqtrade reads what is stored before it writes, and keeps the type of the first value."""
    trade = enter(strategy, side)
    trade.delete_custom_data("plan")
    trade.set_custom_data("plan", UNREADABLE.get(what, {}))
    if what == "damaged":
        (entry,) = CustomDataWrapper.custom_data
        entry.cd_value = "{"
    again = bot.strategy()
    assert again.plan_of(trade) is None
    fill_entry(again, trade, 1.0, 100.0)
    (entry,) = trade.get_all_custom_data()
    assert json.loads(entry.cd_value) == again.plan_of(trade).to_dict() | {"liq_schema": SCHEMA}
    assert bot.strategy().plan_of(trade).to_dict() == again.plan_of(trade).to_dict()
