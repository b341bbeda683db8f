"""Which market the commands take: the exchange, the pair, and what they say of it."""

import json

import pytest

from builders.backtests import CANDLES, PAIR, mark_simulated
from liqfeature import HeatmapConfig
from liqfeature.cli.main import main
from liqfeature.exchange.traits import EXCHANGES


def features(datadir, *options, pair=PAIR):
    out = str(datadir.parent / "out.feather")
    return main(["features", "--datadir", str(datadir), "--pair", pair, "--out", out, *options])


@pytest.mark.parametrize(
    ("name", "taken"),
    [("gateio", "gate"), ("binanceusdm", "binance"), ("Bybit", "bybit"), ("hyperliquid", "hyperliquid")],
)
def test_a_data_directory_called_like_an_exchange_is_that_exchange_s(name, taken, datadir, capsys):
    assert features(datadir.rename(datadir.with_name(name))) == 0
    assert capsys.readouterr().err == f"{PAIR} 5m of {taken}: {len(CANDLES)} candles, open interest\n"


@pytest.mark.parametrize("name", ["bybit-2025", "okx_backup", "data"])
def test_a_data_directory_of_no_exchange_needs_one_to_be_named(name, datadir, capsys):
    other = datadir.rename(datadir.with_name(name))
    assert features(other) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("liqfeature: exchange must be given (--exchange NAME)")
    assert line.endswith(f"received the directory {name}")
    assert features(other, "--exchange", "GateIO") == 0
    assert f"{PAIR} 5m of gate: " in capsys.readouterr().err


def test_a_link_is_taken_by_its_own_name_or_else_by_what_it_leads_to(datadir, capsys):
    backup = datadir.rename(datadir.with_name("backup"))
    datadir.with_name("okx").symlink_to(backup)
    assert features(datadir.with_name("okx")) == 0
    assert "5m of okx: " in capsys.readouterr().err
    bybit = backup.rename(datadir.with_name("bybit"))
    datadir.with_name("latest").symlink_to(bybit)
    assert features(datadir.with_name("latest")) == 0
    assert "5m of bybit: " in capsys.readouterr().err
    datadir.with_name("gate").symlink_to(bybit)
    assert features(datadir.with_name("gate")) == 0
    assert "5m of gate: " in capsys.readouterr().err


def test_the_sandbox_s_data_are_binance_s_and_said_to_be_simulated(datadir, capsys):
    data = datadir.rename(datadir.with_name("data"))
    mark_simulated(data)
    assert features(data) == 0
    assert f"{PAIR} 5m of binance, SANDBOX: " in capsys.readouterr().err


def test_an_unknown_exchange_is_a_mistake_that_lists_the_known_ones(datadir, capsys):
    with pytest.raises(SystemExit, match="2"):
        features(datadir, "--exchange", "kraken")
    assert f"must be one of {', '.join(EXCHANGES)}, received 'kraken'" in capsys.readouterr().err


@pytest.mark.parametrize("pair", ["BTC", "btc", "BTCUSDT", "btc/usdt", "btc/usdt:usdt", "BTC_USDT_USDT"])
def test_a_pair_is_known_by_as_much_of_its_name_as_one_pair_has(pair, datadir, capsys):
    (datadir / "futures" / "BTCDOM_USDT_USDT-5m-futures.feather").write_bytes(b"")
    assert features(datadir, pair=pair) == 0
    assert capsys.readouterr().err.startswith(f"{PAIR} 5m of binance")


def test_a_name_of_several_pairs_or_of_none_lists_what_is_near(tmp_path, capsys):
    futures = tmp_path / "binance" / "futures"
    futures.mkdir(parents=True)
    for stem in ("ETH_USDT_USDT", "ETH_USDC_USDC", "1000PEPE_USDT_USDT", "SOL_USDT_USDT"):
        (futures / f"{stem}-5m-futures.feather").write_bytes(b"")
    for pair, said in (
        ("eth", "received 'eth', which may be ETH/USDC:USDC, ETH/USDT:USDT"),
        (
            "PEPE/USDT:USDT",
            "of 'PEPE/USDT:USDT' in {}, which has those of 1000PEPE/USDT:USDT",
        ),
        ("XYZ", "which has those of 1000PEPE/USDT:USDT, ETH/USDC:USDC, ETH/USDT:USDT, SOL/USDT:USDT"),
    ):
        assert features(futures.parent, pair=pair) == 2
        assert said.format(futures.parent) in capsys.readouterr().err


def test_the_same_names_work_with_scores(datadir, capsys):
    assert main(["validate", "--datadir", str(datadir), "--pair", "btcusdt"]) == 0
    assert f"exchange binance, pair {PAIR}, timeframe 5m" in capsys.readouterr().out


def test_parameters_and_exchange_may_both_be_given(datadir, tmp_path, capsys):
    config = tmp_path / "parameters.json"
    config.write_text(json.dumps(HeatmapConfig(horizon=6).to_dict()))
    other = datadir.rename(datadir.with_name("elsewhere"))
    assert features(other, "--heatmap", str(config), "--exchange", "okx") == 0
    assert "5m of okx: " in capsys.readouterr().err
