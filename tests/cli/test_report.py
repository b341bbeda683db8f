"""`liqfeature report`: a page that tells what Freqtrade's archive says, and a scorecard."""

import html
import json
import re

import numpy as np
import pytest

from builders.backtests import TRADES, archive, mark_simulated
from liqfeature.cli.main import main
from liqfeature.scoring.scorecard import MEASURES, Score, Scorecard, read_scorecard, write_scorecard


def page_of(datadir, trades, capsys, *options):
    out = datadir / "report.html"
    given = {"--results": archive(datadir, trades), "--datadir": datadir, "--out": out}
    assert main(["report", *(str(word) for pair in given.items() for word in pair), *options]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    before, _, rest = out.read_text(encoding="utf-8").partition('<script id="plotly">')
    return before, rest.partition("</script>\n</head>")[2]


def test_a_report_holds_figures_equity_and_a_map_for_each_pair(datadir, capsys):
    head, page = page_of(datadir, TRADES, capsys)
    assert "backtest of Mine" in head
    assert "<dt>trades</dt><dd>3</dd>" in page
    assert "<dt>profit</dt><dd>+0.03%</dd>" in page
    assert "SANDBOX" not in page
    figures = json.loads(page.partition('id="figures">')[2].partition("</script>")[0])
    assert len(figures) == 3
    assert figures[0]["data"][0]["name"] == "equity"
    names = [trace.get("name") for trace in figures[2]["data"]]
    assert {"longs", "shorts", "price", "entries", "exits", "stops", "targets"} <= set(names)
    assert "http" not in page


def test_a_backtest_without_trades_and_one_in_the_sandbox_are_called_so(datadir, capsys):
    assert "No trades" in page_of(datadir, [], capsys)[1]
    mark_simulated(datadir)
    head, page = page_of(datadir, TRADES, capsys)
    assert "SANDBOX, simulated prices" in head
    assert "profit and loss in it mean nothing" in page


SCORES = (
    Score(map="estimate <ours>", measure="rank", side="long", value=0.8124, low=0.781, high=0.84),
    Score(map="distance only", measure="rank", side="long", value=-0.25),
    Score(map="distance only", measure="earth_mover", side="long", value=299.31, low=250.2, high=344.9),
    Score(map="distance only", measure="lift", side="short", value=np.nan),
    Score(map="estimate <ours>", measure="lift", side="both", value=1.5),
)


def table_rows(page):
    """Cells of every table, by the heading above it."""
    sections = re.findall(r"<h2>([^<]*)</h2><div class=\"table\"><table>(.*?)</table>", page)
    return {
        heading: [re.findall(r"<t[dh]>(.*?)</t[dh]>", row) for row in table.split("</tr>")[:-1]]
        for heading, table in sections
    }


def test_a_scorecard_stands_in_the_report_with_its_values_and_intervals(datadir, capsys):
    path = datadir / "scores.json"
    about = {"market": "recorded: <some>", "hours": 3, "config": {"horizon": 12}}
    write_scorecard(Scorecard(about=about, scores=SCORES), path)
    page = page_of(datadir, TRADES, capsys, "--scores", str(path))[1]
    assert table_rows(page) == {
        "longs liquidated, below price": [
            ["map", "rank", "earth_mover"],
            ["estimate &lt;ours&gt;", "0.812 (0.78..0.84)", ""],
            ["distance only", "-0.250", "299 (250..345)"],
        ],
        "both sides": [["map", "lift"], ["estimate &lt;ours&gt;", "1.500"]],
    }
    assert "market recorded: &lt;some&gt;, hours 3." in page
    assert "horizon" not in page
    assert html.escape(MEASURES["rank"]) in page
    assert html.escape(MEASURES["gain"]) not in page
    assert "--scores scores.json" not in page


def test_a_report_without_a_scorecard_says_how_to_make_one(datadir, capsys):
    page = page_of(datadir, [], capsys)[1]
    assert table_rows(page) == {}
    assert "liqfeature validate --datadir DIR" in page
    assert "--scores scores.json" in page


@pytest.mark.parametrize("text", ["no", "{}", "[]", '{"about": {}, "scores": [{"map": "a"}]}'])
def test_what_is_no_scorecard_is_named_before_any_work(tmp_path, capsys, text):
    path = tmp_path / "scores.json"
    path.write_text(text)
    options = ["--results", "none", "--datadir", "none", "--out", "none.html", "--scores", str(path)]
    assert main(["report", *options]) == 2
    assert "scores.json must be JSON that liqfeature validate --out wrote" in capsys.readouterr().err


def test_a_written_scorecard_is_read_back_whole(tmp_path):
    path = tmp_path / "scores.json"
    card = Scorecard(about={"hours": 3}, scores=SCORES)
    write_scorecard(card, path)
    assert repr(read_scorecard(path)) == repr(card)  # NaN equals nothing
