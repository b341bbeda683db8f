"""The sandbox answers over HTTP as Binance USD-M does: shapes, windows, limits, refusals."""

import json
import socket
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest

from builders.tapes import walking_tape
from liqfeature.durations import DAY, MINUTE
from liqfeature.sandbox.server.clock import FixedClock
from liqfeature.sandbox.server.routes import ROUTES
from liqfeature.sandbox.server.serve import running
from liqfeature.sandbox.server.venue import Venue
from liqfeature.sandbox.simulation.bars import INTERVALS, bars, open_interest_at

BTC = walking_tape()
ETH = walking_tape("ETH/USDT:USDT", price=3000)
KLINES = "/fapi/v1/klines"
MARK = "/fapi/v1/markPriceKlines"
FUNDING = "/fapi/v1/fundingRate"
OPEN_INTEREST = "/futures/data/openInterestHist"


@pytest.fixture(scope="module")
def url():
    with running(Venue.of([BTC, ETH])) as address:
        yield address


@pytest.fixture(scope="module")
def walled():
    with running(Venue.of([BTC], oi_days=1)) as address:
        yield address


def ask(url, path, **parameters):
    """Status and body of an answer."""
    query = urllib.parse.urlencode(parameters)
    try:
        with urllib.request.urlopen(f"{url}{path}?{query}", timeout=100) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def rows(url, path, **parameters):
    status, body = ask(url, path, **parameters)
    assert status == 200, body
    return body


def all_pages(url, path, stamp, **parameters):
    """Walk through a whole history as a client does: next startTime is one past the last row."""
    start, pages = BTC.start, []
    while page := rows(url, path, startTime=start, **parameters):
        pages.append(page)
        start = stamp(page[-1]) + 1
    return pages


def test_it_listens_on_loopback_only(url):
    host, port = urllib.parse.urlsplit(url).netloc.split(":")
    assert host == "127.0.0.1"
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in others - {"127.0.0.1"}:
        with pytest.raises(OSError, match=r"refused|unreachable|timed out"):
            socket.create_connection((address, int(port)), timeout=1)


def test_the_port_is_free_again_after_the_context():
    with running(Venue.of([BTC])) as first:
        port = urllib.parse.urlsplit(first).port
    with running(Venue.of([BTC]), port) as second:
        assert second == first


def test_a_taken_port_is_an_error(url):
    port = urllib.parse.urlsplit(url).port
    with pytest.raises(OSError, match="address already in use"), running(Venue.of([BTC]), port):
        pass


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_answers(url, route):
    assert rows(url, route, symbol="BTCUSDT", interval="5m", period="5m") not in ([], None)


def test_a_kline_sums_up_its_minutes(url):
    (kline,) = rows(url, KLINES, symbol="BTCUSDT", interval="5m", startTime=BTC.start + 5 * MINUTE, limit=1)
    five = slice(5, 10)
    assert kline[0] == BTC.start + 5 * MINUTE
    assert kline[6] == kline[0] + 5 * MINUTE - 1
    assert kline[1] == f"{BTC.open[5]:.1f}"
    assert kline[2] == f"{BTC.high[five].max():.1f}"
    assert kline[3] == f"{BTC.low[five].min():.1f}"
    assert kline[4] == f"{BTC.close[9]:.1f}"
    assert kline[5] == f"{BTC.volume[five].sum():.3f}"
    assert float(kline[7]) == pytest.approx(BTC.quote_volume[five].sum(), abs=0.01)
    assert float(kline[9]) == pytest.approx(BTC.taker_buy_volume[five].sum(), abs=0.001)
    assert len(kline) == 12


def test_a_mark_price_kline_has_no_volume(url):
    (kline,) = rows(url, MARK, symbol="BTCUSDT", interval="1h", startTime=BTC.start, limit=1)
    assert kline[1:5] == [
        f"{price:.8f}"
        for price in (BTC.mark_open[0], BTC.mark_high[:60].max(), BTC.mark_low[:60].min(), BTC.mark_close[59])
    ]
    assert kline[5] == kline[7] == "0"


@pytest.mark.parametrize("path", [KLINES, MARK])
@pytest.mark.parametrize("interval", ["1m", "5m", "1h", "1d"])
def test_paging_covers_the_span_once(url, path, interval):
    pages = all_pages(url, path, lambda row: row[0], symbol="BTCUSDT", interval=interval, limit=499)
    times = [row[0] for page in pages for row in page]
    step = INTERVALS[interval] * MINUTE
    assert times == list(range(BTC.start, BTC.start + len(BTC.close) * MINUTE, step))
    assert {len(page) for page in pages[:-1]} <= {499}


def test_paging_open_interest_covers_the_span_once(url):
    pages = all_pages(
        url, OPEN_INTEREST, lambda row: row["timestamp"], symbol="BTCUSDT", period="5m", limit=500
    )
    times = [row["timestamp"] for page in pages for row in page]
    end = BTC.start + len(BTC.close) * MINUTE
    assert times == list(range(BTC.start + 5 * MINUTE, end + 1, 5 * MINUTE))


def test_open_interest_is_the_state_at_its_stamp(url):
    stamp = BTC.start + 60 * MINUTE
    row = rows(url, OPEN_INTEREST, symbol="BTCUSDT", period="1h", startTime=stamp, limit=1)[0]
    assert row["timestamp"] == stamp
    assert row["sumOpenInterest"] == f"{BTC.open_interest[59]:.8f}"  # the minute that closes at the stamp
    assert float(row["sumOpenInterestValue"]) == pytest.approx(BTC.open_interest[59] * BTC.mark_close[59])


def test_without_a_window_the_newest_rows_are_answered(url):
    newest = BTC.start + len(BTC.close) * MINUTE
    klines = rows(url, KLINES, symbol="BTCUSDT", interval="1m")
    assert len(klines) == 500
    assert klines[-1][0] == newest - MINUTE
    interest = rows(url, OPEN_INTEREST, symbol="BTCUSDT", period="5m")
    assert len(interest) == 30
    assert interest[-1]["timestamp"] == newest


def test_a_window_includes_both_ends(url):
    start, end = BTC.start + 10 * MINUTE, BTC.start + 20 * MINUTE
    klines = rows(url, KLINES, symbol="BTCUSDT", interval="5m", startTime=start, endTime=end)
    assert [row[0] for row in klines] == [start, start + 5 * MINUTE, end]
    last = rows(url, KLINES, symbol="BTCUSDT", interval="5m", endTime=end, limit=2)
    assert [row[0] for row in last] == [start + 5 * MINUTE, end]


def at(minutes, seconds=0):
    """A venue whose clock stands so long after the start."""
    return Venue.of([BTC], clock=FixedClock(BTC.start + minutes * MINUTE + seconds * 1000))


def test_nothing_is_answered_before_it_has_happened():
    with running(at(14)) as url:
        assert len(rows(url, OPEN_INTEREST, symbol="BTCUSDT", period="5m")) == 2
        assert len(rows(url, FUNDING, symbol="BTCUSDT")) == 1
        assert rows(url, "/fapi/v1/time") == {"serverTime": BTC.start + 14 * MINUTE}
        price = rows(url, "/fapi/v1/ticker/price", symbol="BTCUSDT")["price"]
        assert price == f"{BTC.close[13]:.1f}"


@pytest.mark.parametrize("seconds", [0, 59])
def test_the_candle_that_is_being_made_holds_what_has_happened(seconds):
    with running(at(14, seconds)) as url:
        klines = rows(url, KLINES, symbol="BTCUSDT", interval="5m")
        (mark,) = rows(url, MARK, symbol="BTCUSDT", interval="5m", limit=1)
    assert [row[0] for row in klines] == [BTC.start + minutes * MINUTE for minutes in (0, 5, 10)]
    known, current = slice(10, 14), BTC.open[14]
    assert klines[-1][1:5] == [
        f"{price:.1f}"
        for price in (
            BTC.open[10],
            max(BTC.high[known].max(), current),
            min(BTC.low[known].min(), current),
            current,
        )
    ]
    assert klines[-1][5] == f"{BTC.volume[known].sum():.3f}"
    assert klines[-1][6] == BTC.start + 15 * MINUTE - 1
    assert (mark[0], mark[4]) == (BTC.start + 10 * MINUTE, f"{BTC.mark_open[14]:.8f}")


def test_a_candle_begins_with_its_first_price():
    with running(at(15)) as url:
        *_, finished, current = rows(url, KLINES, symbol="BTCUSDT", interval="5m")
    assert finished[4] == f"{BTC.close[14]:.1f}"
    assert current[0] == BTC.start + 15 * MINUTE
    assert set(current[1:5]) == {f"{BTC.open[15]:.1f}"}
    assert float(current[5]) == 0


@pytest.mark.parametrize("interval", ["1m", "5m", "1h"])
def test_a_candle_that_is_being_made_is_part_of_windows_and_limits(interval):
    with running(at(185, 30)) as url:
        whole = rows(url, KLINES, symbol="BTCUSDT", interval=interval, limit=1000)
        last = rows(url, KLINES, symbol="BTCUSDT", interval=interval, limit=2)
        since = rows(url, KLINES, symbol="BTCUSDT", interval=interval, startTime=whole[-1][0])
        until = rows(url, KLINES, symbol="BTCUSDT", interval=interval, endTime=whole[-1][0] - 1, limit=1000)
        beyond = rows(url, KLINES, symbol="BTCUSDT", interval=interval, startTime=whole[-1][0] + 1)
    assert last == whole[-2:]
    assert since == whole[-1:]
    assert until == whole[:-1]
    assert beyond == []


def test_the_last_candle_grows_into_the_finished_one():
    seen = []
    for minutes in range(10, 16):
        with running(at(minutes)) as url:
            seen += rows(
                url, KLINES, symbol="BTCUSDT", interval="5m", startTime=BTC.start + 10 * MINUTE, limit=1
            )
    highs, lows, volumes = ([float(row[column]) for row in seen] for column in (2, 3, 5))
    assert highs == sorted(highs)
    assert lows == sorted(lows, reverse=True)
    assert volumes == sorted(volumes)
    with running(Venue.of([BTC])) as url:
        assert seen[-1:] == rows(url, KLINES, symbol="BTCUSDT", interval="5m", startTime=seen[0][0], limit=1)


def with_another_future(tape, minutes):
    """The same market until n minutes have passed, and the first price of the next; then another."""
    changed = {}
    for field in fields(tape):
        values = np.copy(getattr(tape, field.name)) if field.name not in ("pair", "start") else None
        if np.shape(values) == (len(tape.close),):
            values[minutes + field.name.endswith("open") :] *= 1.5
            changed[field.name] = values
    later = tape.funding_time > tape.start + minutes * MINUTE
    return replace(tape, funding_rate=np.where(later, 9.0, tape.funding_rate), **changed)


@pytest.mark.parametrize(("minutes", "seconds"), [(1500, 0), (1500, 59), (1502, 30)])
def test_no_route_knows_the_future(minutes, seconds):
    clock = FixedClock(BTC.start + minutes * MINUTE + 1000 * seconds)
    answers = []
    for tape in (BTC, with_another_future(BTC, minutes)):
        with running(Venue.of([tape], clock=clock)) as url:
            answers.append(
                {
                    (route, step): rows(url, route, symbol="BTCUSDT", interval=step, period=step)
                    for route in ROUTES
                    for step in ("5m", "1h", "1d")
                }
            )
    assert answers[0] == answers[1]


class Hasty:
    """A clock on which a minute passes between two looks."""

    def __init__(self):
        self.moment = BTC.start + 100 * MINUTE

    def now(self):
        self.moment += MINUTE
        return self.moment


def test_all_of_one_answer_is_of_one_moment():
    with running(Venue.of([BTC], clock=Hasty())) as url:
        book = rows(url, "/fapi/v1/depth", symbol="BTCUSDT")
        index = rows(url, "/fapi/v1/premiumIndex", symbol="BTCUSDT")
    assert book["E"] == book["T"] == book["lastUpdateId"]
    assert index["markPrice"] == f"{BTC.mark_close[(index['time'] - BTC.start) // MINUTE - 1]:.8f}"


def test_fundings_come_with_time_rate_and_mark_price(url):
    fundings = rows(url, FUNDING, symbol="BTCUSDT")
    assert [row["fundingTime"] for row in fundings] == BTC.funding_time.tolist()
    assert [row["fundingRate"] for row in fundings] == [f"{rate:.8f}" for rate in BTC.funding_rate]
    assert fundings[1]["markPrice"] == f"{BTC.mark_open[480]:.8f}"


def test_fundings_of_all_perpetuals_are_answered_in_order_of_time(url):
    fundings = rows(url, FUNDING, limit=1000)
    assert {row["symbol"] for row in fundings} == {"BTCUSDT", "ETHUSDT"}
    assert all(before["fundingTime"] <= after["fundingTime"] for before, after in pairwise(fundings))


def test_exchange_info_lists_the_markets(url):
    info = rows(url, "/fapi/v1/exchangeInfo")
    assert [symbol["symbol"] for symbol in info["symbols"]] == ["BTCUSDT", "ETHUSDT"]
    bitcoin = info["symbols"][0]
    assert (bitcoin["contractType"], bitcoin["status"]) == ("PERPETUAL", "TRADING")
    filters = {filter_["filterType"]: filter_ for filter_ in bitcoin["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.1"
    assert filters["LOT_SIZE"]["stepSize"] == "0.001"
    assert filters["MIN_NOTIONAL"]["notional"] == "50"


def test_the_book_is_sorted_and_never_crossed(url):
    book = rows(url, "/fapi/v1/depth", symbol="ETHUSDT", limit=20)
    bids, asks = ([float(price) for price, _ in book[side]] for side in ("bids", "asks"))
    assert len(bids) == len(asks) == 20
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < ETH.close[-1] < asks[0]


def test_tickers_agree_with_the_book(url):
    best = rows(url, "/fapi/v1/ticker/bookTicker", symbol="ETHUSDT")
    book = rows(url, "/fapi/v1/depth", symbol="ETHUSDT", limit=5)
    assert [best["bidPrice"], best["bidQty"]] == book["bids"][0]
    assert [best["askPrice"], best["askQty"]] == book["asks"][0]
    day = rows(url, "/fapi/v1/ticker/24hr", symbol="ETHUSDT")
    assert day["lastPrice"] == f"{ETH.close[-1]:.2f}"
    assert day["highPrice"] == f"{ETH.high[-1440:].max():.2f}"
    assert len(rows(url, "/fapi/v1/ticker/24hr")) == 2


def test_premium_index_holds_mark_price_and_next_funding(url):
    index = rows(url, "/fapi/v1/premiumIndex", symbol="BTCUSDT")
    assert index["markPrice"] == f"{BTC.mark_close[-1]:.8f}"
    assert index["lastFundingRate"] == f"{BTC.funding_rate[-1]:.8f}"
    assert 0 < index["nextFundingTime"] - index["time"] <= DAY / 3


@pytest.mark.parametrize(
    ("path", "parameters", "code", "message"),
    [
        (KLINES, {"interval": "5m"}, -1102, "Mandatory parameter 'symbol' was not sent"),
        (KLINES, {"symbol": "BTCUSDT"}, -1102, "Mandatory parameter 'interval' was not sent"),
        (KLINES, {"symbol": "XYZUSDT", "interval": "5m"}, -1121, "Invalid symbol."),
        (KLINES, {"symbol": "BTCUSDT", "interval": "7m"}, -1120, "Invalid interval."),
        (KLINES, {"symbol": "BTCUSDT", "interval": "5m", "limit": 1501}, -1130, "parameter 'limit'"),
        (KLINES, {"symbol": "BTCUSDT", "interval": "5m", "limit": 0}, -1130, "parameter 'limit'"),
        (KLINES, {"symbol": "BTCUSDT", "interval": "5m", "limit": "ten"}, -1100, "Illegal characters"),
        (KLINES, {"symbol": "BTCUSDT", "interval": "5m", "startTime": "-5"}, -1100, "'startTime'"),
        (KLINES, {"symbol": "BTCUSDT", "interval": "5m", "startTime": 9, "endTime": 8}, -1023, "Start time"),
        (MARK, {"symbol": "BTCUSDT", "interval": "1y"}, -1120, "Invalid interval."),
        (FUNDING, {"symbol": "BTCUSDT", "limit": 1001}, -1130, "parameter 'limit'"),
        (OPEN_INTEREST, {"symbol": "BTCUSDT", "period": "1m"}, -1130, "parameter 'period' is invalid"),
        (OPEN_INTEREST, {"symbol": "BTCUSDT", "period": "5m", "limit": 501}, -1130, "'limit' is invalid"),
        (OPEN_INTEREST, {"symbol": "XYZUSDT", "period": "5m"}, -1121, "Invalid symbol."),
        ("/fapi/v1/depth", {"symbol": "BTCUSDT", "limit": 7}, -4021, "not valid depth limit"),
    ],
)
def test_a_bad_request_is_refused_with_binance_s_code(url, path, parameters, code, message):
    status, body = ask(url, path, **parameters)
    assert status == 400
    assert body["code"] == code
    assert message in body["msg"]


def test_an_unknown_path_is_not_found(url):
    status, body = ask(url, "/api/v3/exchangeInfo")
    assert status == 404
    assert body == {"code": -5000, "msg": "Path /api/v3/exchangeInfo, Method GET is invalid"}


def test_the_wall_hides_older_open_interest(walled):
    wall = BTC.start + 2 * DAY
    interest = rows(walled, OPEN_INTEREST, symbol="BTCUSDT", period="5m", startTime=wall, limit=500)
    assert interest[0]["timestamp"] == wall
    assert len(rows(walled, OPEN_INTEREST, symbol="BTCUSDT", period="1h", limit=500)) == 25
    status, body = ask(walled, OPEN_INTEREST, symbol="BTCUSDT", period="5m", startTime=wall - 1)
    assert (status, body) == (400, {"code": -1130, "msg": "parameter 'startTime' is invalid"})


@pytest.mark.parametrize("interval", INTERVALS)
def test_candles_begin_where_binance_s_begin(interval):
    tape = walking_tape(minutes=16 * 1440)
    candles = bars(tape, interval)
    step = INTERVALS[interval] * MINUTE
    monday = 4 * DAY if interval == "1w" else 0
    assert len(candles.open_time) > 0
    assert set((candles.open_time - monday) % step) == {0}
    assert candles.open_time[0] - tape.start < step
    assert set(np.diff(candles.open_time)) <= {step}


def test_a_span_that_starts_inside_a_candle_loses_only_that_candle():
    tape = walking_tape(minutes=100)
    late = bars(_without_first_minutes(tape, 3), "5m")
    assert late.open_time[0] == tape.start + 5 * MINUTE
    assert late.high.tolist() == bars(tape, "5m").high[1:].tolist()
    time, _, _ = open_interest_at(_without_first_minutes(tape, 3), "5m")
    assert time[0] == tape.start + 5 * MINUTE


def _without_first_minutes(tape, count):
    minutes = len(tape.close)
    columns = {field.name: getattr(tape, field.name) for field in fields(tape)}
    cut = {name: values[count:] for name, values in columns.items() if np.shape(values) == (minutes,)}
    return replace(tape, start=tape.start + count * MINUTE, **cut)
