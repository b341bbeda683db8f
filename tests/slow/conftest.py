"""A sandbox, its data, and real Freqtrade, for all tests that need them."""

import json
import os
import re
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from slow.span import DAYS, EVERYTHING, PAIRS, START, TRADED, WARMUP_DAYS

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
FAILURE = re.compile(r"Unexpected error|Traceback| - ERROR - |^freqtrade.*: error: ", re.MULTILINE)


HUNG = 1800
"""Seconds after which a test of this folder counts as hung: many times the slowest one's 100."""


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(HUNG))


@dataclass(frozen=True)
class Bot:
    """Freqtrade, run as a user runs it, in a directory of its own.

    Freqtrade exits with 0 on bad options, errors of configuration and exceptions in callbacks. What it writes
    is therefore judged here, once for all.
    """

    directory: Path
    overlay: Path

    @property
    def datadir(self):
        return self.directory / "data"

    def line(self, command, *arguments, datadir=None):
        """Return a command line."""
        options = [
            f"--userdir={self.directory}",
            f"--config={ROOT / 'configs' / 'backtest.json'}",
            f"--config={self.overlay}",
            f"--datadir={datadir or self.datadir}",
        ]
        return [BIN / "freqtrade", command, *options, *arguments]

    def __call__(self, command, *arguments, prefix=(), datadir=None):
        finished = subprocess.run(
            [*prefix, *self.line(command, *arguments, datadir=datadir)],
            cwd=self.directory,
            env=os.environ | {"COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        output = finished.stdout
        assert finished.returncode == 0, output[-4000:]
        assert not FAILURE.search(output), output[-4000:]
        return output


@contextmanager
def sandboxed(directory, pairs, start, days, *more):
    """Freqtrade beside a sandbox, for as long as the block runs."""
    overlay, log = directory / "exchange.json", directory / "sandbox.log"
    span = [f"--start={start:%Y-%m-%d}", f"--days={days}"]
    options = ["--pairs", *pairs, *span, f"--config-out={overlay}", *more]
    command = [BIN / "liqfeature", "sandbox", "serve", *options]
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as sandbox,
    ):
        try:
            assert sandbox.stdout.readline().startswith("http://127.0.0.1:"), log.read_text()
            yield Bot(directory, overlay)
        finally:
            sandbox.terminate()
            sandbox.wait(200)


@pytest.fixture(scope="session")
def bot(tmp_path_factory):
    """Freqtrade beside a sandbox that serves three pairs."""
    with sandboxed(tmp_path_factory.mktemp("user_data"), PAIRS, START, DAYS) as bot:
        yield bot


@pytest.fixture(scope="module")
def today(tmp_path_factory):
    """Freqtrade beside a sandbox that goes on in real time."""
    start = datetime.now(UTC) - timedelta(days=WARMUP_DAYS)
    with sandboxed(tmp_path_factory.mktemp("today"), PAIRS[:1], start, WARMUP_DAYS + 2, "--live") as bot:
        yield bot


@pytest.fixture(scope="session")
def downloaded(bot):
    """Directory with everything that a backtest needs."""
    bot("download-data", EVERYTHING, "-t", "5m", "--candle-types", "futures", "open_interest")
    bot("download-data", EVERYTHING, "-t", "1h", "--candle-types", "mark", "funding_rate")
    return bot.datadir / "futures"


@pytest.fixture(scope="session")
def planted():
    """Options that select one of the tests' own strategies, such as one with a planted fault."""
    return lambda name: [f"--strategy-path={Path(__file__).parent / 'strategies'}", f"--strategy={name}"]


@pytest.fixture(scope="session")
def ours():
    """Options that select one of our strategies."""
    return lambda name: [f"--strategy-path={ROOT / 'user_data' / 'strategies'}", f"--strategy={name}"]


@pytest.fixture(scope="session")
def clusters(ours):
    """Options that select the strategy under test."""
    return ours("LiquidationClusters")


@pytest.fixture
def small_models(tmp_path, request):
    """Options that switch FreqAI on, with small models of its own for each test."""
    small = {
        "identifier": re.sub(r"\W+", "-", request.node.name),
        "train_period_days": 8,
        "model_training_parameters": {"n_estimators": 30},
    }
    overlay = tmp_path / "small.json"
    overlay.write_text(json.dumps({"freqai": small}))
    configs = [f"--config={ROOT / 'configs' / 'freqai.json'}", f"--config={overlay}"]
    return [*configs, "--freqaimodel=LightGBMRegressor"]


@pytest.fixture
def freqai(ours, small_models):
    """Options that select the example for FreqAI."""
    return [*small_models, *ours("FreqaiWithClusters")]


@pytest.fixture(scope="session")
def trades_of(bot, downloaded, ours):
    """Trades of a backtest of any of our strategies."""

    def backtest(name):
        results = bot.directory / f"backtest_results_{name}"
        results.mkdir()
        bot("backtesting", TRADED, *ours(name), "--cache=none", f"--backtest-directory={results}")
        return trades_in(results, name)

    return backtest


def trades_in(results, name):
    """Trades of a strategy's last backtest in a directory."""
    last = json.loads((results / ".last_result.json").read_text())["latest_backtest"]
    with zipfile.ZipFile(results / last) as archive:
        report = json.loads(archive.read(last.replace(".zip", ".json")))
    return report["strategy"][name]["trades"]


@pytest.fixture(scope="session")
def trades(trades_of):
    """Trades of a backtest of the strategy under test."""
    return trades_of("LiquidationClusters")
