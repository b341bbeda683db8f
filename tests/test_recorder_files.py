"""The recorder's files: nothing written is lost, nothing counts twice, whatever stops it and wherever."""

import resource
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from liqfeature import DataError
from liqfeature.botconfig import is_sandbox
from liqfeature.data.prints import Print, frame_of
from liqfeature.data.recordings import day_file, load_recording, read_segment, segments
from liqfeature.data.schema import RECORDED
from liqfeature.errors import ConfigError
from liqfeature.recorder import compaction
from liqfeature.recorder.compaction import compact
from liqfeature.recorder.directory import claim, locked
from liqfeature.recorder.inbox import Inbox
from liqfeature.recorder.journal import Journal
from liqfeature.recorder.normalise import Received

PAIR, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
MIDNIGHT = int(pd.Timestamp("2026-02-01", tz="UTC").timestamp() * 1000)
DAY = 86_400_000


def sold(time=MIDNIGHT, pair=PAIR, exchange="binance", side="long", price=100.0, amount=2.0, **changes):
    bankruptcy = None if exchange == "binance" else 99.0
    at = bankruptcy if price is None else price
    return Print(time, exchange, pair, side, price, bankruptcy, amount, amount * at)._replace(**changes)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "my recordings"
    folder.mkdir()
    return folder


def written(root, *batches):
    journal = Journal(root)
    for batch in batches:
        journal.append(batch)
    return journal


@contextmanager
def largest_file(size):
    """Let the system refuse to write beyond a size, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# The table.


def test_prints_become_the_documented_table():
    table = frame_of([sold(), sold(exchange="bybit", price=None, side="short")])
    assert list(table.columns) == list(RECORDED)
    assert str(table["date"].dtype) == "datetime64[ms, UTC]"
    assert table["date"][0] == pd.Timestamp("2026-02-01", tz="UTC")
    assert table["price"].tolist()[0] == 100.0
    assert table["price"].isna().tolist() == [False, True]
    assert table["bankruptcy_price"].isna().tolist() == [True, False]
    assert table["notional"].tolist() == [200.0, 198.0]
    for name in ("price", "bankruptcy_price", "amount", "notional"):
        assert table[name].dtype == "float64"
    assert frame_of([]).dtypes.astype(str).equals(table.dtypes.astype(str))


# The journal.


def test_what_was_appended_is_read_back_in_order(root):
    rows = [sold(MIDNIGHT + i) for i in range(5)]
    written(root, rows[:2], [], rows[2:]).close()
    (segment,) = segments(root)
    assert read_segment(segment) == (rows, 0)


def test_a_line_cut_short_costs_only_itself(root):
    rows = [sold(MIDNIGHT + i) for i in range(3)]
    written(root, rows)
    (segment,) = segments(root)
    whole = segment.read_bytes()
    for cut in range(len(whole)):
        segment.write_bytes(whole[:cut])
        prints, damaged = read_segment(segment)
        assert prints == rows[: whole[:cut].count(b"\n")]
        assert damaged == 0


def test_damaged_lines_are_counted_and_cost_no_other(root):
    rows = [sold(MIDNIGHT + i) for i in range(3)]
    written(root, rows)
    (segment,) = segments(root)
    lines = segment.read_bytes().split(b"\n")
    lines[1] = b'{"time": 1, \xff'
    segment.write_bytes(b"\n".join(lines))
    assert read_segment(segment) == ([rows[0], rows[2]], 1)
    assert compact(root, segments(root)).damaged == 1
    assert [path.name for path in (root / "journal").iterdir()] == [segment.name + ".damaged"]
    assert len(load_recording(root, PAIR)) == 2


@pytest.mark.parametrize("room", [0, 1, 150, 400])
def test_a_full_disk_leaves_only_whole_lines_and_writing_goes_on(root, room):
    before, refused, after = [sold(1 + MIDNIGHT)], [sold(2 + MIDNIGHT)] * 50, [sold(3 + MIDNIGHT)]
    journal = written(root, before)
    (segment,) = segments(root)
    size = segment.stat().st_size
    with largest_file(size + room), pytest.raises(OSError, match="File too large"):
        journal.append(refused)
    assert segment.stat().st_size == size
    journal.append(after)
    assert read_segment(segment) == (before + after, 0)


def test_a_file_that_cannot_be_cut_is_left_and_another_begun(root, monkeypatch):
    journal = written(root, [sold(1 + MIDNIGHT)])

    def refuse(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("os.fsync", refuse)
        broken.setattr("os.ftruncate", refuse)
        with pytest.raises(OSError, match="No space"):
            journal.append([sold(2 + MIDNIGHT)])
    journal.append([sold(3 + MIDNIGHT)])
    assert len(segments(root)) == 2
    journal.close()
    compact(root, segments(root))
    assert load_recording(root, PAIR)["date"].dt.microsecond.tolist() == [1000, 2000, 3000]


# Days' files.


def test_each_exchange_pair_and_utc_day_has_a_file(root):
    rows = [
        sold(MIDNIGHT - 1),
        sold(MIDNIGHT),
        sold(MIDNIGHT + DAY - 1),
        sold(MIDNIGHT, pair=ETH),
        sold(MIDNIGHT, exchange="okx", price=None),
    ]
    journal = written(root, rows)
    done = compact(root, journal.close())
    assert (done.files, done.added) == (4, 5)
    files = {
        path.relative_to(root).as_posix(): len(pd.read_parquet(path)) for path in root.rglob("*.parquet")
    }
    assert files == {
        "binance/BTC_USDT_USDT/2026-01-31.parquet": 1,
        "binance/BTC_USDT_USDT/2026-02-01.parquet": 2,
        "binance/ETH_USDT_USDT/2026-02-01.parquet": 1,
        "okx/BTC_USDT_USDT/2026-02-01.parquet": 1,
    }
    assert segments(root) == []


def test_compaction_twice_and_repetitions_add_nothing(root):
    rows = [sold(MIDNIGHT + 2), sold(MIDNIGHT), sold(MIDNIGHT, copy=1)]
    for _ in range(2):
        compact(root, written(root, rows + rows[:1]).close())
        table = load_recording(root, PAIR)
        assert list(zip(table["date"].dt.microsecond, table["copy"], strict=True)) == [
            (0, 0),
            (0, 1),
            (2000, 0),
        ]


def test_an_empty_price_does_not_hide_a_repetition(root):
    compact(root, written(root, [sold(exchange="bybit", price=None)] * 2).close())
    compact(root, written(root, [sold(exchange="bybit", price=None)]).close())
    assert len(load_recording(root, PAIR)) == 1


@pytest.mark.parametrize("step", range(8))
def test_compaction_killed_at_any_step_loses_nothing(root, step, monkeypatch):
    """The system calls of two days' files and the journal, each of which may be the last."""
    compact(root, written(root, [sold(MIDNIGHT - 5)]).close())
    journal = written(root, [sold(MIDNIGHT - 1), sold(MIDNIGHT)], [sold(MIDNIGHT + 1)])
    ended, calls = journal.close(), 0

    class KilledError(Exception):
        pass

    def dying(real):
        def call(*arguments, **keywords):
            nonlocal calls
            calls += 1
            if calls > step:
                raise KilledError
            return real(*arguments, **keywords)

        return call

    with monkeypatch.context() as dies:
        dies.setattr(Path, "replace", dying(Path.replace))
        dies.setattr(Path, "unlink", dying(Path.unlink))
        dies.setattr(compaction, "write_frame", dying(compaction.write_frame))
        dies.setattr(compaction, "sync_folder", dying(compaction.sync_folder))
        with pytest.raises(KilledError):
            compact(root, ended)
    assert len(load_recording(root, PAIR)) == 4
    claim(root, invented=False)
    compact(root, segments(root))
    assert len(load_recording(root, PAIR)) == 4
    assert segments(root) == []
    assert list(root.glob("*/*/.*")) == []


def test_a_full_disk_leaves_the_day_as_it_was_and_the_journal(root):
    compact(root, written(root, [sold(MIDNIGHT)]).close())
    path = day_file(root, "binance", PAIR, "2026-02-01")
    before = path.read_bytes()
    journal = written(root, [sold(MIDNIGHT + i, price=100.0 + i) for i in range(500)])
    ended = journal.close()
    with largest_file(4096), pytest.raises(OSError, match="too large"):
        compact(root, ended)
    assert path.read_bytes() == before
    assert segments(root) == ended
    assert len(load_recording(root, PAIR)) == 500


def test_a_day_s_file_that_is_none_is_not_overwritten(root):
    path = day_file(root, "binance", PAIR, "2026-02-01")
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    journal = written(root, [sold(MIDNIGHT)])
    with pytest.raises(DataError, match=r"2026-02-01.parquet must hold a table"):
        compact(root, journal.close())
    assert path.read_text() == "mine"
    assert len(segments(root)) == 1


# Reading.


def test_rows_are_read_from_the_journal_too_while_it_is_written(root):
    journal = written(root, [sold(MIDNIGHT)])
    compact(root, journal.close())
    journal.append([sold(MIDNIGHT), sold(MIDNIGHT + 7)])
    assert load_recording(root, PAIR)["date"].dt.microsecond.tolist() == [0, 7000]
    assert load_recording(root / "binance", PAIR)["date"].dt.microsecond.tolist() == [0, 7000]
    late = pd.Timestamp(MIDNIGHT + 7, unit="ms", tz="UTC")
    assert load_recording(root, PAIR, first=late)["date"].tolist() == [late]
    assert load_recording(root, ETH).empty


def test_of_several_exchanges_one_must_be_named(root):
    journal = written(root, [sold(), sold(exchange="bybit", price=None)])
    for _ in range(2):
        with pytest.raises(DataError, match="must hold a recording of one exchange, received binance, bybit"):
            load_recording(root, PAIR)
        with pytest.raises(DataError, match="must hold a recording of okx, received binance, bybit"):
            load_recording(root, PAIR, "okx")
        assert load_recording(root, PAIR, "bybit")["exchange"].tolist() == ["bybit"]
        compact(root, journal.close())


def test_a_single_day_s_file_can_be_read(root):
    compact(root, written(root, [sold(), sold(MIDNIGHT + DAY)]).close())
    path = day_file(root, "binance", PAIR, "2026-02-01")
    assert len(load_recording(path, PAIR)) == 1
    pd.DataFrame({"date": [pd.Timestamp("2026-02-01", tz="UTC")]}).to_parquet(path)
    with pytest.raises(DataError, match="lack column 'exchange'"):
        load_recording(path, PAIR)


# The directory.


def test_a_directory_belongs_to_one_recorder(root):
    with locked(root), pytest.raises(ConfigError, match="must belong to one recorder"), locked(root):
        pass
    with locked(root):
        pass


def test_invented_and_real_liquidations_do_not_mix(root):
    assert is_sandbox({"urls": {"api": {"ws": {"linear": "ws://127.0.0.1:8080/ws"}}}})
    assert not is_sandbox({"aiohttp_proxy": "http://127.0.0.1:8080", "urls": {}})
    claim(root, invented=True)
    Journal(root)
    claim(root, invented=True)
    with pytest.raises(DataError, match="received real ones for invented ones"):
        claim(root, invented=False)


def test_a_directory_of_something_else_is_left_alone(root):
    (root / "thesis.tex").write_text("mine")
    with pytest.raises(
        DataError, match=r"must be empty or a recorder's directory, received one with thesis.tex"
    ):
        claim(root, invented=False)


# The inbox.


def test_repetitions_count_once_and_are_not_written_again():
    inbox = Inbox()
    inbox.take("binance", Received((sold(), sold(MIDNIGHT + 1)), ("bad",), 3))
    inbox.take("binance", Received((sold(side="long"), sold(side="short"))))
    assert inbox.hand_out() == [sold(), sold(MIDNIGHT + 1), sold(side="short")]
    tally = inbox.tally("binance")
    assert (tally.prints, tally.repeated, tally.malformed, tally.ignored) == (3, 1, 1, 3)
    assert (tally.long, tally.short, tally.last) == (400.0, 200.0, MIDNIGHT + 1)


def test_rows_wait_in_order_while_nothing_can_be_written_up_to_a_bound():
    inbox = Inbox(most=3)
    rows = [sold(MIDNIGHT + i) for i in range(5)]
    inbox.take("binance", Received(tuple(rows[:2])))
    batch = inbox.hand_out()
    inbox.take("binance", Received(tuple(rows[2:])))
    assert inbox.unwritten == 3
    assert inbox.tally("binance").lost == 2
    inbox.put_back(batch)
    assert inbox.hand_out() == rows[:3]
    inbox.written()
    assert inbox.unwritten == 0
    inbox.take("binance", Received(tuple(rows[3:])))  # sent once more: it was never accepted
    assert inbox.hand_out() == rows[3:]
