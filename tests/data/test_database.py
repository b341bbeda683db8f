"""The database of recordings: what is acknowledged stays, once, and is read as it was known."""

import math
import multiprocessing
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.recordings import largest_file
from liqfeature import DataError
from liqfeature.data import database as module
from liqfeature.data.database import Database, Row
from liqfeature.data.kinds import KINDS, LISTENED, OPEN_INTEREST, ORDERS, TOTALS, Kind, Series

PAIR = "BTC/USDT:USDT"
SOLD = Series("binance", PAIR, ORDERS)
OPEN = Series("bybit", PAIR, OPEN_INTEREST, "5m")
HEARD = Series("binance", PAIR, LISTENED)


def order(price=100.0, copy=0):
    return ("long", price, None, 2.0, 200.0, copy)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "my recordings.sqlite"


def written(path, series, *rows, source="stream"):
    with Database(path, write=True) as database, database.writing():
        return database.add(series, source, [Row(*row) for row in rows])


def content(path, series, **bounds):
    with Database(path) as database:
        table = database.read(series, **bounds)
    return list(table.drop(columns="source").itertuples(index=False, name=None))


# Rows.


def test_rows_are_read_back_typed_and_by_stamp(path):
    written(path, SOLD, (7, 9, order()), (5, 9, order(None)))
    with Database(path) as database:
        table = database.read(SOLD)
    assert list(table.columns) == ["stamp", "available", "source", *ORDERS.columns]
    assert table["stamp"].tolist() == [5, 7]
    assert table["source"].tolist() == ["stream", "stream"]
    assert math.isnan(table["price"][0])
    assert table["price"][1] == 100.0
    types = {"stamp": "int64", "side": "str", "price": "float64", "copy": "int64"}
    assert {name: str(table[name].dtype) for name in types} == types


def test_a_series_without_rows_has_the_same_columns(path):
    written(path, SOLD)
    with Database(path) as database:
        empty, none = (database.read(one) for one in (SOLD, SOLD._replace(pair="ETH/USDT:USDT")))
    assert len(empty) == len(none) == 0
    assert (none.dtypes == empty.dtypes).all()
    assert str(none["price"].dtype) == "float64"


def test_an_event_received_again_is_the_same_and_one_that_differs_in_anything_is_another(path):
    assert written(path, SOLD, (5, 9, order()), (5, 9, order())) == [True, False]
    assert written(path, SOLD, (5, 99, order())) == [False]
    others = [(5, 9, order(101.0)), (5, 9, order(None)), (5, 9, order(copy=1)), (6, 9, order())]
    assert written(path, SOLD, *others) == [True] * 4
    assert written(path, SOLD._replace(exchange="okx"), (5, 9, order())) == [True]
    assert len(content(path, SOLD)) == 5


def test_a_revision_is_a_further_row_and_each_moment_has_its_own(path):
    rows = [(5, 10, (1.0, None)), (5, 12, (1.0, None)), (5, 14, (2.0, None)), (5, 16, (1.0, None))]
    assert written(path, OPEN, *rows) == [True, False, True, True]
    seen = {as_of: [row[2] for row in content(path, OPEN, as_of=as_of)] for as_of in (9, 10, 13, 14, 15, 16)}
    assert seen == {9: [], 10: [1.0], 13: [1.0], 14: [2.0], 15: [2.0], 16: [1.0]}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A database for all examples of a property, each with a pair of its own."""
    with Database(tmp_path_factory.mktemp("kept") / "one.sqlite", write=True) as database:
        yield database


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.sampled_from([1.0, 2.0, None])), max_size=12)
)
@settings(max_examples=40)
def test_as_of_is_the_newest_row_that_was_available(kept, rows):
    """Rows arrive in the order in which they are known; a naive twin."""
    rows = {(stamp, available): (stamp, available, value) for stamp, available, value in rows}.values()
    rows = sorted(rows, key=lambda row: row[1])
    series = OPEN._replace(pair=f"{len(kept.series())}/USDT:USDT")
    with kept.writing():
        kept.add(series, "stream", [Row(stamp, available, (value, None)) for stamp, available, value in rows])
    for as_of in range(10):
        expected = {}
        for stamp, available, value in rows:
            if available <= as_of:
                expected[stamp] = math.nan if value is None else value
        table = kept.read(series, as_of=as_of)
        found = dict(zip(table["stamp"], table["amount"], strict=True))
        assert found == pytest.approx(expected, nan_ok=True)


def test_bounds_include_and_a_period_asks_for_what_was_known_one_period_after_its_end(path):
    written(path, SOLD, *[(stamp, 20 + stamp, order()) for stamp in range(10)])
    assert [row[0] for row in content(path, SOLD, first=3, last=5)] == [3, 4, 5]
    assert [row[0] for row in content(path, SOLD, period=10)] == [0]  # 20, and not what is known at 21
    assert [row[0] for row in content(path, SOLD, period=11)] == [0, 1, 2]  # until 22


def test_a_span_grows_and_never_shrinks(path):
    for until in (10, 30, 20):
        with Database(path, write=True) as database, database.writing():
            database.extend(HEARD, "stream", Row(5, 6, (until,)))
    assert content(path, HEARD) == [(5, 6, 30)]


def test_series_are_kept_apart_and_listed(path):
    written(path, OPEN, (5, 6, (1.0, 2.0)))
    written(path, OPEN._replace(timeframe="1h"), (5, 6, (3.0, 4.0)))
    written(path, SOLD, (5, 6, order()))
    with Database(path) as database:
        assert database.series() == [SOLD, OPEN._replace(timeframe="1h"), OPEN]
    assert content(path, OPEN._replace(timeframe="1h")) == [(5, 6, 3.0, 4.0)]


def test_a_kind_of_a_later_version_is_passed_over(path):
    later = Kind(name="positions", columns={"bin": "INTEGER"})
    written(path, Series("hyperliquid", PAIR, later), (5, 6, (1,)))
    written(path, SOLD, (5, 6, order()))
    with Database(path) as database:
        assert database.series() == [SOLD]
    assert later.name not in KINDS


@pytest.mark.parametrize(
    "name", ["../../outside", "/absolute", "a\0b", "'; DROP TABLE series; --", "ü" * 300]
)
def test_names_are_data_and_nothing_else(path, name):
    """An exchange called ../../x once led to a file outside the directory."""
    written(path, SOLD._replace(exchange=name, pair=name), (5, 6, order()))
    with Database(path) as database:
        assert database.series() == [SOLD._replace(exchange=name, pair=name)]
    assert all(one.name.startswith(path.name) for one in path.parent.iterdir())


# Writing.


def interrupted():
    yield Row(3, 4, order())
    raise KeyboardInterrupt


def test_what_fails_in_the_middle_leaves_nothing(path):
    written(path, SOLD, (1, 2, order()))
    with Database(path, write=True) as database:
        with pytest.raises(DataError, match="INTEGER"), database.writing():
            database.add(SOLD, "stream", [Row(2, 3, order()), Row("soon", 3, order())])
        with pytest.raises(KeyboardInterrupt), database.writing():
            database.add(SOLD, "stream", interrupted())
        with database.writing():
            database.add(SOLD, "stream", [Row(4, 5, order())])
    assert [row[0] for row in content(path, SOLD)] == [1, 4]


@pytest.mark.parametrize("room", [0, 1, 5_000, 100_000])
def test_a_full_disk_is_an_error_and_costs_nothing_that_was_acknowledged(path, room):
    written(path, SOLD, (1, 2, order()))
    with Database(path, write=True) as database:
        size = max(one.stat().st_size for one in path.parent.iterdir())
        with largest_file(size + room):
            refused = [Row(1000 + i, 2000, order(1.0 + i)) for i in range(5000)]
            message = r"my recordings\.sqlite: (disk I/O error|database or disk is)"
            with pytest.raises(DataError, match=message), database.writing():
                database.add(SOLD, "stream", refused)
            assert [row[0] for row in content(path, SOLD)] == [1]
        with database.writing():
            assert all(database.add(SOLD, "stream", refused))
    assert len(content(path, SOLD)) == 5001


def test_a_database_that_may_not_grow_says_so(path):
    with Database(path, write=True) as database:
        database.query("PRAGMA max_page_count = 12")
        with pytest.raises(DataError, match="is full: there is no space left"), database.writing():
            database.add(SOLD, "stream", [Row(i, i, order()) for i in range(5000)])


def test_another_writer_is_waited_for_and_then_reported(path, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    with Database(path, write=True) as first, Database(path, write=True) as second:
        with first.writing():
            first.add(SOLD, "stream", [Row(1, 2, order())])
            message = "another program has been writing to it for too long"
            with pytest.raises(DataError, match=message), second.writing():
                raise AssertionError("it must not get this far")
        with second.writing():
            second.add(SOLD, "stream", [Row(1, 2, order()), Row(3, 4, order())])
    assert [row[0] for row in content(path, SOLD)] == [1, 3]


def _write_alone(path, first):
    for i in range(15):
        written(path, SOLD, (first + i, 1, order()), (i, 1, order()))


def test_two_processes_that_begin_at_once_lose_nothing_and_write_nothing_twice(path):
    started = multiprocessing.get_context("spawn")
    both = [started.Process(target=_write_alone, args=(path, first)) for first in (1000, 2000)]
    for one in both:
        one.start()
    for one in both:
        one.join(200)
    assert [one.exitcode for one in both] == [0, 0]
    expected = [*range(15), *range(1000, 1015), *range(2000, 2015)]
    assert [row[0] for row in content(path, SOLD)] == expected


def test_a_reader_sees_whole_transactions_while_it_is_written_and_vacuumed(path):
    written(path, SOLD, *[(i, 1, order()) for i in range(2000)])
    with Database(path, write=True) as database, Database(path) as reader:
        with database.writing():
            database.add(SOLD, "stream", [Row(5000, 1, order())])
            assert len(reader.read(SOLD)) == 2000
        assert len(reader.read(SOLD)) == 2001
        database.query("VACUUM")
        database.query("PRAGMA wal_checkpoint(PASSIVE)")
        assert len(reader.read(SOLD)) == 2001


def _write_and_vacuum(path, ended):
    with Database(path, write=True) as database:
        for i in range(20):
            with database.writing():
                database.add(SOLD, "stream", [Row(10_000 + 100 * i + j, 1, order()) for j in range(100)])
            database.query("VACUUM")
            database.query("PRAGMA wal_checkpoint(TRUNCATE)")
    ended.set()


def test_a_reader_is_never_locked_out_by_another_process_that_writes_and_vacuums(path, monkeypatch):
    """It has no patience: one moment in which it had to wait would be an error."""
    written(path, SOLD, *[(i, 1, order()) for i in range(2000)])
    started = multiprocessing.get_context("spawn")
    ended = started.Event()
    other = started.Process(target=_write_and_vacuum, args=(path, ended))
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    seen = set()
    with Database(path) as reader:
        other.start()
        while not ended.is_set():
            seen.add(len(reader.read(SOLD)))
            with Database(path) as another:
                seen.add(len(another.read(SOLD)))
    other.join(200)
    assert other.exitcode == 0
    assert len(seen) > 3
    assert seen <= {2000 + 100 * i for i in range(21)}


# Files.


def test_a_file_that_is_not_ours_is_refused_and_left_as_it_is(path):
    foreign = sqlite3.connect(path)
    foreign.execute("CREATE TABLE trades (id INTEGER)")
    foreign.commit()
    foreign.close()
    before = path.read_bytes()
    for write in (False, True):
        with pytest.raises(DataError, match="must be a file that liqfeature record writes, received another"):
            Database(path, write=write)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("text", ["mine", "mine" * 1000])
def test_a_file_of_something_else_is_refused_and_left_as_it_is(path, text):
    path.write_text(text)
    for write in (False, True):
        with pytest.raises(DataError, match=r"recordings\.sqlite: file is not a database"):
            Database(path, write=write)
    assert path.read_text() == text


def test_a_directory_and_a_missing_file_have_their_own_words(path):
    with pytest.raises(
        DataError, match="must be a file that liqfeature record writes, received no such file"
    ):
        Database(path)
    with pytest.raises(DataError, match="received a directory"):
        Database(path.parent, write=True)
    with pytest.raises(DataError, match="unable to open database file: its directory must exist"):
        Database(path / "further" / "down.sqlite", write=True)
    assert not path.exists()


def test_a_file_of_a_later_version_is_refused(path):
    written(path, SOLD, (1, 2, order()))
    with Database(path, write=True) as database:
        database.query("PRAGMA user_version = 2")
    with pytest.raises(DataError, match="must be of version 1, received 2: update liqfeature"):
        Database(path)


def test_real_and_simulated_data_do_not_mix(path):
    Database(path, write=True, simulated=True).close()
    Database(path, write=True, simulated=True).close()
    with pytest.raises(DataError, match="must hold simulated data, received real"):
        Database(path, write=True)


def test_a_damaged_file_is_reported_and_what_is_whole_is_read(path):
    written(path, SOLD, *[(i, 1, order()) for i in range(3000)])
    damaged = bytearray(path.read_bytes())
    page = len(damaged) // 2 // 4096 * 4096
    damaged[page : page + 4096] = bytes(range(256)) * 16
    path.write_bytes(damaged)
    with Database(path) as database:
        with pytest.raises(DataError, match=r"malformed: it is damaged, .*recover"):
            database.read(SOLD)
        assert len(database.read(SOLD, last=10)) == 11


def test_an_empty_file_becomes_a_database(path):
    path.touch()
    written(path, TOTALS_OF_GATE, (5, 6, (1.0, 2.0)))
    assert content(path, TOTALS_OF_GATE) == [(5, 6, 1.0, 2.0)]


TOTALS_OF_GATE = Series("gate", PAIR, TOTALS, "5m")


def test_what_was_killed_in_its_log_is_read_without_a_writer(path, tmp_path):
    """The log that a killed writer leaves is part of the database."""
    with Database(path, write=True) as database:
        with database.writing():
            database.add(SOLD, "stream", [Row(1, 2, order())])
        copy = tmp_path / "left behind"
        copy.mkdir()
        for one in path.parent.glob(f"{path.name}*"):
            (copy / one.name).write_bytes(one.read_bytes())
    left = copy / path.name
    assert (copy / f"{path.name}-wal").stat().st_size > 0
    (copy / f"{path.name}-shm").unlink()
    assert [row[0] for row in content(left, SOLD)] == [1]
