"""A report tells what Freqtrade's archive says, beside what the map said at the time."""

import html
import json
import re

import numpy as np
import pandas as pd
import pytest
from backtests import CANDLES, FEATURES, TRADES, archive, trade, write_market

from liqfeature import DataError
from liqfeature.chart.colours import THEMES
from liqfeature.chart.trades import OUTCOMES, outcome, outcomes_by_density, trade_traces, with_entry_row
from liqfeature.cli import main
from liqfeature.data.backtest import load_backtest
from liqfeature.scoring.scorecard import MEASURES, Score, Scorecard, read_scorecard, write_scorecard


@pytest.fixture
def datadir(tmp_path):
    return write_market(tmp_path)


def test_the_newest_archive_of_a_directory_is_read(tmp_path):
    import os

    newer = archive(tmp_path, TRADES, "newer")
    older = archive(tmp_path, [], "older")
    os.utime(older, (1, 1))
    found = load_backtest(tmp_path)
    assert found.strategy == "Mine"
    assert len(found.trades) == 3
    assert found.trades["open_date"].is_monotonic_increasing
    assert str(found.trades["open_date"].dt.tz) == "UTC"
    assert load_backtest(older).trades.empty
    assert load_backtest(newer).figures["profit_factor"] == 2.0


def test_what_is_no_archive_is_named(tmp_path):
    with pytest.raises(DataError, match="no archive of a backtest in"):
        load_backtest(tmp_path)
    (tmp_path / "no.zip").write_text("no")
    with pytest.raises(DataError, match=r"no\.zip must be an archive that freqtrade backtesting wrote"):
        load_backtest(tmp_path)


@pytest.mark.parametrize(
    ("reason", "tags", "expected"),
    [
        ("peak", ("entry", "near_edge"), "second target"),
        ("stop_loss", ("entry", "near_edge"), "first target only"),
        ("stop_loss", ("entry",), "stop"),
        ("liquidation", ("entry",), "stop"),
        ("cascade_behind", ("entry",), "neither"),
    ],
)
def test_outcomes_go_by_exit_reason_and_tags(reason, tags, expected):
    assert outcome(trade(2400, 2410, reason=reason, tags=tags)) == expected


def known(tmp_path):
    trades = load_backtest(archive(tmp_path, TRADES)).trades
    return with_entry_row(trades, CANDLES, FEATURES)


def test_the_map_ahead_of_a_trade_is_that_of_the_last_closed_candle(tmp_path):
    rows = known(tmp_path)
    for (_, found), (opened, where) in zip(
        rows.iterrows(), [(2400, "above"), (2500, "above"), (2600, "below")], strict=True
    ):
        row = FEATURES.iloc[opened - 1]
        assert found["target"] == pytest.approx(row[f"liq_near_{where}"], nan_ok=True)
        assert found["density"] == pytest.approx(row[f"liq_density_{where}"], nan_ok=True)
    assert rows["outcome"].tolist() == ["second target", "stop", "first target only"]
    assert rows["target"].notna().any()


def test_trades_are_drawn_where_they_were_entered_and_left(tmp_path):
    import plotly.graph_objects as go

    rows = known(tmp_path)
    drawn = {t.name: t for t in trade_traces(rows, go, THEMES["dark"])}
    assert list(drawn["entries"].y) == rows["open_rate"].tolist()
    assert list(drawn["exits"].y) == rows["close_rate"].tolist()
    assert list(drawn["entries"].marker.symbol) == ["triangle-up", "triangle-up", "triangle-down"]
    assert list(drawn["lost"].y[:2]) == [rows["open_rate"][1], rows["close_rate"][1]]
    assert len(drawn["won"].y) == 6
    opened = rows["open_date"].dt.tz_localize(None)
    assert list(pd.to_datetime(drawn["entries"].x)) == list(opened)


def test_outcomes_are_counted_from_thin_to_dense():
    trades = pd.DataFrame(
        {
            "density": [0.01, 0.02, 0.03, 0.2, 0.3, 0.4, np.nan],
            "outcome": ["stop", "stop", "neither", "second target", "second target", "stop", "stop"],
        }
    )
    table = outcomes_by_density(trades, groups=2)
    assert list(table.columns) == list(OUTCOMES)
    assert table["stop"].tolist() == [2, 1]
    assert table["second target"].tolist() == [0, 2]
    assert table.to_numpy().sum() == 6
    assert outcomes_by_density(trades.iloc[:1]).loc["all", "stop"] == 1
    assert outcomes_by_density(trades.iloc[6:]).empty


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


def test_the_last_equity_is_the_balance_with_all_profits(tmp_path):
    from liqfeature.chart.report import equity_figure

    drawn = equity_figure(load_backtest(archive(tmp_path, TRADES)), THEMES["dark"]).data[0]
    assert list(drawn.y) == pytest.approx([1000.0, 1005.0, 1002.0, 1003.0])


def test_a_backtest_without_trades_and_one_in_the_sandbox_are_called_so(datadir, capsys):
    assert "No trades" in page_of(datadir, [], capsys)[1]
    (datadir / "SANDBOX").write_text("")
    head, page = page_of(datadir, TRADES, capsys)
    assert "SANDBOX, invented prices" in head
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
