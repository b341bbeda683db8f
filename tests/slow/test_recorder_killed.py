"""`liqfeature record` as a process of its own: killed without warning, started anew, ended in order."""

import asyncio
import json
import os
import signal
import sys
import time

import pytest
from venues import bybit_orders, venues

from liqfeature.data.recordings import load_recording, segments

pytest.importorskip("ccxt")

PAIR = "BTC/USDT:USDT"
START = 1_767_225_600_000
RECORD = [sys.executable, "-c", "import sys; from liqfeature.cli import main; sys.exit(main())", "record"]


async def feed(there, sent):
    """Send one print every 4 ms with its number as its time, and note when; each tenth once more."""
    while True:
        number = len(sent)
        await there.send(bybit_orders(START + number))
        if number % 10 == 0:
            await there.send(bybit_orders(START + number))
        sent.append(time.monotonic() if there.sockets and not there.quiet else None)
        await asyncio.sleep(0.004)


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
        str(folder / "recordings"),
        *options,
    ]
    with (folder / "recorder.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(*command, stderr=log, stdout=log)
    async with asyncio.timeout(30):
        await there.listened(asked + 1)
    there.quiet = False
    return process


def test_what_was_sent_a_second_before_a_kill_is_there(tmp_path):
    """Ten times a second the journal goes into the day's file: kills come in the middle of that, too."""
    sent, killed = [], []

    async def story():
        async with venues() as there:
            there.quiet = True
            feeding = asyncio.create_task(feed(there, sent))
            for seconds in (1.6, 2.13, 1.87):
                recorder = await started(there, tmp_path, "--compact", "0.1")
                await asyncio.sleep(seconds)
                recorder.send_signal(signal.SIGKILL)
                killed.append(time.monotonic())
                there.quiet = True
                await recorder.wait()
            recorder = await started(there, tmp_path)
            await asyncio.sleep(1.0)
            feeding.cancel()
            await asyncio.sleep(0.5)
            recorder.terminate()
            return await asyncio.wait_for(recorder.wait(), 15)

    assert asyncio.run(story()) == 0, (tmp_path / "recorder.log").read_text()
    root = tmp_path / "recordings"
    dates = load_recording(root, PAIR)["date"]
    found = [int(date.timestamp() * 1000) - START for date in dates]
    assert len(found) == len(set(found))
    due = {
        number
        for number, at in enumerate(sent)
        if at is not None and not any(kill - 1.0 < at <= kill for kill in killed)
    }
    assert len(due) > 400
    assert due - set(found) == set()
    assert segments(root) == []
    assert [path.name for path in root.glob("bybit/*/*")] == ["2026-01-01.parquet"]
    log = (tmp_path / "recorder.log").read_text()
    assert "Traceback" not in log
    assert "0 not on disk" in log


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_with_everything_on_disk(number, tmp_path):
    async def story():
        async with venues() as there:
            recorder = await started(there, tmp_path, "--save", "60")
            for i in range(100):
                await there.send(bybit_orders(START + i))
            await asyncio.sleep(0.5)
            os.kill(recorder.pid, number)
            return await asyncio.wait_for(recorder.wait(), 15)

    assert asyncio.run(story()) == 0, (tmp_path / "recorder.log").read_text()
    assert len(load_recording(tmp_path / "recordings", PAIR)) == 100


def test_a_second_recorder_is_refused(tmp_path):
    async def story():
        async with venues() as there:
            first = await started(there, tmp_path)
            command = [*RECORD, "--config", str(tmp_path / "my config.json"), "--pairs", PAIR]
            pipe = asyncio.subprocess.PIPE
            second = await asyncio.create_subprocess_exec(
                *command, "--out", str(tmp_path / "recordings"), stderr=pipe
            )
            _, complaint = await asyncio.wait_for(second.communicate(), 30)
            first.terminate()
            await first.wait()
            return second.returncode, complaint.decode()

    code, complaint = asyncio.run(story())
    assert code == 2
    assert "must belong to one recorder, received a second one" in complaint
