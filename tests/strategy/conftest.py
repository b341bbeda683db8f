"""The strategy beside an exchange of Freqtrade's, without a network or a data base.

Where there is no Freqtrade, importing `builders.driving` skips the tests of each module: here it is imported
late.
"""

from types import SimpleNamespace

import pytest


@pytest.fixture
def make_bot(tmp_path, monkeypatch):
    """Bots beside any exchange; nothing is stored in a data base, as in a backtest."""
    from freqtrade.persistence import Trade

    from builders.driving import Bot, no_data_base, settings_of

    opened = []
    monkeypatch.setattr(Trade, "session", SimpleNamespace(commit=lambda: None), raising=False)

    def make(name="binance"):
        bot = Bot.beside(settings_of(name, tmp_path))
        opened.append(bot.exchange)
        return bot

    with no_data_base():
        yield make
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


@pytest.fixture
def everything(strategy, monkeypatch):
    """The strategy with every entry switched on."""
    monkeypatch.setattr(strategy.enter_reclaim, "value", "both")
    return strategy


@pytest.fixture
def reads(monkeypatch):
    """Keys of custom data that were read, in order."""
    from freqtrade.persistence import LocalTrade

    keys = []
    read = LocalTrade.get_custom_data

    def counting(trade, key, default=None):
        keys.append(key)
        return read(trade, key, default)

    monkeypatch.setattr(LocalTrade, "get_custom_data", counting)
    return keys
