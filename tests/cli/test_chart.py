"""`liqfeature chart`, from a data directory to files."""

import json

import pandas as pd

from builders.backtests import CANDLES, KNOWN, PAIR, mark_simulated
from liqfeature import HeatmapConfig, heatmap_history
from liqfeature.chart.frames import AHEAD
from liqfeature.cli.main import main
from liqfeature.heatmap.export import history_frame


def chart(datadir, *options):
    out = datadir / "map.html"
    code = main(["chart", "--datadir", str(datadir), "--pair", PAIR, "--out", str(out), *options])
    return code, out


def layout(out):
    text = out.read_text(encoding="utf-8").partition('id="figures">')[2].partition("</script>")[0]
    return json.loads(text)[0]["wide"]


def heading(out):
    return out.read_text(encoding="utf-8").partition("<h1>")[2].partition("</h1>")[0]


def test_a_chart_shows_the_last_days_and_names_what_it_shows(datadir, capsys):
    code, out = chart(datadir, "--days", "0.5")
    assert code == 0
    assert capsys.readouterr().out == f"{out}\n"
    first, last = CANDLES["date"].iloc[[-145, -1]]
    span = f"{first:%d %b %Y %H:%M} to {last:%d %b %Y %H:%M} UTC"
    assert heading(out) == f"{PAIR} 5m, binance: estimated liquidations, {span}"
    room = AHEAD * (last - first)  # for frames of clusters
    assert layout(out)["xaxis"]["range"] == [first.isoformat(), (last + room).isoformat()]


def test_a_time_range_ends_with_the_candle_that_opens_at_its_end(datadir):
    day = CANDLES["date"].iloc[-1].floor("D")
    assert chart(datadir, "--timerange", f"{day - pd.Timedelta(days=1):%Y%m%d}-{day:%Y%m%d}")[0] == 0
    warm = CANDLES["date"].iloc[HeatmapConfig.for_pair(PAIR).warmup - 1]
    first = max(warm, day - pd.Timedelta(days=1))
    shown = [first.isoformat(), (day + AHEAD * (day - first)).isoformat()]
    assert layout(datadir / "map.html")["xaxis"]["range"] == shown


def test_the_map_itself_is_written_too(datadir, capsys):
    data = datadir / "map.parquet"
    assert chart(datadir, "--days", "0.2", "--data", str(data), "--leverage", "50", "125")[0] == 0
    assert capsys.readouterr().out.splitlines()[1] == str(data)
    first = CANDLES["date"].iloc[-1] - pd.Timedelta(days=0.2)
    shown = {"first": first, "leverage": (50, 125)}
    config = HeatmapConfig.for_pair(PAIR)
    expected = history_frame(heatmap_history(CANDLES, config, open_interest=KNOWN, **shown))
    pd.testing.assert_frame_equal(pd.read_parquet(data), expected)
    assert "leverage 50 to 125" in heading(datadir / "map.html")


def test_simulated_data_are_called_so(datadir, capsys):
    mark_simulated(datadir)
    assert chart(datadir, "--days", "0.2")[0] == 0
    assert heading(datadir / "map.html").startswith(f"{PAIR} 5m, SANDBOX, simulated prices: ")
    assert main(["show", "--datadir", str(datadir), "--pair", PAIR]) == 0
    assert "SANDBOX, simulated prices" in capsys.readouterr().out


def test_a_range_without_candles_is_one_line(datadir, capsys):
    assert chart(datadir, "--timerange", "20300101-20300102")[0] == 2
    before = HeatmapConfig().warmup - 1
    last_line = capsys.readouterr().err.splitlines()[-1]
    assert last_line.startswith(f"liqfeature: candles must hold one of the range with {before} before")


def test_recorded_liquidations_get_a_pane(datadir):
    forced = pd.DataFrame({"date": [CANDLES["date"].iloc[-5]], "side": ["long"], "notional": [42.0]})
    forced.to_parquet(datadir / "forced.parquet")
    assert chart(datadir, "--days", "0.2", "--liquidations", str(datadir / "forced.parquet"))[0] == 0
    assert "recorded liquidations, USDT" in json.dumps(layout(datadir / "map.html")["annotations"])
