"""What goes wrong in a callback ends on the safe side, asked by Freqtrade's own callers.

Freqtrade wraps each callback: where one raises, it goes on with an answer of its own, and it takes much for
an answer that is none. The first tests hold what it does; the others, that this package leaves it no choice.
"""

import logging
import math
import re
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("freqtrade")

from freqtrade.enums import CandleType, ExitType
from freqtrade.strategy import IStrategy

from builders.driving import (
    MARKET,
    NOW,
    PAIR,
    TICK,
    adjustment,
    enter,
    fill_entry,
    look,
    mirrored,
    open_trade,
    sides,
    wants_out,
)
from builders.ordering import PROPOSED, enter_by, live_entry
from liqfeature import ConfigError
from liqfeature.columns.windows import SCHEDULED
from liqfeature.strategy import around_clusters


def broken(*args, **kw):
    message = "this is broken"
    raise RuntimeError(message)


def answers(value):
    return lambda *args, **kw: value


# What Freqtrade does with an answer, if a callback raises or gives something else than it should.

FREQTRADE = {
    ("leverage", "raises"): (broken, lambda order: order.leverage == 1.0),
    ("leverage", "None"): (answers(None), TypeError),
    ("leverage", "NaN"): (answers(math.nan), lambda order: math.isnan(order.leverage)),
    ("leverage", "numpy"): (answers(np.float64(3.0)), lambda order: order.leverage == 3.0),
    ("custom_stake_amount", "raises"): (
        broken,
        lambda order: order.amount == PROPOSED / 100 * order.leverage,
    ),
    ("custom_stake_amount", "None"): (answers(None), None),
    ("custom_stake_amount", "NaN"): (answers(math.nan), lambda order: math.isnan(order.amount)),
    ("custom_stake_amount", "numpy"): (answers(np.float64(50.0)), lambda order: order.amount > 0),
    ("confirm_trade_entry", "raises"): (broken, lambda order: order.amount > 0),
    ("confirm_trade_entry", "None"): (answers(None), None),
    ("confirm_trade_entry", "NaN"): (answers(math.nan), lambda order: order.amount > 0),
    ("confirm_trade_entry", "numpy"): (answers(np.bool_(False)), None),
}
"""Of an entry: True of the order that it would send, None where it sends none, or what it raises."""


@pytest.mark.parametrize(("callback", "what"), FREQTRADE)
def test_what_freqtrade_does_with_the_answer_of_an_entry(strategy, monkeypatch, callback, what):
    answer, expected = FREQTRADE[callback, what]
    monkeypatch.setattr(strategy, "custom_stake_amount", answers(50.0))
    monkeypatch.setattr(strategy, callback, answer)
    if expected is TypeError:
        with pytest.raises(TypeError):
            live_entry(strategy, "long")
        return
    order = live_entry(strategy, "long")
    assert order is None if expected is None else expected(order)


NO_ANSWER = {"raises": broken, "None": answers(None), "NaN": answers(math.nan)}


@pytest.mark.parametrize("what", NO_ANSWER)
def test_what_freqtrade_does_with_the_answer_of_an_open_trade(strategy, monkeypatch, what):
    """It keeps the stop it has, adds nothing, and leaves only where the answer is NaN, which is true."""
    trade = enter(strategy, "long")
    stop = trade.stop_loss
    for callback in ("custom_stoploss", "adjust_trade_position", "custom_exit", "order_filled"):
        monkeypatch.setattr(strategy, callback, NO_ANSWER[what])
    assert look(strategy, trade, 101.0) == stop
    stake, _ = adjustment(strategy, trade, 102.0)
    assert stake is None or math.isnan(stake)
    reasons = {exit_.exit_type for exit_ in strategy.should_exit(trade, 101.0, NOW, enter=False, exit_=False)}
    assert reasons == ({ExitType.CUSTOM_EXIT} if what == "NaN" else set())


# An entry: whatever goes wrong, no order is sent, and it is said once.

NO_NUMBER = {"None": None, "text": "unknown", "a list": [1.0]}


def reports(caplog):
    return [record for record in caplog.records if record.name.startswith("liqfeature")]


def assert_reported_once(caplog):
    (record,) = reports(caplog)
    assert record.levelno == logging.ERROR
    assert record.exc_info
    first, *rest = record.getMessage().splitlines()
    assert first.startswith(f"{PAIR}: no entry, since planning it failed: ")
    assert rest == []


def show(bot, change, without=()):
    """Make one analyzed row the last closed candle, of any types."""
    row = {"date": pd.Timestamp(NOW)} | MARKET | {"liq_health": 0.0} | change
    rows = pd.DataFrame([{name: value for name, value in row.items() if name not in without}], dtype=object)
    bot.provider._set_cached_df(PAIR, "5m", rows, CandleType.FUTURES)
    bot.provider._set_dataframe_max_index(PAIR, 1)


def behind(side):
    return "below" if side == "long" else "above"


@sides
@enter_by
def test_an_entry_on_a_sound_row_is_sent(bot, strategy, order_of_entry, side, caplog):
    show(bot, {})
    order = order_of_entry(strategy, side)
    assert order.amount * 0.0314 * 100 == pytest.approx(0.005 * 10_000, rel=0.1)
    assert order.leverage == 5.0
    assert reports(caplog) == []


@sides
@enter_by
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.longdouble])
def test_numbers_of_numpy_are_numbers(bot, strategy, order_of_entry, side, kind, monkeypatch):
    show(bot, {})
    plain = order_of_entry(strategy, side)
    show(bot, {name: kind(value) for name, value in MARKET.items()})
    equity = strategy.wallets.get_total_stake_amount()
    monkeypatch.setattr(strategy.wallets, "get_total_stake_amount", lambda: kind(equity))
    order = order_of_entry(strategy, side, rate=float(kind(100.0)))
    assert order.amount == pytest.approx(plain.amount, rel=1e-3)
    assert type(strategy.leverage(PAIR, NOW, kind(100.0), side=side, max_leverage=kind(50.0))) is float


COLUMNS = ("atr", "liq_far_*", "liq_near_*", "stop_distance_*", "liq_health", "date")


@sides
@enter_by
@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("what", NO_NUMBER)
def test_a_column_that_holds_no_number_is_no_entry(bot, strategy, order_of_entry, side, column, what, caplog):
    show(bot, {column.replace("*", behind(side)): NO_NUMBER[what]})
    assert order_of_entry(strategy, side) is None
    assert_reported_once(caplog)


@sides
@enter_by
@pytest.mark.parametrize("column", COLUMNS[:4])
def test_a_row_without_a_column_is_no_entry(bot, strategy, order_of_entry, side, column, caplog):
    show(bot, {}, without=[column.replace("*", behind(side))])
    assert order_of_entry(strategy, side) is None
    assert_reported_once(caplog)


@sides
@enter_by
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("atr", math.nan),
        ("atr", math.inf),
        ("stop_distance_*", math.nan),
        ("stop_distance_*", math.inf),
        ("stop_distance_*", -math.inf),
        ("liq_health", math.nan),
        ("date", pd.NaT),
    ],
)
def test_a_column_that_knows_nothing_is_no_entry(bot, strategy, order_of_entry, side, column, value, caplog):
    show(bot, {column.replace("*", behind(side)): value})
    assert order_of_entry(strategy, side) is None
    assert reports(caplog) == []


SIZED = {
    "None": None,
    "text": "unknown",
    "gone": None,
    "NaN": math.nan,
    "0": 0.0,
    "below 0": -0.01,
    "infinite": math.inf,
}


@sides
@enter_by
@pytest.mark.parametrize("what", SIZED)
def test_a_sigma_that_is_not_known_is_no_entry_where_it_decides_the_size(
    bot, strategy, order_of_entry, side, what, caplog
):
    type(strategy).sized_by = "sigma"
    show(bot, {"liq_sigma": SIZED[what]}, without=["liq_sigma"] if what == "gone" else [])
    assert order_of_entry(strategy, side) is None
    assert len(reports(caplog)) == (what in ("None", "text", "gone"))


@sides
@enter_by
@pytest.mark.parametrize("what", ["text", "gone"])
def test_a_time_to_funding_that_cannot_be_read_is_no_entry_where_a_window_needs_it(
    bot, strategy, order_of_entry, side, what, caplog
):
    type(strategy).quiet_windows = {"funding": (15, 5)}
    due = {"liq_until_funding": "unknown", "liq_since_funding": "unknown"}
    show(bot, due if what == "text" else {})
    assert order_of_entry(strategy, side) is None
    assert_reported_once(caplog)


@sides
@enter_by
@pytest.mark.parametrize("what", ["raises", "None", "NaN", "text", "0", "infinite"])
def test_an_equity_that_is_not_known_is_no_entry(strategy, order_of_entry, side, what, monkeypatch, caplog):
    equity = NO_ANSWER.get(what) or answers({"text": "unknown", "0": 0.0, "infinite": math.inf}[what])
    monkeypatch.setattr(strategy.wallets, "get_total_stake_amount", equity)
    assert order_of_entry(strategy, side) is None
    assert len(reports(caplog)) == (what in ("raises", "None", "text"))


@sides
@enter_by
@pytest.mark.parametrize("fee", ["unknown", "-1", "nan", [], None])
def test_a_liquidation_fee_that_is_no_number_is_no_entry(
    bot, strategy, order_of_entry, side, fee, monkeypatch
):
    monkeypatch.setitem(bot.exchange._markets, PAIR, {"info": {"liquidationFee": fee}})
    assert order_of_entry(strategy, side) is None


@sides
@enter_by
@pytest.mark.parametrize("name", ["get_analyzed_dataframe", "market"])
def test_a_provider_that_fails_is_no_entry(bot, strategy, order_of_entry, side, name, monkeypatch, caplog):
    monkeypatch.setattr(bot.provider, name, broken)
    assert order_of_entry(strategy, side) is None
    assert_reported_once(caplog)


@sides
@enter_by
@pytest.mark.parametrize("what", ["raises", "NaN", "text"])
def test_a_plan_of_ones_own_that_is_none_is_no_entry(
    strategy, order_of_entry, side, what, monkeypatch, caplog
):
    monkeypatch.setattr(strategy, "plan_entry", NO_ANSWER.get(what) or answers("a plan"))
    assert order_of_entry(strategy, side) is None
    assert_reported_once(caplog)


@sides
@enter_by
@pytest.mark.parametrize("name", ["risk_per_trade", "order_cost", "liquidation_fee_rate", "plan_rule"])
def test_a_setting_that_breaks_its_rule_later_on_is_no_entry(strategy, order_of_entry, side, name, caplog):
    setattr(type(strategy), name, None)
    assert order_of_entry(strategy, side) is None
    assert_reported_once(caplog)


@sides
def test_a_rate_that_is_not_known_is_no_entry(strategy, side):
    assert live_entry(strategy, side, rate=math.nan) is None


@enter_by
def test_an_error_is_news_again_after_an_entry_of_the_pair(bot, strategy, order_of_entry, caplog):
    for confirmed in (False, False, True, False):
        show(bot, {}, without=[] if confirmed else ["atr"])
        assert (order_of_entry(strategy, "long") is not None) is confirmed
    assert len(reports(caplog)) == 2


# An open trade: whatever goes wrong, the stop stays, nothing is added, and targets and time still end it.


def spoil_row(change):
    return lambda bot, strategy, monkeypatch: show(bot, change)


def spoil(owner, name, how):
    return lambda bot, strategy, monkeypatch: monkeypatch.setattr(
        {"provider": bot.provider, "wallets": bot.wallets, "strategy": type(strategy)}[owner], name, how
    )


SPOILED = {
    "provider raises": spoil("provider", "get_analyzed_dataframe", broken),
    "no row": spoil("provider", "get_analyzed_dataframe", answers((pd.DataFrame(), NOW))),
    "rows are None": spoil("provider", "get_analyzed_dataframe", answers(None)),
    "wallet raises": spoil("wallets", "get_total_stake_amount", broken),
    "wallet is NaN": spoil("wallets", "get_total_stake_amount", answers(math.nan)),
    "columns are None": spoil_row(dict.fromkeys(MARKET)),
    "columns are text": spoil_row(dict.fromkeys(MARKET, "unknown")),
    "columns are gone": lambda bot, strategy, monkeypatch: show(bot, {}, without=MARKET),
    "health is text": spoil_row({"liq_health": "unknown"}),
    "rule is None": spoil("strategy", "plan_rule", None),
    "hook raises": spoil("strategy", "plan_entry", broken),
    "funding raises": spoil("strategy", "funding_lead", None),
}
spoiled = pytest.mark.parametrize("what", SPOILED)


@sides
@spoiled
def test_an_open_trade_keeps_its_stop_and_is_left_at_its_targets_and_its_time(
    bot, strategy, side, what, monkeypatch
):
    trade = enter(strategy, side)
    plan, stop = strategy.plan_of(trade), trade.stop_loss
    SPOILED[what](bot, strategy, monkeypatch)
    for rate in (99.0, 100.0, 101.0):
        assert look(strategy, trade, mirrored(rate, side)) == stop
        assert adjustment(strategy, trade, mirrored(rate, side))[0] is None
        assert wants_out(strategy, trade, mirrored(rate, side)) is None
    assert strategy.plan_of(trade).current_stop == plan.stop
    sold, tag = adjustment(strategy, trade, mirrored(102.0, side))
    assert (sold, tag) == (-trade.stake_amount * strategy.first_share, "near_edge")
    assert ends(strategy, trade, mirrored(102.5, side), NOW) == {"peak"}
    assert ends(strategy, trade, mirrored(101.0, side), NOW + timedelta(hours=25)) == {"time"}
    assert ends(strategy, trade, plan.stop - 0.02 if side == "long" else plan.stop + 0.02, NOW) == {""}


def ends(strategy, trade, rate, now):
    """Reasons for which Freqtrade would leave the trade; "" for the stop."""
    found = strategy.should_exit(trade, rate, now, enter=False, exit_=False)
    return {exit_.exit_reason if exit_.exit_type == ExitType.CUSTOM_EXIT else "" for exit_ in found}


@sides
@spoiled
def test_another_entry_keeps_the_stop(bot, strategy, side, what, monkeypatch):
    trade = enter(strategy, side)
    stop = strategy.plan_of(trade).stop
    SPOILED[what](bot, strategy, monkeypatch)
    fill_entry(strategy, trade, 1.0, 100.0)
    sign = -1 if trade.is_short else 1
    assert sign * (strategy.plan_of(trade).current_stop - stop) >= 0
    assert sign * (trade.stop_loss - stop) >= -1e-9
    assert wants_out(strategy, trade, mirrored(102.5, side)) == "peak"


@sides
@pytest.mark.parametrize("what", ["provider raises", "columns are None", "hook raises", "rule is None"])
def test_a_fill_that_cannot_be_planned_is_left_at_once(bot, strategy, side, what, monkeypatch, caplog):
    """After a restart between order and fill; the class's own stop holds until then."""
    trade = open_trade(strategy, side)
    SPOILED[what](bot, strategy, monkeypatch)
    fill_entry(strategy, trade, 10.0, 100.0)
    assert wants_out(strategy, trade, 100.0) == "no_plan"
    assert trade.stop_loss == pytest.approx(mirrored(100 * (1 + strategy.stoploss / 5), side), abs=TICK)
    assert "its plan could not follow an order that was filled" in reports(caplog)[0].getMessage()


@sides
@pytest.mark.parametrize("rate", [math.nan, None, np.float64(101.0)])
def test_a_rate_of_any_kind_moves_no_stop(strategy, side, rate):
    trade = enter(strategy, side)
    stop = trade.stop_loss
    if rate is not None and rate == rate:
        assert look(strategy, trade, rate) == pytest.approx(stop, abs=TICK)
    call = {"pair": PAIR, "trade": trade, "current_time": NOW, "current_profit": 0.0, "after_fill": False}
    try:
        ratio = strategy.custom_stoploss(**call, current_rate=rate)
    except TypeError:
        assert rate is None  # Freqtrade keeps the stop it has
    else:
        assert math.isnan(ratio) if rate != rate else ratio > 0


# Settings are checked when a strategy starts.

WINDOW_RULE = f"minutes before and after by name, of {', '.join(SCHEDULED)}"


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("risk_per_trade", 5, "a number from 0 to 1"),
        ("risk_per_trade", "0.01", "a number from 0 to 1"),
        ("order_cost", -0.1, "a number from 0 to 1"),
        ("first_share", math.nan, "a number from 0 to 1"),
        ("first_share", True, "a number from 0 to 1"),
        ("longest_hours", None, "a number from 0 to inf"),
        ("funding_lead", -1, "a number from 0 to 24"),
        ("stops_tighten", 1, "a bool"),
        ("plan_rule", 0.35, "a PlanRule"),
        ("health_rule", None, "a HealthRule"),
        ("sized_by", "atr", "stop or sigma"),
        ("quiet_windows", {"noon": (5, 5)}, WINDOW_RULE),
        ("quiet_windows", {"funding": (5,)}, WINDOW_RULE),
        ("quiet_windows", {"funding": (5, -1)}, WINDOW_RULE),
        ("quiet_windows", {"funding": 5}, WINDOW_RULE),
        ("quiet_windows", None, WINDOW_RULE),
        ("least_event_weight", -1.0, "a number from 0 to inf"),
    ],
)
def test_a_setting_that_breaks_its_rule_is_refused_at_the_start(bot, name, value, rule):
    methods = ("populate_indicators", "populate_entry_trend", "populate_exit_trend")
    same = dict.fromkeys(methods, lambda self, dataframe, metadata: dataframe)
    spoiled = type("Spoiled", (around_clusters(IStrategy),), {"timeframe": "5m", name: value} | same)
    with pytest.raises(ConfigError, match=f"^{re.escape(f'{name} must be {rule}, received {value!r}')}$"):
        spoiled(bot.config)


def test_a_setting_that_is_computed_is_taken_as_it_is(strategy):
    """As the shipped strategy's, which hyperopt sets."""
    assert isinstance(vars(type(strategy))["first_share"], property)


def test_settings_of_a_strategy_of_ones_own_stay():
    own = type("Own", (IStrategy,), {"stoploss": -0.1, "risk_per_trade": 0.01})
    both = around_clusters(own)
    assert (both.stoploss, both.risk_per_trade, both.order_cost) == (-0.1, 0.01, 0.001)
    assert both.position_adjustment_enable
    assert both.use_custom_stoploss
