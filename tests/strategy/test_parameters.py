"""Warm-up, hyperopt's parameters, and indicators, on every exchange."""

import json

import numpy as np
import pandas as pd
import pytest

from builders.frames import random_candles, random_funding, random_open_interest

pytest.importorskip("freqtrade")

from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType, HyperoptState
from freqtrade.exceptions import ConfigurationError
from freqtrade.optimize.hyperopt_tools import HyperoptStateContainer
from freqtrade.strategy.hyper import detect_all_parameters

from builders.driving import (
    PAIR,
    exchanges,
)
from liqfeature import HeatmapConfig, outlook
from liqfeature.columns.features import COLUMNS
from liqfeature.exchange.traits import EXCHANGES


@exchanges
def test_freqtrade_accepts_the_warm_up_on_every_exchange(make_bot, name):
    bot = make_bot(name)
    needed = bot.strategy().startup_candle_count
    assert needed == HeatmapConfig.for_exchange(name).warmup
    assert bot.config["startup_candle_count"] == needed
    assert 1 <= bot.exchange.validate_required_startup_candles(needed, "5m") <= 5


@exchanges
def test_freqtrade_accepts_what_an_exchange_is_said_to_give_at_most(make_bot, name):
    bot = make_bot(name)
    most = EXCHANGES[name].most_candles
    assert bot.exchange.validate_required_startup_candles(most, "5m") <= 5
    with pytest.raises(ConfigurationError, match="more than"):
        bot.exchange.validate_required_startup_candles(10 * most, "5m")


def test_freqtrade_finds_the_five_spaces(strategy):
    found = detect_all_parameters(strategy)
    assert set(found) == {"enter", "exit", "heatmap", "protection", "stop"}
    for space, parameters in found.items():
        assert all(name.startswith(f"{space}_") for name in parameters)


@exchanges
def test_no_value_of_the_heatmap_space_changes_the_warm_up(make_bot, monkeypatch, name):
    strategy = make_bot(name).strategy()
    pair = "BTC/USDC:USDC" if name == "hyperliquid" else PAIR
    monkeypatch.setattr(HyperoptStateContainer, "state", HyperoptState.INDICATORS)
    usual = strategy.heatmap_config(pair)
    assert usual.leverage == HeatmapConfig.for_pair(pair, name).leverage
    for parameter in detect_all_parameters(strategy)["heatmap"].values():
        monkeypatch.setattr(parameter, "in_space", True)  # only a hyperopt sees the range
        seen = set()
        for value in parameter.range:
            with monkeypatch.context() as patch:
                patch.setattr(parameter, "value", value)
                config = strategy.heatmap_config(pair)
            assert config.warmup == strategy.startup_candle_count
            seen.add(json.dumps(config.to_dict()))
        assert len(seen) == len(parameter.range) > 1
        assert json.dumps(usual.to_dict()) in seen


@exchanges
def test_open_interest_is_asked_for_only_where_there_is_history_of_it(make_bot, name):
    asked = make_bot(name).strategy().informative_pairs()
    expected = {(PAIR, "1h", "funding_rate")}
    if name in {"binance", "bybit", "okx", "gate"}:
        expected.add((PAIR, "5m", "open_interest"))
    assert len(asked) == len(expected)
    assert set(asked) == expected


@pytest.mark.parametrize("name", ["binance", "bitget"])
def test_indicators_are_added_beside_the_candles(make_bot, tmp_path, name):
    bot = make_bot(name)
    strategy = bot.strategy()
    candles = random_candles(strategy.startup_candle_count + 200, seed=7, volatility=0.002)
    store = get_datahandler(tmp_path, "feather")
    (tmp_path / "futures").mkdir()
    store.ohlcv_store(PAIR, "1h", random_funding(candles, 8, size=1e-4), CandleType.FUNDING_RATE)
    if EXCHANGES[name].open_interest:
        store.ohlcv_store(PAIR, "5m", random_open_interest(candles, 9), CandleType.OPEN_INTEREST)
    before = candles.copy()
    frame = strategy.advise_all_indicators({PAIR: candles})[PAIR]
    pd.testing.assert_frame_equal(frame[list(before)], before)
    pd.testing.assert_frame_equal(candles, before)
    assert frame.columns.is_unique
    assert set(COLUMNS) <= set(frame)
    ready = frame.iloc[strategy.startup_candle_count - 1 :]
    assert len(ready) == 201
    assert (ready["liq_quality"] > 0).all()
    assert (ready["liq_quality"] > 0.5).all() == EXCHANGES[name].open_interest
    assert frame["liq_quality"].iloc[: -len(ready)].eq(0).all()
    assert ready[["atr", "rsi", "ema_fast", "ema_slow"]].notna().all(axis=None)
    assert ready["liq_near_above"].notna().any()


def test_stops_keep_the_distance_that_price_goes_before_a_trade_ends(strategy, monkeypatch):
    candles = random_candles(3000, seed=3)
    monkeypatch.setattr(strategy.stop_probability, "value", 0.2)
    monkeypatch.setattr(strategy.exit_hours, "value", 6)
    frame = strategy.advise_indicators(candles.copy(), {"pair": PAIR})
    ahead = outlook(candles, strategy.heatmap_config(PAIR))
    for where in ("above", "below"):
        stated = ahead.stop_distance(where, 0.2, horizon=72)
        np.testing.assert_array_equal(frame[f"stop_distance_{where}"], stated)


def test_context_indicators_are_those_of_their_definition(make_bot, tmp_path):
    strategy = make_bot().strategy()
    candles = random_candles(3000, seed=3)
    frame = strategy.advise_indicators(candles.copy(), {"pair": PAIR})
    close = candles["close"]
    for name, span in (("ema_fast", 24), ("ema_slow", 96)):
        np.testing.assert_allclose(frame[name].iloc[-1], close.ewm(span=span, adjust=False).mean().iloc[-1])
    change = close.diff()
    gain, loss = (
        part.clip(lower=0).ewm(alpha=1 / 14, adjust=False).mean().iloc[-1] for part in (change, -change)
    )
    np.testing.assert_allclose(frame["rsi"].iloc[-1], 100 * gain / (gain + loss))
    before = close.shift()
    reach = np.maximum(candles["high"], before) - np.minimum(candles["low"], before)
    np.testing.assert_allclose(frame["atr"].iloc[-1], reach.ewm(alpha=1 / 14, adjust=False).mean().iloc[-1])


def test_protections_are_those_of_their_space(strategy, monkeypatch):
    monkeypatch.setattr(strategy.protection_pause, "value", 7)
    monkeypatch.setattr(strategy.protection_stops, "value", 3)
    pause, guard = strategy.protections
    assert (pause["method"], pause["stop_duration_candles"]) == ("CooldownPeriod", 7)
    assert (guard["method"], guard["trade_limit"]) == ("StoplossGuard", 3)


def test_parameters_of_the_configuration_stand_in_for_the_defaults(bot):
    usual = bot.strategy()
    bot.config["parameters"] = {"enter": {"enter_air": 0.5}, "exit": {"exit_hours": 3}}
    strategy = bot.strategy()
    strategy.ft_bot_start()
    assert (strategy.enter_air.value, strategy.longest_hours) == (0.5, 3)
    assert strategy.enter_room.value == usual.enter_room.value
    assert usual.enter_air.value != 0.5


def test_hyperopt_reaches_no_further_than_freqtrades_own_class(strategy):
    """It ships all bases by value up to `IStrategy`; `object` among them ends in a RecursionError."""
    chain, bases = [], type(strategy).__bases__
    while bases:
        assert len(bases) == 1
        chain.append(bases[0].__name__)
        bases = () if chain[-1] == "IStrategy" else bases[0].__bases__
    assert chain == ["ClusterTrades", "IStrategy"]
