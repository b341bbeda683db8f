"""A file of the archive becomes numbers: every defect seen in the wild is reported, and enters no column."""

import hashlib
import io
import math
import zipfile

import numpy as np
import pytest

from liqfeature import ConfigError, DataError
from liqfeature.data.archive.datasets import DEPTH, FUNDING, METRICS, ArchivedFile, symbol_of
from liqfeature.data.archive.rows import rows_of, unzipped
from liqfeature.durations import DAY, HOUR, MINUTE

FIRST = 1_767_225_600_000
"""2026-01-01 in milliseconds."""

FIVE = 5 * MINUTE
FILE = ArchivedFile(METRICS, "BTCUSDT", FIRST, FIRST + DAY)
HEADER = ",".join(METRICS.columns)


def stamp(after):
    return str(np.datetime64(FIRST + after, "ms").astype("datetime64[s]")).replace("T", " ")


def line(after, *, symbol="BTCUSDT", amount=None, rest="2.0,1.9,1.8,0.9"):
    amount = 1000.0 + after / FIVE if amount is None else amount
    value = "" if amount == "" else 60_000.0 * float(amount)
    return f"{stamp(after)},{symbol},{amount},{value},{rest}"


DAY_OF_LINES = [line(k * FIVE) for k in range(1, 289)]


def table(*lines, header=HEADER):
    return "\n".join([*([header] if header else []), *lines, ""]).encode()


def read(*lines, **options):
    return rows_of(table(*lines, **options), FILE)


def zipped(content=b"a,b\n", name=f"{FILE.name}.csv", further=()):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in (name, *further):
            archive.writestr(member, content)
    return buffer.getvalue()


def checksum(body):
    return f"{hashlib.sha256(body).hexdigest()}  {FILE.name}.zip\n"


# Names.


def test_files_are_named_as_the_archive_names_them():
    days = list(METRICS.files("BTCUSDT", FIRST, FIRST + 2 * DAY))
    assert [file.date for file in days] == [
        "2025-12-31",
        "2026-01-01",
        "2026-01-02",
    ]  # it ends with our midnight
    path = "/data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-2026-01-01.zip"
    assert days[1].path == path
    months = list(FUNDING.files("ETHUSDT", FIRST + 40 * DAY, FIRST + 65 * DAY))
    assert [file.path.rpartition("/")[2] for file in months] == [
        "ETHUSDT-fundingRate-2026-02.zip",
        "ETHUSDT-fundingRate-2026-03.zip",
    ]
    assert "/monthly/fundingRate/" in months[0].path


def test_a_pair_s_symbol_is_its_base_and_quote():
    assert symbol_of("1000PEPE/USDT:USDT") == "1000PEPEUSDT"
    assert symbol_of("BTC/USDC:USDC") == "BTCUSDC"
    for pair in ("BTC/USD:BTC", "BTCUSDT", "BTC/USDT", ""):
        with pytest.raises(ConfigError, match="must be linear perpetuals such as BTC/USDT:USDT"):
            symbol_of(pair)


# Zip files.


def test_a_zip_file_is_opened_only_if_it_is_what_its_checksum_says():
    body = zipped(b"mine")
    assert unzipped(body, checksum(body), FILE) == (b"mine", ())
    for published in (checksum(b"other"), "", "nonsense"):
        with pytest.raises(DataError, match="another checksum than published"):
            unzipped(body, published, FILE)


def test_a_truncated_zip_file_is_refused_though_its_checksum_matches():
    body = zipped(b"a" * 5000)
    for cut in (0, 10, len(body) // 2, len(body) - 1):
        with pytest.raises(DataError, match="a damaged zip file"):
            unzipped(body[:cut], checksum(body[:cut]), FILE)


def test_of_two_tables_the_one_of_the_file_s_name_is_read_and_no_other_path():
    body = zipped(b"mine", further=(f"{FILE.name}-copy.csv",))
    assert unzipped(body, checksum(body), FILE) == (b"mine", ("2 tables in the zip file",))
    for name in ("../../outside.csv", "/etc/passwd", f"a/{FILE.name}.csv", "other.csv"):
        body = zipped(b"mine", name=name)
        with pytest.raises(DataError, match=f"no table {FILE.name}.csv in the zip file"):
            unzipped(body, checksum(body), FILE)


def test_a_table_that_unpacks_to_more_than_it_may_is_refused():
    body = zipped(b"0" * (METRICS.most_bytes + 1))
    assert len(body) < 10_000
    with pytest.raises(DataError, match="a table of more than 4,000,000 bytes"):
        unzipped(body, checksum(body), FILE)


# Rows of metrics.


def test_a_sound_day_is_read_whole():
    found = read(*DAY_OF_LINES)
    assert found.remarks == ()
    assert found.stamp.tolist() == [FIRST + k * FIVE for k in range(1, 289)]
    assert found.numbers.shape == (288, 6)
    assert found.numbers[0].tolist() == [1001.0, 60_060_000.0, 2.0, 1.9, 1.8, 0.9]


def test_a_day_after_the_change_of_the_stamp_s_meaning_is_read_whole():
    found = read(*[line(k * FIVE) for k in range(288)])
    assert found.remarks == ()
    assert found.stamp[[0, -1]].tolist() == [FIRST, FIRST + DAY - FIVE]


def test_without_a_header_columns_are_known_by_their_place():
    found = read(*DAY_OF_LINES, header=None)
    assert found.remarks == ("no header",)
    np.testing.assert_array_equal(found.numbers, read(*DAY_OF_LINES).numbers)
    with pytest.raises(DataError, match="rows of 9 cells"):
        read(*[one + ",7" for one in DAY_OF_LINES], header=None)


def test_columns_in_another_order_are_known_by_their_names():
    names = HEADER.split(",")
    order = [1, 0, *range(7, 1, -1)]
    shuffled = [",".join(one.split(",")[i] for i in order) for one in DAY_OF_LINES]
    found = read(*shuffled, header=",".join(names[i] for i in order))
    np.testing.assert_array_equal(found.numbers, read(*DAY_OF_LINES).numbers)
    with pytest.raises(DataError, match="no column sum_open_interest"):
        read(*DAY_OF_LINES, header=HEADER.replace("sum_open_interest,", "sum,"))


@pytest.mark.parametrize(
    ("changed", "remark", "lost"),
    [
        (
            line(10 * FIVE, amount="", rest=",,,"),
            "1 row with blank or impossible numbers",
            [0, 1, 2, 3, 4, 5],
        ),
        (line(10 * FIVE, amount="0"), "1 row with blank or impossible numbers", [0, 1]),
        (line(10 * FIVE, amount="-5"), "1 row with blank or impossible numbers", [0, 1]),
        (line(10 * FIVE, amount="inf"), "1 row with blank or impossible numbers", [0, 1]),
        (line(10 * FIVE, rest='2.0,"",1.8,-1'), "1 row with blank or impossible numbers", [3, 5]),
        (line(10 * FIVE, rest="2.0,many,1.8,0.9"), "1 row with blank or impossible numbers", [3]),
    ],
)
def test_blank_and_impossible_numbers_are_unknown(changed, remark, lost):
    found = read(*DAY_OF_LINES[:9], changed, *DAY_OF_LINES[10:])
    assert found.remarks == (remark,)
    assert np.flatnonzero(np.isnan(found.numbers[9])).tolist() == lost
    assert np.isnan(found.numbers).sum() == len(lost)


@pytest.mark.parametrize(
    ("changed", "remark"),
    [
        (line(10 * FIVE, symbol="ETHUSDT"), "1 row of another symbol"),
        (line(10 * FIVE - DAY), "1 row of another time"),
        (line(10 * FIVE + 2 * DAY), "1 row of another time"),
        (line(10 * FIVE + 61_000), "1 row more than 60 s late"),
        (line(10 * FIVE).replace(stamp(10 * FIVE), "soon"), "1 row without a time"),
        (line(10 * FIVE) + ",7", "1 row of other cells"),
    ],
)
def test_rows_that_do_not_belong_here_are_left_out(changed, remark):
    found = read(*DAY_OF_LINES[:9], changed, *DAY_OF_LINES[10:])
    assert found.remarks == (remark,)
    sound = read(*DAY_OF_LINES[:9], *DAY_OF_LINES[10:])
    np.testing.assert_array_equal(found.stamp, sound.stamp)
    np.testing.assert_array_equal(found.numbers, sound.numbers)


def test_a_whole_day_of_another_day_is_empty():
    found = read(*[line(k * FIVE - DAY) for k in range(1, 289)])
    assert found.remarks == ("287 rows of another time",)  # the last is our midnight
    assert found.stamp.tolist() == [FIRST]


def test_stamps_some_seconds_late_mean_the_round_time_before():
    late = [line(k * FIVE + (2000 if k % 40 == 0 else 0), amount=1000.0 + k) for k in range(1, 289)]
    found, sound = read(*late), read(*DAY_OF_LINES)
    assert found.remarks == ("7 rows some seconds late",)
    np.testing.assert_array_equal(found.stamp, sound.stamp)
    np.testing.assert_array_equal(found.numbers, sound.numbers)


def test_rows_twice_count_once_and_of_two_that_differ_the_first():
    again = [*DAY_OF_LINES[:50], DAY_OF_LINES[49], *DAY_OF_LINES[50:]]
    other = [*DAY_OF_LINES[:50], line(50 * FIVE, amount=7.0), *DAY_OF_LINES[50:]]
    sound = read(*DAY_OF_LINES)
    for lines, remark in ((again, "1 row twice"), (other, "1 row twice, with other numbers")):
        found = read(*lines)
        assert found.remarks == (remark,)
        np.testing.assert_array_equal(found.numbers, sound.numbers)


def test_rows_out_of_order_are_put_in_order():
    order = np.random.default_rng(1).permutation(288)
    found = read(*[DAY_OF_LINES[i] for i in order])
    assert found.remarks == ("rows out of order",)
    np.testing.assert_array_equal(found.numbers, read(*DAY_OF_LINES).numbers)


def test_of_rows_without_an_order_that_contradict_each_other_none_counts():
    lines = [line(50 * FIVE, amount=7.0), *DAY_OF_LINES[:60], DAY_OF_LINES[10], *DAY_OF_LINES[60:]]
    found, sound = read(*lines), read(*DAY_OF_LINES)
    assert set(found.remarks) == {"rows out of order", "1 row twice", "1 row twice, with other numbers"}
    np.testing.assert_array_equal(found.stamp, sound.stamp)
    assert np.flatnonzero(np.isnan(found.numbers).any(axis=1)).tolist() == [49]
    np.testing.assert_array_equal(np.delete(found.numbers, 49, 0), np.delete(sound.numbers, 49, 0))


def test_a_flow_over_another_period_is_unknown_and_a_state_is_what_it_is():
    found = read(*DAY_OF_LINES[2::3])
    assert found.remarks == ("a row every 15 minutes",)
    assert np.isnan(found.numbers[:, 5]).all()
    assert not np.isnan(found.numbers[:, :5]).any()


def test_an_empty_table_and_one_that_is_none_have_their_own_words():
    assert read().stamp.size == 0
    for body in (b"", b"\xff\xfe\x00", b"<html>no such key</html>"):
        with pytest.raises(DataError, match=r"no (table|column)"):
            rows_of(body, FILE)


# Other data sets.


def test_funding_is_floored_to_the_minute_as_freqtrade_does():
    file = ArchivedFile(FUNDING, "BTCUSDT", FIRST, FIRST + 31 * DAY)
    rows = [f"{FIRST + k * 8 * HOUR + k},8,{0.0001 * k:.8f}" for k in range(93)]
    found = rows_of(table(*rows, header=",".join(FUNDING.columns)), file)
    assert found.remarks == ()
    assert found.stamp.tolist() == [FIRST + k * 8 * HOUR for k in range(93)]
    assert found.numbers[2].tolist() == [0.0002]


def test_depth_is_the_last_look_before_every_five_minutes():
    file = ArchivedFile(DEPTH, "BTCUSDT", FIRST, FIRST + DAY)
    percents = (*range(-5, 0), -0.2, 0.2, *range(1, 6))
    rows = [
        f"{stamp(30_000 * k)},{percent:.2f},{k},{1e6 * k + abs(percent)}"
        for k in range(1, 25)  # 12 minutes
        for percent in percents
        if k != 20  # at 0:10
    ]
    found = rows_of(table(*rows, header=",".join(DEPTH.columns)), file)
    assert found.stamp.tolist() == [FIRST + FIVE, FIRST + 2 * FIVE]
    assert found.numbers[0].tolist() == [1e7 + p for p in (5, 4, 3, 2, 1, 1, 2, 3, 4, 5)]
    assert found.numbers[1].tolist() == [1.9e7 + p for p in (5, 4, 3, 2, 1, 1, 2, 3, 4, 5)]


def test_a_band_that_is_missing_is_unknown():
    file = ArchivedFile(DEPTH, "BTCUSDT", FIRST, FIRST + DAY)
    rows = [f"{stamp(FIVE)},-1.00,5,50", f"{stamp(FIVE)},1,6,60"]
    found = rows_of(table(*rows, header=",".join(DEPTH.columns)), file)
    assert found.numbers[0, [4, 5]].tolist() == [50.0, 60.0]
    assert math.isnan(found.numbers[0, 0])
