"""`liqfeature download` as a process of its own: killed without warning, and run again."""

import hashlib
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from builders.backtests import mark_simulated
from builders.tapes import START, walking_tape
from builders.waiting import wait_until
from liqfeature.durations import DAY
from liqfeature.sandbox.server.clock import FixedClock
from liqfeature.sandbox.server.faults import Fault, Faults
from liqfeature.sandbox.server.serve import running
from liqfeature.sandbox.server.venue import Venue

pytest.importorskip("aiohttp")

PAIRS = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT")
DAYS = 150
PATIENCE = 400
"""Seconds after which a download counts as hung."""
DOWNLOAD = [
    sys.executable,
    "-c",
    "import sys; from liqfeature.cli.main import main; sys.exit(main())",
    "download",
]


def started(datadir, url):
    options = ["--url", url, "--datadir", str(datadir), "--pairs", *PAIRS, "--timerange", "20260101-20260531"]
    return subprocess.Popen([*DOWNLOAD, *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finished(datadir, url):
    process = started(datadir, url)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors.decode()


def made(folder):
    folder.mkdir(parents=True)
    mark_simulated(folder)
    return folder


def content(datadir):
    return {
        str(path.relative_to(datadir)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in datadir.rglob("*.feather")
    }


def test_killed_five_times_and_resumed_the_files_are_bit_identical(tmp_path):
    """Kills come after numbers of requests that are drawn from all that a download needs."""
    counted = Fault(kind="delay", seconds=0.001)
    faults = Faults((counted, Fault(kind="blank_numbers", share=0.2), Fault(kind="missing_file", share=0.02)))
    tapes = [walking_tape(pair, minutes=(DAYS + 1) * 1440) for pair in PAIRS]
    venue = Venue.of(tapes, clock=FixedClock(int(START.timestamp() * 1000) + (DAYS + 1) * DAY))
    whole, killed = made(tmp_path / "whole" / "binance"), made(tmp_path / "killed" / "binance")
    with running(venue, faults=faults) as url:
        finished(whole, url)
        needed = faults.struck["delay"]
        for until in np.random.default_rng(1).integers(1, needed // 5, 5):
            before = faults.struck["delay"]
            process = started(killed, url)
            wait_until(
                lambda n=before + until, p=process: faults.struck["delay"] >= n or p.poll() is not None
            )
            assert process.poll() is None, "it ended before its kill"
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            assert process.returncode == -signal.SIGKILL
        before = faults.struck["delay"]
        finished(killed, url)
        resumed = faults.struck["delay"] - before
    assert content(killed) == content(whole)
    assert len(content(whole)) == 2 * len(PAIRS)
    assert 0 < resumed < needed, "what was here was fetched again"
