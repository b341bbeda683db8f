"""`liqfeature walkforward` with real Freqtrade: a strategy and its controls on one window."""

import subprocess
import sys
from pathlib import Path

import pytest

from liqfeature.cli.walkforward import CONTROLS
from slow.span import START, WARMUP_DAYS, timerange

ROOT = Path(__file__).parents[2]


@pytest.fixture
def report(bot, downloaded, tmp_path):
    """Walk ten days after the warm-up with some strategies; return the report."""
    assert downloaded.is_dir()

    def walk(first, strategy, *controls):
        options = [f"--userdir={bot.directory}", f"--config={ROOT / 'configs' / 'backtest.json'}"]
        options += [f"--config={bot.overlay}", f"--datadir={bot.datadir}"]
        options += [f"--strategy-path={ROOT / 'user_data' / 'strategies'}"]
        names = [f"--strategy={strategy}", "--controls", *controls]
        program = Path(sys.executable).with_name("liqfeature")
        span = [timerange(first, first + 10), "--test-days=10", f"--out={tmp_path}"]
        command = [program, "walkforward", *span, *names, "--", *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return (tmp_path / "report.md").read_text()

    return walk


def rows(table):
    """Cells of the rows below the head of a table of Markdown."""
    return [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line[:1] == "|"
    ][2:]


def test_every_control_trades_beside_the_strategy(report):
    first = WARMUP_DAYS + 5  # some controls know earlier days too
    said = report(first, "LiquidationClusters", *CONTROLS)
    assert f"1 windows, {START.replace(day=1 + first):%Y-%m-%d}" in said
    compared = rows(said.partition("\n## ")[0])
    assert [row[0] for row in compared] == ["LiquidationClusters", *CONTROLS]
    assert all(float(row[1]) > 0 for row in compared)  # trades


def test_sizes_and_stops_are_compared_on_the_same_entries(report):
    names = ["RandomBySigma", "RandomByConstant", "RandomStatedStop", "RandomRangeStop"]
    said = report(WARMUP_DAYS + 8, *names)  # deciles of volatility need a week more
    _, losses, tags, hours = said.split("\n## ")
    assert [row[0] for row in rows(losses)] == names
    (trades,) = {int(row[1]) for row in rows(losses)}
    assert trades > 100
    assert all("(" in row[5] for row in rows(losses)[1:])  # each has an interval beside the first
    for table in (tags, hours):
        assert [row[0] for row in rows(table)] == names[2:]
