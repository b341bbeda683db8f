"""The strategy, driven by Freqtrade's own classes as backtesting and a live bot drive it."""

import json
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from frames import random_candles, random_funding, random_open_interest

from liqfeature import HeatmapConfig
from liqfeature.config import EXCHANGES
from liqfeature.features import COLUMNS
from liqfeature.margin import liquidation_price
from liqfeature.plan import Plan
from liqfeature.tiers import tiers_for

pytest.importorskip("freqtrade")

from ccxt import TICK_SIZE
from freqtrade.data.dataprovider import DataProvider
from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType, HyperoptState, RunMode
from freqtrade.exceptions import ConfigurationError
from freqtrade.optimize.hyperopt_tools import HyperoptStateContainer
from freqtrade.persistence import CustomDataWrapper, LocalTrade, Order, Trade
from freqtrade.persistence.usedb_context import FtNoDBContext
from freqtrade.resolvers import ExchangeResolver, StrategyResolver
from freqtrade.strategy.hyper import detect_all_parameters
from freqtrade.wallets import Wallets

STRATEGIES = Path(__file__).parents[1] / "user_data" / "strategies"
PAIR = "BTC/USDT:USDT"
NOW = datetime(2026, 1, 20, tzinfo=UTC)
WALLET = 10_000.0
TICK = 0.01

sides = pytest.mark.parametrize("side", ["long", "short"])
leverages = pytest.mark.parametrize("leverage", [1.0, 5.0])
exchanges = pytest.mark.parametrize("name", EXCHANGES)


# A bot without a network, at a price of 100.


@dataclass(frozen=True)
class Bot:
    """What Freqtrade puts around a strategy: an exchange, data and a wallet."""

    exchange: object
    provider: DataProvider
    wallets: Wallets
    config: dict

    def strategy(self):
        """Load the strategy anew, as a restart does."""
        strategy = StrategyResolver.load_strategy(self.config)
        strategy.dp, strategy.wallets = self.provider, self.wallets
        return strategy

    def show(self, **columns):
        """Make one analyzed row the last closed candle."""
        rows = pd.DataFrame([{"date": pd.Timestamp(NOW)} | MARKET | columns])
        self.provider._set_cached_df(PAIR, "5m", rows, CandleType.FUTURES)
        self.provider._set_dataframe_max_index(PAIR, len(rows))


MARKET = {
    "atr": 0.4,
    "funding": 0.0001,
    "liq_cascade_above": 0.0,
    "liq_cascade_below": 0.0,
    "liq_near_above": 102.0,
    "liq_peak_above": 102.5,
    "liq_far_above": 103.0,
    "liq_near_below": 98.0,
    "liq_peak_below": 97.5,
    "liq_far_below": 97.0,
}
"""Clusters 2 to 3 % away on either side of 100: a mirror image."""

FAR = {"long": "liq_far_below", "short": "liq_far_above"}


def settings_of(name, datadir):
    return {
        "strategy": "LiquidationClusters",
        "strategy_path": str(STRATEGIES),
        "user_data_dir": datadir,
        "datadir": datadir,
        "dataformat_ohlcv": "feather",
        "exchange": {"name": name, "key": "", "secret": "", "pair_whitelist": [PAIR]},
        "runmode": RunMode.BACKTEST,
        "trading_mode": "futures",
        "margin_mode": "isolated",
        "candle_type_def": CandleType.FUTURES,
        "stake_currency": "USDT",
        "dry_run": True,
        "dry_run_wallet": WALLET,
        "tradable_balance_ratio": 1.0,
        "timeframe": "5m",
    }


@pytest.fixture
def make_bot(tmp_path, monkeypatch):
    """Bots beside any exchange; nothing is stored in a data base, as in a backtest."""
    opened = []
    nothing = SimpleNamespace(commit=lambda: None)
    monkeypatch.setattr(Trade, "session", nothing, raising=False)

    def make(name="binance"):
        config = settings_of(name, tmp_path)
        exchange = ExchangeResolver.load_exchange(config, validate=False, load_leverage_tiers=False)
        opened.append(exchange)
        provider = DataProvider(config, exchange, SimpleNamespace(whitelist=[PAIR]))
        return Bot(exchange, provider, Wallets(config, exchange, is_backtest=True), config)

    with FtNoDBContext("5m"):
        LocalTrade.reset_trades()
        CustomDataWrapper.reset_custom_data()
        yield make
        LocalTrade.reset_trades()
        CustomDataWrapper.reset_custom_data()
    for exchange in opened:
        exchange.close()


@pytest.fixture
def bot(make_bot):
    bot = make_bot()
    bot.show()
    return bot


@pytest.fixture
def strategy(bot):
    return bot.strategy()


def order_of(trade, side, amount, rate):
    """Place an order, as backtesting does."""
    number = len(trade.orders) + 1
    order = Order(
        id=number,
        ft_trade_id=trade.id,
        ft_is_open=True,
        ft_pair=trade.pair,
        order_id=str(number),
        symbol=trade.pair,
        ft_order_side=side,
        side=side,
        order_type="limit",
        status="open",
        order_date=NOW,
        order_filled_date=NOW,
        order_update_date=NOW,
        ft_price=rate,
        price=rate,
        average=rate,
        amount=amount,
        filled=0,
        remaining=amount,
        cost=amount * rate,
    )
    order._trade_bt = trade
    trade.orders.append(order)
    return order


def enter(strategy, side, *, rate=100.0, leverage=5.0, amount=10.0, number=1, fee=0.0005, seen=None):
    """Ask the strategy to confirm, open a trade whatever it says, and fill it, as backtesting does.

    With `seen` the fill is that of a live bot, which looks at the stop from the market's price when it hears
    of it.
    """
    ask(strategy, "confirm_trade_entry", side, rate=rate)
    trade = open_trade(strategy, side, rate=rate, leverage=leverage, amount=amount, number=number, fee=fee)
    fill_entry(strategy, trade, amount, rate, seen=seen)
    return trade


def open_trade(strategy, side, *, rate=100.0, leverage=5.0, amount=10.0, number=1, fee=0.0005):
    trade = LocalTrade(
        id=number,
        pair=PAIR,
        base_currency="BTC",
        stake_currency="USDT",
        open_rate=rate,
        open_rate_requested=rate,
        open_date=NOW,
        stake_amount=amount * rate / leverage,
        amount=0,
        amount_requested=amount,
        fee_open=fee,
        fee_close=fee,
        is_open=True,
        timeframe=5,
        exchange="binance",
        is_short=side == "short",
        trading_mode="futures",
        leverage=leverage,
        amount_precision=0.001,
        price_precision=TICK,
        precision_mode=TICK_SIZE,
        precision_mode_price=TICK_SIZE,
        contract_size=1,
        orders=[],
    )
    LocalTrade.add_bt_trade(trade)
    trade.adjust_stop_loss(trade.open_rate, strategy.stoploss, initial=True)
    return trade


def fill_entry(strategy, trade, amount, rate, *, seen=None):
    order = order_of(trade, trade.entry_side, amount, rate)
    order.close_bt_order(NOW, trade)
    strategy.order_filled(pair=PAIR, trade=trade, order=order, current_time=NOW)
    look(strategy, trade, seen or rate, after_fill=True)
    if seen is None:
        trade.recalc_trade_from_orders()


def leave(strategy, trade, amount, rate, *, live=False):
    """Fill an exit: a backtest tells the strategy before it updates the trade, a live bot afterwards."""
    order = order_of(trade, trade.exit_side, amount, rate)
    order.close_bt_order(NOW, trade)
    if live:
        trade.update_trade(order)
    strategy.order_filled(pair=PAIR, trade=trade, order=order, current_time=NOW)
    if not live and amount == trade.amount:
        trade.close(rate, show_msg=False)
        LocalTrade.close_bt_trade(trade)
    elif trade.is_open:
        look(strategy, trade, rate, after_fill=True)
        if not live:
            trade.recalc_trade_from_orders()


def look(strategy, trade, rate, *, low=None, high=None, after_fill=False):
    """Let Freqtrade adjust the stop, as it does for each candle or tick, and after each fill."""
    profit = trade.calc_profit_ratio(rate)
    strategy.ft_stoploss_adjust(rate, trade, NOW, profit, 0, low=low, high=high, after_fill=after_fill)
    return trade.stop_loss


def wants_out(strategy, trade, rate):
    return strategy.custom_exit(PAIR, trade, NOW, rate, trade.calc_profit_ratio(rate))


def adjustment(strategy, trade, rate):
    """Ask for an adjustment as Freqtrade does: a stake (None: stay as you are) and a tag."""
    profit = trade.calc_profit_ratio(rate)
    return strategy._adjust_trade_position_internal(
        trade=trade,
        current_time=NOW,
        current_rate=rate,
        current_profit=profit,
        min_stake=5.0,
        max_stake=1e6,
        current_entry_rate=rate,
        current_exit_rate=rate,
        current_entry_profit=profit,
        current_exit_profit=profit,
    )


def ask(strategy, method, side, **change):
    """Call a callback of an entry with the arguments that Freqtrade gives it."""
    known = {
        "leverage": {"current_rate": 100.0, "proposed_leverage": 1.0, "max_leverage": 125.0},
        "custom_stake_amount": {
            "current_rate": 100.0,
            "proposed_stake": 500.0,
            "min_stake": 5.0,
            "max_stake": 1e9,
            "leverage": 1.0,
        },
        "confirm_trade_entry": {
            "order_type": "limit",
            "amount": 1.0,
            "rate": 100.0,
            "time_in_force": "GTC",
        },
    }[method]
    call = {"pair": PAIR, "current_time": NOW, "entry_tag": None, "side": side} | known | change
    return getattr(strategy, method)(**call)


def mirrored(price, side):
    """Reflect a price that is meant for a long at 100, should the trade be a short."""
    return 200.0 - price if side == "short" else price


# Entries and exits.


def flip(name):
    """Swap above and below in the name of a column."""
    return name.replace("above", "?").replace("below", "above").replace("?", "below")


QUIET = {
    "close": 100.0,
    "high": 100.0,
    "low": 100.0,
    "atr": 0.4,
    "volume": 1.0,
    "volume_usual": 1.0,
    "ema_fast": 101.0,
    "ema_slow": 100.0,
    "rsi": 50.0,
    "open_interest_change": 0.0,
    "liq_imbalance": 0.0,
    "liq_quality": 1.0,
    "liq_cleared_above": 0.0,
    "liq_cleared_below": 0.0,
    "liq_pierced_above": math.nan,
    "liq_pierced_below": math.nan,
    "liq_peak_above": 102.5,
    "liq_peak_below": 97.5,
    "liq_distance_above": 1e-4,
    "liq_distance_below": 1e-4,
    "liq_density_above": 0.0,
    "liq_density_below": 0.0,
    "liq_vacuum_above": 9.0,
    "liq_vacuum_below": 9.0,
    "liq_hit_above": 1.0,
    "liq_hit_below": 1.0,
    "liq_cascade_above": 1.0,
    "liq_cascade_below": 1.0,
}
"""An uptrend in which nothing happens; what does not matter to a long is as hostile as can be."""


def safe_row(strategy):
    """Fulfil the filters of a long, each by a margin."""
    return QUIET | {
        "liq_hit_below": strategy.enter_hit.value / 2,
        "liq_cascade_below": strategy.enter_cascade.value / 2,
        "liq_quality": (strategy.enter_quality.value + 1) / 2,
    }


def good_row(strategy, side, way="towards"):
    """All conditions of an entry, each by a margin."""
    row = safe_row(strategy) | {
        "towards": lambda s: {
            "liq_distance_above": (s.enter_room.value + s.enter_distance.value) / 2,
            "liq_density_above": s.enter_density.value + 0.01,
            "liq_imbalance": (s.enter_lean.value + 1) / 2,
            "liq_vacuum_above": s.enter_air.value / 2,
        },
        "reclaimed": lambda s: {
            "liq_cleared_below": (s.enter_cleared.value + 1) / 2,
            "liq_pierced_below": 99.5,
            "liq_imbalance": 1 - 2 * s.enter_remaining.value + 0.1,
            "open_interest_change": -2 * s.enter_interest_fall.value,
        },
        "through": lambda s: {
            "liq_cleared_above": (s.enter_cleared.value + 1) / 2,
            "liq_pierced_above": 99.5,
            "liq_cascade_above": (s.enter_follow.value + 1) / 2,
        },
    }[way](strategy)
    return row if side == "long" else mirror_row(row)


def mirror_row(row):
    """Reflect a row: what lay above lies below, and up is down."""
    turned = {flip(name): value for name, value in row.items()}
    turned["liq_imbalance"] = -row["liq_imbalance"]
    for name in turned:
        if name.startswith("liq_") and name.split("_")[1] in ("peak", "pierced"):
            turned[name] = 200 - turned[name]
    turned["ema_fast"], turned["ema_slow"] = row["ema_slow"], row["ema_fast"]
    turned["rsi"] = 100 - row["rsi"]
    return turned


def signals(strategy, rows):
    """Run Freqtrade's own calls; return entries and exits as `(row, column, tag)`."""
    frame = pd.DataFrame({"date": pd.date_range(NOW, periods=len(rows), freq="5min")})
    frame = frame.join(pd.DataFrame(rows, dtype=float))
    frame = strategy.advise_exit(strategy.advise_entry(frame, {"pair": PAIR}), {"pair": PAIR})
    return [
        (i, f"{action}_{side}", tag)
        for action in ("enter", "exit")
        for side in ("long", "short")
        if f"{action}_{side}" in frame
        for i, tag in frame.loc[frame[f"{action}_{side}"] == 1, f"{action}_tag"].items()
    ]


def entries(strategy, *rows):
    return [signal for signal in signals(strategy, rows) if signal[1].startswith("enter")]


TAGS = {
    ("towards", "long"): "shorts_above",
    ("towards", "short"): "longs_below",
    ("reclaimed", "long"): "longs_swept",
    ("reclaimed", "short"): "shorts_swept",
    ("through", "long"): "through_shorts",
    ("through", "short"): "through_longs",
}
SWITCHES = {
    "towards": ("enter_towards", False),
    "reclaimed": ("enter_reclaim", "off"),
    "through": ("enter_break", False),
}
ways = pytest.mark.parametrize("way", SWITCHES)


@pytest.fixture
def everything(strategy, monkeypatch):
    """The strategy with every entry switched on."""
    monkeypatch.setattr(strategy.enter_reclaim, "value", "both")
    return strategy


@ways
def test_a_good_row_is_one_long_and_its_mirror_image_one_short(everything, way):
    nothing = dict.fromkeys(good_row(everything, "long"), math.nan)
    long, short = (good_row(everything, side, way) for side in ("long", "short"))
    found = entries(everything, nothing, long, nothing, short)
    assert found == [(1, "enter_long", TAGS[way, "long"]), (3, "enter_short", TAGS[way, "short"])]


@sides
@ways
def test_an_entry_that_is_switched_off_is_not_taken(everything, monkeypatch, way, side):
    row = good_row(everything, side, way)
    assert len(entries(everything, row)) == 1
    name, off = SWITCHES[way]
    monkeypatch.setattr(getattr(everything, name), "value", off)
    assert entries(everything, row) == []


def test_shorts_after_a_squeeze_are_off_unless_wanted(strategy):
    rows = [good_row(strategy, side, "reclaimed") for side in ("long", "short")]
    assert entries(strategy, *rows) == [(0, "enter_long", "longs_swept")]


@sides
def test_of_several_reasons_the_first_names_the_entry(everything, side):
    rows = [good_row(everything, "long", way) for way in SWITCHES]
    both = rows[2] | {name: value for name, value in rows[0].items() if value != QUIET.get(name)}
    both = both | {"liq_cascade_above": rows[2]["liq_cascade_above"]}
    both = both if side == "long" else mirror_row(both)
    assert [tag for _, _, tag in entries(everything, both)] == [TAGS["towards", side]]


@sides
@ways
def test_too_few_reasons_of_a_chart_reader_are_no_entry(everything, monkeypatch, way, side):
    row = good_row(everything, side, way)
    monkeypatch.setattr(everything.enter_confluence, "value", 1)
    assert len(entries(everything, row)) == 1  # the trend
    monkeypatch.setattr(everything.enter_confluence, "value", 2)
    assert entries(everything, row) == []


@sides
@ways
def test_without_columns_there_is_no_entry_and_no_exit(everything, way, side):
    row = {
        name: math.nan if name.startswith("liq_") else value
        for name, value in good_row(everything, side, way).items()
    }
    assert signals(everything, [row] * 3) == []


FILTERED = {
    "hit likely behind": ("liq_hit_below", lambda s: s.enter_hit.value + 0.01),
    "cascade likely behind": ("liq_cascade_below", lambda s: s.enter_cascade.value + 0.01),
    "dense cluster before the stop": ("liq_density_below", lambda s: s.enter_wall.value + 0.01),
    "untrusted": ("liq_quality", lambda s: s.enter_quality.value - 0.01),
    "quality 0": ("liq_quality", lambda s: 0.0),
    "not traded": ("volume", lambda s: 0.0),
    "hardly traded": ("volume", lambda s: s.enter_volume.value - 0.01),
}
BROKEN = {
    "towards": {
        "too near": ("liq_distance_above", lambda s: s.enter_room.value * 0.99),
        "too far": ("liq_distance_above", lambda s: s.enter_distance.value * 1.01),
        "thin": ("liq_density_above", lambda s: s.enter_density.value - 0.001),
        "little fuel ahead": ("liq_imbalance", lambda s: s.enter_lean.value - 0.01),
        "something in between": ("liq_vacuum_above", lambda s: s.enter_air.value + 0.01),
        "no trend": ("ema_fast", lambda s: 100.0),
        "against the trend": ("ema_fast", lambda s: 99.0),
        "overbought": ("rsi", lambda s: 71.0),
    },
    "reclaimed": {
        "hardly swept": ("liq_cleared_below", lambda s: s.enter_cleared.value - 0.01),
        "not reclaimed": ("liq_pierced_below", lambda s: 100.1),
        "at the edge": ("liq_pierced_below", lambda s: 100.0),
        "fuel left": ("liq_imbalance", lambda s: 1 - 2 * s.enter_remaining.value - 0.01),
        "still open": ("open_interest_change", lambda s: -s.enter_interest_fall.value + 1e-4),
    },
    "through": {
        "hardly swept": ("liq_cleared_above", lambda s: s.enter_cleared.value - 0.01),
        "fell back": ("liq_pierced_above", lambda s: 100.1),
        "at the edge": ("liq_pierced_above", lambda s: 100.0),
        "nothing to set off": ("liq_cascade_above", lambda s: s.enter_follow.value - 0.01),
    },
}
FAULTS = [(way, *fault) for way in BROKEN for fault in (BROKEN[way] | FILTERED).values()]


@sides
@pytest.mark.parametrize(("way", "column", "worse"), FAULTS)
def test_breaking_one_condition_removes_the_entry(everything, side, way, column, worse):
    row = good_row(everything, "long", way) | {column: worse(everything)}
    good = good_row(everything, side, way)
    assert entries(everything, good, row if side == "long" else mirror_row(row), good) == [
        (i, f"enter_{side}", TAGS[way, side]) for i in (0, 2)
    ]


NEEDED = [
    (way, column)
    for way in BROKEN
    for column in sorted({column for column, _ in (BROKEN[way] | FILTERED).values()})
    if column not in ("liq_hit_below", "liq_density_below")
]


@sides
@pytest.mark.parametrize(("way", "column"), NEEDED)
def test_a_missing_value_removes_the_entry(everything, side, way, column):
    row = good_row(everything, "long", way) | {column: math.nan}
    assert entries(everything, row if side == "long" else mirror_row(row)) == []


@sides
def test_no_cluster_behind_is_no_reason_to_stay_out(strategy, side):
    row = good_row(strategy, "long") | {"liq_hit_below": math.nan}
    assert len(entries(strategy, row if side == "long" else mirror_row(row))) == 1


@sides
@pytest.mark.parametrize("reach", ["enter_room", "enter_distance"])
def test_a_row_at_every_threshold_is_an_entry(strategy, side, reach):
    row = good_row(strategy, "long") | {
        "liq_distance_above": getattr(strategy, reach).value,
        "liq_density_above": strategy.enter_density.value,
        "liq_imbalance": strategy.enter_lean.value,
        "liq_vacuum_above": strategy.enter_air.value,
        "volume": strategy.enter_volume.value,
        "liq_hit_below": strategy.enter_hit.value,
        "liq_cascade_below": strategy.enter_cascade.value,
        "liq_quality": strategy.enter_quality.value,
    }
    assert len(entries(strategy, row if side == "long" else mirror_row(row))) == 1


def test_a_position_is_left_when_a_cascade_against_it_is_likely(strategy):
    calm, likely = strategy.exit_cascade.value - 0.01, strategy.exit_cascade.value + 0.01
    idle = QUIET | {"volume": 0.0}
    rows = [
        idle | {"liq_cascade_below": below, "liq_cascade_above": above}
        for below, above in (
            (calm, calm),
            (likely, calm),
            (calm, likely),
            (math.nan, likely),
            (likely, likely),
        )
    ]
    assert signals(strategy, rows) == [
        (1, "exit_long", "cascade_behind"),
        (4, "exit_long", "cascade_behind"),
        (2, "exit_short", "cascade_behind"),
        (3, "exit_short", "cascade_behind"),
        (4, "exit_short", "cascade_behind"),
    ]


@sides
@pytest.mark.parametrize(("cleared", "left", "spent"), [(0, 0, True), (-0.01, 0, False), (0, 0.01, False)])
def test_a_position_is_left_when_the_cluster_ahead_was_swept_and_little_is_left(
    strategy, side, cleared, left, spent
):
    share = strategy.exit_remaining.value + left
    row = QUIET | {
        "volume": 0.0,
        "liq_cascade_above": 0.0,
        "liq_cascade_below": 0.0,
        "liq_cleared_above": strategy.exit_cleared.value + cleared,
        "liq_imbalance": 2 * share - 1,
    }
    found = signals(strategy, [row if side == "long" else mirror_row(row)])
    assert found == ([(0, f"exit_{side}", "fuel_spent")] if spent else [])


# Warm-up and parameters.


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


def test_freqtrade_finds_the_four_spaces(strategy):
    found = detect_all_parameters(strategy)
    assert set(found) == {"enter", "exit", "heatmap", "protection"}
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


# Indicators.


@pytest.mark.parametrize("name", ["binance", "bitget"])
def test_indicators_are_added_beside_the_candles(make_bot, tmp_path, name):
    bot = make_bot(name)
    strategy = bot.strategy()
    candles = random_candles(strategy.startup_candle_count + 200, seed=7, volatility=0.002)
    store = get_datahandler(tmp_path, "feather")
    (tmp_path / "futures").mkdir()
    store.ohlcv_store(PAIR, "1h", random_funding(candles, 8), CandleType.FUNDING_RATE)
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


# The plan, kept in the trade's custom data.


@pytest.fixture
def reads(monkeypatch):
    """Keys of custom data that were read, in order."""
    keys = []
    read = LocalTrade.get_custom_data

    def counting(trade, key, default=None):
        keys.append(key)
        return read(trade, key, default)

    monkeypatch.setattr(LocalTrade, "get_custom_data", counting)
    return keys


@sides
def test_a_filled_entry_writes_one_plan_of_plain_values(strategy, side):
    trade = enter(strategy, side)
    (entry,) = trade.get_all_custom_data()
    assert entry.cd_key == "plan"
    assert {type(value) for value in entry.value.values()} == {str, float}
    plan = Plan.from_dict(json.loads(entry.cd_value))
    assert (plan.side, plan.entry_price) == (side, 100.0)
    # A third of a range beyond the far edge, a tenth before the near edge, and the peak.
    expected = [mirrored(price, side) for price in (97 - 0.35 * 0.4, 102 - 0.1 * 0.4, 102.5)]
    assert [plan.stop, plan.first_target, plan.second_target] == pytest.approx(expected)


@sides
def test_a_plan_stands_while_the_clusters_move(strategy, bot, side):
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
@pytest.mark.parametrize(("minutes", "accepted"), [(5, True), (9.99, True), (10, False), (14, False)])
def test_nothing_is_entered_on_a_candle_that_another_has_followed(strategy, side, minutes, accepted):
    now = NOW + timedelta(minutes=minutes)
    assert ask(strategy, "confirm_trade_entry", side, current_time=now) is accepted


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


def test_the_last_exit_forgets_the_plan(strategy):
    trade = enter(strategy, "long")
    leave(strategy, trade, 4.0, 102.0, live=True)
    leave(strategy, trade, trade.amount, 102.5, live=True)
    assert not trade.is_open
    assert strategy.plans == {}


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
    bot.show(atr=0.1, liq_far_below=99.0, liq_far_above=101.0)
    trade.stop_loss = mirrored(95.0, side)
    for rate in (100.0, 100.5):
        assert look(second, trade, rate) == stop
        adjustment(second, trade, rate)
        wants_out(second, trade, rate)
    assert reads == ["plan"]
    assert second.plan_of(trade) == first.plan_of(trade)


@sides
def test_another_entry_overwrites_the_plan(bot, strategy, side):
    trade = enter(strategy, side)
    bot.show(**{FAR[side]: mirrored(98.0, side)})
    fill_entry(strategy, trade, 10.0, 100.0)
    expected = mirrored(98 - 0.35 * 0.4, side)
    assert strategy.plan_of(trade).stop == pytest.approx(expected)
    (entry,) = trade.get_all_custom_data()
    assert Plan.from_dict(entry.value).stop == pytest.approx(expected)
    assert look(strategy, trade, 100.0) == pytest.approx(expected, abs=TICK)
    assert bot.strategy().plan_of(trade) == strategy.plan_of(trade)


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


# Stops.


@sides
@leverages
@pytest.mark.parametrize("first", [97.0, 99.0, 100.0, 101.5, 104.0])
def test_the_stop_is_that_of_the_plan_from_whichever_price_one_looks(strategy, side, leverage, first):
    first = mirrored(first, side)
    trade = enter(strategy, side, leverage=leverage, seen=first)
    look(strategy, trade, first)
    assert_stop_of_plan(strategy, trade)


def assert_stop_of_plan(strategy, trade):
    """Stops are prices that an exchange takes: a tick nearer to the entry at most."""
    stop = strategy.plan_of(trade).stop
    nearer = (stop - trade.stop_loss) if trade.is_short else (trade.stop_loss - stop)
    assert -1e-9 <= nearer <= TICK + 1e-9


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


# Leverage and stake.


@pytest.mark.parametrize("max_leverage", [3.0, 125.0])
@pytest.mark.parametrize("wallet", [1e3, 1e7, 1e9])
@pytest.mark.parametrize("far", [99.7, 97.0, 85.0, math.nan])
@sides
def test_own_liquidation_lies_beyond_the_stop(bot, strategy, side, far, wallet, max_leverage):
    """A stop as far as 85 is beyond what the strategy takes, but there alone liquidation is near."""
    strategy.plan_rule = replace(strategy.plan_rule, max_distance=0.3)
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


def fund(bot, wallet):
    bot.wallets._start_cap["USDT"] = wallet
    bot.wallets.update()


@sides
def test_a_nearer_stop_allows_more_leverage(bot, strategy, side):
    strategy.plan_rule = replace(strategy.plan_rule, max_distance=0.3)
    found = []
    for far in (90.0, 85.0, 80.0):
        bot.show(**{FAR[side]: mirrored(far, side)})
        found.append(ask(strategy, "leverage", side))
    assert found == sorted(set(found), reverse=True)


@sides
@pytest.mark.parametrize("row", [{"atr": math.nan}, {"atr": 0.0}, {"atr": 5.0}], ids=["nan", "0", "wide"])
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
    rows = pd.DataFrame([MARKET, MARKET | {"atr": math.nan}, MARKET])
    bot.provider._set_cached_df(PAIR, "5m", rows, CandleType.FUTURES)
    for closed, accepted in ((1, True), (2, False), (3, True)):
        bot.provider._set_dataframe_max_index(PAIR, closed)
        assert ask(strategy, "confirm_trade_entry", side) is accepted


@sides
def test_a_plan_without_clusters_stops_at_a_multiple_of_the_range_and_has_no_targets(bot, strategy, side):
    bot.show(**{name: math.nan for name in MARKET if name.startswith("liq_")})
    assert ask(strategy, "confirm_trade_entry", side) is True
    trade = enter(strategy, side)
    stop = mirrored(100 - strategy.plan_rule.fallback * MARKET["atr"], side)
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


# Targets.


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


# Caution, funding and time.


@sides
@pytest.mark.parametrize(("cascade", "share"), [(0.25, 0.75), (1.0, 0.0), (math.nan, 0.0)])
def test_the_stake_shrinks_with_the_risk_of_a_cascade_behind(bot, strategy, side, cascade, share):
    full = ask(strategy, "custom_stake_amount", side)
    behind, ahead = ("below", "above") if side == "long" else ("above", "below")
    bot.show(**{f"liq_cascade_{ahead}": 0.9})
    assert ask(strategy, "custom_stake_amount", side) == full > 0
    bot.show(**{f"liq_cascade_{behind}": cascade})
    assert ask(strategy, "custom_stake_amount", side) == pytest.approx(share * full)


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


@sides
def test_a_trade_that_lasts_too_long_is_left(strategy, side):
    trade = enter(strategy, side)
    hours = strategy.exit_hours.value
    for late, reason in ((-0.1, None), (0.0, "time"), (5.0, "time")):
        now = NOW + timedelta(hours=hours + late)
        assert strategy.custom_exit(PAIR, trade, now, 100.0, 0.0) == reason


@sides
def test_leverage_leaves_room_for_the_fee_of_a_liquidation(bot, strategy, side):
    strategy.plan_rule = replace(strategy.plan_rule, max_distance=0.3)
    bot.show(**{FAR[side]: mirrored(85.0, side)})
    with_fee = ask(strategy, "leverage", side)
    strategy.liquidation_fee_rate = 0.0
    assert 1 < with_fee < ask(strategy, "leverage", side)


def test_protections_are_those_of_their_space(strategy, monkeypatch):
    monkeypatch.setattr(strategy.protection_pause, "value", 7)
    monkeypatch.setattr(strategy.protection_stops, "value", 3)
    pause, guard = strategy.protections
    assert (pause["method"], pause["stop_duration_candles"]) == ("CooldownPeriod", 7)
    assert (guard["method"], guard["trade_limit"]) == ("StoplossGuard", 3)


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


def test_parameters_of_the_configuration_stand_in_for_the_defaults(bot):
    usual = bot.strategy()
    bot.config["parameters"] = {"enter": {"enter_lean": 0.1}, "exit": {"exit_hours": 3}}
    strategy = bot.strategy()
    strategy.ft_bot_start()
    assert (strategy.enter_lean.value, strategy.longest_hours) == (0.1, 3)
    assert strategy.enter_room.value == usual.enter_room.value
    assert usual.enter_lean.value != 0.1


def test_hyperopt_reaches_no_further_than_freqtrades_own_class(strategy):
    """It ships all bases by value up to `IStrategy`; `object` among them ends in a RecursionError."""
    chain, bases = [], type(strategy).__bases__
    while bases:
        assert len(bases) == 1
        chain.append(bases[0].__name__)
        bases = () if chain[-1] == "IStrategy" else bases[0].__bases__
    assert chain == ["ClusterTrades", "IStrategy"]
