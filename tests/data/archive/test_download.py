"""The archive of a sandbox, downloaded: what the REST routes say, whatever is wrong with its files."""

import asyncio
import hashlib
import json
import urllib.request

import pandas as pd
import pytest

pytest.importorskip("aiohttp")

from builders.backtests import mark_simulated
from builders.tapes import START, walking_tape
from liqfeature.cli.main import main
from liqfeature.data.archive import download as module
from liqfeature.data.archive import fetch
from liqfeature.data.archive.datasets import METRICS
from liqfeature.data.archive.download import Download
from liqfeature.data.archive.ledger import NO_FILE, Ledger
from liqfeature.data.database import Database
from liqfeature.durations import DAY, HOUR, MINUTE
from liqfeature.sandbox.server.clock import FixedClock
from liqfeature.sandbox.server.faults import Fault, Faults
from liqfeature.sandbox.server.serve import running
from liqfeature.sandbox.server.venue import Venue

SOL, BTC = "SOL/USDT:USDT", "BTC/USDT:USDT"
TAPES = (walking_tape(SOL, minutes=9 * 1440, price=150.0), walking_tape(BTC, minutes=9 * 1440))
FIRST = int(START.timestamp() * 1000)
FIVE = 5 * MINUTE
SPAN = "20260102-20260109"


def venue(days=8.5):
    return Venue.of(TAPES, clock=FixedClock(FIRST + round(days * DAY)))


def day(number):
    """Beginning of the path of a day's file, the first being 0."""
    return f"/data/futures/um/daily/metrics/SOLUSDT/SOLUSDT-metrics-2026-01-{number + 1:02d}"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(fetch, "DELAYS", (0.0, 0.0))


@pytest.fixture
def datadir(tmp_path):
    folder = tmp_path / "with space" / "binance"
    folder.mkdir(parents=True)
    mark_simulated(folder)
    return folder


def downloaded(datadir, url, *options, pairs=(SOL,)):
    command = ["download", "--url", url, "--datadir", str(datadir), "--timerange", SPAN, "--pairs", *pairs]
    return main([*command, *options])


def interest(datadir, timeframe="5m", pair="SOL_USDT_USDT"):
    return pd.read_feather(datadir / "futures" / f"{pair}-{timeframe}-open_interest.feather")


def positioning(datadir):
    return pd.read_feather(datadir / "positioning" / "SOL_USDT_USDT-5m-positioning.feather")


def rest(url, route="openInterestHist", period="5m", **parameters):
    rows = []
    for start in range(FIRST, FIRST + 8 * DAY, 500 * FIVE):
        query = {"symbol": "SOLUSDT", "period": period, "limit": 500, "startTime": start}
        query |= {"endTime": start + 500 * FIVE - 1} | parameters
        text = "&".join(f"{name}={value}" for name, value in query.items())
        with urllib.request.urlopen(f"{url}/futures/data/{route}?{text}", timeout=60) as answer:
            rows += json.loads(answer.read())
    return pd.DataFrame(rows)


def content(datadir):
    """Every file of the data directory but the database, by its bytes."""
    files = sorted(datadir.rglob("*.feather"))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


# Without defects.


def test_what_is_downloaded_is_what_the_rest_routes_say(datadir, capsys):
    with running(venue()) as url:
        assert downloaded(datadir, url, "--timeframes", "5m", "15m", "1h") == 0
        for timeframe in ("5m", "15m", "1h"):
            found, answered = interest(datadir, timeframe), rest(url, period=timeframe)
            answered = answered[(answered["timestamp"] <= FIRST + 8 * DAY)]
            assert (found["date"].astype("int64") == answered["timestamp"]).all()
            assert (found["open_interest_amount"] == answered["sumOpenInterest"].astype(float)).all()
            assert (found["open_interest_value"] == answered["sumOpenInterestValue"].astype(float)).all()
        ratios = positioning(datadir)
        for name, route, field in (
            ("top_account_ratio", "topLongShortAccountRatio", "longShortRatio"),
            ("top_position_ratio", "topLongShortPositionRatio", "longShortRatio"),
            ("account_ratio", "globalLongShortAccountRatio", "longShortRatio"),
            ("taker_ratio", "takerlongshortRatio", "buySellRatio"),
        ):
            answered = rest(url, route).set_index("timestamp")[field].astype(float)
            mine = ratios.set_index(ratios["date"].astype("int64"))[name].dropna()
            assert len(mine) > 0
            assert (mine == answered[mine.index]).all()
    out = capsys.readouterr().out
    assert out.splitlines()[0] == f"{SOL} metrics: 8 files, 2026-01-01 to 2026-01-08; 8 fetched now"
    assert "holes" not in out


def test_files_have_freqtrade_s_columns_and_types(datadir):
    with running(venue()) as url:
        downloaded(datadir, url)
    found = interest(datadir)
    assert list(found.columns) == ["date", "open_interest_amount", "open_interest_value"]
    assert [str(kind) for kind in found.dtypes] == ["datetime64[ms, UTC]", "float64", "float64"]


def test_depth_is_written_beside_freqtrade_s_files(datadir):
    with running(venue()) as url:
        assert downloaded(datadir, url, "--datasets", "bookDepth") == 0
    assert not (datadir / "futures").exists()
    depth = pd.read_feather(datadir / "depth" / "SOL_USDT_USDT-5m-depth.feather")
    assert list(depth.columns) == [
        "date",
        *(f"below_{n}" for n in range(5, 0, -1)),
        *(f"above_{n}" for n in range(1, 6)),
    ]
    assert len(depth) > 7 * 288
    assert (depth["below_5"] > depth["below_1"]).all()


def test_funding_is_written_as_freqtrade_writes_it(datadir):
    with running(venue(40.0)) as url:
        assert downloaded(datadir, url, "--datasets", "fundingRate") == 0
        with urllib.request.urlopen(f"{url}/fapi/v1/fundingRate?symbol=SOLUSDT&limit=1000") as answer:
            answered = json.loads(answer.read())
    funding = pd.read_feather(datadir / "futures" / "SOL_USDT_USDT-1h-funding_rate.feather")
    assert list(funding.columns) == ["date", "funding_rate"]
    found = dict(zip(funding["date"].astype("int64"), funding["funding_rate"], strict=True))
    rates = {row["fundingTime"] // MINUTE * MINUTE: float(row["fundingRate"]) for row in answered}
    assert len(found) > 20
    assert found == {stamp: rates[stamp] for stamp in found}
    assert len(set(found.values())) > 10


def test_interrupted_wherever_and_resumed_the_files_are_the_same(datadir, tmp_path, monkeypatch):
    """Stopped after every few files, what was written once is not fetched again."""
    whole = tmp_path / "whole"
    whole.mkdir()
    mark_simulated(whole)
    monkeypatch.setattr(module, "WRITTEN_AT_ONCE", 1)
    asked, one = [], fetch.fetched

    with running(venue()) as url:
        assert downloaded(whole, url, pairs=(SOL, BTC)) == 0
        for stop in (3, 5, 2, 4):

            async def dying(*arguments, limit=stop):
                if len(asked) >= limit:
                    raise KeyboardInterrupt
                asked.append(arguments[2].name)
                return await one(*arguments)

            monkeypatch.setattr(module, "fetched", dying)
            asked.clear()
            assert downloaded(datadir, url, pairs=(SOL, BTC)) == 130
            assert len(asked) == stop
        monkeypatch.setattr(module, "fetched", one)
        assert downloaded(datadir, url, pairs=(SOL, BTC)) == 0
    assert content(datadir) == content(whole)


def test_rows_that_were_there_stay_where_the_archive_has_none_and_a_difference_is_reported(datadir, capsys):
    (datadir / "futures").mkdir()
    path = datadir / "futures" / "SOL_USDT_USDT-5m-open_interest.feather"
    with running(venue()) as url:
        downloaded(datadir, url)
        before = interest(datadir)
        later = before["date"].iloc[-1] + pd.Timedelta("5min")
        row = pd.DataFrame({"date": [later], "open_interest_amount": 5.0, "open_interest_value": 6.0})
        changed = pd.concat([before, row.astype(before.dtypes)], ignore_index=True)
        changed.loc[7, "open_interest_amount"] = 1.0
        changed.to_feather(path)
        capsys.readouterr()
        downloaded(datadir, url)
    found = interest(datadir)
    assert found["date"].iloc[-1] == later
    pd.testing.assert_frame_equal(found.iloc[:-1], before)
    (moment,) = before["date"].iloc[7:8].dt.strftime("%Y-%m-%d %H:%M")
    words = f"1 of its rows, {moment} to {moment}, said something else before: the archive's count now"
    assert words in capsys.readouterr().out


def test_a_parquet_file_of_freqtrade_s_is_gone_on_with(datadir):
    (datadir / "futures").mkdir()
    path = datadir / "futures" / "SOL_USDT_USDT-5m-open_interest.parquet"
    date = pd.to_datetime([FIRST - FIVE], unit="ms", utc=True).as_unit("ms")
    pd.DataFrame({"date": date, "open_interest_amount": 1.0, "open_interest_value": 2.0}).to_parquet(path)
    with running(venue()) as url:
        downloaded(datadir, url)
    assert len(pd.read_parquet(path)) == 8 * 288 + 1
    assert not path.with_suffix(".feather").exists()


# Defects.


DEFECTS = [
    ("wrong_period", "a row every 15 minutes"),
    ("short_file", "holes: 1 of 10h 30m (after 2026-01-03 13:30)"),
    ("duplicate_day", "rows of another time"),
    ("blank_numbers", "rows with blank or impossible numbers"),
    ("other_symbol", "rows of another symbol"),
    ("late_stamps", "some seconds late"),
    ("duplicate_rows", "rows twice"),
    ("conflicting_rows", "rows twice, with other numbers"),
    ("unordered_rows", "rows out of order"),
    ("no_header", "no header"),
    ("double_zip", "2 tables in the zip file"),
]
"""In an order in which no later one hides what an earlier one did."""

REFUSED = [
    ("wrong_checksum", "left to the next run, another checksum than published: 2026-01-03"),
    ("truncated_zip", "left to the next run, a damaged zip file"),
]


@pytest.mark.parametrize(("kind", "words"), [*DEFECTS, *REFUSED])
def test_every_defect_is_reported_and_none_enters_the_columns(kind, words, datadir, capsys):
    fault = Fault(kind=kind, path=day(2), **({"seconds": 2.0} if kind == "late_stamps" else {}))
    with running(venue()) as sound, running(venue(), faults=Faults((fault,))) as faulty:
        code = downloaded(datadir, faulty)
        answered = rest(sound).set_index("timestamp")
        ratios = rest(sound, "globalLongShortAccountRatio").set_index("timestamp")["longShortRatio"]
    assert code == ((kind, words) in REFUSED)
    out = capsys.readouterr().out
    assert words in out
    assert "2026-01-03" in out
    found = interest(datadir)
    stamps = found["date"].astype("int64")
    assert stamps.is_unique
    assert stamps.is_monotonic_increasing
    assert set(stamps) <= set(answered.index)
    for mine, theirs in (("amount", "sumOpenInterest"), ("value", "sumOpenInterestValue")):
        assert (found[f"open_interest_{mine}"].to_numpy() == answered[theirs][stamps].astype(float)).all()
    account = positioning(datadir).set_index("date")["account_ratio"].dropna()
    account.index = account.index.astype("int64")
    assert (account == ratios[account.index].astype(float)).all()
    whole = kind in (
        "late_stamps",
        "duplicate_rows",
        "conflicting_rows",
        "unordered_rows",
        "no_header",
        "double_zip",
    )
    assert (len(found) == 8 * 288) == whole


def test_files_with_each_row_twice_are_read_once(datadir, capsys):
    """As those of BTC from 2020-09 to 2021-05."""
    doubled = Fault(kind="duplicate_rows", rows=1.0)
    with running(venue()) as sound, running(venue(), faults=Faults((doubled,))) as faulty:
        downloaded(datadir, faulty)
        answered = rest(sound)
    assert (
        "2304 rows twice: 2026-01-01, 2026-01-02, 2026-01-03, 2026-01-04 and 4 more"
        in capsys.readouterr().out
    )
    assert (
        interest(datadir)["open_interest_amount"] == answered["sumOpenInterest"].astype(float)[: 8 * 288]
    ).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_with_all_defects_at_once_every_number_is_a_true_one(seed, datadir):
    shares = dict.fromkeys([kind for kind, _ in DEFECTS], 0.3) | {kind: 0.1 for kind, _ in REFUSED}
    plan = tuple(Fault(kind=kind, share=share, rows=0.2, seconds=90.0) for kind, share in shares.items())
    with running(venue()) as sound, running(venue(), faults=Faults(plan, seed)) as faulty:
        downloaded(datadir, faulty)
        amount, account = rest(sound), rest(sound, "globalLongShortAccountRatio")
    compared = 0
    for found, answered, column, field in (
        (interest(datadir), amount, "open_interest_amount", "sumOpenInterest"),
        (interest(datadir), amount, "open_interest_value", "sumOpenInterestValue"),
        (positioning(datadir), account, "account_ratio", "longShortRatio"),
    ):
        mine = found.set_index(found["date"].astype("int64"))[column].dropna()
        assert (mine == answered.set_index("timestamp")[field].astype(float)[mine.index]).all()
        compared += len(mine)
    assert 500 < compared < 3 * 8 * 288


def test_a_file_that_is_repaired_is_fetched_again_and_one_that_is_as_it_was_is_not(datadir, capsys):
    broken = Fault(kind="blank_numbers", path=day(2))
    with running(venue(), faults=Faults((broken,))) as url:
        downloaded(datadir, url)
        capsys.readouterr()
        downloaded(datadir, url)
    assert "; 0 fetched now" in capsys.readouterr().out
    assert len(interest(datadir)) < 8 * 288
    with running(venue()) as url:
        downloaded(datadir, url)
    out = capsys.readouterr().out
    assert "; 1 fetched now" in out
    assert "replaced since they were fetched: 2026-01-03" in out
    assert "blank" not in out
    assert len(interest(datadir)) == 8 * 288


def test_check_finds_files_that_were_replaced_without_a_defect(datadir, capsys):
    other = Fault(kind="other_numbers", path=day(2))
    with running(venue(), faults=Faults((other,))) as url:
        downloaded(datadir, url)
    with running(venue()) as url:
        downloaded(datadir, url)
        assert "; 0 fetched now" in capsys.readouterr().out
        downloaded(datadir, url, "--check")
        answered = rest(url)
    out = capsys.readouterr().out
    assert "replaced since they were fetched: 2026-01-03" in out
    assert "said something else before: the archive's count now" in out
    assert (
        interest(datadir)["open_interest_amount"] == answered["sumOpenInterest"].astype(float)[: 8 * 288]
    ).all()


def test_a_missing_file_is_final_once_it_is_old_and_asked_for_again_before(datadir, capsys, monkeypatch):
    gone = Fault(kind="missing_file", path=day(2))
    with running(venue(), faults=Faults((gone,))) as url:
        monkeypatch.setattr(module.time, "time", lambda: (FIRST + 4 * DAY) / 1000)
        assert downloaded(datadir, url) == 0
        assert "not in the archive" not in capsys.readouterr().out
        monkeypatch.setattr(module.time, "time", lambda: (FIRST + 9 * DAY) / 1000)
        assert downloaded(datadir, url) == 0
        out = capsys.readouterr().out
    assert "not in the archive: 2026-01-03" in out
    assert "holes: 1 of 1d (after 2026-01-03 00:00)" in out
    monkeypatch.setattr(module.time, "time", lambda: (FIRST + 10 * DAY) / 1000)
    with running(venue()) as url:
        downloaded(datadir, url)
        assert len(interest(datadir)) == 7 * 288
        downloaded(datadir, url, "--check")
    assert len(interest(datadir)) == 8 * 288


@pytest.mark.parametrize("kind", ["server_error", "rate_limit", "drop", "malformed"])
def test_an_archive_that_fails_is_asked_again_and_then_left_to_the_next_run(kind, datadir, capsys):
    often = Fault(kind=kind, share=0.3)
    always = Fault(kind=kind, path=day(2))
    with running(venue(), faults=Faults((often,))) as url:
        for _ in range(20):
            if downloaded(datadir, url) == 0:
                break
    assert len(interest(datadir)) == 8 * 288
    other = datadir.parent / "other"
    other.mkdir()
    mark_simulated(other)
    capsys.readouterr()
    with running(venue(), faults=Faults((always,))) as url:
        assert downloaded(other, url) == 1
    assert "left to the next run, " in capsys.readouterr().out
    assert len(interest(other)) == 7 * 288


def test_the_change_of_the_stamp_s_meaning_leaves_no_hole_and_is_reported(datadir, capsys):
    """From the fourth day on a stamp is the opening of a period, in the archive and in the REST routes."""
    changed = Fault(kind="start_stamps", since=FIRST + 3 * DAY)
    with running(venue(), faults=Faults((changed,))) as url:
        assert downloaded(datadir, url, "--timeframes", "5m", "1h") == 0
        for timeframe in ("5m", "1h"):
            found, answered = interest(datadir, timeframe), rest(url, period=timeframe)
            answered = answered[answered["timestamp"] < FIRST + 8 * DAY].drop_duplicates(
                "timestamp", keep="last"
            )
            mine = found.set_index(found["date"].astype("int64"))["open_interest_amount"]
            both = mine.index.intersection(answered["timestamp"])
            assert len(both) >= len(answered) - 1
            theirs = answered.set_index("timestamp")["sumOpenInterest"].astype(float)
            assert (mine[both] == theirs[both]).mean() > 0.999
    out = capsys.readouterr().out
    assert "from 2026-01-04 00:00 on, stamps are openings of 5 minutes rather than ends" in out
    assert "holes" not in out


# The ledger.


def test_the_ledger_keeps_earlier_versions_of_a_file(tmp_path):
    other = Fault(kind="other_numbers", path=day(2))
    path = tmp_path / "one.sqlite"

    def fetch_all(url):
        with Database(path, write=True, simulated=True) as database:
            run = Download(database, url, check=True).run(
                [SOL], [METRICS.name], FIRST + HOUR, FIRST + 4 * DAY
            )
            asyncio.run(run)
            return Ledger(database, SOL, METRICS.name).entries()

    with running(venue(), faults=Faults((other,))) as url:
        before = fetch_all(url)
    with running(venue()) as url:
        after = fetch_all(url)
    changed = [first for first in before if before[first] != after[first]]
    assert changed == [FIRST + 2 * DAY]
    with Database(path) as database:
        counts = database.query("SELECT stamp, count(*) FROM archived GROUP BY 1 HAVING count(*) > 1")
    assert counts == [(FIRST + 2 * DAY, 2)]
    assert NO_FILE not in after.values()


def test_adding_days_changes_no_earlier_row(datadir):
    with running(venue()) as url:
        command = ["download", "--url", url, "--datadir", str(datadir), "--pairs", SOL, "--timerange"]
        main([*command, "20260102-20260104"])
        part = interest(datadir)
        main([*command, "20260102-20260108"])
    whole = interest(datadir)
    assert len(whole) > len(part)
    pd.testing.assert_frame_equal(whole.iloc[: len(part)], part)


# Bad use.


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--pairs", "BTCUSDT"], "pairs must be linear perpetuals such as BTC/USDT:USDT, received 'BTCUSDT'"),
        (["--timeframes", "7m"], "timeframes must be multiples of 5m such as 15m or 1h, received 7m"),
        (["--days", "0"], "days must be above 0, received 0"),
    ],
)
def test_bad_use_is_one_line(options, complaint, datadir, capsys):
    command = ["download", "--url", "http://127.0.0.1:9", "--datadir", str(datadir), "--pairs", SOL]
    assert main([*command, *options]) == 2
    assert capsys.readouterr().err == f"liqfeature: {complaint}\n"


def test_what_options_leave_out_is_taken_from_freqtrade_s_configuration(datadir, tmp_path):
    exchange = {"name": "binance", "pair_whitelist": [SOL, BTC]}
    config = tmp_path / "my config.json"
    config.write_text(json.dumps({"datadir": str(datadir), "exchange": exchange}))
    with running(venue()) as url:
        command = ["download", "--url", url, "--config", str(config), "--timerange", "20260102-20260103"]
        assert main(command) == 0
    assert len(interest(datadir)) == len(interest(datadir, pair="BTC_USDT_USDT")) == 2 * 288


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"exchange": {"name": "binance"}}, "pairs must be at least one (--pairs or the configuration's"),
        ({"exchange": {"name": "bybit", "pair_whitelist": [BTC]}}, "exchange must be binance, whose archive"),
    ],
)
def test_a_configuration_that_does_not_fit_is_one_line(content, complaint, tmp_path, capsys):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"datadir": str(tmp_path / "data")} | content))
    assert main(["download", "--config", str(config)]) == 2
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_another_exchange_s_directory_is_refused(tmp_path, capsys):
    folder = tmp_path / "bybit"
    assert main(["download", "--datadir", str(folder), "--pairs", BTC]) == 2
    assert "exchange must be binance, whose archive this is, received bybit" in capsys.readouterr().err
    assert not folder.exists()


def test_real_and_simulated_data_do_not_mix(tmp_path, datadir, capsys):
    real = tmp_path / "binance"
    real.mkdir()
    for folder, url in ((real, "http://127.0.0.1:9"), (datadir, "https://data.binance.vision")):
        assert main(["download", "--url", url, "--datadir", str(folder), "--pairs", SOL]) == 2
        assert "datadir must be one" in capsys.readouterr().err
        assert not list(folder.glob("*.sqlite"))
