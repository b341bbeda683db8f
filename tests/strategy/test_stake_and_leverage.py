"""How much is staked, and how far own liquidation lies."""

import math
from dataclasses import replace

import pandas as pd
import pytest

pytest.importorskip("freqtrade")

from freqtrade.enums import CandleType

from builders.driving import (
    FAR,
    MARKET,
    NOW,
    PAIR,
    WALLET,
    adjustment,
    ask,
    enter,
    fund,
    leverages,
    mirrored,
    sides,
    wants_out,
)
from builders.liquidation import liquidation_price
from liqfeature.exchange.tables import tiers_for


@pytest.mark.parametrize("max_leverage", [3.0, 125.0])
@pytest.mark.parametrize("wallet", [1e3, 1e7, 1e9])
@pytest.mark.parametrize("far", [99.7, 97.0, 85.0, math.nan])
@sides
def test_own_liquidation_lies_beyond_the_stop(bot, strategy, side, far, wallet, max_leverage):
    """A stop as far as 85 is beyond what the strategy takes, but there alone liquidation is near."""
    type(strategy).plan_rule = replace(strategy.plan_rule, max_distance=0.3)
    fund(bot, wallet)
    bot.show(**{FAR[side]: mirrored(far, side)})
    sign = -1 if side == "short" else 1
    leverage = ask(strategy, "leverage", side, max_leverage=max_leverage)
    assert 1 < leverage <= max_leverage
    stake = ask(strategy, "custom_stake_amount", side, leverage=leverage)
    trade = enter(strategy, side, leverage=leverage, amount=stake * leverage / 100)
    stop = strategy.plan_of(trade).stop
    margin = trade.stake_amount
    at = {"is_short": trade.is_short, "amount": trade.amount, "wallet_balance": margin}
    own = liquidation_price(entry_price=100.0, tiers=tiers_for(PAIR), **at)
    bot.exchange.fill_leverage_tiers()
    rest = {"pair": PAIR, "open_rate": 100.0, "stake_amount": margin, "leverage": leverage, "open_trades": []}
    as_freqtrade_says = bot.exchange.dry_run_liquidation_price(**rest, **at)
    for price in (own, as_freqtrade_says):
        # Freqtrade leaves a trade a buffer, a share of |entry - liquidation|, before its liquidation.
        assert sign * (stop - price) > bot.exchange.liquidation_buffer * abs(100 - price) > 0


@sides
def test_a_nearer_stop_allows_more_leverage(bot, strategy, side):
    type(strategy).plan_rule = replace(strategy.plan_rule, max_distance=0.3)
    found = []
    for far in (90.0, 85.0, 80.0):
        bot.show(**{FAR[side]: mirrored(far, side)})
        found.append(ask(strategy, "leverage", side))
    assert found == sorted(set(found), reverse=True)


WILD = {"stop_distance_below": 0.05, "stop_distance_above": 0.05}


@sides
@pytest.mark.parametrize("row", [{"atr": math.nan}, {"atr": 0.0}, WILD], ids=["nan", "0", "wild"])
def test_without_an_acceptable_stop_there_is_no_trade(bot, strategy, side, row):
    bot.show(liq_far_below=math.nan, liq_far_above=math.nan, **row)
    assert answers(strategy, side) == NO_TRADE


@sides
def test_without_equity_there_is_nothing_to_stake(bot, strategy, side):
    fund(bot, 0.0)
    assert ask(strategy, "leverage", side) == 1.0
    assert ask(strategy, "custom_stake_amount", side) == 0.0


@sides
def test_before_the_first_analysis_there_is_no_trade(make_bot, side):
    assert answers(make_bot().strategy(), side) == NO_TRADE


NO_TRADE = [1.0, 0.0, False]


def answers(strategy, side):
    return [ask(strategy, name, side) for name in ("leverage", "custom_stake_amount", "confirm_trade_entry")]


@sides
def test_only_the_last_closed_candle_counts(bot, strategy, side):
    row = {"date": pd.Timestamp(NOW)} | MARKET
    rows = pd.DataFrame([row, row | {"atr": math.nan}, row])
    bot.provider._set_cached_df(PAIR, "5m", rows, CandleType.FUTURES)
    for closed, accepted in ((1, True), (2, False), (3, True)):
        bot.provider._set_dataframe_max_index(PAIR, closed)
        assert ask(strategy, "confirm_trade_entry", side) is accepted


@sides
def test_a_plan_without_clusters_stops_where_the_probability_asks_and_has_no_targets(bot, strategy, side):
    bot.show(**{name: math.nan for name in MARKET if name.startswith("liq_")})
    assert ask(strategy, "confirm_trade_entry", side) is True
    trade = enter(strategy, side)
    stop = mirrored(100 * (1 - MARKET["stop_distance_below"]), side)
    assert strategy.plan_of(trade).stop == pytest.approx(stop)
    for price in (0.01, 50.0, 99.0, 100.0, 101.0, 200.0, 1e6):
        assert adjustment(strategy, trade, price)[0] is None
        assert wants_out(strategy, trade, price) != "peak"


@sides
@leverages
@pytest.mark.parametrize("fee", [0.0, 0.0005, 0.001])
def test_a_stop_out_costs_at_most_the_risk_with_fees(strategy, side, leverage, fee):
    stake = ask(strategy, "custom_stake_amount", side, leverage=leverage)
    trade = enter(strategy, side, leverage=leverage, amount=stake * leverage / 100, fee=fee)
    loss = -trade.calc_profit(strategy.plan_of(trade).stop)
    risk = strategy.risk_per_trade * WALLET
    assert loss <= risk * (1 + 1e-4)
    if fee == strategy.order_cost:
        assert loss == pytest.approx(risk, rel=1e-3)


@sides
def test_the_stake_grows_with_the_wallet(bot, strategy, side):
    before = ask(strategy, "custom_stake_amount", side)
    fund(bot, WALLET / 2)
    assert ask(strategy, "custom_stake_amount", side) == pytest.approx(before / 2)


@sides
def test_the_stake_is_capped_and_falls_with_leverage(strategy, side):
    assert ask(strategy, "custom_stake_amount", side, max_stake=123.0) == 123.0
    alone = ask(strategy, "custom_stake_amount", side, leverage=1.0)
    assert ask(strategy, "custom_stake_amount", side, leverage=4.0) == pytest.approx(alone / 4)


@sides
def test_the_stake_falls_with_the_distance_that_the_stop_must_have(bot, strategy, side):
    near = ask(strategy, "custom_stake_amount", side)
    bot.show(stop_distance_below=0.0393, stop_distance_above=0.0393)
    far = ask(strategy, "custom_stake_amount", side)
    # 0.2 % of cost on either side of stops 3.14 and 3.93 % away
    assert far / near == pytest.approx((0.0314 + 0.002) / (0.0393 + 0.002), rel=2e-3)


@sides
def test_a_size_by_sigma_makes_one_sigma_worth_the_risk_wherever_the_stop_lies(bot, strategy, side):
    strategy.sized_by = "sigma"
    for far in (97.0, 98.0):
        for sigma in (0.004, 0.008):
            bot.show(liq_sigma=sigma, **{FAR[side]: mirrored(far, side)})
            notional = 2.0 * ask(strategy, "custom_stake_amount", side, leverage=2.0)
            assert notional * sigma == pytest.approx(strategy.risk_per_trade * WALLET)
    bot.show(liq_sigma=math.nan)
    assert answers(strategy, side)[1] == 0.0


@sides
def test_leverage_leaves_room_for_the_fee_of_a_liquidation(bot, strategy, side):
    type(strategy).plan_rule = replace(strategy.plan_rule, max_distance=0.3)
    bot.show(**{FAR[side]: mirrored(85.0, side)})
    with_fee = ask(strategy, "leverage", side)
    strategy.liquidation_fee_rate = 0.0
    assert 1 < with_fee < ask(strategy, "leverage", side)


@sides
def test_the_fee_of_a_liquidation_is_what_the_exchange_says(bot, strategy, side, monkeypatch):
    type(strategy).plan_rule = replace(strategy.plan_rule, max_distance=0.3)
    bot.show(**{FAR[side]: mirrored(85.0, side)})
    assumed = ask(strategy, "leverage", side)
    found = {}
    for fee in ("0.012500", "0.020000", None):
        info = {} if fee is None else {"liquidationFee": fee}
        monkeypatch.setitem(bot.exchange._markets, PAIR, {"symbol": PAIR, "info": info})
        found[fee] = ask(strategy, "leverage", side)
    assert found["0.012500"] == found[None] == assumed
    assert 1 < found["0.020000"] < assumed
