"""Real Freqtrade against the sandbox: download, backtest, hyperopt, and nothing that leaves this machine."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from slow.span import DAYS, EVERYTHING, PAIRS, START, WARMUP_DAYS, timerange

COLUMNS = {
    "5m-futures": ["date", "open", "high", "low", "close", "volume"],
    "5m-open_interest": ["date", "open_interest_amount", "open_interest_value"],
    "1h-mark": ["date", "open", "high", "low", "close"],
    "1h-funding_rate": ["date", "funding_rate"],
}
SPACES = ("enter", "exit", "heatmap", "protection")
HYPEROPTS = Path(__file__).parents[2] / "user_data" / "hyperopts"
ONE_WEEK = timerange(WARMUP_DAYS, WARMUP_DAYS + 7)
STEPS = {"5m-futures": "5min", "5m-open_interest": "5min", "1h-mark": "1h", "1h-funding_rate": "8h"}


def table(directory, pair, kind):
    name = pair.replace("/", "_").replace(":", "_")
    return pd.read_feather(directory / f"{name}-{kind}.feather")


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("kind", COLUMNS)
def test_download_gives_every_candle_type_whole(downloaded, pair, kind):
    frame = table(downloaded, pair, kind)
    assert set(COLUMNS[kind]) <= set(frame.columns)
    assert frame[COLUMNS[kind]].notna().all(axis=None)
    step = pd.Timedelta(STEPS[kind])
    start = pd.Timestamp(START, tz="UTC")
    assert frame["date"].diff().dropna().eq(step).all()
    assert frame["date"].iloc[0] - start <= step
    assert (
        start + pd.Timedelta(days=DAYS) - frame["date"].iloc[-1] <= 2 * step
    )  # Freqtrade drops the last one
    if kind == "1h-funding_rate":
        assert len(frame["funding_rate"].unique()) > 1


def test_a_second_download_adds_next_to_nothing(bot, downloaded):
    output = bot("download-data", EVERYTHING, "-t", "5m", "--candle-types", "futures", "open_interest")
    lengths = [int(length) for length in re.findall(r"with length\s+(\d+)", output)]
    assert len(lengths) == 2 * len(PAIRS)
    assert max(lengths) <= 3


def test_the_backtest_trades_both_ways_and_pays_funding(trades):
    assert len(trades) > 0
    assert {trade["is_short"] for trade in trades} == {True, False}
    assert any(trade["funding_fees"] != 0 for trade in trades)


def test_hyperopt_searches_all_spaces_by_the_loss_of_the_configuration(bot, downloaded, clusters):
    epochs = _hyperopt(bot, clusters, 3, *SPACES, loss=None)
    assert len(epochs) == 3
    assert all(set(SPACES) <= set(epoch["params_details"]) for epoch in epochs)
    judged = [epoch["loss"] for epoch in epochs if epoch["results_metrics"]["total_trades"] > 0]
    assert judged
    assert all(-1 < loss < 2 for loss in judged)  # most of Freqtrade's own losses leave that range


def test_a_changed_heatmap_value_changes_the_columns(bot, downloaded, clusters):
    epochs = _hyperopt(bot, clusters, 4, "heatmap")
    assert len(epochs) == 4
    heatmaps = {json.dumps(epoch["params_dict"], sort_keys=True) for epoch in epochs}
    profits = {epoch["results_metrics"]["profit_total_abs"] for epoch in epochs}
    assert len(heatmaps) > 1
    assert len(profits) > 1


def _hyperopt(bot, strategy, epochs, *spaces, loss="OnlyProfitHyperOptLoss"):
    results = bot.directory / "hyperopt_results"
    shutil.rmtree(results, ignore_errors=True)
    options = [f"--epochs={epochs}", "--random-state=1", "--min-trades=1", "-j2"]
    options += [f"--hyperopt-loss={loss}"] if loss else [f"--hyperopt-path={HYPEROPTS}"]
    output = bot("hyperopt", ONE_WEEK, *strategy, *options, "--spaces", *spaces)
    assert loss or "ClusterLoss" in output
    (table,) = results.glob("*.fthypt")
    return [json.loads(line) for line in table.read_text().splitlines()]


def test_nothing_leaves_this_machine(bot, clusters, tmp_path):
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed, so nobody watches the sockets")
    calls = tmp_path / "calls"
    watch = [strace, "-f", "-e", "trace=connect,bind,sendto", "-o", str(calls)]
    if subprocess.run([*watch, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("strace may not trace here, so nobody watches the sockets")
    one_day, data = timerange(0, 1), tmp_path / "data"
    every_type = ["futures", "open_interest", "mark", "funding_rate"]
    options = [one_day, "-t", "1h", "--candle-types", *every_type]
    bot("download-data", *options, prefix=watch, datadir=data)
    assert len(list((data / "futures").iterdir())) == len(PAIRS) * len(every_type)
    reached = _addresses(calls.read_text())
    assert "127.0.0.1" in reached
    assert reached <= {"127.0.0.1", "::1"}


def _addresses(calls):
    """Addresses of the internet that a trace of system calls names."""
    return set(re.findall(r'inet_addr\("([^"]+)"\)', calls)) | set(
        re.findall(r'inet_pton\(AF_INET6, "([^"]+)"', calls)
    )


def test_the_watch_sees_a_socket_that_leaves():
    line = '7 connect(3, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("10.0.0.2")}, 16) = 0'
    assert _addresses(line) == {"10.0.0.2"}
