"""When an exchange was listened to, on its way to the disk: known no earlier than the rows say."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from liqfeature.data.database import Database
from liqfeature.data.kinds import LAG, LISTENED, Series
from liqfeature.data.recordings import listened
from liqfeature.recorder.spans import Spans

PAIR = "BTC/USDT:USDT"
SERIES = Series("binance", PAIR, LISTENED)
START = 1_767_225_600_000
SECOND = 1000


def note(spans, path, now):
    rows = spans.rows(START + now)
    with Database(path, write=True) as database, database.writing():
        for (kind, _), row in rows.items():
            database.extend(SERIES._replace(kind=kind), "stream", row)
    spans.written(rows)


def rows_in(path):
    with Database(path) as database:
        table = database.read(SERIES)
    numbers = table[["stamp", "until", "available"]].to_numpy() - START
    return [tuple(row) for row in numbers.tolist()]


def test_the_row_of_a_connection_grows(tmp_path):
    spans, path = Spans(), tmp_path / "one.sqlite"
    for until in (8, 19, 27):
        spans.hear(START, START + until * SECOND)
        note(spans, path, until * SECOND + 500)
    assert rows_in(path) == [(0, 27 * SECOND, LAG)]


def test_a_connection_that_ended_is_written_in_full_and_the_next_has_a_row_of_its_own(tmp_path):
    spans, path = Spans(), tmp_path / "one.sqlite"
    spans.hear(START, START + 8 * SECOND)
    note(spans, path, 9 * SECOND)
    spans.hear(START, START + 11 * SECOND)
    spans.hear(START + 15 * SECOND, START + 16 * SECOND)
    note(spans, path, 20 * SECOND)
    spans.hear(START + 15 * SECOND, START + 25 * SECOND)
    note(spans, path, 30 * SECOND)
    assert rows_in(path) == [(0, 11 * SECOND, LAG), (15 * SECOND, 25 * SECOND, 15 * SECOND + LAG)]


def test_what_the_disk_refused_for_long_is_known_only_when_it_is_written(tmp_path):
    spans, path = Spans(), tmp_path / "one.sqlite"
    spans.hear(START, START + 10 * SECOND)
    note(spans, path, 10 * SECOND)
    spans.hear(START, START + 400 * SECOND)  # refused meanwhile
    note(spans, path, 401 * SECOND)
    spans.hear(START, START + 410 * SECOND)
    note(spans, path, 411 * SECOND)
    spans.hear(START, START + 420 * SECOND)
    note(spans, path, 421 * SECOND)
    assert rows_in(path) == [
        (0, 10 * SECOND, LAG),
        (10 * SECOND, 400 * SECOND, 401 * SECOND),
        (400 * SECOND, 420 * SECOND, 400 * SECOND + LAG),
    ]
    with Database(path) as database:
        assert listened(database, "binance", PAIR) == [(START, START + 420 * SECOND)]
        five = 300 * SECOND
        assert listened(database, "binance", PAIR, period=five) == [(START, START + 420 * SECOND)]
        minute = 60 * SECOND
        assert listened(database, "binance", PAIR, period=minute) == [
            (START, START + 10 * SECOND),
            (START + 300 * SECOND, START + 420 * SECOND),
        ]


def test_what_was_silent_is_written_once_and_not_listened_to(tmp_path):
    spans, path = Spans(), tmp_path / "one.sqlite"
    spans.hear(START, START + 100 * SECOND)
    spans.deny(START + 40 * SECOND, START + 100 * SECOND)
    note(spans, path, 101 * SECOND)
    assert spans.rows(START + 110 * SECOND) == {}
    with Database(path) as database:
        assert listened(database, "binance", PAIR) == [(START, START + 40 * SECOND)]


@given(st.lists(st.tuples(st.integers(0, 200), st.booleans(), st.booleans()), min_size=1, max_size=15))
def test_no_moment_is_claimed_earlier_than_it_was_on_disk(steps):
    """Connections that end and disks that refuse, at random: rows against what was really on disk when."""
    spans, now, since = Spans(), 0, 0
    disk = {}
    on_disk = np.full(4000, np.inf)  # when each second was, by second
    waiting = []
    for wait, refused, ends in steps:
        waiting += range(now, now + wait)
        now += wait
        spans.hear(since * SECOND, now * SECOND)
        if not refused:
            rows = spans.rows(now * SECOND)
            disk |= {(row.stamp, row.available): row.content[0] for row in rows.values()}
            spans.written(rows)
            on_disk[waiting] = now
            waiting = []
        if ends:
            now += 5
            since = now
    claimed = set()
    for (begin, available), until in disk.items():
        for moment in range(begin // SECOND, until // SECOND):
            known = max(moment * SECOND, available - LAG) + LAG
            assert on_disk[moment] * SECOND <= known
            claimed.add(moment)
    assert claimed == set(np.flatnonzero(np.isfinite(on_disk)).tolist())
