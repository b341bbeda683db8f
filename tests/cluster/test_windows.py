"""A window of a walk-forward as a task: alone in its directory, whole or not there, done once."""

import dataclasses
import json
import stat
import sys
from datetime import date

import pytest

from liqfeature.cluster.windows import WindowTask, digest_of, is_done, remove_attempts, results_of, run_window
from liqfeature.errors import DataError
from liqfeature.walkforward.runs import Freqtrade, backtested, tuned
from liqfeature.walkforward.windows import Window
from walkforward.test_walkforward import FAKE

NAMES = ("Judged", "Control")
WINDOW = Window(begin=date(2026, 1, 1), test=date(2026, 1, 11), end=date(2026, 1, 21))


@pytest.fixture
def freqtrade(tmp_path, monkeypatch):
    """A program that writes what Freqtrade would, a user directory, and a place for results inside of it."""
    program = tmp_path / "bin" / "freqtrade"
    program.parent.mkdir()
    (tmp_path / "fake.py").write_text(FAKE.format())
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{tmp_path / 'fake.py'}' \"$@\"\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(program.with_name("python")))
    userdir = tmp_path / "user_data"
    for name in ("strategies", "data/binance/futures", "hyperopt_results", "walk"):
        (userdir / name).mkdir(parents=True)
    (userdir / "strategies" / "mine.py").write_text("a = 1\n")
    (userdir / "data" / "binance" / "futures" / "BTC.feather").write_bytes(b"candles")
    return Freqtrade(options=("--userdir", "user_data"), directory=userdir / "walk", cwd=tmp_path)


def task_of(freqtrade, **changes):
    made = WindowTask(
        freqtrade=freqtrade, window=WINDOW, strategies=NAMES, epochs=3, jobs=1, digest=digest_of(freqtrade)
    )
    return dataclasses.replace(made, **changes)


def test_a_window_is_what_it_is_without_workers_and_done_once(freqtrade, tmp_path):
    task = task_of(freqtrade)
    assert not is_done(task)
    with pytest.raises(DataError, match="20260111 must be on storage that all workers share"):
        results_of(task)
    assert run_window(task) is True
    assert run_window(task) is False
    found = results_of(task)
    plain = Freqtrade(options=("--userdir", str(tmp_path / "user_data")), directory=tmp_path)
    parameters = tuned(plain, NAMES[0], WINDOW.begin, WINDOW.test, 3)
    assert found == backtested(plain, NAMES, WINDOW.test, WINDOW.end, parameters)
    inside = {path.name for path in task.place.iterdir()}
    assert inside >= {"result.json", "20260111", "freqtrade.log", "user_data"}
    assert json.loads((task.place / "20260111" / "parameters.json").read_text()) == {"parameters": parameters}
    assert [path.name for path in freqtrade.directory.iterdir()] == ["20260111"]
    own = task.place / "user_data"
    assert (own / "strategies" / "mine.py").read_text() == "a = 1\n"
    assert not (own / "walk").exists()  # in which it lies itself
    assert not (own / "hyperopt_results").is_symlink()


@pytest.mark.parametrize("change", ["strategy", "data", "options", "epochs", "jobs", "names", "damaged"])
def test_what_changed_is_done_again(change, freqtrade):
    task = task_of(freqtrade)
    run_window(task)
    userdir = freqtrade.directory.parent
    changed = {"epochs": {"epochs": 2}, "jobs": {"jobs": 2}, "names": {"strategies": NAMES[:1]}}
    if change == "strategy":
        (userdir / "strategies" / "mine.py").write_text("a = 2\n")
    elif change == "data":
        (userdir / "data" / "binance" / "futures" / "BTC.feather").write_bytes(b"candles, and more")
    elif change == "options":
        freqtrade = dataclasses.replace(freqtrade, options=(*freqtrade.options, "--enable-protections"))
    elif change == "damaged":
        (task.place / "result.json").write_text('{"mark"')
    again = task_of(freqtrade, **changed.get(change, {}))
    assert run_window(again) is True
    assert run_window(again) is False
    assert set(results_of(again)) == set(again.strategies)


def test_a_window_that_fails_leaves_its_log_and_no_result(freqtrade):
    task = task_of(freqtrade, strategies=("Judged", "Broken"), epochs=0)
    with pytest.raises(DataError, match=r"the end of .*20260111\.failed\.log:\n.*no such strategy"):
        run_window(task)
    assert not is_done(task)
    assert "no such strategy" in (freqtrade.directory / "20260111.failed.log").read_text()
    assert [path.name for path in freqtrade.directory.iterdir()] == ["20260111.failed.log"]


def test_what_a_killed_worker_left_is_removed(freqtrade):
    task = task_of(freqtrade)
    run_window(task)
    (freqtrade.directory / ".20260111-dead" / "user_data").mkdir(parents=True)
    remove_attempts(freqtrade.directory)
    assert [path.name for path in freqtrade.directory.iterdir()] == ["20260111"]
    assert is_done(task)
