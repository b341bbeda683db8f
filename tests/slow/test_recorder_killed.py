"""`liqfeature record` as a process of its own: killed without warning, started anew, ended in order."""

import asyncio
import json
import os
import re
import signal
import sys

import pytest

from builders.venues import bybit_orders, venues
from builders.waiting import until
from liqfeature.data.recordings import load_recording
from liqfeature.errors import DataError
from liqfeature.recorder.session import Pace

pytest.importorskip("ccxt")

PAIR = "BTC/USDT:USDT"
PATIENCE = 200
"""Seconds after which a recorder counts as hung."""
START = 1_767_225_600_000
RECORD = [
    sys.executable,
    "-c",
    "import sys; from liqfeature.cli.main import main; sys.exit(main())",
    "record",
]


RUN = []


@pytest.fixture(autouse=True)
def _none_is_left():
    """End what a test that failed has left running."""
    yield
    for process in RUN:
        if process.returncode is None:
            os.kill(process.pid, signal.SIGKILL)
    RUN.clear()


async def feed(there, sent):
    """Send a print every 4 ms, its number as its time, each tenth twice; note which were listened to."""
    while True:
        number = len(sent)
        await there.send(bybit_orders(START + number))
        if number % 10 == 0:
            await there.send(bybit_orders(START + number))
        sent.append(bool(there.sockets) and not there.quiet)
        await asyncio.sleep(0.004)


def on_disk(root):
    """Return the numbers of the prints on disk, of which there may be none yet."""
    try:
        dates = load_recording(root, PAIR, "bybit")["date"]
    except DataError:
        return []
    return [int(date.timestamp() * 1000) - START for date in dates]


async def started(there, folder, *options):
    """Start a recorder, and wait until it listens."""
    config, asked = folder / "my config.json", len(there.subscribed)
    config.write_text(json.dumps({"exchange": {"name": "bybit", "ccxt_config": there.options("bybit")}}))
    command = [
        *RECORD,
        "--config",
        str(config),
        "--pairs",
        PAIR,
        "--out",
        str(folder / "recordings.sqlite"),
        *options,
    ]
    with (folder / "recorder.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(*command, stderr=log, stdout=log)
    RUN.append(process)
    async with asyncio.timeout(PATIENCE):
        await there.listened(asked + 1)
    there.quiet = False
    return process


def test_a_kill_costs_nothing_that_was_on_disk(tmp_path):
    """A hundred writes a second: kills come in the middle of them, too."""
    sent, lost, root = [], [], tmp_path / "recordings.sqlite"

    async def story():
        async with venues() as there:
            there.quiet = True
            feeding = asyncio.create_task(feed(there, sent))
            for count in (400, 533, 467):  # not at one and the same moment between two writes
                recorder = await started(there, tmp_path, "--save", "0.01")
                first = len(sent)
                await until(
                    lambda n=first, m=count: len(sent) > n + m and max(on_disk(root), default=0) > n + 100
                )
                saved = max(on_disk(root))
                recorder.send_signal(signal.SIGKILL)
                there.quiet = True
                lost.append((saved, len(sent)))
                await recorder.wait()
            recorder = await started(there, tmp_path)
            first = len(sent)
            await until(lambda: len(sent) > first + 250)
            feeding.cancel()
            await there.taken_in()
            recorder.terminate()
            return await asyncio.wait_for(recorder.wait(), PATIENCE)

    assert asyncio.run(story()) == 0, (tmp_path / "recorder.log").read_text()
    found = on_disk(root)
    assert len(found) == len(set(found))
    due = {
        number
        for number, heard in enumerate(sent)
        if heard and not any(saved < number <= end for saved, end in lost)
    }
    assert len(due) > 550
    assert due - set(found) == set()
    log = (tmp_path / "recorder.log").read_text()
    assert "Traceback" not in log
    assert "0 not on disk" in log


def test_what_is_received_is_written_within_a_second():
    assert 0 < Pace().save < 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_with_everything_on_disk(number, tmp_path):
    async def story():
        async with venues() as there:
            recorder = await started(there, tmp_path, "--save", "60")
            for i in range(100):
                await there.send(bybit_orders(START + i))
            await there.taken_in()
            os.kill(recorder.pid, number)
            return await asyncio.wait_for(recorder.wait(), PATIENCE)

    assert asyncio.run(story()) == 0, (tmp_path / "recorder.log").read_text()
    assert len(load_recording(tmp_path / "recordings.sqlite", PAIR)) == 100


def test_two_recorders_share_a_database(tmp_path):
    """Both hear the same: what one has written is a repetition for the other."""

    async def story():
        async with venues() as there:
            both = [await started(there, tmp_path) for _ in range(2)]
            for i in range(300):
                await there.send(bybit_orders(START + i))
            await there.taken_in()
            for one in both:
                one.terminate()
            return [await asyncio.wait_for(one.wait(), PATIENCE) for one in both]

    assert asyncio.run(story()) == [0, 0], (tmp_path / "recorder.log").read_text()
    assert sorted(on_disk(tmp_path / "recordings.sqlite")) == list(range(300))
    last = [line for line in (tmp_path / "recorder.log").read_text().splitlines() if "not on disk" in line]
    written = [re.search(r"(\d+) liquidations .* (\d+) repeated", line).groups() for line in last]
    assert [int(new) + int(again) for new, again in written] == [300, 300]
    assert sum(int(new) for new, _ in written) == 300
