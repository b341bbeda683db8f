"""Entries as Freqtrade makes them: its own code asks the callbacks, up to the order it would place."""

from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

import pandas as pd
import pytest

pytest.importorskip("freqtrade")

import time_machine
from ccxt import TICK_SIZE
from freqtrade.enums import TradingMode
from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.persistence import LocalTrade
from freqtrade.wallets import Wallets

from builders.driving import NOW, PAIR, WALLET

PROPOSED = 2500.0
"""Stake that Freqtrade would take where nobody says another."""


@dataclass(frozen=True)
class Order:
    """What Freqtrade would send to the exchange."""

    amount: float
    leverage: float


class _SentError(Exception):
    """Ends an entry where the order would leave."""


def _venue(rate):
    return SimpleNamespace(
        name="an exchange",
        get_rate=lambda *args, **kw: rate,
        get_max_leverage=lambda *args: 125.0,
        get_min_pair_stake_amount=lambda *args, **kw: 5.0,
        get_max_pair_stake_amount=lambda *args, **kw: 1e9,
        get_contract_size=lambda pair: 1.0,
        get_precision_amount=lambda pair: 0.001,
        get_pair_base_currency=lambda pair: "BTC",
    )


def _wallets():
    """Return a wallet of Freqtrade's own rules that does not depend on what the strategy is given."""
    wallets = SimpleNamespace(
        get_trade_stake_amount=lambda *args, **kw: PROPOSED,
        get_available_stake_amount=lambda: WALLET,
        _local_log=lambda *args, **kw: None,
    )
    wallets.validate_stake_amount = partial(Wallets.validate_stake_amount, wallets)
    return wallets


def live_entry(strategy, side, rate=100.0):
    """Return the order of an entry by a live bot; None where it is refused."""

    def send(**order):
        raise _SentError(Order(order["amount"], order["leverage"]))

    venue = _venue(rate)
    venue.create_order = send
    bot = SimpleNamespace(
        strategy=strategy,
        exchange=venue,
        wallets=_wallets(),
        config={},
        trading_mode=TradingMode.FUTURES,
    )
    bot.get_valid_price = partial(FreqtradeBot.get_valid_price, bot)
    bot.get_valid_enter_price_and_stake = partial(FreqtradeBot.get_valid_enter_price_and_stake, bot)
    with time_machine.travel(NOW, tick=False):
        try:
            refused = FreqtradeBot.execute_entry(bot, PAIR, PROPOSED, is_short=side == "short")
        except _SentError as sent:
            return sent.args[0]
    assert refused is False
    return None


def backtest_entry(strategy, side, rate=100.0):
    """Return the order of an entry in a backtest; None where it is refused."""
    test = SimpleNamespace(
        strategy=strategy,
        exchange=_venue(rate),
        wallets=_wallets(),
        config={"stake_currency": "USDT"},
        trading_mode=TradingMode.FUTURES,
        precision_mode=TICK_SIZE,
        get_pair_precision=lambda *args: (0.01, TICK_SIZE),
        order_id_counter=0,
        trade_id_counter=0,
        fee=0.0005,
        timeframe_min=5,
        _exchange_name="binance",
        _try_close_open_order=lambda *args: None,
    )
    test.get_valid_entry_price_and_stake = partial(Backtesting.get_valid_entry_price_and_stake, test)
    row = (
        pd.Timestamp(NOW),
        rate,
        rate,
        rate,
        rate,
        side == "long",
        False,
        side == "short",
        False,
        None,
        None,
    )
    trade = Backtesting._enter_trade(test, PAIR, row, side)
    if trade is None:
        return None
    LocalTrade.remove_bt_trade(trade)  # the wallet goes on as before
    return Order(trade.amount_requested, trade.leverage)


enter_by = pytest.mark.parametrize("order_of_entry", [live_entry, backtest_entry], ids=["live", "backtest"])
