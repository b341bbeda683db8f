"""A real strategy does not enter on bad data, says so once, and goes on managing open trades."""

import logging
from datetime import UTC, timedelta
from types import SimpleNamespace

import pytest

from builders.frames import random_candles, random_funding, random_open_interest
from liqfeature import HeatmapConfig
from liqfeature.columns.features import COLUMNS
from liqfeature.columns.health import COLUMN, WORDS, Reason
from liqfeature.strategy.around import around_clusters
from liqfeature.strategy.rule import PlanRule

pytest.importorskip("freqtrade")

from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import CandleType, RunMode
from freqtrade.strategy import IStrategy

PAIR = "BTC/USDT:USDT"
WARMUP = HeatmapConfig.for_exchange("binance").warmup
LONG_CANDLES = random_candles(WARMUP + 60, 5)
LONG_INTEREST = random_open_interest(LONG_CANDLES, 5)
NOW = LONG_CANDLES["date"].iloc[-1].to_pydatetime()


class Always(around_clusters(IStrategy)):
    """Wants a long at every candle."""

    INTERFACE_VERSION = 3
    timeframe = "5m"
    can_short = True
    plan_rule = PlanRule(max_distance=0.9)  # random candles are wild

    def populate_indicators(self, dataframe, metadata):
        return self.cluster_columns(dataframe, metadata)

    def populate_entry_trend(self, dataframe, metadata):
        dataframe.loc[self.cluster_feed.sound(dataframe), "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe


def make(mode="backtest", name="binance"):
    config = {
        "exchange": {"name": name, "pair_whitelist": [PAIR]},
        "runmode": RunMode(mode),
        "timeframe": "5m",
        "stake_currency": "USDT",
        "candle_type_def": CandleType.FUTURES,
    }
    strategy = Always(config)
    strategy.dp = DataProvider(config, SimpleNamespace(markets={}), SimpleNamespace(whitelist=[PAIR]))
    strategy.wallets = SimpleNamespace(get_total_stake_amount=lambda: 10_000.0)
    return strategy


def analyse(strategy, candles=LONG_CANDLES, interest=LONG_INTEREST):
    """Let the strategy analyse candles as Freqtrade does, and make the last row known."""
    frames = {"open_interest": interest, "funding_rate": random_funding(LONG_CANDLES, 5, size=1e-5)}
    strategy.dp.get_pair_dataframe = lambda pair, timeframe, candle_type: frames[candle_type]
    rows = strategy.advise_entry(strategy.advise_indicators(candles.copy(), {"pair": PAIR}), {"pair": PAIR})
    strategy.dp._set_cached_df(PAIR, "5m", rows, CandleType.FUTURES)
    strategy.dp._set_dataframe_max_index(PAIR, len(rows))
    return rows


def wants_in(strategy):
    """Whether an entry gets a stake and is confirmed."""
    rate = float(LONG_CANDLES["close"].iloc[-1])
    at = {"pair": PAIR, "current_time": NOW, "entry_tag": None, "side": "long"}
    stake = strategy.custom_stake_amount(
        **at, current_rate=rate, proposed_stake=100.0, min_stake=5.0, max_stake=1e9, leverage=2.0
    )
    confirmed = strategy.confirm_trade_entry(
        **at, order_type="limit", amount=1.0, rate=rate, time_in_force="GTC"
    )
    assert (stake > 0) is confirmed
    return confirmed


def old(candles):
    """Open interest that ended that many candles ago."""
    return LONG_INTEREST[LONG_INTEREST["date"] < LONG_CANDLES["date"].iloc[-candles]]


def test_a_strategy_enters_on_sound_rows_and_shows_the_column(caplog):
    strategy = make("dry_run")
    rows = analyse(strategy)
    assert rows[COLUMN].iloc[-1] == 0
    assert [name for name in rows if name.startswith("liq_")] == [*COLUMNS, COLUMN]
    assert (rows["enter_long"].fillna(0) == (rows[COLUMN] == 0)).all()
    assert wants_in(strategy)
    assert caplog.records == []


BAD = {
    "late": ({"interest": old(40)}, Reason.STALE_OPEN_INTEREST),
    "short": ({"candles": LONG_CANDLES.tail(WARMUP - 1).reset_index(drop=True)}, Reason.WARM_UP),
    "none": ({"interest": LONG_INTEREST.iloc[:0]}, Reason.NO_OPEN_INTEREST),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bot_does_not_enter_on_bad_data_and_says_so_once(what, caplog):
    change, reason = BAD[what]
    strategy = make("dry_run")
    for _ in range(3):
        rows = analyse(strategy, **change)
        assert int(rows[COLUMN].iloc[-1]) & reason
        assert rows["enter_long"].iloc[-1] != 1
        assert not wants_in(strategy)
    warned = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [record.getMessage() for record in warned].count(warned[0].getMessage()) == 1
    assert any(WORDS[reason] in record.getMessage() and PAIR in record.getMessage() for record in warned)
    assert list(strategy.dp._msg_queue) == [record.getMessage() for record in warned]
    analyse(strategy)
    assert wants_in(strategy)


def test_a_backtest_may_do_without_open_interest():
    strategy = make("backtest")
    analyse(strategy, interest=LONG_INTEREST.iloc[:0])
    assert wants_in(strategy)
    analyse(strategy, interest=old(40))
    assert not wants_in(strategy)


def test_an_exchange_without_open_interest_is_no_failure():
    strategy = make("dry_run", "hyperliquid")
    assert strategy.startup_candle_count <= WARMUP + 60
    analyse(strategy, interest=LONG_INTEREST.iloc[:0])
    assert wants_in(strategy)


def trade_of(strategy):
    """A long with the plan that was confirmed for it."""
    assert wants_in(strategy)
    rate = float(LONG_CANDLES["close"].iloc[-1])
    trade = SimpleNamespace(
        id=1,
        pair=PAIR,
        is_short=False,
        is_open=True,
        leverage=2.0,
        open_rate=rate,
        stake_amount=100.0,
        entry_side="buy",
        trade_direction="long",
        nr_of_successful_entries=1,
        open_date_utc=NOW.replace(tzinfo=UTC),
        data={},
    )
    trade.set_custom_data = trade.data.__setitem__
    trade.get_custom_data = trade.data.get
    order = SimpleNamespace(ft_order_side="buy")
    strategy.order_filled(PAIR, trade, order, NOW)
    return trade


@pytest.mark.parametrize("what", BAD)
def test_open_trades_keep_their_stop_and_their_targets_on_bad_data(what):
    strategy = make("dry_run")
    analyse(strategy)
    trade = trade_of(strategy)
    before = strategy.plan_of(trade)
    at = {"pair": PAIR, "trade": trade, "current_time": NOW, "current_profit": 0.0}
    stop = strategy.custom_stoploss(**at, current_rate=before.entry_price, after_fill=False)
    change, _ = BAD[what]
    analyse(strategy, **change)
    assert strategy.adjust_trade_position(trade, NOW, before.entry_price, 0.0, None, 1e9, 0, 0, 0, 0) is None
    assert strategy.plan_of(trade).to_dict() == before.to_dict()
    assert strategy.custom_stoploss(**at, current_rate=before.entry_price, after_fill=False) == stop
    assert strategy.custom_exit(**at, current_rate=before.entry_price) in (None, "funding")
    late = at | {"current_time": NOW + timedelta(hours=strategy.longest_hours)}
    assert strategy.custom_exit(**late, current_rate=before.entry_price) in ("time", "funding")
    assert make("dry_run").plan_of(trade).to_dict() == before.to_dict()  # after a restart
