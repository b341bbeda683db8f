"""Walk-forward: windows, controls that keep what they claim to keep, and a table that says what was found."""

import json
import stat
import sys
import zipfile
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from liqfeature.cli.main import main
from liqfeature.errors import ConfigError, DataError
from liqfeature.walkforward.progress import progress
from liqfeature.walkforward.runs import Freqtrade, backtested, tuned
from liqfeature.walkforward.table import (
    comparison,
    daily_returns,
    verdict,
)
from liqfeature.walkforward.windows import rolling_windows

FIRST = date(2026, 1, 11)


@pytest.mark.parametrize(
    ("days", "tune", "test", "n"), [(60, 20, 10, 4), (60, 0, 10, 6), (69, 20, 10, 4), (30, 20, 10, 1)]
)
def test_tests_follow_each_other_and_tuning_ends_where_they_begin(days, tune, test, n):
    last = FIRST + timedelta(days=days)
    windows = rolling_windows(FIRST, last, tune_days=tune, test_days=test)
    assert len(windows) == n
    assert windows[0].begin == FIRST
    assert windows[-1].end <= last
    for window, following in pairwise(windows):
        assert window.end == following.test
    for window in windows:
        assert (window.test - window.begin).days == tune
        assert (window.end - window.test).days == test


def test_too_short_a_span_is_refused():
    with pytest.raises(ConfigError, match="at least 20 \\+ 10 days, received 29 days"):
        rolling_windows(FIRST, FIRST + timedelta(days=29), tune_days=20, test_days=10)


def results(*trades):
    made = [{"close_date": day, "profit_abs": profit, "exit_reason": "peak"} for day, profit in trades]
    return {"starting_balance": 1000.0, "trades": made}


def test_days_without_a_trade_count_and_what_closes_at_the_end_belongs_to_the_last_day():
    end = FIRST + timedelta(days=3)
    parts = [
        (FIRST, end, results(("2026-01-11 05:00", 10.0), ("2026-01-11 09:00", -4.0))),
        (end, end + timedelta(days=2), results(("2026-01-16 00:00", 20.0))),
    ]
    np.testing.assert_allclose(daily_returns(parts), [0.006, 0, 0, 0, 0.02])


def test_falls_and_shortfalls_doable_in_the_head():
    days = np.array([0.01, -0.02, 0.005, -0.01, 0.05] * 4)
    row = comparison({"Judged": days}, {"Judged": []}).loc["Judged"]
    assert row["fall_%"] == pytest.approx(2.5)
    assert row["shortfall_%"] == pytest.approx(-2)


@pytest.mark.parametrize(
    ("gap", "said"),
    [(0.01, "did worse than"), (0.0, "cannot be told from"), (-0.01, "did better than")],
)
def test_a_control_that_wins_is_reported_as_such(gap, said):
    rng = np.random.default_rng(3)
    days = rng.normal(0, 0.002, 60)
    returns = {"Judged": days + gap, "Control": days + rng.normal(0, 0.001, 60)}
    table = comparison(returns, {"Judged": [TRADE], "Control": []})
    assert table["trades"].tolist() == [1, 0]
    assert f"Control {said} Judged" in verdict(table, returns)[0]


TRADE = {"exit_reason": "stop_loss", "open_rate": 100.0, "stop_loss_abs": 98.0}


def test_stops_are_counted_and_how_far_away_they_lay():
    days = np.random.default_rng(3).normal(0, 0.002, 30)
    short = {"exit_reason": "trailing_stop_loss", "open_rate": 100.0, "stop_loss_abs": 106.0}
    judged = [TRADE, short, TRADE | {"exit_reason": "peak"}, TRADE | {"exit_reason": "peak"}]
    table = comparison({"Judged": days, "Idle": days}, {"Judged": judged, "Idle": []})
    found = table.loc["Judged", ["stop_away_%", "stopped_%", "stopped_per_%"]].tolist()
    assert found == pytest.approx([3.0, 50.0, 50 / 3])
    assert table.loc["Idle", ["stop_away_%", "stopped_%", "stopped_per_%"]].isna().all()


def test_a_step_that_fails_is_not_counted_as_done(capsys):
    def walk():
        with progress(2) as step:
            with step("one"):
                pass
            with step("two"):
                raise DataError("broken")

    with pytest.raises(DataError, match="broken"):
        walk()
    shown = capsys.readouterr().err
    assert "two" in shown
    assert "1/2" in shown


FAKE = """
import json, sys, zipfile
from pathlib import Path
args = sys.argv[1:]
after = lambda name: args[len(args) - args[::-1].index(name)]
if args[0] == "hyperopt":
    found = Path(after("--userdir")) / "hyperopt_results"
    found.mkdir(parents=True, exist_ok=True)
    spaces = lambda v: {{s: {{s + "_x": v}} for s in ("enter", "exit", "heatmap")}}
    lines = [json.dumps({{"loss": loss, "params_details": spaces(loss)}}) for loss in (3, 1, 2)]
    (found / f"strategy_{{after('--timerange')}}.fthypt").write_text("\\n".join(lines))
elif "Broken" in args:
    print("2026 - module - ERROR - no such strategy")
else:
    out = Path(after("--backtest-directory"))
    names = args[args.index("--strategy-list") + 1:]
    day = after("--timerange")
    closed = f"{{day[:4]}}-{{day[4:6]}}-{{day[6:8]}} 03:00"
    trade = {{"close_date": closed, "profit_abs": 1.0, "exit_reason": "peak"}}
    trade |= {{"open_date": closed, "pair": "A", "stake_amount": 50.0}}
    trade |= {{"open_rate": 100.0, "stop_loss_abs": 98.0}}
    each = {{"starting_balance": 100.0, "trades": [trade]}}
    with zipfile.ZipFile(out / "r.zip", "w") as archive:
        archive.writestr("r.json", json.dumps({{"strategy": {{name: each for name in names}}}}))
    (out / ".last_result.json").write_text(json.dumps({{"latest_backtest": "r.zip"}}))
"""


@pytest.fixture
def options(tmp_path, monkeypatch):
    """A program that stands beside Python under Freqtrade's name and writes what it would."""
    program = tmp_path / "bin" / "freqtrade"
    program.parent.mkdir()
    fake = program.with_suffix(".py")
    fake.write_text(FAKE.format())
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{fake}' \"$@\"\n")  # either may hold a space
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(program.with_name("python")))
    return ("--userdir", str(tmp_path))


def test_the_best_epoch_is_what_the_next_window_is_tested_with(options, tmp_path):
    freqtrade = Freqtrade(options=options, directory=tmp_path)
    found = tuned(freqtrade, "Judged", FIRST, FIRST + timedelta(days=20), 3)
    assert found == {space: {f"{space}_x": 1} for space in ("enter", "exit", "heatmap")}
    tested = backtested(freqtrade, ["Judged"], FIRST, FIRST + timedelta(days=10), found)
    assert set(tested) == {"Judged"}
    overlay = json.loads((tmp_path / "20260111" / "parameters.json").read_text())
    assert overlay == {"parameters": found}
    assert zipfile.is_zipfile(tmp_path / "20260111" / "r.zip")


def damaged(change):
    """The program, with something else in what it writes."""
    before, after = change
    assert before in FAKE
    return FAKE.replace(before, after)


@pytest.mark.parametrize(
    ("change", "file"),
    [
        (('"latest_backtest": "r.zip"', '"latest": 5'), r"\.last_result\.json"),
        (('json.dumps({{"strategy"', 'json.dumps({{"strategies"'), r"r\.zip"),
        (("name: each for name in names", "name: each for name in names[1:]"), r"r\.zip"),
        (('"starting_balance": 100.0', '"starting_balance": "much"'), r"r\.zip"),
        (('"trades": [trade]', '"trades": [5]'), r"r\.zip"),
        (('"close_date": closed', '"close_date": "soon"'), r"r\.zip"),
        (('"profit_abs": 1.0, ', ""), r"r\.zip"),
        (('"stake_amount": 50.0', '"stake": 50.0'), r"r\.zip"),
        (('"open_date": closed', '"opened": closed'), r"r\.zip"),
        (('archive.writestr("r.json"', 'archive.writestr("other.json"'), r"r\.zip"),
    ],
)
def test_a_malformed_backtest_is_named(change, file, options, tmp_path):
    (tmp_path / "bin" / "freqtrade.py").write_text(damaged(change).format())
    freqtrade = Freqtrade(options=options, directory=tmp_path)
    with pytest.raises(DataError, match=f"{file} must hold what freqtrade backtesting writes"):
        backtested(freqtrade, ["Judged", "Control"], FIRST, FIRST + timedelta(days=10), {})


@pytest.mark.parametrize(
    "change",
    [
        ('"params_details": spaces(loss)', '"params": 5'),
        ('{{"loss": loss', '{{"lost": loss'),
        ('"\\n".join(lines)', '"\\n".join(lines) + "\\n{{"'),
        ('("enter", "exit", "heatmap")', '("enter", "exit")'),
    ],
)
def test_a_malformed_hyperopt_is_named(change, options, tmp_path):
    (tmp_path / "bin" / "freqtrade.py").write_text(damaged(change).format())
    freqtrade = Freqtrade(options=options, directory=tmp_path)
    with pytest.raises(DataError, match=r"\.fthypt must hold what freqtrade hyperopt writes"):
        tuned(freqtrade, "Judged", FIRST, FIRST + timedelta(days=20), 3)


def test_an_error_in_the_log_is_an_error_whatever_the_exit_code(options, tmp_path):
    freqtrade = Freqtrade(options=options, directory=tmp_path)
    with pytest.raises(DataError, match="no such strategy"):
        backtested(freqtrade, ["Broken"], FIRST, FIRST + timedelta(days=10), {})


def test_the_command_writes_and_prints_its_report(options, tmp_path, capsys):
    out = tmp_path / "walk"
    span = ["--timerange", "20260101-20260131", "--tune-days", "10", "--test-days", "10", "--epochs", "3"]
    names = ["--strategy", "Judged", "--controls", "Control"]
    assert main(["walkforward", *span, *names, "--out", str(out), "--", *options]) == 0
    report, shown = capsys.readouterr()
    assert "testing 2026-01-21 to 2026-01-31" in shown
    assert "4/4" in shown  # two windows, each tuned and tested
    assert report == (out / "report.md").read_text()
    assert "2 windows, 2026-01-11 to 2026-01-31; 3 epochs" in report
    assert "Control cannot be told from Judged" in report
    assert "| Judged | 2 | -2.00 | -2.00 | 0.00 |  |  |" in report
    assert "| Control | 2 | -2.00 | -2.00 | 0.00 |" in report
    assert "Stops hit" not in report
