"""The command line: what it writes, how it ends, and that nothing of it is left running."""

import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest
from frames import random_candles
from tapes import walking_tape

from liqfeature import HeatmapConfig, load_config
from liqfeature.calibration import calibrate as calibration
from liqfeature.calibration import search
from liqfeature.cli import main
from liqfeature.data.store import write_frame
from liqfeature.grid import PriceGrid
from liqfeature.sandbox import command as sandbox_command
from liqfeature.sandbox.options import clock_of, require_now, start_of
from liqfeature.scoring.command import TIMELESS

INSTANT = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from liqfeature.cli import main
from liqfeature.sandbox import command
from tapes import walking_tape
command._simulate = lambda args, console: [walking_tape(minutes=1440)]
sys.exit(main())
"""
LIQFEATURE = [sys.executable, "-c", INSTANT, str(Path(__file__).parent)]
SLEEPER = """
'{python}' -c 'import time; time.sleep(100)' &
echo $$ $! > '{pids}.new'
mv '{pids}.new' '{pids}'
wait
"""


@pytest.fixture
def instant_market(monkeypatch):
    """Replace the simulation of a market, which takes seconds."""
    monkeypatch.setattr(sandbox_command, "_simulate", lambda args, console: [walking_tape(minutes=1440)])


def is_open(url):
    address = urlsplit(url)
    with socket.socket() as client:
        return client.connect_ex((address.hostname, address.port)) == 0


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def eventually(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    return condition()


def overlay_address(path):
    overlay = json.loads(path.read_text())
    return overlay["exchange"]["ccxt_config"]["urls"]["api"]["fapiPublic"]


def test_version_is_the_package_s(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert re.fullmatch(r"liqfeature \d+\.\d+\.\d+\n", capsys.readouterr().out)


@pytest.mark.parametrize("action", ["serve", "run"])
def test_help_shows_an_example(action, capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["sandbox", action, "--help"])
    assert f"  liqfeature sandbox {action} " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["dance"], "invalid choice: 'dance'"),
        (["sandbox"], "the following arguments are required: COMMAND"),
        (["sandbox", "serve", "--days", "0"], "--days: must be a whole number above 0, received '0'"),
        (["sandbox", "serve", "--oi-days", "-3"], "--oi-days: "),
        (["sandbox", "serve", "--start", "yesterday"], "--start: must be a date such as 2026-01-01"),
        (["sandbox", "serve", "--pairs", "BTCUSDT"], "--pairs: must be a pair such as BTC/USDT:USDT"),
        (["sandbox", "serve", "--port", "seventy"], "--port: invalid int value: 'seventy'"),
        (["sandbox", "run", "--", "true"], "the following arguments are required: --config-out"),
    ],
)
def test_bad_use_is_one_line_and_exit_code_two(arguments, reason, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    complaint = capsys.readouterr().err
    assert reason in complaint
    assert complaint.count("\n") == 1


def test_run_without_a_command_is_bad_use(tmp_path, capsys):
    assert main(["sandbox", "run", "--config-out", str(tmp_path / "exchange.json")]) == 2
    assert capsys.readouterr().err == "liqfeature: sandbox run needs a command after --, received none\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--speed", "2"], "--now and --speed need --live"),
        (["--clock-file", "nothing.here"], "clock file nothing.here must hold milliseconds"),
        (["--live", "--now", "2026-03-01"], "on the market, 2026-01-01T00:00 to 2026-01-31T00:00, received"),
        (["--faults", "nothing.here"], "No such file or directory: 'nothing.here'"),
        (["--live", "--now", "2026-01-02", "--speed", "0"], "speed must be above 0, got 0.0"),
    ],
)
def test_a_clock_that_cannot_be_is_refused_in_one_line(options, message, capsys):
    assert main(["sandbox", "serve", *options]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (["--live", "--now", "2026-01-03", "--speed", "600"], datetime(2026, 1, 3, tzinfo=UTC)),
        (["--live"], None),
    ],
)
def test_a_live_market_begins_where_it_is_told_to_or_today(options, shown):
    parser = argparse.ArgumentParser()
    sandbox_command.add_commands(parser.add_subparsers())
    args = parser.parse_args(["sandbox", "serve", *options])
    clock = clock_of(args)
    require_now(args, clock)
    shown = shown or datetime.now(UTC)
    assert abs(clock.now() / 1000 - shown.timestamp()) < 60
    assert start_of(args) < shown


@pytest.mark.parametrize(
    ("module", "name"), [("aiohttp", "aiohttp"), ("rich.console", "rich"), ("ccxt", "ccxt")]
)
def test_a_missing_extra_is_one_line_that_names_it(
    module, name, tmp_path, capsys, monkeypatch, instant_market
):
    monkeypatch.setitem(sys.modules, module, None)
    assert main(["sandbox", "run", "--config-out", str(tmp_path / "exchange.json"), "--", "true"]) == 2
    last_line = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(rf"liqfeature: .* needs {name}: pip install liqfeature\[sandbox\]", last_line)


def test_a_missing_program_is_one_line(tmp_path, capsys, instant_market):
    overlay = tmp_path / "exchange.json"
    assert main(["sandbox", "run", "--config-out", str(overlay), "--", "no-such-program"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("liqfeature: [Errno 2] ")
    assert not is_open(overlay_address(overlay))


def test_a_taken_port_is_one_line(capsys, instant_market):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["sandbox", "serve", "--port", str(port)]) == 2
    assert "address already in use" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("code", [0, 3])
def test_run_passes_on_the_exit_code(code, tmp_path, capfd, instant_market):
    overlay = tmp_path / "configs" / "exchange.json"
    script = f"import urllib.request as r, sys; r.urlopen(sys.argv[1]); print('reached'); sys.exit({code})"
    reach = [sys.executable, "-c", f"import json; {script}".replace("sys.argv[1]", _address_in(overlay))]
    assert main(["sandbox", "run", "--config-out", str(overlay), "--", *reach]) == code
    assert capfd.readouterr().out == "reached\n"
    assert not is_open(overlay_address(overlay))


def _address_in(overlay):
    keys = "['exchange']['ccxt_config']['urls']['api']['fapiPublic']"
    return f"json.load(open({str(overlay)!r})){keys} + '/ping'"


def test_run_reports_a_command_that_a_signal_ended(tmp_path, instant_market):
    overlay = str(tmp_path / "exchange.json")
    assert main(["sandbox", "run", "--config-out", overlay, "--", "sh", "-c", "kill -TERM $$"]) == 143


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_leaves_no_process_and_no_port(signum, tmp_path):
    overlay, pids = tmp_path / "exchange.json", tmp_path / "pids"
    script = SLEEPER.format(python=sys.executable, pids=pids)
    arguments = ["sandbox", "run", "--config-out", str(overlay), "--", "sh", "-c", script]
    sandbox = subprocess.Popen([*LIQFEATURE, *arguments], stderr=subprocess.PIPE, text=True)
    try:
        assert eventually(lambda: pids.exists() or sandbox.poll() is not None), sandbox.communicate(timeout=5)
        shell, sleeper = map(int, pids.read_text().split())
        assert is_open(overlay_address(overlay))
        sandbox.send_signal(signum)
        assert sandbox.wait(20) == 128 + signum
    finally:
        sandbox.kill()
        sandbox.communicate()
    assert not is_open(overlay_address(overlay))
    assert not is_alive(shell)
    assert eventually(lambda: not is_alive(sleeper))


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_serve_tells_its_address_and_stops_when_told(signum, tmp_path):
    overlay = tmp_path / "exchange.json"
    arguments = ["sandbox", "serve", "--config-out", str(overlay)]
    with subprocess.Popen([*LIQFEATURE, *arguments], stdout=subprocess.PIPE, text=True) as sandbox:
        try:
            url = sandbox.stdout.readline().strip()
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
            assert is_open(url)
            assert overlay_address(overlay) == f"{url}/fapi/v1"
            sandbox.send_signal(signum)
            assert sandbox.wait(20) == 0
        finally:
            sandbox.kill()
    assert not is_open(url)


# --- validate and calibrate -------------------------------------------------------------------------------

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
    steady = HeatmapConfig.for_pair("BTC/USDT:USDT", cascade=TIMELESS)  # no hour there is busier than others
    assert HeatmapConfig.from_dict(written["about"]["config"]) == steady
    measures = {score["measure"] for score in written["scores"] if score["map"] == "estimate"}
    assert {"rank", "partial", "known", "gain", "lift", "of_oracle", "earth_mover"} <= measures


def test_the_sandboxs_truth_lies_on_the_grid_of_the_configuration(tmp_path):
    """With bins of twice the width the mean distance from the truth stays about the same in basis points."""
    moved = []
    for width in (0.0005, 0.001):
        config, path = tmp_path / "config.json", tmp_path / "scores.json"
        config.write_text(json.dumps(HeatmapConfig(grid=PriceGrid(width=width)).to_dict()))
        assert main(["validate", *SMALL_SANDBOX, "--config", str(config), "--out", str(path)]) == 0
        scores = {
            (s["map"], s["measure"], s["side"]): s["value"] for s in json.loads(path.read_text())["scores"]
        }
        moved.append(scores.get(("estimate", "earth_mover", "both")))
    assert moved[1] == pytest.approx(moved[0], rel=0.1)


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


@pytest.fixture
def recordings(tmp_path):
    """Folder with a data directory and hourly totals, a day longer than the warm-up."""
    n = HeatmapConfig.for_pair("BTC/USDT:USDT").warmup + 300
    candles = random_candles(n, seed=1)
    (tmp_path / "binance" / "futures").mkdir(parents=True)
    write_frame(candles, tmp_path / "binance" / "futures" / "BTC_USDT_USDT-5m-futures.feather")
    date = candles["date"].dt.floor("1h").drop_duplicates().reset_index(drop=True)
    amount = np.random.default_rng(0).lognormal(12, 1, (2, len(date)))
    totals = pd.DataFrame({"date": date, "long": amount[0], "short": amount[1]})
    write_frame(totals, tmp_path / "totals.feather")
    return tmp_path


def test_validate_of_recordings_names_their_file_and_keeps_to_the_timerange(recordings, capsys):
    path = recordings / "scores.json"
    warmup = pd.Timedelta(5, unit="min") * HeatmapConfig.for_pair("BTC/USDT:USDT").warmup
    after_warmup = (pd.Timestamp("2026-01-01", tz="UTC") + warmup).ceil("1h")
    arguments = [
        "--datadir",
        str(recordings / "binance"),
        "--liquidations",
        str(recordings / "totals.feather"),
    ]
    assert main(["validate", *arguments, "--timerange", "20260109-", "--out", str(path)]) == 0
    about = json.loads(path.read_text())["about"]
    assert about["market"] == "recorded: totals.feather"
    assert about["scored"][0] == after_warmup.isoformat()
    assert "SANDBOX" not in capsys.readouterr().out
    assert main(["validate", *arguments, "--timerange", "20260109-20260110", "--out", str(path)]) == 0
    assert json.loads(path.read_text())["about"]["scored"][1] < "2026-01-10"


def test_odds_of_a_cascade_are_fitted_on_candles_alone(recordings, capsys):
    path = recordings / "odds.json"
    arguments = ["--datadir", str(recordings / "binance")]
    n = HeatmapConfig.for_pair("BTC/USDT:USDT").warmup + 2000
    candles = random_candles(n, seed=1)
    write_frame(candles, recordings / "binance" / "futures" / "BTC_USDT_USDT-5m-futures.feather")
    assert main(["calibrate", "--target", "cascade", *arguments, "--out", str(path)]) == 0
    page = capsys.readouterr().out
    for text in ("odds: (", "in sample, ", "candles from", "Brier skill", f"written to {path}\n"):
        assert text in page
    provenance = json.loads(path.read_text())["provenance"]
    assert (provenance["market"], provenance["target"]) == ("candles alone", "cascade")
    assert load_config(path).cascade.odds != HeatmapConfig().cascade.odds


def test_candles_alone_score_what_is_stated(recordings, capsys):
    path = recordings / "scores.json"
    assert main(["validate", "--datadir", str(recordings / "binance"), "--out", str(path)]) == 0
    assert "longs liquidated, below price: what the columns foretell" in capsys.readouterr().out
    written = json.loads(path.read_text())
    assert written["about"]["market"] == "candles alone"
    assert {"calibration", "skill", "auc", "recall"} <= {s["measure"] for s in written["scores"]}


def test_fitting_the_map_without_liquidations_is_refused_in_one_line(recordings, capsys):
    arguments = ["calibrate", "--datadir", str(recordings / "binance"), "--out", str(recordings / "out.json")]
    assert main(arguments) == 2
    assert capsys.readouterr().err == "liqfeature: --datadir needs --liquidations PATH, received none\n"
    assert not (recordings / "out.json").exists()


def test_positions_in_a_sandbox_are_refused_in_one_line(tmp_path, capsys):
    assert main(["validate", *SMALL_SANDBOX, "--positions", str(tmp_path / "positions.parquet")]) == 2
    assert capsys.readouterr().err == "liqfeature: --positions needs --datadir, received --sandbox\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["validate"], "one of the arguments --datadir --sandbox is required"),
        (["validate", "--sandbox", "liquid", "--datadir", "."], "not allowed with argument"),
        (
            ["validate", "--sandbox", "liquid", "--timerange", "july"],
            "--timerange: must be FROM-TO with dates",
        ),
        (["validate", "--sandbox", "liquid", "--timerange", "20269901-"], "--timerange: "),
        (["validate", "--sandbox", "liquid", "--unit", "euro"], "--unit: invalid choice: 'euro'"),
        (["calibrate", "--sandbox", "liquid"], "the following arguments are required: --out"),
    ],
)
def test_bad_use_of_scores_is_one_line_and_exit_code_two(arguments, reason, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    complaint = capsys.readouterr().err
    assert reason in complaint
    assert complaint.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--sandbox", "calm"], "scenario must be one of liquid"),
        (["--sandbox", "liquid", "--days", "5"], "candles must reach past the warm-up"),
        (["--sandbox", "liquid", "--timeframe", "7m"], "timeframe must be one of"),
        (["--sandbox", "liquid", "--days", "14", "--timerange", "20270101-"], "candles must reach past"),
        (
            ["--datadir", "nowhere", "--liquidations", "none.feather"],
            "no 5m futures candles of BTC/USDT:USDT",
        ),
    ],
)
def test_a_market_that_cannot_be_scored_is_one_line(arguments, reason, capsys):
    assert main(["validate", "--arrivals", "1", *arguments]) == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith(f"liqfeature: {reason}")
    assert complaint.count("\n") == 1


def test_a_recording_of_another_period_is_one_line(recordings, capsys):
    totals = pd.read_feather(recordings / "totals.feather")
    totals["date"] += pd.Timedelta("1000D")
    write_frame(totals, recordings / "totals.feather")
    arguments = [
        "--datadir",
        str(recordings / "binance"),
        "--liquidations",
        str(recordings / "totals.feather"),
    ]
    assert main(["validate", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_calibrate_keeps_to_the_timerange(tmp_path, monkeypatch):
    monkeypatch.setattr(search, "LEAST_HOURS", 10)
    monkeypatch.setattr(calibration, "STEPS", {})
    path = tmp_path / "found.json"
    assert main(["calibrate", *SMALL_SANDBOX, "--timerange", "20260110-20260113", "--out", str(path)]) == 0
    provenance = json.loads(path.read_text())["provenance"]
    assert provenance["in sample"]["from"] >= "2026-01-10"
    assert provenance["out of sample"]["to"] <= "2026-01-13"
