"""`liqfeature validate`: the scorecard of a recording, of a sandbox, and of candles alone."""

import json

import numpy as np
import pandas as pd
import pytest

from liqfeature import HeatmapConfig
from liqfeature.cli.main import main
from liqfeature.data.store import write_frame
from liqfeature.estimate.grid import PriceGrid
from liqfeature.estimate.reach import ReachRule
from liqfeature.scoring.scorecard import read_scorecard

SMALL_SANDBOX = ["--sandbox", "liquid", "--days", "14", "--arrivals", "4"]


def test_validate_of_a_sandbox_says_so_and_writes_its_scores(tmp_path, capsys):
    path = tmp_path / "scores.json"
    assert main(["validate", *SMALL_SANDBOX, "--out", str(path)]) == 0
    page = capsys.readouterr().out
    assert "SANDBOX liquid, seed 1, 14 days, 4 traders a minute" in page
    for text in ("longs liquidated, below price", "estimate", "volume ladder", "positions really open"):
        assert text in page
    assert page.endswith(f"written to {path}\n")
    written = json.loads(path.read_text())
    assert set(written) == {"about", "measures", "scores"}
    assert written["about"]["market"] == "SANDBOX liquid, seed 1, 14 days, 4 traders a minute"
    assert (written["about"]["pair"], written["about"]["timeframe"]) == ("BTC/USDT:USDT", "5m")
    no_busy_hour = ReachRule(hours=(1.0,) * 24, weekend=1.0)
    steady = HeatmapConfig.for_pair("BTC/USDT:USDT", reach=no_busy_hour)
    assert HeatmapConfig.from_dict(written["about"]["config"]) == steady
    measures = {score["measure"] for score in written["scores"] if score["map"] == "estimate"}
    assert {"rank", "partial", "known", "gain", "lift", "of_oracle", "earth_mover"} <= measures


def test_the_sandboxs_truth_lies_on_the_grid_of_the_configuration(tmp_path):
    """With bins of twice the width the mean distance from the truth stays about the same in basis points."""
    moved = []
    for width in (0.0005, 0.001):
        config, path = tmp_path / "config.json", tmp_path / "scores.json"
        config.write_text(json.dumps(HeatmapConfig(grid=PriceGrid(width=width)).to_dict()))
        assert main(["validate", *SMALL_SANDBOX, "--heatmap", str(config), "--out", str(path)]) == 0
        scores = {
            (s["map"], s["measure"], s["side"]): s["value"] for s in json.loads(path.read_text())["scores"]
        }
        moved.append(scores.get(("estimate", "earth_mover", "both")))
    assert moved[1] == pytest.approx(moved[0], rel=0.1)


def test_validate_of_recordings_names_their_file_and_keeps_to_the_timerange(datadir, totals, capsys):
    path = datadir / "scores.json"
    warmup = pd.Timedelta(5, unit="min") * HeatmapConfig.for_pair("BTC/USDT:USDT").warmup
    after_warmup = (pd.Timestamp("2026-01-01", tz="UTC") + warmup).ceil("1h")
    arguments = ["--datadir", str(datadir), "--liquidations", str(totals)]
    assert main(["validate", *arguments, "--timerange", "20260109-", "--out", str(path)]) == 0
    about = json.loads(path.read_text())["about"]
    assert about["market"] == "recorded: totals.feather"
    assert about["scored"][0] == after_warmup.isoformat()
    assert "SANDBOX" not in capsys.readouterr().out
    assert main(["validate", *arguments, "--timerange", "20260109-20260110", "--out", str(path)]) == 0
    assert json.loads(path.read_text())["about"]["scored"][1] < "2026-01-10"


def test_candles_alone_score_what_is_stated(datadir, capsys):
    path = datadir / "scores.json"
    assert main(["validate", "--datadir", str(datadir), "--out", str(path)]) == 0
    assert "longs liquidated, below price: what the columns forecast" in capsys.readouterr().out
    written = json.loads(path.read_text())
    assert written["about"]["market"] == "candles alone"
    assert {"calibration", "skill", "auc", "recall"} <= {s["measure"] for s in written["scores"]}


def test_positions_in_a_sandbox_are_refused_in_one_line(tmp_path, capsys):
    assert main(["validate", *SMALL_SANDBOX, "--positions", str(tmp_path / "positions.parquet")]) == 2
    assert capsys.readouterr().err == "liqfeature: --positions needs --datadir, received --sandbox\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--sandbox", "calm"], "scenario must be one of liquid"),
        (["--sandbox", "liquid", "--days", "5"], "candles must reach past the warm-up"),
        (["--sandbox", "liquid", "--timeframe", "7m"], "timeframe must be one of"),
        (["--sandbox", "liquid", "--days", "14", "--timerange", "20270101-"], "candles must reach past"),
        (["--datadir", "nowhere", "--liquidations", "none.feather"], "no directory nowhere; beside it"),
    ],
)
def test_a_market_that_cannot_be_scored_is_one_line(arguments, reason, capsys):
    assert main(["validate", "--arrivals", "1", *arguments]) == 2
    complaints = [line for line in capsys.readouterr().err.splitlines() if not line.endswith(" ...")]
    assert len(complaints) == 1
    assert complaints[0].startswith(f"liqfeature: {reason}")


def test_a_recording_of_another_period_is_one_line(datadir, totals, capsys):
    table = pd.read_feather(totals)
    write_frame(table.assign(date=table["date"] + pd.Timedelta("1000D")), totals)
    arguments = ["--datadir", str(datadir), "--liquidations", str(totals)]
    assert main(["validate", *arguments]) == 2
    _, _, complaint = capsys.readouterr().err.splitlines()
    assert complaint.startswith("liqfeature: liquidations must cover hours of the candles that are scored")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_several_seeds_are_scored_as_their_mean_and_range(workers, tmp_path, capsys):
    if workers != "1":
        pytest.importorskip("distributed")
    cards = []
    for name, *options in (("a", "--seed", "3"), ("b", "--seed", "4"), ("both", "--seeds", "4", "3")):
        path = tmp_path / f"{name}.json"
        spread = ["--workers", workers] if name == "both" else []
        assert main(["validate", *SMALL_SANDBOX, *options, *spread, "--out", str(path)]) == 0
        cards.append(read_scorecard(path))
    assert "seeds [3, 4]" in capsys.readouterr().out
    *single, both = cards
    assert both.maps() == single[0].maps()
    for score in both.scores:
        values = [card.value(score.map, score.measure, score.side) for card in single]
        found = [score.low, score.value, score.high]
        np.testing.assert_array_equal(found, [np.min(values), np.mean(values), np.max(values)])


@pytest.mark.parametrize(
    "options", [["--workers", "2"], ["--seeds", "1", "--datadir", "."], ["--workers", "2", "--seeds", "1"]]
)
def test_seeds_need_a_sandbox_and_workers_need_seeds(options, capsys):
    assert main(["validate", *options]) == 2
    assert "--seeds N ... must be given with --sandbox" in capsys.readouterr().err
