"""`liqfeature trades`: a page of single trades, and a picture of it."""

import json

import pytest

from builders.backtests import TRADES, archive, trade, write_market
from builders.browser import PROGRAM
from liqfeature.cli.main import main

SOLD = ("entry", "near_edge", "time")


def command(tmp_path, *options, trades=TRADES):
    datadir = write_market(tmp_path)
    given = {"--results": archive(datadir, trades), "--datadir": datadir, "--out": tmp_path / "t.html"}
    return main(["trades", *(str(word) for pair in given.items() for word in pair), *options])


def test_a_page_shows_the_trades_and_names_what_they_are_by(tmp_path, capsys):
    made = [trade(2400, 2450, tags=SOLD), trade(2500, 2520, profit=-3.0, tags=("entry", "stop_loss"))]
    assert command(tmp_path, "--by", "exit_reason", "--only", "stop_loss", "time", trades=made) == 0
    assert capsys.readouterr().out == f"{tmp_path / 't.html'}\n"
    text = (tmp_path / "t.html").read_text(encoding="utf-8")
    assert "<h1>trades of Mine by exit reason</h1>" in text
    (figure,) = json.loads(text.partition('id="figures">')[2].partition("</script>")[0])
    titles = [a["text"] for a in figure["wide"]["annotations"]]
    assert [title.split(" → ")[1] for title in titles] == [
        "stop_loss, -3.0 USDT",
        "near_edge, time, +5.0 USDT",
    ]


def test_a_backtest_without_trades_is_an_error_that_says_so(tmp_path, capsys):
    assert command(tmp_path, trades=[]) == 2
    assert "must hold a trade, received a backtest without any" in capsys.readouterr().err


@pytest.mark.skipif(PROGRAM is None, reason="no Chromium or Chrome on PATH to take pictures with")
def test_a_picture_is_a_small_webp(tmp_path):
    folder = tmp_path / "a space"
    folder.mkdir()
    made = [trade(2400, 2450, tags=SOLD), trade(2500, 2520, profit=-3.0, tags=("entry", "stop_loss"))]
    picture = folder / "trades.webp"
    assert command(folder, "--picture", str(picture), trades=made) == 0
    data = picture.read_bytes()
    assert (data[:4], data[8:12]) == (b"RIFF", b"WEBP")
    assert 5_000 < len(data) < 60_000
