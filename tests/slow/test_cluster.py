"""Freqtrade's hyperopt and a walk-forward on workers: the results of a plain run, whoever dies meanwhile."""

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from builders.dask import dask_scheduler, dask_worker
from builders.waiting import wait_until
from slow.span import WARMUP_DAYS, timerange

ROOT = Path(__file__).parents[2]
EPOCHS, WINDOWS = 6, 2
"""Enough to tell; 24 and 4 were tried by hand (docs/scale.md)."""

LIQFEATURE = Path(sys.executable).with_name("liqfeature")


@pytest.fixture
def scheduler():
    """A scheduler with two workers, each a program of its own."""
    pytest.importorskip("distributed")
    with ExitStack() as stack:
        address = stack.enter_context(dask_scheduler())
        for _ in range(2):
            stack.enter_context(dask_worker(address))
        yield address


def kill_one(address):
    """Kill a worker in the middle of its work."""
    from distributed import Client

    with Client(address) as client:
        os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)


def finished(line, meanwhile=lambda process: None):
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with process:
        meanwhile(process)
        said, _ = process.communicate()
    assert process.returncode == 0, said[-4000:]
    return said


@pytest.fixture
def userdir(bot, downloaded, tmp_path):
    """Options of Freqtrade, with a user directory for this test alone."""
    assert downloaded.is_dir()
    own = tmp_path / "user_data"
    own.mkdir()
    for name in ("strategies", "hyperopts"):
        (own / name).symlink_to(ROOT / "user_data" / name)
    return [
        *("--userdir", str(own), "--config", str(ROOT / "configs" / "backtest.json")),
        *("--config", str(bot.overlay), "--datadir", str(bot.datadir)),
    ]


def epochs_in(userdir):
    """Loss, parameters and figures of every epoch of the last search."""
    newest = max((Path(userdir) / "hyperopt_results").glob("*.fthypt"), default=None)
    if newest is None:
        return []
    epochs = [json.loads(line) for line in newest.read_text().splitlines()]
    return [(epoch["loss"], epoch["params_dict"], epoch["results_explanation"]) for epoch in epochs]


def test_every_loss_of_hyperopt_is_that_of_a_plain_run_also_when_a_worker_is_killed(scheduler, userdir):
    own = Path(userdir[1])
    options = [
        *userdir,
        *("--strategy", "LiquidationClusters", timerange(WARMUP_DAYS, WARMUP_DAYS + 7)),
        *("--spaces", "enter", "exit"),
        *("--pairs", "BTC/USDT:USDT", "ETH/USDT:USDT", "--random-state", "1"),
        *("--epochs", str(EPOCHS), "--job-workers", "2", "--disable-param-export"),
    ]
    finished([LIQFEATURE, "hyperopt", "--", *options])
    plain = epochs_in(own)
    assert len(plain) == EPOCHS
    assert len({loss for loss, *_ in plain}) > 1
    (own / "hyperopt_results").rename(own / "plain")

    def kill_after_two(process):
        wait_until(lambda: len(epochs_in(own)) >= 2 or process.poll() is not None)
        kill_one(scheduler)

    finished([LIQFEATURE, "hyperopt", "--workers", scheduler, "--", *options], kill_after_two)
    assert epochs_in(own) == plain


def test_a_walk_forward_on_two_workers_is_the_sequential_one(scheduler, userdir, tmp_path):
    days = timerange(WARMUP_DAYS, WARMUP_DAYS + 2 + 2 * WINDOWS)
    span = [days, "--tune-days", "2", "--test-days", "2", "--epochs", "2"]
    names = ["--jobs", "1", "--controls"]

    def report(folder, *workers):
        out = ["--out", str(tmp_path / folder)]
        finished([LIQFEATURE, "walkforward", *span, *names, *workers, *out, "--", *userdir])
        return (tmp_path / folder / "report.md").read_text()

    plain = report("plain")
    assert f"{WINDOWS} windows" in plain
    assert report("spread", "--workers", scheduler) == plain
    before = sorted(path.stat().st_mtime_ns for path in (tmp_path / "spread").glob("*/result.json"))
    assert len(before) == WINDOWS
    assert report("spread", "--workers", scheduler) == plain
    assert before == sorted(path.stat().st_mtime_ns for path in (tmp_path / "spread").glob("*/result.json"))
