"""Open interest that was recorded, on an exchange that has no history of it."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("freqtrade")

from builders.driving import PAIR
from builders.frames import CANDLE, random_candles, random_open_interest
from liqfeature import COLUMNS, ConfigError, liquidation_features
from liqfeature.columns.health import Reason
from liqfeature.data.database import Database, Row
from liqfeature.data.kinds import MAPS, OPEN_INTEREST, Series
from liqfeature.data.maps import Level, load_maps, packed

SERIES = Series("hyperliquid", PAIR, OPEN_INTEREST, "5m")
OUTAGE = slice(-120, -60)
"""Rows that were never received."""

LATE = -20
"""Row that reached the disk only after a bot needed it."""


@pytest.fixture
def bot(make_bot):
    bot = make_bot("hyperliquid")
    bot.show()
    return bot


@pytest.fixture
def candles(bot):
    return random_candles(bot.strategy().startup_candle_count + 300, seed=3, volatility=0.002)


@pytest.fixture
def interest(candles):
    rows = random_open_interest(candles, 4).reset_index(drop=True)
    return rows.drop(rows.index[OUTAGE]).reset_index(drop=True)


@pytest.fixture
def recordings(tmp_path, interest):
    path = tmp_path / "my recordings.sqlite"
    stamps = interest["date"].dt.as_unit("ms").astype("int64").tolist()
    late = [2000] * len(stamps)
    late[LATE] = CANDLE + 1000
    amounts, values = (interest[f"open_interest_{name}"].tolist() for name in ("amount", "value"))
    rows = [Row(t, t + d, (a, v)) for t, d, a, v in zip(stamps, late, amounts, values, strict=True)]
    with Database(path, write=True) as database, database.writing():
        database.add(SERIES, "rest", rows)
    return path


@pytest.fixture
def columns_of(bot, candles):
    def columns(path, rows=slice(None)):
        bot.config["recordings"] = path and str(path)
        return bot.strategy().cluster_columns(candles.iloc[rows].reset_index(drop=True), {"pair": PAIR})

    return columns


def test_a_strategy_reads_it_but_what_came_too_late(bot, columns_of, candles, interest, recordings):
    config = bot.strategy().heatmap_config(PAIR)
    known = interest.drop(interest.index[LATE])
    want = liquidation_features(candles, config, open_interest=known)
    found = columns_of(recordings)
    pd.testing.assert_frame_equal(found[list(COLUMNS)], want, check_exact=True)
    assert not found[list(COLUMNS)].equals(columns_of(None)[list(COLUMNS)])


def test_a_bot_sees_the_row_that_its_backtest_sees(bot, columns_of, candles, recordings, tmp_path):
    """Its recorder has also the row of the close, and nothing later."""
    whole, warmup = columns_of(recordings), bot.strategy().startup_candle_count
    names = [*COLUMNS, "liq_health"]
    for end in (*range(len(candles) - 130, len(candles) - 1, 9), len(candles) - 19, len(candles) - 18):
        now = int(candles["date"].iloc[end].timestamp() * 1000) + CANDLE + 3000
        live = tmp_path / f"{end}.sqlite"
        with Database(recordings) as source, Database(live, write=True) as database, database.writing():
            rows = source.query("SELECT stamp, available, amount, value FROM open_interest")
            database.add(SERIES, "rest", [Row(t, at, (a, v)) for t, at, a, v in rows if at <= now])
        row = columns_of(live, slice(end + 1 - warmup, end + 1)).iloc[-1]
        np.testing.assert_array_equal(
            row[names].to_numpy(dtype=float), whole.iloc[end][names].to_numpy(dtype=float)
        )


def test_health_expects_it_where_it_is_recorded(bot, columns_of, recordings):
    without, found = (columns_of(path)["liq_health"].astype(int) for path in (None, recordings))
    warm = bot.strategy().startup_candle_count
    stale, none = int(Reason.STALE_OPEN_INTEREST), int(Reason.NO_OPEN_INTEREST)
    assert not (found[warm:] & none).any()
    assert (found.iloc[-100:-60] & stale).all()
    assert not (found.iloc[-50:] & stale).any()
    assert not (without[warm:] & (stale | none)).any()


def test_a_strategy_reads_a_vendor_s_maps_where_it_names_their_source(bot, candles, interest, recordings):
    close = candles["close"]
    with Database(recordings, write=True) as database, database.writing():
        for row in range(0, len(candles), 12):
            at = int(candles["date"].iloc[row].timestamp() * 1000)
            levels = [Level("by price", *[float(close.iloc[row]) * f] * 2, 5e5) for f in (0.98, 0.99, 1.01)]
            series = Series("hyblock", PAIR, MAPS)
            database.add(series, "hyblock", [Row(at, at + 60_000, packed(levels))])
    bot.config.update(recordings=str(recordings), map_source="hyblock")
    strategy = bot.strategy()
    found = strategy.cluster_columns(candles, {"pair": PAIR})
    known = interest.drop(interest.index[LATE])
    maps = load_maps(recordings, PAIR, "hyblock")
    want = liquidation_features(candles, strategy.heatmap_config(PAIR), open_interest=known, maps=maps)
    pd.testing.assert_frame_equal(found[list(COLUMNS)], want, check_exact=True)
    assert found["liq_total_above"].iloc[-100:].notna().all()


def test_maps_are_read_from_recordings(bot):
    bot.config.update(recordings=None, map_source="hyblock")
    with pytest.raises(ConfigError, match="map_source must be left out where there are no recordings"):
        bot.strategy().cluster_columns(random_candles(10, 1), {"pair": PAIR})
