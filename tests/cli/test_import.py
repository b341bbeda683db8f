"""`liqfeature import`, and what other commands make of maps that were imported."""

import json

import pandas as pd
import pytest

from builders import vendors
from builders.backtests import CANDLES, CONFIG, PAIR
from builders.vendors import save
from liqfeature.cli.main import main
from liqfeature.estimate.prepare import prepare_scan
from liqfeature.heatmap.snapshot import live_notional
from liqfeature.market.market import Market
from liqfeature.sides import SHORT


@pytest.fixture
def database(tmp_path):
    return tmp_path / "recordings.sqlite"


@pytest.fixture
def own_maps(tmp_path, database, capsys):
    """The estimate's own map of every fourth hour, as if a vendor had answered it."""
    scan = prepare_scan(Market.of(CANDLES, CONFIG.join_rule), CONFIG)
    files, done = [], 0
    for row in range(47, len(CANDLES), 48):
        scan.run(done, row + 1)
        done, asked = row + 1, int(CANDLES["date"].iloc[row].timestamp() * 1000) + 300_000
        answer = vendors.map_answer(scan.reading.edge[SHORT], *live_notional(scan), stamp=asked)
        files.append(str(save(tmp_path, answer, asked)))
    assert (
        main(["import", "hyblock", *files, "--pair", PAIR, "--exchange", "binance", "--out", str(database)])
        == 0
    )
    assert capsys.readouterr().out == f"maps: {len(files)} rows added to {database}, 0 known before\n"
    return ["--recordings", str(database), "--source", "hyblock"]


def test_a_vendor_s_map_becomes_columns_and_stands_in_the_scorecard(
    datadir, totals, own_maps, tmp_path, capsys
):
    data = ["--datadir", str(datadir), "--pair", PAIR]
    assert main(["features", *data, *own_maps, "--out", str(tmp_path / "columns.feather")]) == 0
    columns = pd.read_feather(tmp_path / "columns.feather")
    warm = columns.iloc[CONFIG.warmup :]
    assert warm["liq_total_above"].notna().all()
    assert (warm["liq_quality"] < 1).any()
    assert main(["show", *data, *own_maps]) == 0
    capsys.readouterr()
    assert main(["show", *data, *own_maps[:2], "--beside", "hyblock"]) == 0
    assert "hyblock" in capsys.readouterr().out
    page = tmp_path / "page.html"
    assert (
        main(["chart", *data, *own_maps[:2], "--beside", "hyblock", "--days", "1", "--out", str(page)]) == 0
    )
    assert "longs beside" in page.read_text()
    path = tmp_path / "scores.json"
    assert main(["validate", *data, *own_maps, "--liquidations", str(totals), "--out", str(path)]) == 0
    card = json.loads(path.read_text())
    assert card["about"]["origins with a map of hyblock"] == card["about"]["origins"]
    scores = {(one["map"], one["measure"], one["side"]): one["value"] for one in card["scores"]}
    for side in ("long", "short"):
        ours, theirs = (scores[name, "rank", side] for name in ("estimate", "hyblock"))
        assert theirs == pytest.approx(ours, abs=0.2)
    assert "hyblock" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["import", "coinalyze", "x.json"], "unit must be usd or coin for coinalyze, received none"),
        (["import", "coinglass", "x.json"], "x.json must tell when it was requested"),
        (["import", "coinglass", "x.json", "--requested", "20260101T000000"], "x.json: No such file"),
    ],
)
def test_what_cannot_be_imported_is_said_in_a_line(arguments, reason, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "--pair", PAIR, "--exchange", "binance", "--out", "r.sqlite"]) == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["features", "--source", "coinglass", "--out", "f.feather"], "--recordings FILE must be given"),
        (["show", "--beside", "coinglass"], "--recordings FILE must be given with --beside"),
        (["validate", "--sandbox", "liquid", "--source", "coinglass"], "--source goes with"),
    ],
)
def test_a_source_wants_its_recordings(arguments, reason, datadir, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    data = [] if "--sandbox" in arguments else ["--datadir", str(datadir), "--pair", PAIR]
    assert main([*arguments, *data]) == 2
    assert reason in capsys.readouterr().err
