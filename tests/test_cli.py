"""The command line: what it writes, how it ends, and that nothing of it is left running."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tapes import walking_tape

from liqfeature.cli import main
from liqfeature.sandbox import command as sandbox_command

INSTANT = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from liqfeature.cli import main
from liqfeature.sandbox import command
from tapes import walking_tape
command._simulate = lambda args, console: [walking_tape(minutes=1440)]
sys.exit(main())
"""
LIQFEATURE = [sys.executable, "-c", INSTANT, str(Path(__file__).parent)]
SLEEPER = """
'{python}' -c 'import time; time.sleep(100)' &
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


def eventually(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    return condition()


def overlay_address(path):
    overlay = json.loads(path.read_text())
    return overlay["exchange"]["ccxt_config"]["urls"]["api"]["fapiPublic"]


def test_version_is_the_package_s(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert re.fullmatch(r"liqfeature \d+\.\d+\.\d+\n", capsys.readouterr().out)


@pytest.mark.parametrize("action", ["serve", "run"])
def test_help_shows_an_example(action, capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["sandbox", action, "--help"])
    assert f"  liqfeature sandbox {action} " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["dance"], "invalid choice: 'dance'"),
        (["sandbox"], "the following arguments are required: COMMAND"),
        (["sandbox", "serve", "--days", "0"], "--days: must be a whole number above 0, received '0'"),
        (["sandbox", "serve", "--oi-days", "-3"], "--oi-days: "),
        (["sandbox", "serve", "--start", "yesterday"], "--start: must be a date such as 2026-01-01"),
        (["sandbox", "serve", "--pairs", "BTCUSDT"], "--pairs: must be a pair such as BTC/USDT:USDT"),
        (["sandbox", "serve", "--port", "seventy"], "--port: invalid int value: 'seventy'"),
        (["sandbox", "run", "--", "true"], "the following arguments are required: --config-out"),
    ],
)
def test_bad_use_is_one_line_and_exit_code_two(arguments, reason, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    complaint = capsys.readouterr().err
    assert reason in complaint
    assert complaint.count("\n") == 1


def test_run_without_a_command_is_bad_use(tmp_path, capsys):
    assert main(["sandbox", "run", "--config-out", str(tmp_path / "exchange.json")]) == 2
    assert capsys.readouterr().err == "liqfeature: sandbox run needs a command after --, received none\n"


@pytest.mark.parametrize(
    ("module", "name"), [("aiohttp", "aiohttp"), ("rich.console", "rich"), ("ccxt", "ccxt")]
)
def test_a_missing_extra_is_one_line_that_names_it(
    module, name, tmp_path, capsys, monkeypatch, instant_market
):
    monkeypatch.setitem(sys.modules, module, None)
    assert main(["sandbox", "run", "--config-out", str(tmp_path / "exchange.json"), "--", "true"]) == 2
    last_line = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(rf"liqfeature: .* needs {name}: pip install liqfeature\[sandbox\]", last_line)


def test_a_missing_program_is_one_line(tmp_path, capsys, instant_market):
    overlay = tmp_path / "exchange.json"
    assert main(["sandbox", "run", "--config-out", str(overlay), "--", "no-such-program"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("liqfeature: [Errno 2] ")
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
        assert eventually(lambda: pids.exists() or sandbox.poll() is not None), sandbox.communicate(timeout=5)
        shell, sleeper = map(int, pids.read_text().split())
        assert is_open(overlay_address(overlay))
        sandbox.send_signal(signum)
        assert sandbox.wait(20) == 128 + signum
    finally:
        sandbox.kill()
        sandbox.communicate()
    assert not is_open(overlay_address(overlay))
    assert not is_alive(shell)
    assert eventually(lambda: not is_alive(sleeper))


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
            assert sandbox.wait(20) == 0
        finally:
            sandbox.kill()
    assert not is_open(url)
