"""`liqfeature init`: what it writes into a user directory, what it leaves alone, and what comes next."""

import json
import shlex

import pytest

from liqfeature.cli.main import _parser, main
from liqfeature.userdir.install import SHIPPED, STRATEGIES

SPOT = {
    "stake_currency": "USDT",
    "stake_amount": 77,
    "timeframe": "15m",
    "exchange": {"name": "okx", "pair_whitelist": ["BTC/USDT", "ETH/USDT:USDT"]},
}


@pytest.fixture
def userdir(tmp_path):
    """A user directory as `freqtrade create-userdir` makes it."""
    for name in ("strategies", "hyperopts", "data"):
        (tmp_path / "my bot" / name).mkdir(parents=True)
    return tmp_path / "my bot"


def files_in(userdir):
    return {str(path.relative_to(userdir)): path.read_text() for path in userdir.rglob("*") if path.is_file()}


def init(userdir, *options):
    return main(["init", "--userdir", str(userdir), *options])


def next_commands(output):
    """Commands that were printed, each as words."""
    lines = output.partition("\nNext:\n")[2].splitlines()
    return [shlex.split(line) for line in lines]


def test_an_own_configuration_is_kept_and_completed(userdir, capsys):
    (userdir / "config.json").write_text(json.dumps(SPOT))
    assert init(userdir) == 0
    files = files_in(userdir)
    assert json.loads(files.pop("config.json")) == SPOT
    assert json.loads(files.pop("liqfeature.json")) == {
        "trading_mode": "futures",
        "margin_mode": "isolated",
        "analyze_per_epoch": True,
        "hyperopt_loss": "ClusterLoss",
        "disableparamexport": True,
        "exchange": {"pair_whitelist": ["BTC/USDT:USDT", "ETH/USDT:USDT"]},
    }
    assert files == {
        name: (SHIPPED / name).read_text()
        for name in ("strategies/LiquidationClusters.py", "hyperopts/ClusterLoss.py")
    }
    output = capsys.readouterr().out
    assert output.count("wrote ") == 3
    candles, interest, backtest = next_commands(output)
    own = ["--userdir", str(userdir), "--config", str(userdir / "config.json")]
    own += ["--config", str(userdir / "liqfeature.json")]
    assert candles == ["freqtrade", "download-data", *own, "--days", "29", "--timeframes", "15m"]
    assert interest[-4:] == ["--timeframes", "5m", "--candle-types", "open_interest"]  # okx has 5m, 1h, 1d
    assert backtest[-4:] == ["--strategy", "LiquidationClusters", "--cache", "none"]
    assert "--pairs" not in candles


@pytest.mark.parametrize("exchange", ["binance", "gate", "hyperliquid", "bitget"])
def test_without_a_configuration_a_whole_dry_run_is_written(exchange, userdir, capsys):
    assert init(userdir, "--exchange", exchange) == 0
    config = json.loads((userdir / "liqfeature.json").read_text())
    assert config["dry_run"] is True
    assert config["exchange"]["name"] == exchange
    assert not config["exchange"].get("key")
    assert config["margin_mode"] == "isolated"
    stake = config["stake_currency"]
    assert all(pair.endswith(f"/{stake}:{stake}") for pair in config["exchange"]["pair_whitelist"])
    commands = next_commands(capsys.readouterr().out)
    assert len(commands) == (3 if exchange in ("binance", "gate") else 2)


def test_another_exchange_than_the_own_configuration_s_gets_one_of_its_own(userdir, capsys):
    (userdir / "config.json").write_text(json.dumps(SPOT))
    assert init(userdir, "--exchange", "bybit") == 0
    assert json.loads((userdir / "liqfeature.json").read_text())["exchange"]["name"] == "bybit"
    assert "config.json" not in capsys.readouterr().out.replace("liqfeature.json", "")


def test_a_whitelist_that_a_pairlist_fills_gets_an_example(userdir, capsys):
    (userdir / "config.json").write_text(json.dumps({**SPOT, "exchange": {"name": "binance"}}))
    assert init(userdir) == 0
    assert all("BTC/USDT:USDT" in command for command in next_commands(capsys.readouterr().out))


def test_printed_commands_are_freqtrade_s(userdir, capsys):
    arguments_of = pytest.importorskip("freqtrade.commands.arguments").Arguments
    assert init(userdir, "--exchange", "binance") == 0
    for program, *words in next_commands(capsys.readouterr().out):
        assert program == "freqtrade"
        assert arguments_of(words).get_parsed_arg()["user_data_dir"] == str(userdir)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_comes_with_what_it_imports(strategy, userdir):
    assert init(userdir, "--exchange", "binance", "--strategy", strategy) == 0
    names = {path.stem for path in (userdir / "strategies").iterdir()}
    assert strategy in names
    assert ("LiquidationClusters" in names) == (strategy != "SampleWithClusters")


def test_a_strategy_of_the_user_s_own_is_a_page_of_code(userdir, capsys):
    assert init(userdir, "--exchange", "bybit", "--strategy-template", "Mine") == 0
    text = (userdir / "strategies" / "Mine.py").read_text()
    compile(text, "Mine.py", "exec")
    assert "class Mine(around_clusters(IStrategy)):" in text
    assert "MyStrategy" not in text
    code = [line for line in text.splitlines() if line.strip()]
    assert len(code) < 25
    assert next_commands(capsys.readouterr().out)[-1][-3] == "Mine"
    assert _parser().parse_args(["init", "--userdir", "x", "--strategy-template"]).strategy_template


def test_a_second_time_changes_nothing_and_a_file_of_another_s_stops_everything(userdir, capsys):
    assert init(userdir, "--exchange", "binance") == 0
    before = files_in(userdir)
    capsys.readouterr()
    assert init(userdir, "--exchange", "binance") == 0
    assert capsys.readouterr().out.count("there already: ") == 3
    changed = userdir / "strategies" / "LiquidationClusters.py"
    changed.write_text("mine")
    (userdir / "liqfeature.json").unlink()
    assert init(userdir, "--exchange", "binance") == 2
    error = capsys.readouterr().err
    assert error.startswith("liqfeature: nothing was written: ")
    assert str(changed) in error
    del before["liqfeature.json"]
    assert files_in(userdir) == {**before, "strategies/LiquidationClusters.py": "mine"}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ([], "exchange must be given, by --exchange or by --config, received neither"),
        (["--strategy", "Best"], "strategy must be one of LiquidationClusters, SampleWithClusters"),
        (
            ["--exchange", "okx", "--strategy-template", "my-bot"],
            "strategy-template must be the name of a new",
        ),
        (["--exchange", "okx", "--strategy-template", "LiquidationClusters"], "name of a new class"),
        (["--config", "nowhere.json"], "nowhere.json"),
    ],
)
def test_a_mistake_writes_nothing(options, reason, userdir, capsys):
    assert init(userdir, *options) == 2
    assert reason in capsys.readouterr().err
    assert files_in(userdir) == {}


def test_exchanges_that_differ_or_are_unknown_are_refused(userdir, capsys):
    config = userdir / "other.json"
    config.write_text(json.dumps(SPOT))
    assert init(userdir, "--config", str(config), "--exchange", "bybit") == 2
    assert "exchange must be that of --config, okx, or left out, received bybit" in capsys.readouterr().err
    config.write_text(json.dumps({"exchange": {"name": "kraken"}}))
    assert init(userdir, "--config", str(config)) == 2
    assert "exchange must be one of binance" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["nowhere", "my bot/data"])
def test_a_directory_that_is_none_of_freqtrade_s_gets_the_command_that_makes_one(missing, userdir, capsys):
    assert init(userdir.parent / missing, "--exchange", "binance") == 2
    assert "freqtrade create-userdir --userdir " in capsys.readouterr().err
