"""Other exchanges' data: found by coin, joined from downloads and what was received, as configured."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from builders.frames import CANDLE, random_candles, random_funding, random_open_interest
from liqfeature import ConfigError, liquidation_features
from liqfeature.data.database import Database, Row
from liqfeature.data.kinds import CANDLES, OPEN_INTEREST, Series
from liqfeature.data.pair import PairData
from liqfeature.data.store import write_frame
from liqfeature.data.venues import LOOK, VenueSource
from liqfeature.estimate.config import HeatmapConfig

PAIR = "1000PEPE/USDT:USDT"
N = 60
ROWS = random_candles(N, 1)
INTEREST = random_open_interest(ROWS, 2, lead=3)
CONFIG = {"exchange": {"name": "binance"}}


def directory(root: Path, exchange: str, stem: str, candles=ROWS, interest=INTEREST) -> Path:
    futures = root / exchange / "futures"
    futures.mkdir(parents=True)
    write_frame(candles, futures / f"{stem}-5m-futures.feather")
    write_frame(interest, futures / f"{stem}-5m-open_interest.feather")
    write_frame(random_funding(candles, 3, size=1e-4), futures / f"{stem}-1h-funding_rate.feather")
    return root / exchange


def collected(
    path: Path, exchange: str, pair: str, candles: pd.DataFrame, interest: pd.DataFrame, late=1_500
):
    """What was received `late` milliseconds after the end of each period."""
    with Database(path, write=True) as database, database.writing():
        for kind, frame in ((CANDLES, candles), (OPEN_INTEREST, interest)):
            stamps = frame["date"].dt.as_unit("ms").astype("int64")
            values = frame.drop(columns="date").to_numpy().tolist()
            rows = [Row(s, s + CANDLE + late, v) for s, v in zip(stamps, values, strict=True)]
            database.add(Series(exchange, pair, kind, "5m"), "rest", rows)


def source(tmp_path: Path, *names: str, database: Path | None = None, wait: float = 5.0) -> VenueSource:
    return VenueSource(directories={n: tmp_path / n for n in names}, database=database, wait=wait)


def test_a_coin_is_read_under_its_name_there(tmp_path):
    directory(tmp_path, "okx", "PEPE_USDT_USDT")
    directory(tmp_path, "hyperliquid", "KPEPE_USDC_USDC")
    venues = source(tmp_path, "okx", "hyperliquid", "bybit").load(PAIR, "5m", "binance")
    assert {name: venue.multiple for name, venue in venues.items()} == {
        "okx": 1000,
        "hyperliquid": 1,
        "bybit": 1,
    }
    pd.testing.assert_frame_equal(venues["okx"].candles, ROWS)
    pd.testing.assert_frame_equal(venues["okx"].open_interest, INTEREST)
    assert len(venues["okx"].funding_rate) > 0
    assert venues["okx"].config == HeatmapConfig.for_pair("PEPE/USDT:USDT", "okx")
    assert venues["bybit"].candles.empty


def test_what_was_received_stands_between_downloads(tmp_path):
    directory(tmp_path, "bybit", "1000PEPE_USDT_USDT")
    path, inside = tmp_path / "r.sqlite", slice(20, 40)
    own = ROWS.iloc[inside].assign(volume=7.0)
    collected(path, "bybit", PAIR, own, INTEREST.iloc[inside])
    read = source(tmp_path, "bybit", database=path).load(PAIR, "5m", "binance")["bybit"]
    np.testing.assert_array_equal(read.candles["date"], ROWS["date"])
    np.testing.assert_array_equal(read.candles["volume"] == 7.0, [20 <= i < 40 for i in range(N)])
    late = (read.candles["available"] - read.candles["date"]).dt.total_seconds() - CANDLE / 1000
    assert set(late[inside]) == {1.5}
    assert (late.drop(range(20, 40)) <= 0).all()  # in time
    np.testing.assert_array_equal(read.open_interest["date"], INTEREST["date"])
    live = source(tmp_path, "bybit", database=path).live().load(PAIR, "5m", "binance")["bybit"]
    np.testing.assert_array_equal(live.candles["date"], own["date"])


@pytest.mark.parametrize("by", ["download", "database", "both"])
def test_rows_begin_where_they_are_asked_for(tmp_path, by):
    path, first = tmp_path / "r.sqlite", ROWS["date"].iloc[25]
    if by != "database":
        directory(tmp_path, "bybit", "1000PEPE_USDT_USDT")
    if by != "download":
        collected(path, "bybit", PAIR, ROWS, INTEREST)
    read = source(tmp_path, "bybit", database=path).load(PAIR, "5m", "binance", first=first)["bybit"]
    np.testing.assert_array_equal(read.candles["date"], ROWS["date"].iloc[25:])
    assert read.open_interest["date"].min() == first


def test_without_any_data_an_exchange_is_never_fresh(tmp_path):
    directory(tmp_path, "binance", "1000PEPE_USDT_USDT", random_candles(2600, 4), INTEREST)
    data = PairData.load(tmp_path / "binance", PAIR, "5m", venues=source(tmp_path, "bybit", "okx"))
    columns = liquidation_features(data.candles, data.config, **data.inputs)
    assert columns["liq_fresh"].iloc[-1] == pytest.approx(1 / 3)
    alone = liquidation_features(data.candles, data.config, **{**data.inputs, "venues": None})
    np.testing.assert_allclose(columns["liq_near_above"], alone["liq_near_above"], rtol=1e-9)


def test_a_pair_and_its_venues_are_read_together(tmp_path):
    candles = random_candles(2700, 5)
    beside = candles.assign(volume=candles["volume"] / 3)
    directory(tmp_path, "binance", "1000PEPE_USDT_USDT", candles, random_open_interest(candles, 6))
    directory(tmp_path, "bybit", "1000PEPE_USDT_USDT", beside, random_open_interest(candles, 7))
    data = PairData.load(tmp_path / "binance", PAIR, "5m", venues=source(tmp_path, "bybit"))
    columns = liquidation_features(data.candles, data.config, **data.inputs)
    assert columns["liq_fresh"].iloc[-1] == 1.0
    assert 0 < columns["liq_local_above"].iloc[-200:].median() < 1


def test_a_configuration_names_exchanges_and_the_wait(tmp_path):
    told = {"venues": {"names": ["bybit", "gateio"], "wait": 3}, "recordings": "r.sqlite"}
    read = VenueSource.of(CONFIG | told, tmp_path / "data" / "binance")
    there = {"bybit": tmp_path / "data" / "bybit", "gate": tmp_path / "data" / "gate"}
    assert read == VenueSource(directories=there, database=Path("r.sqlite"), wait=3.0)
    assert VenueSource.of(CONFIG, tmp_path) is None


@pytest.mark.parametrize(
    ("venues", "message"),
    [
        (["bybit"], "venues must be"),
        ({"names": []}, "names of venues must be a list of exchanges"),
        ({"names": ["bybit", "ftx"]}, "received ftx"),
        ({"names": ["binance"]}, "other exchanges than the traded one"),
        ({"names": ["bybit"], "wait": -1}, "wait of venues must be 0 to 60 seconds, received -1"),
        ({"names": ["bybit"], "wait": True}, "wait of venues"),
        ({"names": ["bybit"], "lag": 1}, "venues must be"),
    ],
)
def test_a_wrong_configuration_is_refused(tmp_path, venues, message):
    with pytest.raises(ConfigError, match=message):
        VenueSource.of(CONFIG | {"venues": venues}, tmp_path)


def test_a_bot_needs_the_database(tmp_path):
    with pytest.raises(ConfigError, match="recordings must be the file of liqfeature collect"):
        source(tmp_path, "bybit").live()


def test_directories_are_called_as_their_exchanges(tmp_path):
    (tmp_path / "okx").mkdir()
    assert VenueSource.beside([tmp_path / "okx"]).directories == {"okx": tmp_path / "okx"}
    for name in ("mine", "bybit"):
        with pytest.raises(ConfigError, match="venues must be a directory called"):
            VenueSource.beside([tmp_path / name])


@pytest.fixture
def slept(monkeypatch):
    """The seconds slept, which take none."""
    seconds = []
    monkeypatch.setattr(time, "sleep", seconds.append)
    return seconds


@pytest.mark.parametrize(("year", "names"), [("2020", ("bybit", "okx")), ("2200", ("bybit",))])
def test_waiting_ends_when_time_is_over_or_all_have_answered(tmp_path, year, names, slept):
    candles, path = random_candles(N, 1, start=f"{year}-01-01"), tmp_path / "r.sqlite"
    collected(path, "bybit", PAIR, candles, random_open_interest(candles, 2))
    source(tmp_path, *names, database=path).live().wait_for(candles["date"].iloc[-1], PAIR, "5m", "binance")
    assert slept == []


def test_a_bot_looks_again_until_the_last_has_answered(tmp_path, monkeypatch):
    candles, path = random_candles(N, 1, start="2200-01-01"), tmp_path / "r.sqlite"
    interest, looks = random_open_interest(candles, 2), []
    collected(path, "bybit", PAIR, candles.iloc[:-1], interest.iloc[:0])

    def answer(seconds):
        looks.append(seconds)
        if len(looks) == 2:
            collected(path, "bybit", PAIR, candles.iloc[-1:], interest.iloc[:0])

    monkeypatch.setattr(time, "sleep", answer)
    source(tmp_path, "bybit", database=path).live().wait_for(candles["date"].iloc[-1], PAIR, "5m", "binance")
    assert looks == [LOOK, LOOK]
