"""A bot without a network, at a price of 100, and Freqtrade's calls as backtests and live bots make them."""

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

pytest.importorskip("freqtrade")

from ccxt import TICK_SIZE
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import CandleType, RunMode
from freqtrade.persistence import CustomDataWrapper, LocalTrade, Order
from freqtrade.persistence.usedb_context import FtNoDBContext
from freqtrade.resolvers import ExchangeResolver, StrategyResolver
from freqtrade.wallets import Wallets

from liqfeature.exchange.traits import EXCHANGES

STRATEGIES = Path(__file__).parents[2] / "user_data" / "strategies"
PAIR = "BTC/USDT:USDT"
NOW = datetime(2026, 1, 20, tzinfo=UTC)
WALLET = 10_000.0
TICK = 0.01

sides = pytest.mark.parametrize("side", ["long", "short"])
leverages = pytest.mark.parametrize("leverage", [1.0, 5.0])
exchanges = pytest.mark.parametrize("name", EXCHANGES)


@dataclass(frozen=True)
class Bot:
    """What Freqtrade puts around a strategy: an exchange, data and a wallet."""

    exchange: object
    provider: DataProvider
    wallets: Wallets
    config: dict

    @classmethod
    def beside(cls, config):
        exchange = ExchangeResolver.load_exchange(config, validate=False, load_leverage_tiers=False)
        # Where it knows of none, Freqtrade asks the real exchange for them.
        exchange._markets = {PAIR: {"symbol": PAIR, "info": {}}}
        provider = DataProvider(config, exchange, SimpleNamespace(whitelist=[PAIR]))
        return cls(exchange, provider, Wallets(config, exchange, is_backtest=True), config)

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
    "liq_quality": 0.9,
    "liq_sigma": 0.004,
    "stop_distance_above": 0.005,
    "stop_distance_below": 0.005,
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


@contextmanager
def no_data_base():
    """Keep trades in memory, and begin and end without any."""
    with FtNoDBContext("5m"):
        LocalTrade.reset_trades()
        CustomDataWrapper.reset_custom_data()
        yield
        LocalTrade.reset_trades()
        CustomDataWrapper.reset_custom_data()


def order_of(trade, side, amount, rate, tag=None):
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
        ft_order_tag=tag,
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
    strategy.wallets.update()


def leave(strategy, trade, amount, rate, *, live=False, tag=None):
    """Fill an exit: a backtest lets the strategy know before it updates the trade, a live bot afterwards."""
    order = order_of(trade, trade.exit_side, amount, rate, tag)
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
    strategy.wallets.update()


def look(strategy, trade, rate, *, low=None, high=None, after_fill=False):
    """Let Freqtrade adjust the stop, as it does for each candle or tick, and after each fill."""
    profit = trade.calc_profit_ratio(rate)
    strategy.ft_stoploss_adjust(rate, trade, NOW, profit, 0, low=low, high=high, after_fill=after_fill)
    return trade.stop_loss


def wants_out(strategy, trade, rate):
    return strategy.custom_exit(PAIR, trade, NOW, rate, trade.calc_profit_ratio(rate))


def adjustment(strategy, trade, rate, *, entry_rate=None, min_stake=5.0):
    """Ask for an adjustment as Freqtrade does: a stake (None: stay as you are) and a tag.

    A live bot has two rates, and gives that of an entry where a backtest gives the only one.
    """
    entry_rate = entry_rate or rate
    profit, exit_profit = trade.calc_profit_ratio(entry_rate), trade.calc_profit_ratio(rate)
    return strategy._adjust_trade_position_internal(
        trade=trade,
        current_time=NOW,
        current_rate=entry_rate,
        current_profit=profit,
        min_stake=min_stake,
        max_stake=1e6,
        current_entry_rate=entry_rate,
        current_exit_rate=rate,
        current_entry_profit=profit,
        current_exit_profit=exit_profit,
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


def assert_stop_of_plan(strategy, trade):
    """Stops are prices that an exchange takes: a tick nearer to the entry at most."""
    stop = strategy.plan_of(trade).stop
    nearer = (stop - trade.stop_loss) if trade.is_short else (trade.stop_loss - stop)
    assert -1e-9 <= nearer <= TICK + 1e-9


def fund(bot, wallet):
    bot.wallets._start_cap["USDT"] = wallet
    bot.wallets.update()
