"""Wrong input of a newcomer, and the line that each gets: one line that names the thing and what would do."""

import json
import shutil

import pytest

from builders.backtests import PAIR
from liqfeature import ConfigError, HeatmapConfig
from liqfeature.cli.main import main
from liqfeature.data.store import read_frame, write_frame

CONFIG = {"timeframe": "5m", "exchange": {"name": "binance", "pair_whitelist": [PAIR, "ETH/USDT:USDT"]}}


@pytest.fixture
def home(datadir, monkeypatch):
    """A working directory with a user directory, its configuration and candles of two pairs."""
    place = datadir.parent / "home"
    data = place / "user_data" / "data" / "binance"
    shutil.copytree(datadir, data)
    candles = data / "futures" / "BTC_USDT_USDT-5m-futures.feather"
    shutil.copy(candles, data / "futures" / "ETH_USDT_USDT-5m-futures.feather")
    write_frame(read_frame(candles).iloc[:0], data / "futures" / "SOL_USDT_USDT-5m-futures.feather")
    (place / "user_data" / "config.json").write_text(json.dumps(CONFIG))
    (place / "parameters.json").write_text(json.dumps(HeatmapConfig().to_dict()))
    (place / "spot.json").write_text(json.dumps({"exchange": {"name": "kraken"}}))
    (place / "broken.json").write_text("{")
    (place / "empty").mkdir()
    monkeypatch.chdir(place)
    return place


FEATURES = ("features", "--out", "out.feather")
DATA = ("--datadir", "user_data/data/binance")

WRONG = [
    # A directory, a pair, a timeframe, a file: each says which it is.
    (
        (*FEATURES, "--datadir", "user_data/data/bybit", "--pair", "BTC"),
        "no directory user_data/data/bybit; beside it there is binance",
    ),
    ((*FEATURES, "--datadir", "empty", "--pair", "BTC"), "empty must hold futures/PAIR-TIMEFRAME-futures"),
    ((*FEATURES, *DATA), "--pair must be one of BTC/USDT:USDT, ETH/USDT:USDT, SOL/USDT:USDT, which"),
    (
        (*FEATURES, "--pair", "BTX"),
        "no futures candles of 'BTX' in user_data/data/binance, which has those of BTC",
    ),
    ((*FEATURES, "--pair", "ETH/USDC"), "which has those of ETH/USDT:USDT"),
    (
        (*FEATURES, "--timeframe", "1h"),
        "no 1h candles of BTC/USDT:USDT in user_data/data/binance, which has those of 5m",
    ),
    ((*FEATURES, "--pair", "SOL"), "SOL_USDT_USDT-5m-futures.feather holds no candle"),
    # Configurations.
    ((*FEATURES, "--config", "nowhere.json"), "nowhere.json: No such file or directory"),
    ((*FEATURES, "--config", "broken.json"), "broken.json must hold JSON: "),
    (
        (*FEATURES, "--config", "parameters.json"),
        "--config must be a configuration of Freqtrade: give parameters as --heatmap parameters.json",
    ),
    ((*FEATURES, "--config", "spot.json"), "exchange of the configuration must be one of binance, bybit"),
    (
        (*FEATURES, "--userdir", "empty"),
        "--datadir DIR or --config FILE must be given where there is no empty/config.json, received neither",
    ),
    (("doctor", "--userdir", "empty"), "config must be given"),
    # What is written is checked before the work.
    (("features", "--out", "nodir/out.feather"), "--out must be in a folder that exists, received "),
    (("chart", "--out", "map.png"), "--out must be a file that ends in .html, received map.png"),
    # The recorder and the sandbox, before they connect or simulate.
    (
        ("record", "--pairs", "BTCUSDT", "--exchange", "binance", "--out", "r.sqlite"),
        "pairs must be linear futures such as BTC/USDT:USDT, received 'BTCUSDT'",
    ),
    (("sandbox", "serve", "--faults", "nowhere.json"), "nowhere.json"),
    (("sandbox", "serve", "--faults", "broken.json"), "broken.json"),
]


@pytest.mark.parametrize(("arguments", "answer"), WRONG)
def test_wrong_input_gets_a_line_that_helps(arguments, answer, home, capsys):
    before = sorted(home.iterdir())
    assert main(arguments) == 2
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1, complaint
    assert complaint.startswith("liqfeature: ")
    assert answer in complaint
    assert "Errno" not in complaint
    assert sorted(home.iterdir()) == before


@pytest.mark.parametrize("pair", ["BTCUSDT", "BTC/USDT", "BTC/USD:BTC"])
def test_a_pair_that_is_no_linear_perpetual_gets_no_parameters(pair):
    with pytest.raises(ConfigError, match=f"received '{pair}'"):
        HeatmapConfig.for_pair(pair)


@pytest.mark.parametrize("pair", ["ETH", "ETHUSDT", "eth/usdt:usdt", "ETH/USDT"])
def test_every_spelling_of_a_pair_will_do(pair, home, capsys):
    assert main([*FEATURES, "--pair", pair]) == 0
    assert capsys.readouterr().err.startswith("ETH/USDT:USDT 5m of binance: ")


# What a configuration says need not be said again.


def test_a_user_directory_s_configuration_says_which_market(home, capsys):
    assert main(FEATURES) == 0
    assert capsys.readouterr().err.startswith(f"{PAIR} 5m of binance: ")


def test_options_overrule_a_configuration_and_later_ones_earlier_ones(home, capsys):
    (home / "first.json").write_text(json.dumps({"timeframe": "1h", "exchange": {"name": "okx"}}))
    (home / "second.json").write_text(json.dumps({"timeframe": "5m", "datadir": "user_data/data/binance"}))
    both = ("--config", "first.json", "--config", "second.json", "--pair", "eth")
    assert main([*FEATURES, *both]) == 0
    assert capsys.readouterr().err.startswith("ETH/USDT:USDT 5m of okx: ")
    assert main([*FEATURES, *both, "--exchange", "bybit"]) == 0
    assert capsys.readouterr().err.startswith("ETH/USDT:USDT 5m of bybit: ")
    assert main([*FEATURES, "--config", "second.json", "first.json", "--pair", "eth"]) == 2
    assert "no 1h candles" in capsys.readouterr().err


def test_a_data_directory_alone_asks_no_configuration(home, capsys):
    (home / "user_data" / "config.json").write_text("{")
    assert main([*FEATURES, *DATA, "--pair", "btc"]) == 0
    assert main(FEATURES) == 2


def test_a_configuration_beside_a_data_directory_says_all_but_where(home, capsys):
    config = {"exchange": {"name": "okx", "pair_whitelist": ["ETH/USDT:USDT"]}, "datadir": "nowhere"}
    (home / "okx.json").write_text(json.dumps(config))
    assert main([*FEATURES, *DATA, "--config", "okx.json"]) == 0
    assert capsys.readouterr().err.startswith("ETH/USDT:USDT 5m of okx: ")


def test_the_doctor_reads_every_configuration_that_it_is_given(home, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    (home / "margin.json").write_text(json.dumps({"trading_mode": "futures", "margin_mode": "isolated"}))
    main(["doctor", "--all"])
    assert "trading_mode not set" in capsys.readouterr().out
    for options in (
        ["--config", "user_data/config.json", "--config", "margin.json"],
        ["--config", "margin.json", "user_data/config.json"],
    ):
        main(["doctor", "--all", *options])
        shown = capsys.readouterr().out
        assert "trading_mode futures, margin_mode isolated" in shown
        assert "binance" in shown
