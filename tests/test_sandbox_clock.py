"""The sandbox's clock stands, runs, or is set by a file."""

import time

import pytest

from liqfeature.errors import ConfigError
from liqfeature.sandbox.clock import FileClock, FixedClock, WallClock, milliseconds, set_clock

NOON = 1_767_268_800_000


def test_a_fixed_clock_stands():
    assert FixedClock(NOON).now() == NOON


@pytest.mark.parametrize("speed", [1.0, 600.0])
def test_a_wall_clock_runs_at_its_speed(speed):
    clock = WallClock(NOON, speed)
    began = time.monotonic()
    time.sleep(0.05)
    shown = clock.now()
    passed = 1000 * speed * (time.monotonic() - began)
    assert 50 * speed - 1 <= shown - NOON <= passed + 10 * speed


def test_the_clock_of_the_day_shows_the_time_of_day():
    assert abs(WallClock.of_day().now() - 1000 * time.time()) < 100


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_a_clock_that_does_not_run_is_refused(speed):
    with pytest.raises(ConfigError, match=f"speed must be above 0, got {speed}"):
        WallClock(NOON, speed)


@pytest.mark.parametrize(
    "text", ["1767268800000", "2026-01-01T12:00:00Z", "2026-01-01 12:00", "2026-01-01T14:00:00+02:00"]
)
def test_a_file_holds_milliseconds_or_a_date(tmp_path, text):
    (tmp_path / "clock").write_text(text + "\n")
    assert FileClock(tmp_path / "clock").now() == milliseconds(text) == NOON


def test_a_file_is_read_at_each_look(tmp_path):
    clock = FileClock(tmp_path / "the clock")
    for moment in (NOON, NOON + 1, NOON - 5):
        set_clock(clock.path, moment)
        assert clock.now() == moment
    assert [path.name for path in tmp_path.iterdir()] == ["the clock"]


@pytest.mark.parametrize("text", ["", "noon", "-5", None])
def test_a_file_without_a_time_is_an_error_that_names_it(tmp_path, text):
    if text is not None:
        (tmp_path / "clock").write_text(text)
    with pytest.raises(ConfigError, match=r"clock file .*clock must hold milliseconds"):
        FileClock(tmp_path / "clock").now()
