"""`liqfeature record` beside a live sandbox with faults: cut connections, damaged answers, and a kill."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest

from builders.recordings import spans_in
from builders.tapes import walking_tape, with_forced_orders
from builders.waiting import wait_until
from liqfeature.data.database import Database
from liqfeature.data.recordings import load_recording, load_totals
from liqfeature.errors import DataError
from liqfeature.sandbox.freqtrade_config import exchange_config
from liqfeature.sandbox.server.clock import WallClock
from liqfeature.sandbox.server.faults import Faults
from liqfeature.sandbox.server.serve import running
from liqfeature.sandbox.server.venue import Venue

pytest.importorskip("ccxt")

PAIR = "BTC/USDT:USDT"
RECORD = [
    sys.executable,
    "-c",
    "import sys; from liqfeature.cli.main import main; sys.exit(main())",
    "record",
]


def times(root):
    """Return times of what is recorded, milliseconds."""
    try:
        return load_recording(root, PAIR, "binance")["date"].astype("int64").to_numpy()
    except DataError:
        return np.array([], dtype=np.int64)


@contextmanager
def recorder(config, root):
    """Run a recorder, and have it receive something."""
    quick = ["--note", "0.3", "--config", str(config), "--pairs", PAIR]
    before = len(times(root))
    with (root.parent / "recorder.log").open("ab") as log:
        process = subprocess.Popen([*RECORD, *quick, "--out", str(root)], stderr=log)
    try:
        wait_until(lambda: len(times(root)) > before)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def put(plan, *faults):
    """Have these faults in force from now on."""
    draft = plan.with_suffix(".new")
    draft.write_text(json.dumps(faults))
    draft.replace(plan)


def test_every_order_of_the_time_that_it_listened_is_recorded(tmp_path):
    """100 orders a second, all of them streamed; through a cut connection, bad answers and a kill."""
    count = 100 * 60 * 20  # as many minutes as nobody waits for
    rng = np.random.default_rng(2)
    orders = [
        (10 * i, ("long", "short")[i % 2], float(price), 0.001 + 0.001 * (i % 1000))
        for i, price in enumerate(60_000 + rng.random(count))
    ]
    tape = with_forced_orders(walking_tape(minutes=60), *orders)
    plan, config, root = (tmp_path / name for name in ("the faults.json", "config.json", "recordings.sqlite"))
    put(plan)
    venue = Venue.of([tape], clock=WallClock(tape.start), liquidations="all")
    faults = Faults(file=plan)

    def more():
        """Wait until n more orders are on disk, and it is noted that it listened to some of them."""
        since = venue.now
        wait_until(lambda: np.sum(times(root) > since) > 200)
        wait_until(lambda: (spans_in(root, "binance", PAIR) or [(0, 0)])[-1][1] > since)

    with running(venue, faults=faults) as url:
        config.write_text(json.dumps(exchange_config(url)))
        with recorder(config, root) as process:
            more()
            put(plan, {"kind": "drop"}, {"kind": "malformed"})
            wait_until(lambda: faults.struck["drop"])  # the stream is cut, and it has asked for another
            put(plan, {"kind": "server_error", "share": 0.5}, {"kind": "malformed", "share": 0.5})
            more()
            put(plan)
            saved = times(root)
            process.send_signal(signal.SIGKILL)
            process.wait()
        with recorder(config, root) as process:
            more()
            process.terminate()
            assert process.wait(400) == 0, (tmp_path / "recorder.log").read_text()

    recorded, sent = times(root), tape.start + 10 * np.arange(count)
    assert len(set(recorded)) == len(recorded)
    assert set(saved) <= set(recorded) <= set(sent)
    spans = spans_in(root, "binance", PAIR)
    assert len(spans) == 3
    for since, until in spans:
        inside = recorded[(recorded > since) & (recorded <= until)]
        assert len(inside) > 50
        first, last = inside.min(), inside.max()
        assert set(inside) == set(sent[(sent >= first) & (sent <= last)])
        assert (
            max(first - since, until - last) < 3000
        )  # a bound: by how much is tests/test_recorder_session.py's
    with Database(root) as database:
        assert database.query("SELECT simulated FROM about") == [(1,)]
    totals = load_totals(root, PAIR, "1m", "binance", least=0.0)
    notional = load_recording(root, PAIR, "binance")["notional"].sum()
    assert totals[["long", "short"]].to_numpy().sum() == pytest.approx(notional)
    assert "Traceback" not in (tmp_path / "recorder.log").read_text()
