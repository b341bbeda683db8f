"""`liqfeature record` beside a live sandbox with faults: cut connections, damaged answers, and a kill."""

import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest
from tapes import walking_tape, with_forced_orders

from liqfeature.data.recordings import load_recording, load_totals, read_spans
from liqfeature.sandbox.clock import WallClock
from liqfeature.sandbox.faults import Faults, read_plan
from liqfeature.sandbox.freqtrade_config import exchange_config
from liqfeature.sandbox.server import running
from liqfeature.sandbox.venue import Venue

pytest.importorskip("ccxt")

PAIR = "BTC/USDT:USDT"
RECORD = [sys.executable, "-c", "import sys; from liqfeature.cli import main; sys.exit(main())", "record"]


def wait_for(condition, seconds=40):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def times(root):
    """Return times of what is recorded, milliseconds."""
    if not (root / "journal").exists() or not {one.name for one in root.iterdir()} - {"journal", ".lock"}:
        return np.array([], dtype=np.int64)
    return load_recording(root, PAIR, "binance")["date"].astype("int64").to_numpy()


@contextmanager
def recorder(config, root):
    """Run a recorder, and have it receive something."""
    quick = ["--note", "0.3", "--compact", "0.7", "--config", str(config), "--pairs", PAIR]
    before = len(times(root)) if root.exists() else 0
    with (root.parent / "recorder.log").open("ab") as log:
        process = subprocess.Popen([*RECORD, *quick, "--out", str(root)], stderr=log)
    try:
        wait_for(lambda: root.exists() and (root / "binance").exists() and len(times(root)) > before)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def test_every_order_of_the_time_that_it_listened_is_recorded(tmp_path):
    """200 orders a second, all of them told; through a cut connection, bad answers and a kill."""
    count = 200 * 120
    rng = np.random.default_rng(2)
    orders = [
        (5 * i, ("long", "short")[i % 2], float(price), 0.001 + 0.001 * i)
        for i, price in enumerate(60_000 + rng.random(count))
    ]
    tape = with_forced_orders(walking_tape(minutes=60), *orders)
    plan, config, root = (tmp_path / name for name in ("the faults.json", "config.json", "recordings"))
    plan.write_text("[]")
    venue = Venue.of([tape], clock=WallClock(tape.start), liquidations="all")
    with running(venue, faults=Faults(read_plan(plan), file=plan)) as url:
        config.write_text(json.dumps(exchange_config(url)))
        with recorder(config, root) as process:
            time.sleep(1.0)
            plan.write_text('[{"kind": "drop"}, {"kind": "malformed"}]')
            time.sleep(0.5)
            plan.write_text('[{"kind": "server_error", "share": 0.5}, {"kind": "malformed", "share": 0.5}]')
            cut_at = venue.now
            wait_for(lambda: times(root)[-1] > cut_at)
            time.sleep(1.5)
            plan.write_text("[]")
            process.send_signal(signal.SIGKILL)
            killed = venue.now
            process.wait()
        assert times(root)[-1] >= killed - 1000
        with recorder(config, root) as process:
            time.sleep(1.5)
            process.terminate()
            assert process.wait(20) == 0, (tmp_path / "recorder.log").read_text()

    recorded, sent = times(root), tape.start + 5 * np.arange(count)
    assert len(set(recorded)) == len(recorded)
    assert set(recorded) <= set(sent)
    spans = read_spans(root, "binance")[PAIR]
    assert len(spans) == 3
    due = np.concatenate([sent[(sent > since) & (sent <= until)] for since, until in spans])
    assert len(due) > 600
    slack = 300  # milliseconds from an order to the sandbox's next look at its clock, and the wire
    missing = set(due) - set(recorded)
    assert all(any(abs(one - edge) <= slack for span in spans for edge in span) for one in missing)
    assert (root / "SANDBOX").exists()
    totals = load_totals(root, PAIR, "1m", "binance", least=0.0)
    notional = load_recording(root, PAIR, "binance")["notional"].sum()
    assert totals[["long", "short"]].to_numpy().sum() == pytest.approx(notional)
    assert "Traceback" not in (tmp_path / "recorder.log").read_text()
