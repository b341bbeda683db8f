"""The archive holds the answers of the REST routes, digit for digit, but for the defects of a plan."""

import csv
import hashlib
import io
import json
import urllib.error
import urllib.request
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from builders.tapes import HandClock, walking_tape
from liqfeature.durations import DAY, HOUR, MINUTE
from liqfeature.sandbox.server.clock import FixedClock
from liqfeature.sandbox.server.faults import DEFECTS, Fault, Faults
from liqfeature.sandbox.server.serve import FAULTS, running
from liqfeature.sandbox.server.venue import Venue

SOL = walking_tape("SOL/USDT:USDT", minutes=32 * 1440, price=150.0)
BTC = walking_tape(minutes=32 * 1440)
ROOT = "/data/futures/um"
FIVE = 5 * MINUTE
PATIENCE = 100


def venue(days=32.0, tapes=(SOL, BTC)):
    return Venue.of(tapes, clock=FixedClock(SOL.start + round(days * DAY)))


def at(day):
    return datetime.fromtimestamp(SOL.start / 1000, UTC) + timedelta(days=day)


def metrics(day, symbol="SOLUSDT"):
    return f"{ROOT}/daily/metrics/{symbol}/{symbol}-metrics-{at(day):%Y-%m-%d}.zip"


def fetched(url, path):
    """Status and body of an answer."""
    try:
        with urllib.request.urlopen(url + path, timeout=PATIENCE) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def rows_of(body, table=0):
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return list(csv.reader(archive.read(archive.namelist()[table]).decode().splitlines()))


def rows(url, path):
    """Rows of a file that is there, without their header."""
    status, body = fetched(url, path)
    assert status == 200, path
    return rows_of(body)[1:]


def rest(url, path, **parameters):
    query = "&".join(f"{name}={value}" for name, value in parameters.items())
    return json.loads(fetched(url, f"{path}?symbol=SOLUSDT&{query}")[1])


def moment(text):
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def struck(*faults, path=None, days=32.0):
    """Rows of a file without and with faults."""
    path = path or metrics(3)
    with running(venue(days)) as sound, running(venue(days), faults=Faults(faults)) as faulty:
        return rows(sound, path), rows(faulty, path)


@pytest.fixture(scope="module")
def url():
    with running(venue()) as address:
        yield address


# What the files hold.


@pytest.mark.parametrize("day", [0, 3])
def test_metrics_are_the_statistics_of_the_rest_routes(url, day):
    received = rows(url, metrics(day))
    span = {"startTime": SOL.start + day * DAY + 1, "endTime": SOL.start + (day + 1) * DAY, "limit": 500}
    interest = rest(url, "/futures/data/openInterestHist", period="5m", **span)
    assert [(moment(row[0]), row[1]) for row in received] == [
        (row["timestamp"], "SOLUSDT") for row in interest
    ]
    for number, name in enumerate(("sumOpenInterest", "sumOpenInterestValue"), start=2):
        assert [row[number] for row in received] == [row[name] + "00000000" for row in interest]
    for number, route, name in (
        (4, "topLongShortAccountRatio", "longShortRatio"),
        (5, "topLongShortPositionRatio", "longShortRatio"),
        (6, "globalLongShortAccountRatio", "longShortRatio"),
        (7, "takerlongshortRatio", "buySellRatio"),
    ):
        answered = rest(url, f"/futures/data/{route}", period="5m", **span)
        assert [row[number] for row in received] == [row[name] for row in answered]


def test_a_day_of_metrics_begins_after_midnight_and_ends_at_the_next(url):
    stamps = [moment(row[0]) for day in range(5) for row in rows(url, metrics(day))]
    assert stamps == list(range(SOL.start + FIVE, SOL.start + 5 * DAY + 1, FIVE))


@pytest.mark.parametrize("interval", ["5m", "1h"])
@pytest.mark.parametrize("dataset", ["klines", "markPriceKlines"])
@pytest.mark.parametrize(("every", "name", "days"), [("daily", "%Y-%m-%d", 1), ("monthly", "%Y-%m", 31)])
def test_candles_are_those_of_the_rest_routes(url, dataset, every, interval, name, days):
    path = f"{ROOT}/{every}/{dataset}/SOLUSDT/{interval}/SOLUSDT-{interval}-{at(0).strftime(name)}.zip"
    received = rows(url, path)
    answered, end = [], SOL.start + days * DAY - 1
    while page := rest(
        url,
        f"/fapi/v1/{dataset}",
        interval=interval,
        limit=1500,
        endTime=end,
        startTime=answered[-1][0] + 1 if answered else SOL.start,
    ):
        answered += page
    assert received == [[str(cell) for cell in row] for row in answered]


def test_fundings_are_those_of_the_rest_route(url):
    received = rows(url, f"{ROOT}/monthly/fundingRate/SOLUSDT/SOLUSDT-fundingRate-{at(0):%Y-%m}.zip")
    answered = rest(url, "/fapi/v1/fundingRate", limit=1000, endTime=SOL.start + 31 * DAY - 1)
    assert received == [[str(row["fundingTime"]), "8", row["fundingRate"]] for row in answered]
    assert len(received) == 93


def test_book_depth_adds_up_the_order_book_of_the_rest_route():
    path = f"{ROOT}/daily/bookDepth/SOLUSDT/SOLUSDT-bookDepth-{at(1):%Y-%m-%d}.zip"
    with running(venue()) as url:
        received = rows(url, path)
    assert len(received) == 2880 * 12
    now = moment(received[700 * 12][0])
    with running(Venue.of([SOL], clock=FixedClock(now))) as url:
        book = rest(url, "/fapi/v1/depth", limit=1000)
    middle = (float(book["bids"][0][0]) + float(book["asks"][0][0])) / 2
    for _, percent, depth, notional in received[700 * 12 : 701 * 12]:
        side = book["asks" if float(percent) > 0 else "bids"]
        inside = [
            (float(price), float(amount))
            for price, amount in side
            if abs(float(price) / middle - 1) <= abs(float(percent)) / 100 * (1 + 1e-9)
        ]
        assert 20 < len(inside) < 1000
        assert float(depth) == pytest.approx(sum(amount for _, amount in inside))
        assert float(notional) == pytest.approx(sum(price * amount for price, amount in inside))


# Files as files.


def test_a_checksum_is_that_of_the_file_and_the_file_is_always_the_same(url):
    for path in (metrics(3), metrics(3, "BTCUSDT")):
        body, checksum = fetched(url, path)[1], fetched(url, path + ".CHECKSUM")[1].decode()
        assert checksum == f"{hashlib.sha256(body).hexdigest()}  {path.rsplit('/', 1)[1]}\n"
        with running(venue(20)) as other:
            assert fetched(other, path + ".CHECKSUM")[1].decode() == checksum
            assert fetched(other, path)[1] == body


def test_a_file_is_there_an_hour_after_its_day():
    clock = HandClock(SOL.start)
    with running(Venue.of([SOL], clock=clock)) as url:
        for passed, status in ((4 * DAY - 1, 404), (4 * DAY + HOUR - 1, 404), (4 * DAY + HOUR, 200)):
            clock.moment = SOL.start + passed
            assert fetched(url, metrics(3))[0] == fetched(url, metrics(3) + ".CHECKSUM")[0] == status


@pytest.mark.parametrize(
    "path",
    [
        metrics(-1),
        metrics(40),
        metrics(3, "XUSDT"),
        metrics(3).replace("daily", "monthly"),
        metrics(3).replace("metrics", "trades"),
        metrics(3).replace("2026-01-04", "2026-13-04"),
        metrics(3).replace("2026-01-04", "2026-01"),
        metrics(3).replace("2026-01-04", "2026-1-4"),
        f"{ROOT}/daily/klines/SOLUSDT/7m/SOLUSDT-7m-2026-01-04.zip",
        f"{ROOT}/daily/klines/SOLUSDT/5m/SOLUSDT-1h-2026-01-04.zip",
        f"{ROOT}/daily/metrics/SOLUSDT/5m/SOLUSDT-5m-2026-01-04.zip",
        f"{ROOT}/daily/metrics/",
        "/data/",
    ],
)
def test_other_files_are_not_there(url, path):
    status, body = fetched(url, path)
    assert (status, b"NoSuchKey" in body) == (404, True)


# Defects.


def test_a_missing_file_is_not_there_nor_is_its_checksum():
    fault = Fault(kind="missing_file", path=metrics(3).removesuffix(".zip"))
    with running(venue(), faults=Faults((fault,))) as url:
        assert [fetched(url, path)[0] for path in (metrics(3), metrics(3) + ".CHECKSUM")] == [404, 404]
        assert fetched(url, metrics(4))[0] == 200


def test_a_short_file_ends_at_half_past_one():
    whole, short = struck(Fault(kind="short_file"))
    assert short == whole[:162]
    assert short[-1][0].endswith("13:30:00")


def test_a_duplicate_day_is_the_day_before():
    whole, other = struck(Fault(kind="duplicate_day"))
    assert not {row[0] for row in whole} & {row[0] for row in other}
    with running(venue()) as url:
        assert other == rows(url, metrics(2))


def test_a_wrong_period_is_three_times_as_long():
    whole, sparse = struck(Fault(kind="wrong_period"))
    assert sparse == whole[::3]


def test_unordered_rows_are_the_same_rows():
    whole, unordered = struck(Fault(kind="unordered_rows"))
    assert sorted(unordered) == whole != unordered


def changed(kind, share=0.25, **more):
    """Of each row that a defect changed, what was and what is."""
    whole, damaged = struck(Fault(kind=kind, rows=share, **more))
    both = [(before, after) for before, after in zip(whole, damaged, strict=True) if before != after]
    assert len(both) == pytest.approx(288 * share, abs=20)
    return both


def test_blank_numbers_are_quoted_and_keep_stamp_and_symbol():
    for before, after in changed("blank_numbers"):
        assert after == [*before[:2], *[""] * 6]
    with running(venue(), faults=Faults((Fault(kind="blank_numbers"),))) as url:
        body = fetched(url, metrics(3))[1]
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert b',SOLUSDT,"","","","","",""\n' in archive.read(archive.namelist()[0])


def test_other_numbers_are_a_hundredth_too_high():
    for before, after in changed("other_numbers"):
        assert after[:2] == before[:2]
        assert list(map(float, after[2:])) == pytest.approx([1.01 * float(one) for one in before[2:]])


def test_another_symbol_has_the_same_numbers():
    for before, after in changed("other_symbol"):
        assert after == [before[0], "OTHERUSDT", *before[2:]]


def test_late_stamps_are_late_by_whole_seconds():
    late = {moment(after[0]) - moment(before[0]) for before, after in changed("late_stamps", seconds=2)}
    assert late == {1000, 2000}
    assert all(after[1:] == before[1:] for before, after in changed("late_stamps", seconds=130))


def test_duplicate_rows_come_twice():
    whole, twice = struck(Fault(kind="duplicate_rows", rows=1.0))
    assert twice == [row for row in whole for _ in range(2)]
    whole, some = struck(Fault(kind="duplicate_rows"))
    assert 288 < len(some) < 340
    assert sorted(set(map(tuple, some))) == list(map(tuple, whole))


def test_conflicting_rows_come_first_as_they_are_and_then_otherwise():
    whole, both = struck(Fault(kind="conflicting_rows"))
    firsts = {}
    for row in both:
        if row[0] in firsts:
            assert float(row[2]) == pytest.approx(1.01 * float(firsts[row[0]][2]))
        firsts.setdefault(row[0], row)
    assert list(firsts.values()) == whole
    assert 288 < len(both) < 340


def bytes_of(*kinds):
    with running(venue(), faults=Faults(tuple(Fault(kind=kind) for kind in kinds))) as url:
        return fetched(url, metrics(3))[1], fetched(url, metrics(3) + ".CHECKSUM")[1].split()[0].decode()


def test_a_file_without_a_header_begins_with_its_first_row():
    whole, headless = rows_of(bytes_of()[0]), rows_of(bytes_of("no_header")[0])
    assert whole[0][0] == "create_time"
    assert headless == whole[1:]


def test_a_wrong_checksum_is_beside_a_whole_file():
    body, checksum = bytes_of("wrong_checksum")
    assert body == bytes_of()[0]
    assert len(checksum) == 64
    assert checksum != hashlib.sha256(body).hexdigest()


def test_a_truncated_zip_has_its_own_checksum():
    body, checksum = bytes_of("truncated_zip")
    assert checksum == hashlib.sha256(body).hexdigest()
    with pytest.raises(zipfile.BadZipFile):
        rows_of(body)


def test_a_double_zip_holds_two_tables():
    body, _ = bytes_of("double_zip")
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert len(set(archive.namelist())) == 2
    assert rows_of(body, 0) == rows_of(body, 1)


def test_an_answer_cut_in_the_middle_fails_its_checksum():
    with running(venue(), faults=Faults((Fault(kind="malformed", path=metrics(3)),))) as url:
        body = fetched(url, metrics(3))[1]
    assert body == bytes_of()[0][: len(body)]
    assert hashlib.sha256(body).hexdigest() != bytes_of()[1]


@pytest.mark.parametrize("kind", ["other_numbers", "short_file"])
def test_a_defect_that_ends_is_a_file_that_is_replaced(kind):
    clock = HandClock(SOL.start + 10 * DAY)
    fault = Fault(kind=kind, until=SOL.start + 11 * DAY)
    with running(Venue.of([SOL], clock=clock), faults=Faults((fault,))) as url:
        first = [fetched(url, metrics(3) + end)[1] for end in ("", ".CHECKSUM")]
        clock.moment = SOL.start + 11 * DAY
        second = [fetched(url, metrics(3) + end)[1] for end in ("", ".CHECKSUM")]
    assert first[0] != second[0] == bytes_of()[0]
    for body, checksum in (first, second):
        assert checksum.split()[0].decode() == hashlib.sha256(body).hexdigest()


def test_a_share_of_the_files_is_struck_whatever_is_asked_and_in_which_order():
    found = []
    for order in (range(30), reversed(range(30))):
        faults = Faults((Fault(kind="missing_file", share=0.4),), seed=2)
        with running(venue(), faults=faults) as url:
            found.append({day for day in order if fetched(url, metrics(day))[0] == 404})
            again = {day for day in range(30) if fetched(url, metrics(day) + ".CHECKSUM")[0] == 404}
            assert again == found[-1]
    assert found[0] == found[1]
    assert 5 <= len(found[0]) <= 19


@pytest.mark.parametrize("kind", DEFECTS)
def test_a_defect_of_files_leaves_the_rest_alone(kind):
    with running(venue(), faults=Faults((Fault(kind=kind),))) as faulty, running(venue()) as sound:
        for path in ("/futures/data/openInterestHist", "/fapi/v1/klines"):
            parameters = {"period": "5m", "interval": "5m"}
            assert rest(faulty, path, **parameters) == rest(sound, path, **parameters)
        assert json.loads(fetched(faulty, FAULTS)[1]) == {}
        fetched(faulty, metrics(3))
        assert json.loads(fetched(faulty, FAULTS)[1]) == {kind: 1}


def test_a_gap_is_in_the_archive_too():
    gap = Fault(kind="gap", since=SOL.start + HOUR, until=SOL.start + 2 * HOUR)
    path = f"{ROOT}/daily/klines/SOLUSDT/5m/SOLUSDT-5m-{at(0):%Y-%m-%d}.zip"
    whole, holed = struck(gap, path=path)
    assert holed == whole[:12] + whole[24:]


# The change of 2026-06-25.


def test_statistics_after_a_change_have_the_stamp_of_the_start_of_their_period():
    change = SOL.start + 3 * DAY
    faults = Faults((Fault(kind="start_stamps", since=change),))
    with running(venue()) as sound, running(venue(), faults=faults) as changed:
        before, after = rows(changed, metrics(2)), rows(changed, metrics(3))
        assert before == rows(sound, metrics(2))
        assert [row[1:] for row in after] == [row[1:] for row in rows(sound, metrics(3))]
        stamps = [moment(row[0]) for row in after]
        assert stamps == list(range(change, change + DAY, FIVE))
        assert moment(before[-1][0]) == stamps[0]  # both files hold that midnight
        span = {"period": "5m", "startTime": change + 1, "endTime": change + DAY - 1, "limit": 500}
        answered = rest(changed, "/futures/data/openInterestHist", **span)
    assert [(row["timestamp"], row["sumOpenInterest"] + "00000000") for row in answered] == [
        (stamp, row[2]) for stamp, row in zip(stamps, after, strict=True)
    ][1:]


def test_after_a_change_value_over_amount_is_the_mark_price_at_the_end_of_the_period():
    faults = Faults((Fault(kind="start_stamps", since=SOL.start),))
    with running(venue(), faults=faults) as url:
        for row in rest(url, "/futures/data/openInterestHist", period="1h", limit=20):
            minute = (row["timestamp"] + HOUR - SOL.start) // MINUTE - 1
            price = float(row["sumOpenInterestValue"]) / float(row["sumOpenInterest"])
            assert price == pytest.approx(SOL.mark_close[minute], rel=1e-9)
        assert row["timestamp"] == SOL.start + 32 * DAY - HOUR
