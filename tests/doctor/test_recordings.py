"""What the doctor says of the database that a bot's configuration names."""

import pytest

from liqfeature.data.database import Database, Row
from liqfeature.data.kinds import MAPS, OPEN_INTEREST, Series
from liqfeature.data.maps import Level, packed
from liqfeature.doctor.finding import Level as Grade
from liqfeature.doctor.recordings import check_recordings

PAIR, START = "BTC/USDT:USDT", 1_767_225_600_000


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "recordings.sqlite"
    with Database(path, write=True) as database, database.writing():
        interest = Series("hyperliquid", PAIR, OPEN_INTEREST, "5m")
        database.add(interest, "rest", [Row(START, START, (1.0, 2.0))])
        level = packed([Level("long", 90.0, 91.0, 5.0)])
        database.add(Series("coinglass", PAIR, MAPS), "coinglass", [Row(START, START + 60_000, level)])
    return path


def said(path, source="", pair=PAIR, exchange="hyperliquid"):
    return [(one.level, one.saw) for one in check_recordings(path, pair, exchange, source)]


def test_what_is_there_is_listed_with_its_end(path):
    told = "maps of coinglass until 2026-01-01 00:00, open interest of hyperliquid until 2026-01-01 00:00"
    assert said(path) == said(path, "coinglass") == [(Grade.OK, told)]
    assert said(path, exchange="binance") == [(Grade.OK, told.split(", ")[0])]


def test_maps_that_are_wanted_and_missing_are_a_failure(path):
    grade, saw = said(path, "hyblock")[1]
    assert grade is Grade.FAIL
    assert saw == "none by hyblock, there are those by coinglass: nothing to read"


def test_nothing_of_a_pair_and_no_file_are_said(path, tmp_path):
    assert said(path, pair="ETH/USDT:USDT")[0][0] is Grade.WARN
    ((grade, saw),) = said(tmp_path / "none.sqlite")
    assert grade is Grade.FAIL
    assert "no such file" in saw
