"""Directories of earlier versions, with a journal and a file for each day, go into the database whole."""

import json

import pandas as pd
import pytest

from builders.recordings import spans_in
from liqfeature import DataError
from liqfeature.data.prints import Print
from liqfeature.data.recordings import load_recording, load_totals
from liqfeature.data.schema import RECORDED
from liqfeature.data.store import write_frame
from liqfeature.recorder.migrate import migrate

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
START = 1_767_225_600_000
MINUTE = 60_000


def sold(time, pair=BTC, exchange="bybit", **changes):
    price, bankruptcy = (100.0, 99.0) if exchange == "binance" else (None, 99.0)
    one = Print(START + time, exchange, pair, "long", price, bankruptcy, 2.0, 2.0 * (price or bankruptcy))
    return one._replace(**changes)


def line(one, **changes):
    return json.dumps(one._asdict() | changes) + "\n"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new.sqlite"


@pytest.fixture
def old(tmp_path):
    """What version 0.1 left: days' files, a journal that repeats one of their rows, and spans."""
    folder = tmp_path / "my recordings"
    (folder / "journal").mkdir(parents=True)
    for exchange, pair, prints in (
        ("bybit", BTC, [sold(0), sold(0, copy=1), sold(5)]),
        ("bybit", ETH, [sold(7, ETH)]),
        ("binance", BTC, [sold(9, exchange="binance")]),
    ):
        table = pd.DataFrame(prints).rename(columns={"time": "date"})
        table["date"] = pd.to_datetime(table["date"], unit="ms", utc=True).dt.as_unit("ms")
        day = folder / exchange / pair.replace("/", "_").replace(":", "_") / "2026-01-01.parquet"
        day.parent.mkdir(parents=True, exist_ok=True)
        write_frame(table[list(RECORDED)].astype({"price": float}), day)
    (folder / "journal" / "00000007.jsonl").write_text(line(sold(5)) + line(sold(11)) + '{"time": 17')
    spans = {BTC: [[START, START + 5 * MINUTE], [START + 8 * MINUTE, START + 9 * MINUTE]]}
    (folder / "bybit" / "listened.json").write_text(json.dumps(spans))
    return folder


def times(path, pair, exchange):
    return [int(date.timestamp() * 1000) - START for date in load_recording(path, pair, exchange)["date"]]


def test_everything_is_there_once_however_often_it_is_done(old, path):
    assert migrate(old, path) == (6, 0)
    assert migrate(old, path) == (0, 0)
    assert times(path, BTC, "bybit") == [0, 0, 5, 11]
    assert times(path, ETH, "bybit") == [7]
    assert times(path, BTC, "binance") == [9]
    table = load_recording(path, BTC, "bybit")
    assert sorted(table["copy"]) == [0, 0, 0, 1]
    assert table["price"].isna().all()
    assert (table["bankruptcy_price"] == 99.0).all()
    assert spans_in(path, "bybit", BTC) == [
        (START, START + 5 * MINUTE),
        (START + 8 * MINUTE, START + 9 * MINUTE),
    ]
    assert load_totals(path, BTC, "5m", "bybit")["long"].tolist()[0] == 4 * 198.0


@pytest.mark.parametrize(
    "change",
    [
        {"exchange": None},
        {"pair": 5},
        {"copy": "x"},
        {"side": "?"},
        {"time": 1},
        {"amount": -1.0},
        {"price": "100"},
        {"further": 1},
    ],
)
def test_a_damaged_line_of_the_journal_is_counted_and_costs_no_other(old, path, change):
    file = old / "journal" / "00000008.jsonl"
    file.write_bytes(
        line(sold(12)).encode() + line(sold(13), **change).encode() + b"\xff\n" + line(sold(14)).encode()
    )
    assert migrate(old, path) == (8, 2)
    assert times(path, BTC, "bybit") == [0, 0, 5, 11, 12, 14]


def test_an_exchange_that_looks_like_a_path_is_a_name(old, path):
    (old / "journal" / "00000008.jsonl").write_text(line(sold(1), exchange="../../outside"))
    before = {one for one in old.parent.rglob("*") if "new.sqlite" not in one.name}
    assert migrate(old, path) == (7, 0)
    assert {one for one in old.parent.rglob("*") if "new.sqlite" not in one.name} == before
    assert times(path, BTC, "../../outside") == [1]


def test_a_day_s_file_of_something_else_is_named_and_nothing_is_added(old, path):
    """It once kept every later start of the recorder from writing."""
    day = old / "bybit" / "ETH_USDT_USDT" / "2026-01-01.parquet"
    pd.DataFrame({"x": [1]}).to_parquet(day)
    with pytest.raises(DataError, match=r"2026-01-01\.parquet lack column 'date'"):
        migrate(old, path)
    with pytest.raises(DataError, match="must hold recordings of one exchange, received none"):
        load_recording(path, BTC)


@pytest.mark.parametrize("content", ["", "[]", '{"A": 5}', '{"A": [[1]]}', '{"A": [["x", 2]]}'])
def test_damaged_spans_are_reported(old, path, content):
    (old / "bybit" / "listened.json").write_text(content)
    with pytest.raises(DataError, match=r"listened\.json must hold spans of time by pair"):
        migrate(old, path)


def test_what_the_sandbox_made_stays_apart(old, path):
    migrate(old, path)
    (old / "SANDBOX").touch()
    with pytest.raises(DataError, match="must hold real data, received simulated"):
        migrate(old, path)


def test_another_directory_is_refused(tmp_path, path):
    with pytest.raises(DataError, match="must be a directory that an earlier liqfeature record wrote"):
        migrate(tmp_path, path)
    assert not path.exists()
