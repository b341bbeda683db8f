"""`liqfeature sandbox`: what it writes, how it ends, and that nothing of it is left running."""

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

import pytest

from builders.tapes import walking_tape
from builders.waiting import wait_until
from liqfeature.cli import sandbox as sandbox_command
from liqfeature.cli.main import main
from liqfeature.cli.sandbox_options import clock_of, require_now, start_of

INSTANT = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from liqfeature.cli.main import main
from liqfeature.cli import sandbox as command
from builders.tapes import walking_tape
command._simulate = lambda args, console: [walking_tape(minutes=1440)]
sys.exit(main())
"""
LIQFEATURE = [sys.executable, "-c", INSTANT, str(Path(__file__).parents[1])]
PATIENCE = 150
"""Seconds after which a process counts as hung."""
SLEEPER = """
'{python}' -c 'import time; time.sleep(1000)' &
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


def overlay_address(path):
    overlay = json.loads(path.read_text())
    return overlay["exchange"]["ccxt_config"]["urls"]["api"]["fapiPublic"]


def test_run_without_a_command_is_bad_use(tmp_path, capsys):
    assert main(["sandbox", "run", "--config-out", str(tmp_path / "exchange.json")]) == 2
    assert capsys.readouterr().err == "liqfeature: sandbox run needs a command after --, received none\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--speed", "2"], "--now and --speed need --live"),
        (["--clock-file", "nothing.here"], "nothing.here must hold milliseconds or a date"),
        (["--live", "--now", "2026-03-01"], "on the market, 2026-01-01T00:00 to 2026-01-31T00:00, received"),
        (["--faults", "nothing.here"], "--faults must be a file that exists, received nothing.here"),
        (["--live", "--now", "2026-01-02", "--speed", "0"], "speed must be above 0, received 0.0"),
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
    sandbox_command.add_to(parser.add_subparsers())
    args = parser.parse_args(["sandbox", "serve", *options])
    began, asked = time.monotonic(), shown or datetime.now(UTC)
    clock = clock_of(args)
    require_now(args, clock)
    passed = clock.now() / 1000 - asked.timestamp()
    assert -0.001 <= passed <= (args.speed or 1) * (time.monotonic() - began) + 1
    assert start_of(args) < asked


@pytest.mark.parametrize(
    ("module", "name"), [("aiohttp", "aiohttp"), ("rich.console", "rich"), ("ccxt", "ccxt")]
)
def test_a_missing_extra_is_one_line_that_names_it(
    module, name, tmp_path, capsys, monkeypatch, instant_market
):
    monkeypatch.setitem(sys.modules, module, None)
    assert main(["sandbox", "run", "--config-out", str(tmp_path / "exchange.json"), "--", "true"]) == 2
    last_line = capsys.readouterr().err.splitlines()[-1]
    assert last_line == f"liqfeature: {name} is not installed: pip install 'liqfeature[sandbox]'"


def test_a_missing_program_is_one_line(tmp_path, capsys, instant_market):
    overlay = tmp_path / "exchange.json"
    assert main(["sandbox", "run", "--config-out", str(overlay), "--", "no-such-program"]) == 2
    assert (
        capsys.readouterr().err.splitlines()[-1] == "liqfeature: no-such-program: No such file or directory"
    )
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
        assert wait_until(lambda: pids.exists() or sandbox.poll() is not None), sandbox.communicate(
            timeout=PATIENCE
        )
        shell, sleeper = map(int, pids.read_text().split())
        assert is_open(overlay_address(overlay))
        sandbox.send_signal(signum)
        assert sandbox.wait(PATIENCE) == 128 + signum
    finally:
        sandbox.kill()
        sandbox.communicate()
    assert not is_open(overlay_address(overlay))
    assert not is_alive(shell)
    assert wait_until(lambda: not is_alive(sleeper))


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
            assert sandbox.wait(PATIENCE) == 0
        finally:
            sandbox.kill()
    assert not is_open(url)
