"""`liqfeature walkforward` with real Freqtrade: the strategy and its controls on one window."""

import subprocess
import sys
from pathlib import Path

from span import START, WARMUP_DAYS, timerange

from liqfeature.walkforward.command import CONTROLS

ROOT = Path(__file__).parents[2]
NAMES = ("LiquidationClusters", *CONTROLS)


def test_every_control_trades_beside_the_strategy(bot, downloaded, tmp_path):
    assert downloaded.is_dir()
    options = [f"--userdir={bot.directory}", f"--config={ROOT / 'configs' / 'backtest.json'}"]
    options += [f"--config={bot.overlay}", f"--datadir={bot.datadir}"]
    options += [f"--strategy-path={ROOT / 'user_data' / 'strategies'}"]
    first = WARMUP_DAYS + 5  # some controls know earlier days too
    span = timerange(first, first + 10)
    program = Path(sys.executable).with_name("liqfeature")
    command = [program, "walkforward", span, "--test-days=10", f"--out={tmp_path}", "--", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    report = (tmp_path / "report.md").read_text()
    assert f"1 windows, {START.replace(day=1 + first):%Y-%m-%d}" in report
    rows = [line.split("|") for line in report.splitlines() if line.startswith("|")][2:]
    assert [row[1].strip() for row in rows] == list(NAMES)
    assert all(float(row[2]) > 0 for row in rows)  # trades
