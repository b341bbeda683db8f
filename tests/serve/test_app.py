"""The server: what it answers, to whom, and what strangers and nonsense get."""

import base64
import json
import os
import shutil

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from builders.backtests import PAIR
from builders.serving import served, unpack_tile, until
from liqfeature.errors import ConfigError
from liqfeature.heatmap.colours import THEMES, common_scale
from liqfeature.serve.access import Access
from liqfeature.serve.sources import DirectorySource

HOSTILE = (
    "../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "BTC/USDT:USDT/../../x",
    "/etc/passwd",
    "C:\\windows",
    "BTC/USDT:USDT\0",
    "<script>alert(1)</script>",
    "A" * 5000,
    "\U0001f4a9" * 40,
    "' OR 1=1 --",
    "\u202eBTC",
)


@pytest.fixture(scope="module")
def page(datadir):
    with served(DirectorySource(datadir=datadir)) as page:
        yield page


def test_the_session_names_the_pairs_and_the_state_and_tiles_follow_from_it(page):
    session = page.get("/api/session").json()
    assert session["pairs"] == [PAIR]
    assert session["markets"] == {PAIR: ["", PAIR]}
    for name, theme in session["look"]["themes"].items():
        assert [theme["scale"][0], theme["scale"][-1]] == [common_scale(THEMES[name])[i][1] for i in (0, -1)]
    state = page.get("/api/state", params={"pair": PAIR}).json()
    for level, (_, newest) in enumerate(state["tiles"]):
        answer = page.get("/api/tile", params={"pair": PAIR, "level": level, "number": newest})
        heading, _ = unpack_tile(answer.content)
        assert heading["last"][-1] == state["date"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pair_is_not_found_and_comes_back_as_json(page, name):
    for path in ("/api/state", "/api/tile"):
        answer = page.get(path, params={"pair": name, "level": 0, "number": 1})
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["error"].startswith("pair must be one of the 1 served")
        assert len(answer.content) < 500


@pytest.mark.parametrize(
    "query", [{"level": "x"}, {"number": "9" * 400}, {"level": 99}, {"number": -5}, {"leverage": "../x"}]
)
def test_a_bad_number_is_refused(page, query):
    answer = page.get("/api/tile", params={"pair": PAIR, "level": 0, "number": 1, **query})
    assert answer.status_code in (404, 422)


@pytest.mark.parametrize(
    "path", ["/../app.py", "/%2e%2e/app.py", "/..%2f..%2fcli/main.py", "/vendor/../../app.py", "/.env"]
)
def test_no_path_leaves_the_page_s_own_files(page, path):
    assert page.get(path).status_code in (404, 405)


def test_every_answer_says_what_the_page_may_load(page):
    for path in ("/", "/main.js", "/api/session", "/nothing", "/vendor/lightweight-charts.LICENSE"):
        policy = page.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
    html = page.get("/").text
    assert html.count("<script") == 1
    assert "<style" not in html
    assert " on" not in html.replace(" one ", " ").split("<body>")[1].split(">")[0]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8090", "127.0.0.1.evil.example", ""])
def test_a_foreign_name_for_this_machine_is_refused(page, host):
    assert page.get("/api/session", headers={"Host": host}).status_code == 403


def test_a_foreign_page_is_refused(page):
    assert page.get("/api/session", headers={"Origin": "http://evil.example"}).status_code == 403
    assert page.get("/api/session", headers={"Origin": page.url}).status_code == 200
    with pytest.raises(InvalidStatus, match="403"):
        page.listen(origin="http://x.example")


def test_elsewhere_a_password_is_needed(source):
    with pytest.raises(ConfigError, match="password must be given where the page is served on"):
        Access(host="0.0.0.0")
    with served(source, access=Access(host="192.0.2.1", password="correct horse")) as page:
        assert page.get("/").status_code == 401
        for words in ("liqfeature:wrong", "other:correct horse", "liqfeature:"):
            basic = base64.b64encode(words.encode()).decode()
            answer = page.get("/api/session", headers={"Authorization": f"Basic {basic}"})
            assert answer.status_code == 401
        assert page.get("/", headers={"Authorization": "Bearer x"}).status_code == 401
        assert page.get("/api/session", auth=("liqfeature", "correct horse")).json()["pairs"] == [PAIR]


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic \xff", "Basic !!!", "Basic YTpi", "Digest bGlxZmVhdHVyZTp4"]
)
def test_a_header_that_does_not_hold_the_password_is_none(header):
    access = Access(password="x")
    assert not access.knows(header)
    assert access.knows("Basic bGlxZmVhdHVyZTp4")


def test_a_client_with_the_token_gets_the_state_and_then_signs_of_life(page):
    with page.watch(PAIR) as socket:
        told = until(socket, lambda message: message["type"] == "state")
        assert told["state"] == page.get("/api/state", params={"pair": PAIR}).json()
        assert until(socket, lambda message: message["type"] == "alive")["pair"] == PAIR


@pytest.mark.parametrize(
    "first",
    [
        *("{}", "[]", "x", "7", "null", "[" * 900, "é"),
        *('{"token": ""}', '{"token": "x"}', '{"token": null}', '{"token": ["é"]}', '{"token": "é"}'),
        *('{"token": "\\ud800"}', "\U0001f4a9" * 100, '{"token": 1e400}'),
        *('{"a":"' + "b" * 2000 + '"}', "b" * 10_000, b"bytes"),
    ],
)
def test_a_client_without_the_token_is_closed(page, first):
    with page.listen() as socket:
        socket.send(first)
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=60)
    assert page.get("/api/session").status_code == 200


@pytest.mark.parametrize(
    "then", [*(json.dumps({"pair": name}) for name in HOSTILE), "x", "null", "7", "{}", b"bytes"]
)
def test_a_hostile_message_closes_the_client_and_nothing_else(page, then):
    with page.watch(PAIR) as socket, page.watch(PAIR) as other:
        socket.send(then)
        with pytest.raises(ConnectionClosed) as closed:
            until(socket, lambda _: False)
        assert closed.value.rcvd.code in (1008, 1009)
        assert until(other, lambda message: message["type"] == "alive")


def test_a_new_download_is_told(datadir, tmp_path):
    copied = shutil.copytree(datadir, tmp_path / "binance")
    with served(DirectorySource(datadir=copied)) as page, page.watch(PAIR) as socket:
        until(socket, lambda message: message["type"] == "alive")
        os.utime(copied / "futures" / "BTC_USDT_USDT-5m-futures.feather", ns=(1, 1))
        told = until(socket, lambda message: message.get("state", {}).get("version") == "1")
        assert (told["type"], told["pair"]) == ("state", PAIR)


def test_a_source_that_fails_is_told_and_recovers(datadir, tmp_path):
    copied = shutil.copytree(datadir, tmp_path / "binance")
    file = copied / "futures" / "BTC_USDT_USDT-5m-futures.feather"
    with served(DirectorySource(datadir=copied)) as page, page.watch(PAIR) as socket:
        until(socket, lambda message: message["type"] == "alive")
        file.rename(tmp_path / "away")
        assert until(socket, lambda message: message["type"] == "trouble")["text"].startswith("KeyError")
        (tmp_path / "away").rename(file)
        until(socket, lambda message: message["type"] == "alive")


def test_a_bot_that_is_away_is_told(source):
    def bot():
        raise ConnectionError("away")

    with served(source, bot) as page, page.watch(PAIR) as socket:
        assert until(socket, lambda message: message["type"] == "trades")["trouble"] == "ConnectionError"


def test_trades_of_a_bot_reach_every_page(source):
    bot = {"open": [], "closed": [{"trade_id": 1}]}
    with served(source, lambda: bot) as page, page.watch(PAIR) as one, page.watch(PAIR) as other:
        for socket in (one, other):
            assert until(socket, lambda message: message["type"] == "trades")["closed"] == bot["closed"]
