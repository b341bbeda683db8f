"""`liqfeature calibrate`: a configuration, with where it comes from."""

import json

from builders.frames import random_candles
from liqfeature import HeatmapConfig, load_config
from liqfeature.calibration import calibrate as calibration
from liqfeature.calibration import search
from liqfeature.cli.main import main
from liqfeature.data.store import write_frame

SMALL_SANDBOX = ["--sandbox", "liquid", "--days", "14", "--arrivals", "4"]


def test_calibrate_writes_a_configuration_with_its_provenance(tmp_path, capsys, monkeypatch):
    """With fewer hours and steps than a real search asks for, which takes a minute."""
    monkeypatch.setattr(search, "LEAST_HOURS", 20)
    monkeypatch.setattr(calibration, "STEPS", {"churn": ({"flow.churn": 0.1}, {"flow.churn": 0.4})})
    path = tmp_path / "found.json"
    assert main(["calibrate", *SMALL_SANDBOX, "--out", str(path)]) == 0
    page = capsys.readouterr().out
    for text in (
        "churn: ",
        "weight: ",
        "in sample, ",
        "out of sample, ",
        "partial short",
        f"written to {path}\n",
    ):
        assert text in page
    provenance = json.loads(path.read_text())["provenance"]
    assert provenance["market"] == "SANDBOX liquid, seed 1, 14 days, 4 traders a minute"
    assert provenance["pair"] == "BTC/USDT:USDT"
    assert provenance["out of sample"]["hours"] > 60
    assert load_config(path).warmup == HeatmapConfig.for_pair("BTC/USDT:USDT").warmup


def test_odds_of_a_cascade_are_fitted_on_candles_alone(datadir, capsys):
    path = datadir / "odds.json"
    arguments = ["--datadir", str(datadir)]
    n = HeatmapConfig.for_pair("BTC/USDT:USDT").warmup + 2000
    candles = random_candles(n, seed=1)
    write_frame(candles, datadir / "futures" / "BTC_USDT_USDT-5m-futures.feather")
    assert main(["calibrate", "--target", "cascade", *arguments, "--out", str(path)]) == 0
    page = capsys.readouterr().out
    for text in ("odds: (", "in sample, ", "candles from", "Brier skill", f"written to {path}\n"):
        assert text in page
    provenance = json.loads(path.read_text())["provenance"]
    assert (provenance["market"], provenance["target"]) == ("candles alone", "cascade")
    assert load_config(path).cascade.odds != HeatmapConfig().cascade.odds


def test_fitting_the_map_without_liquidations_is_refused_in_one_line(datadir, capsys):
    arguments = ["calibrate", "--datadir", str(datadir), "--out", str(datadir / "out.json")]
    assert main(arguments) == 2
    assert capsys.readouterr().err == (
        "liqfeature: --liquidations PATH must be given unless --sandbox is, received none\n"
    )
    assert not (datadir / "out.json").exists()


def test_calibrate_keeps_to_the_timerange(tmp_path, monkeypatch):
    monkeypatch.setattr(search, "LEAST_HOURS", 10)
    monkeypatch.setattr(calibration, "STEPS", {})
    path = tmp_path / "found.json"
    assert main(["calibrate", *SMALL_SANDBOX, "--timerange", "20260110-20260113", "--out", str(path)]) == 0
    provenance = json.loads(path.read_text())["provenance"]
    assert provenance["in sample"]["from"] >= "2026-01-10"
    assert provenance["out of sample"]["to"] <= "2026-01-13"
