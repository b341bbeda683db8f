"""`liqfeature chart` and `liqfeature show`, from a data directory to files and a table."""

import json

import pandas as pd
import pytest
from frames import random_candles, random_open_interest

from liqfeature import HeatmapConfig, heatmap_history, liquidation_features
from liqfeature.cli import main
from liqfeature.export import history_frame
from liqfeature.sandbox.datadir import MARKER
from liqfeature.source import SANDBOX_MARKER

PAIR = "BTC/USDT:USDT"
CANDLES = random_candles(2600, seed=5, volatility=0.001)
KNOWN = random_open_interest(CANDLES, 6)


@pytest.fixture
def datadir(tmp_path):
    folder = tmp_path / "binance" / "futures"
    folder.mkdir(parents=True)
    CANDLES.to_feather(folder / "BTC_USDT_USDT-5m-futures.feather")
    KNOWN.to_feather(folder / "BTC_USDT_USDT-5m-open_interest.feather")
    return tmp_path / "binance"


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
    assert layout(out)["xaxis"]["range"] == [first.isoformat(), last.isoformat()]


def test_a_time_range_begins_and_ends_at_midnight(datadir):
    day = CANDLES["date"].iloc[-1].floor("D")
    assert chart(datadir, "--timerange", f"{day - pd.Timedelta(days=1):%Y%m%d}-{day:%Y%m%d}")[0] == 0
    warm = CANDLES["date"].iloc[HeatmapConfig.for_pair(PAIR).warmup - 1]
    first = max(warm, day - pd.Timedelta(days=1))
    assert layout(datadir / "map.html")["xaxis"]["range"] == [
        first.isoformat(),
        (day - pd.Timedelta(minutes=5)).isoformat(),
    ]


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


def test_invented_data_are_called_so(datadir, capsys):
    assert MARKER == SANDBOX_MARKER
    (datadir / MARKER).write_text("")
    assert chart(datadir, "--days", "0.2")[0] == 0
    assert "SANDBOX, invented prices" in heading(datadir / "map.html")
    assert main(["show", "--datadir", str(datadir), "--pair", PAIR]) == 0
    assert "SANDBOX, invented prices" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--days", "0"], "--days: must be a number above 0, received '0'"),
        (["--days", "nan"], "--days: must be a number above 0, received 'nan'"),
        (["--timerange", "-"], "--timerange: must be such as 20260125-20260206"),
        (["--timerange", "20261301-"], "--timerange: must name days of the calendar, received '20261301-'"),
    ],
)
def test_bad_use_is_one_line(options, reason, datadir, capsys):
    with pytest.raises(SystemExit, match="2"):
        chart(datadir, *options)
    assert reason in capsys.readouterr().err


def test_a_range_without_candles_is_one_line(datadir, capsys):
    assert chart(datadir, "--timerange", "20300101-20300102")[0] == 2
    before = HeatmapConfig().warmup - 1
    assert capsys.readouterr().err.startswith(
        f"liqfeature: candles must hold one of the range with {before} before"
    )


def test_recorded_liquidations_get_a_pane(datadir):
    forced = pd.DataFrame({"date": [CANDLES["date"].iloc[-5]], "side": ["long"], "notional": [42.0]})
    forced.to_parquet(datadir / "forced.parquet")
    assert chart(datadir, "--days", "0.2", "--liquidations", str(datadir / "forced.parquet"))[0] == 0
    assert "recorded liquidations, USDT" in json.dumps(layout(datadir / "map.html")["annotations"])


def test_show_prints_the_nearest_cluster_of_the_columns(datadir, capsys):
    assert main(["show", "--datadir", str(datadir), "--pair", PAIR]) == 0
    printed = capsys.readouterr().out
    row = liquidation_features(CANDLES, HeatmapConfig.for_pair(PAIR), open_interest=KNOWN).iloc[-1]
    assert f"{CANDLES['close'].iloc[-1]:,.6g}" in printed
    shown = [row[f"liq_{edge}_{where}"] for edge in ("near", "far") for where in ("above", "below")]
    assert all(f"{price:,.6g}" in printed for price in shown if price == price)
    assert f"{CANDLES['date'].iloc[-1]:%Y-%m-%d %H:%M} UTC" in printed
