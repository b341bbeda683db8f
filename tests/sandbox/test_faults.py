"""What goes wrong at the sandbox, when it was asked to."""

import asyncio
import json
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from builders.tapes import HandClock, walking_tape, with_forced_orders
from liqfeature.durations import MINUTE
from liqfeature.errors import ConfigError
from liqfeature.sandbox.server.clock import FixedClock
from liqfeature.sandbox.server.faults import KINDS, Fault, Faults
from liqfeature.sandbox.server.routes import ROUTES
from liqfeature.sandbox.server.serve import FAULTS, running
from liqfeature.sandbox.server.venue import Venue

BTC = walking_tape(minutes=300)
NOW = BTC.start + 250 * MINUTE
KLINES = "/fapi/v1/klines?symbol=BTCUSDT&interval=5m"
MARK = "/fapi/v1/markPriceKlines?symbol=BTCUSDT&interval=5m"
OPEN_INTEREST = "/futures/data/openInterestHist?symbol=BTCUSDT&period=5m"
TIME = "/fapi/v1/time"
PATIENCE = 100
"""Seconds after which an answer counts as never coming."""


def venue(now=NOW, tape=BTC):
    return Venue.of([tape], clock=FixedClock(now))


def ask(url, path):
    """Status, headers and text of an answer."""
    try:
        with urllib.request.urlopen(url + path, timeout=PATIENCE) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read().decode()


def rows(url, path):
    status, _, text = ask(url, path)
    assert status == 200, text
    return json.loads(text)


def struck(fault, path, now=NOW):
    """Answers without and with a fault."""
    with running(venue(now)) as sound, running(venue(now), faults=Faults((fault,))) as faulty:
        return rows(sound, path), rows(faulty, path)


def test_nothing_goes_wrong_unasked():
    with running(venue()) as url:
        for path in ROUTES:
            assert ask(url, f"{path}?symbol=BTCUSDT&interval=5m&period=5m")[0] == 200
        assert rows(url, FAULTS) == {}


def test_a_rate_limit_says_when_to_come_back():
    with running(venue(), faults=Faults((Fault(kind="rate_limit", seconds=7),))) as url:
        status, headers, text = ask(url, KLINES)
    assert (status, headers["Retry-After"], json.loads(text)["code"]) == (429, "7", -1003)


def test_a_server_error_is_one_of_the_server():
    with running(venue(), faults=Faults((Fault(kind="server_error"),))) as url:
        assert ask(url, KLINES)[0] == 503


def test_a_late_answer_is_right():
    with running(venue(), faults=Faults((Fault(kind="delay", path="/fapi/v1/time", seconds=0.3),))) as url:
        began = time.monotonic()
        answer = rows(url, TIME)
        late = time.monotonic() - began
    assert answer == {"serverTime": NOW}
    assert late >= 0.3


def test_a_dropped_connection_gives_no_answer(caplog):
    with (
        running(venue(), faults=Faults((Fault(kind="drop"),))) as url,
        pytest.raises(OSError, match=r"closed|reset|Remote"),
    ):
        ask(url, KLINES)
    assert not caplog.records  # nothing broke in the server


def test_malformed_json_cannot_be_read():
    with running(venue(), faults=Faults((Fault(kind="malformed"),))) as url:
        status, headers, text = ask(url, KLINES)
    assert (status, headers.get_content_type()) == (200, "application/json")
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


def test_open_interest_can_be_missing_or_stale():
    missing, stale = Fault(kind="missing_open_interest"), Fault(kind="stale_open_interest", seconds=1200)
    whole, nothing = struck(missing, OPEN_INTEREST)
    assert (len(whole), nothing) == (30, [])
    whole, old = struck(stale, OPEN_INTEREST)
    assert old == whole[:-4]
    assert struck(missing, KLINES)[0] == struck(missing, KLINES)[1]


@pytest.mark.parametrize("path", [KLINES, MARK])
def test_a_gap_stays(path):
    gap = Fault(kind="gap", since=BTC.start + 50 * MINUTE, until=BTC.start + 100 * MINUTE)
    whole, holed = struck(gap, path)
    assert holed == whole[:10] + whole[20:]
    assert len(whole) == 51  # the last one is being made
    before = BTC.start + 49 * MINUTE
    assert struck(gap, path, before)[0] == struck(gap, path, before)[1]


def test_there_can_be_two_gaps():
    spans = ((50, 100), (200, 210))
    gaps = [
        Fault(kind="gap", since=BTC.start + since * MINUTE, until=BTC.start + until * MINUTE)
        for since, until in spans
    ]
    with running(venue()) as sound, running(venue(), faults=Faults(tuple(gaps))) as faulty:
        whole, holed = rows(sound, KLINES), rows(faulty, KLINES)
    assert holed == whole[:10] + whole[20:40] + whole[42:]


@pytest.mark.parametrize("seconds", [90.0, -90.0])
def test_a_clock_that_is_off_changes_stamps_and_no_data(seconds):
    fault = Fault(kind="clock", seconds=seconds)
    off = NOW + 1000 * seconds
    assert struck(fault, TIME) == ({"serverTime": NOW}, {"serverTime": off})
    right, wrong = struck(fault, "/fapi/v1/premiumIndex?symbol=BTCUSDT")
    assert wrong == right | {"time": off}
    assert len(set(map(str, struck(fault, KLINES)))) == 1


def test_a_fault_has_its_time_and_its_paths():
    fault = Fault(kind="server_error", path="/fapi/v1/klines", since=NOW, until=NOW + MINUTE)
    for now, path, status in (
        (NOW - 1, KLINES, 200),
        (NOW, KLINES, 503),
        (NOW + MINUTE - 1, KLINES, 503),
        (NOW + MINUTE, KLINES, 200),
        (NOW, MARK, 200),
    ):
        with running(venue(now), faults=Faults((fault,))) as url:
            assert ask(url, path)[0] == status


def dealt(seed, share=0.3, requests=1000):
    faults = Faults((Fault(kind="server_error", share=share), Fault(kind="drop", share=share)), seed)
    return [tuple(fault.kind for fault in faults.for_request(TIME, NOW)) for _ in range(requests)]


def test_a_share_of_requests_is_struck_and_always_the_same():
    once = dealt(seed=1)
    assert dealt(seed=1) == once != dealt(seed=2)
    for kind in ("server_error", "drop"):
        assert 240 <= sum(kind in kinds for kinds in once) <= 360
    both = sum(len(kinds) == 2 for kinds in once)
    assert 50 <= both <= 135  # they strike independently of each other
    assert not any(dealt(seed=1, share=0.0))


def test_faults_are_counted_where_they_have_something_to_spoil():
    with running(
        venue(), faults=Faults(tuple(Fault(kind=kind, seconds=0) for kind in ("clock", "gap")))
    ) as url:
        rows(url, TIME)
        rows(url, KLINES)
        assert rows(url, FAULTS) == {"clock": 2, "gap": 1}


def test_a_file_switches_faults_on_and_off(tmp_path):
    plan = tmp_path / "the plan.json"
    plan.write_text("[]")
    with running(venue(), faults=Faults(file=plan)) as url:
        assert ask(url, TIME)[0] == 200
        plan.write_text('[{"kind": "server_error"}]')
        assert ask(url, TIME)[0] == 503
        plan.write_text("[]  ")
        assert ask(url, TIME)[0] == 200


def test_a_file_names_moments_as_dates(tmp_path):
    plan = tmp_path / "plan.json"
    plan.write_text('[{"kind": "gap", "since": "2026-01-01T00:50", "until": 1767232800000}]')
    (gap,) = Faults(file=plan).plan
    assert (gap.since, gap.until) == (1767228600000, 1767232800000)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "Expecting value: line 1 column 1"),
        ("{}", "must be a list, received {}"),
        ('[{"share": 1}]', "a fault must be an object with kind and any of kind, path"),
        ('[{"kind": "delay", "minutes": 1}]', "received {'kind': 'delay', 'minutes': 1}"),
        ('[{"kind": "fire"}]', f"kind of a fault must be one of {', '.join(KINDS)}, received 'fire'"),
        ('[{"kind": "drop", "share": 2}]', "share of a fault must be within 0 and 1, received 2"),
        ('[{"kind": "drop", "since": 9, "until": 9}]', "until of a fault must be after since, 9, received 9"),
        ('[{"kind": "delay", "seconds": -1}]', "seconds of a fault must be at least 0, received -1"),
        (
            '[{"kind": "clock", "seconds": NaN}]',
            "seconds of a fault must be within 1e+09 of 0, received nan",
        ),
        (
            '[{"kind": "clock", "seconds": 1e308}]',
            "seconds of a fault must be within 1e+09 of 0, received 1e+308",
        ),
        ('[{"kind": "drop", "share": "half"}]', "share must be a number, received 'half'"),
        ('[{"kind": "drop", "since": "noon"}]', "Invalid isoformat string: 'noon'"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(tmp_path, text, message):
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(ConfigError) as error:
        Faults(file=tmp_path / "plan.json")
    assert message in str(error.value)
    assert str(error.value).startswith(f"{tmp_path / 'plan.json'} must hold a list of faults as JSON: ")


BAD_PLANS = (
    None,
    "",
    "nonsense",
    "{}",
    '[{"kind": "fire"}]',
    '[{"kind": "drop", "share": "half"}]',
    "[" * 10**5,
)


@pytest.mark.parametrize("text", BAD_PLANS, ids=lambda text: str(text)[:20])
def test_while_its_file_is_bad_the_last_good_plan_stays_and_one_line_says_so(tmp_path, text, caplog):
    plan = tmp_path / "plan.json"
    plan.write_text('[{"kind": "server_error", "path": "/fapi/v1/klines"}]')
    with running(venue(), faults=Faults(file=plan)) as url:
        plan.unlink()
        if text is not None:
            plan.write_text(text)
        assert [ask(url, path)[0] for path in (KLINES, TIME, KLINES, TIME)] == [503, 200, 503, 200]
        (line,) = caplog.messages
        assert line.startswith(f"{plan} must hold a list of faults as JSON: ")
        assert line.count("\n") == 0
        plan.write_text('[{"kind": "server_error"}]')
        assert ask(url, TIME)[0] == 503
        plan.write_text("[]")
        assert ask(url, TIME)[0] == 200
    assert len(caplog.messages) == 1


def test_a_stream_outlives_a_bad_plan(tmp_path):
    aiohttp = pytest.importorskip("aiohttp")
    tape = with_forced_orders(BTC, (1_000, "long", 59_000.0, 1.0))
    clock, plan = HandClock(tape.start), tmp_path / "plan.json"
    plan.write_text("[]")

    async def listen(url):
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(url + "/ws/!forceOrder@arr") as socket,
        ):
            plan.write_text("nonsense")
            await clock.turn(tape.start + 2_000)
            return await socket.receive_json(timeout=PATIENCE)

    with running(Venue.of([tape], clock=clock), faults=Faults(file=plan)) as url:
        assert asyncio.run(listen(url))["o"]["T"] == tape.start + 1_000


def test_open_streams_are_cut_when_a_drop_begins_and_may_come_back():
    aiohttp = pytest.importorskip("aiohttp")
    tape = with_forced_orders(BTC, (1_000, "long", 59_000.0, 1.0), (9_000, "long", 58_000.0, 1.0))
    clock = HandClock(tape.start)
    drop = Fault(kind="drop", since=tape.start + 3_000, until=tape.start + 5_000)

    async def listen(url):
        async with aiohttp.ClientSession() as session:
            path = url + "/ws/!forceOrder@arr"
            async with session.ws_connect(path) as socket:
                await clock.turn(tape.start + 2_000)
                first = await socket.receive_json(timeout=PATIENCE)
                clock.moment = tape.start + 4_000
                end = await socket.receive(timeout=PATIENCE)
            with pytest.raises(aiohttp.ClientError):
                await session.ws_connect(path)
            clock.moment = tape.start + 5_000
            async with session.ws_connect(path) as socket:
                await clock.turn(tape.start + 10_000)
                return first, end.type, await socket.receive_json(timeout=PATIENCE)

    with running(Venue.of([tape], clock=clock), faults=Faults((drop,))) as url:
        first, end, second = asyncio.run(listen(url))
    assert [event["o"]["T"] - tape.start for event in (first, second)] == [1_000, 9_000]
    assert end in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSE)


def test_a_stream_that_was_opened_between_drops_stays_open():
    aiohttp = pytest.importorskip("aiohttp")
    tape = with_forced_orders(BTC, (1_000, "long", 59_000.0, 1.0))
    clock = HandClock(tape.start)

    async def listen(url):
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(url + "/ws/!forceOrder@arr") as socket,
        ):
            await clock.turn(tape.start + 2_000)
            return await socket.receive_json(timeout=PATIENCE)

    rare = Fault(kind="drop", share=1e-9)
    with running(Venue.of([tape], clock=clock), faults=Faults((rare,))) as url:
        assert asyncio.run(listen(url))["o"]["T"] == tape.start + 1_000
