"""`make dry-run`: paper trading by the clock on the wall, seen through the bot's API, and ended by Ctrl-C."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from liqfeature import COLUMNS
from slow.conftest import ROOT
from slow.rest import PATIENCE, Rest

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

PAIR = "BTC/USDT:USDT"
CANDLES = 2


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """What a user types, on candles of a minute; afterwards Ctrl-C, and what then is left of it."""
    mark = f"dry-run-of-{os.getpid()}"
    # Relative, as in the Makefile: the checkout may lie in a folder with a space.
    programs = os.path.relpath(Path(sys.executable).parent, ROOT)
    sandbox = Path(os.path.relpath(tmp_path_factory.mktemp(mark), ROOT))
    program = [
        "make",
        "-o",
        ".venv/ok",
        "dry-run",
        f"BIN={programs}",
        f"SANDBOX={sandbox}",
        "STRATEGY=TakesForcedEntries",  # the shipped one refuses an entry where the market has no stop for it
    ]
    environment = os.environ | {
        "FREQTRADE__TIMEFRAME": "1m",
        "FREQTRADE__FORCE_ENTRY_ENABLE": "true",
        "FREQTRADE__STRATEGY_PATH": str(Path(__file__).parent / "strategies"),
        "PYTHONPATH": str(ROOT),
    }
    said = ROOT / sandbox / "said"
    with said.open("w") as output:
        make = subprocess.Popen(
            [*program, f"PAIRS={PAIR}"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,  # as a shell gives a command one, which Ctrl-C then ends
        )
        try:
            yield make, said, mark
        finally:
            if make.poll() is None:
                os.killpg(make.pid, signal.SIGTERM)
            make.wait(PATIENCE)


@pytest.fixture(scope="module")
def rest(started):
    make, said, _ = started
    words = r"bot at \S+:(\d+) .*: user (\S+), password in (\S+)"
    told = eventually(lambda: re.search(words, said.read_text()) or make.poll() is not None)
    assert make.poll() is None, said.read_text()
    port, user, file = told.groups()
    log = said.parent / "dry-run.log"
    access = Rest(int(port), log, server=make, password=Path(file).read_text(), user=user)
    access.until(access.answers)
    access.log_in()
    return access


def eventually(holds, patience=PATIENCE):
    end = time.monotonic() + patience
    while not (found := holds()):
        assert time.monotonic() < end
        time.sleep(0.2)
    return found


def processes(mark):
    """Command lines of all processes that name this run."""
    listed = subprocess.run(["ps", "axww", "-o", "pid=,args="], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if mark in line]


def last_candle(rest):
    answer = rest.ask("pair_candles", pair=PAIR, timeframe="1m", limit=5)
    return dict(zip(answer["columns"], answer["data"][-1], strict=True)) if answer["length"] else None


def test_it_analyses_one_candle_after_the_other(rest):
    seen = {}
    first = None
    while len(seen) < CANDLES:
        rest.until(lambda: (row := last_candle(rest)) and row["date"] not in seen)
        row = last_candle(rest)
        seen[row["date"]] = row
        if first is None:
            first = row
            rest.ask("forceenter", {"pair": PAIR, "side": "long", "ordertype": "market"})
    for row in seen.values():
        assert set(COLUMNS) <= set(row)
        assert row["liq_quality"] > 0.9
        assert row["liq_total_above"] > 0
    assert len({(row["high"], row["low"], row["volume"]) for row in seen.values()}) == len(seen)
    (trade,) = rest.ask("status")
    assert (trade["pair"], trade["is_short"]) == (PAIR, False)
    assert trade["stop_loss_abs"] < trade["open_rate"]


def test_the_shipped_strategy_trades_where_no_other_is_named():
    line = subprocess.run(
        ["make", "-n", "-o", ".venv/ok", "dry-run"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert re.search(r"freqtrade trade --dry-run .* --strategy LiquidationClusters ", line)


def test_nobody_gets_in_without_the_password(rest):
    stranger = Rest(rest.port, rest.log, password="guessed", user=rest.user)
    with pytest.raises(OSError, match="401"):
        stranger.log_in()


def test_its_secrets_are_in_no_file_of_the_project(rest):
    for path in (rest.log.parent).rglob("*"):
        if path.is_file():
            assert rest.password.encode() not in path.read_bytes(), path


def test_ctrl_c_ends_the_bot_and_the_exchange(started, rest):
    make, said, mark = started
    assert any("trade" in line for line in processes(mark))
    os.killpg(make.pid, signal.SIGINT)
    make.wait(PATIENCE)
    assert eventually(lambda: not processes(mark))
    assert not rest.answers()
    assert "sandbox stopped" in said.read_text()
    log = rest.log.read_text()
    assert "Unexpected error" not in log
    assert " - ERROR - " not in log
