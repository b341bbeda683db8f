"""The sandbox's clock stands, runs, or is set by a file."""

import time

import pytest

from liqfeature.errors import ConfigError
from liqfeature.sandbox.server.clock import FileClock, FixedClock, WallClock, milliseconds, set_clock

NOON = 1_767_268_800_000


def test_a_fixed_clock_stands():
    assert FixedClock(NOON).now() == NOON


@pytest.mark.parametrize("speed", [1.0, 600.0])
def test_a_wall_clock_runs_at_its_speed(speed):
    began = time.monotonic() - 0.05
    clock = WallClock(NOON, speed, began)
    asked = time.monotonic()
    shown = clock.now() - NOON
    after = time.monotonic()
    assert 1000 * speed * (asked - began) - 1 <= shown <= 1000 * speed * (after - began)
    assert shown >= 50 * speed - 1


def test_a_wall_clock_begins_at_its_moment():
    made = time.monotonic()
    clock = WallClock(NOON)
    assert NOON <= clock.now() <= NOON + 1000 * (time.monotonic() - made)


def test_the_clock_of_the_day_shows_the_time_of_day():
    before, shown, after = time.time_ns(), WallClock.of_day().now(), time.time_ns()
    assert before // 1_000_000 <= shown <= after / 1_000_000 + 1


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_a_clock_that_does_not_run_is_refused(speed):
    with pytest.raises(ConfigError, match=f"speed must be above 0, received {speed}"):
        WallClock(NOON, speed)


@pytest.mark.parametrize(
    "text", ["1767268800000", "2026-01-01T12:00:00Z", "2026-01-01 12:00", "2026-01-01T14:00:00+02:00"]
)
def test_a_file_holds_milliseconds_or_a_date(tmp_path, text):
    (tmp_path / "clock").write_text(text + "\n")
    assert FileClock(tmp_path / "clock").now() == milliseconds(text) == NOON


def test_a_file_is_read_at_each_look(tmp_path):
    path = tmp_path / "the clock"
    clock = FileClock(path)
    for moment in (NOON, NOON + 1, NOON - 5):
        set_clock(path, moment)
        assert clock.now() == moment
    assert [path.name for path in tmp_path.iterdir()] == ["the clock"]


@pytest.mark.parametrize("text", ["", "noon", "-5", None])
def test_a_file_without_a_time_is_an_error_that_names_it(tmp_path, text):
    if text is not None:
        (tmp_path / "clock").write_text(text)
    with pytest.raises(ConfigError, match=r"clock must hold milliseconds or a date in ISO 8601: "):
        FileClock(tmp_path / "clock").now()


@pytest.mark.parametrize("text", ["", "noon", None])
def test_while_its_file_is_bad_a_clock_shows_the_last_good_moment_and_says_so(tmp_path, text, caplog):
    path = tmp_path / "clock"
    clock = FileClock(path)
    set_clock(path, NOON)
    assert clock.now() == NOON
    path.unlink()
    if text is not None:
        path.write_text(text)
    assert (clock.now(), clock.now()) == (NOON, NOON)
    assert len(caplog.messages) == 1
    set_clock(path, NOON + 1)
    assert clock.now() == NOON + 1
