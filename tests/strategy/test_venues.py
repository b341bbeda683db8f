"""Other exchanges in a strategy: a bot reads what its backtest reads, and a filter asks for agreement."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("freqtrade")

from builders.abroad import candles_beside
from builders.driving import PAIR
from builders.frames import CANDLE, random_candles, random_open_interest
from liqfeature import COLUMNS, ConfigError, liquidation_features
from liqfeature.columns.venues import VENUE_COLUMNS
from liqfeature.data.database import Database, Row
from liqfeature.data.kinds import CANDLES, OPEN_INTEREST, Series
from liqfeature.data.venues import VenueSource
from liqfeature.strategy import signals

WAIT = 5.0


@pytest.fixture
def bot(make_bot):
    bot = make_bot("binance")
    bot.show()
    return bot


@pytest.fixture
def candles(bot):
    return random_candles(bot.strategy().startup_candle_count + 400, seed=3, volatility=0.002)


@pytest.fixture
def received(candles):
    """Kind, stamp, moment of receipt and content of rows that come late, drop out, and return together."""
    beside = candles_beside(candles, 5, basis=2e-4)
    interest = random_open_interest(beside, 6, lead=0)
    rng, rows = np.random.default_rng(1), []
    for kind, frame in ((CANDLES, beside), (OPEN_INTEREST, interest)):
        delay = rng.choice([1_000, 4_000, 9_000], len(frame), p=[0.8, 0.1, 0.1])
        delay[-100:-88] = np.arange(12, 0, -1) * CANDLE + 2_000
        stamps = frame["date"].dt.as_unit("ms").astype("int64")
        values = frame.drop(columns="date").to_numpy().tolist()
        rows += [(kind, s, s + CANDLE + d, v) for s, d, v in zip(stamps, delay.tolist(), values, strict=True)]
    return rows


def stored(path, rows):
    with Database(path, write=True) as database, database.writing():
        for kind in (CANDLES, OPEN_INTEREST):
            found = [Row(stamp, at, values) for of, stamp, at, values in rows if of is kind]
            database.add(Series("bybit", PAIR, kind, "5m"), "rest", found)
    return path


def columns_of(bot, candles, path):
    bot.config["recordings"] = str(path)
    bot.config["venues"] = {"names": ["bybit"], "wait": WAIT}
    return bot.strategy().cluster_columns(candles.reset_index(drop=True), {"pair": PAIR})


def test_a_bot_sees_the_row_that_its_backtest_sees(bot, candles, received, tmp_path):
    whole = columns_of(bot, candles, stored(tmp_path / "all.sqlite", received))
    assert set(whole["liq_fresh"].iloc[-200:]) == {0.5, 1.0}
    names, n = [*COLUMNS, *VENUE_COLUMNS], bot.strategy().startup_candle_count
    for end in (*range(len(candles) - 104, len(candles) - 84, 3), len(candles) - 1):
        now = int(candles["date"].iloc[end].timestamp() * 1000) + CANDLE + WAIT * 1000
        known = stored(tmp_path / f"{end}.sqlite", [row for row in received if row[2] <= now])
        live = columns_of(bot, candles.iloc[end + 1 - n : end + 1], known)
        np.testing.assert_array_equal(live[names].iloc[-1], whole[names].iloc[end], err_msg=str(end))


def test_columns_are_those_of_the_loader(bot, candles, received, tmp_path):
    path = stored(tmp_path / "all.sqlite", received)
    found, config = columns_of(bot, candles, path), bot.strategy().heatmap_config(PAIR)
    venues = VenueSource(directories={"bybit": None}, database=path, wait=WAIT).load(PAIR, "5m", "binance")
    want = liquidation_features(candles, config, venues=venues)
    pd.testing.assert_frame_equal(found[list(VENUE_COLUMNS)], want[list(VENUE_COLUMNS)], check_exact=True)


def test_without_venues_there_is_no_further_column(bot, candles):
    found = bot.strategy().cluster_columns(candles, {"pair": PAIR})
    assert not set(VENUE_COLUMNS) & set(found)


def test_an_exchange_that_is_not_known_is_refused(bot):
    bot.config["venues"] = {"names": ["ftx"]}
    with pytest.raises(ConfigError, match="received ftx"):
        bot.strategy()


@pytest.mark.parametrize(("is_short", "where"), [(False, "above"), (True, "below")])
def test_a_filter_asks_for_agreement_ahead(is_short, where):
    rows = pd.DataFrame({f"liq_consensus_{where}": [np.nan, 0.0, 0.5, 1.0]})
    for least, expected in ((0.5, [0, 0, 1, 1]), (1.0, [0, 0, 0, 1]), (0.0, [1, 1, 1, 1])):
        found = signals.agreed(rows, is_short=is_short, consensus=least)
        assert found.astype(int).tolist() == expected
    assert signals.agreed(rows[[]], is_short=is_short, consensus=0.0).all()
