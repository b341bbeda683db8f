"""Which rows are entries and exits, by Freqtrade's own calls."""

import math

import pytest

pytest.importorskip("freqtrade")

from builders.driving import sides
from builders.entry_rows import QUIET, SWITCHES, TAGS, entries, good_row, mirror_row, signals, ways


@ways
def test_a_good_row_is_one_long_and_its_mirror_image_one_short(everything, way):
    nothing = dict.fromkeys(good_row(everything, "long"), math.nan)
    long, short = (good_row(everything, side, way) for side in ("long", "short"))
    found = entries(everything, nothing, long, nothing, short)
    assert found == [(1, "enter_long", TAGS[way, "long"]), (3, "enter_short", TAGS[way, "short"])]


@sides
@ways
def test_an_entry_that_is_switched_off_is_not_taken(everything, monkeypatch, way, side):
    row = good_row(everything, side, way)
    assert len(entries(everything, row)) == 1
    name, off = SWITCHES[way]
    monkeypatch.setattr(getattr(everything, name), "value", off)
    assert entries(everything, row) == []


def test_shorts_after_a_squeeze_are_off_unless_wanted(strategy):
    rows = [good_row(strategy, side, "reclaimed") for side in ("long", "short")]
    assert entries(strategy, *rows) == [(0, "enter_long", "longs_swept")]


@sides
def test_of_several_reasons_the_first_names_the_entry(everything, side):
    rows = [good_row(everything, "long", way) for way in SWITCHES]
    both = rows[2] | {name: value for name, value in rows[0].items() if value != QUIET.get(name)}
    both = both | {"liq_cascade_above": rows[2]["liq_cascade_above"]}
    both = both if side == "long" else mirror_row(both)
    assert [tag for _, _, tag in entries(everything, both)] == [TAGS["towards", side]]


@sides
@ways
def test_too_few_reasons_of_a_chart_reader_are_no_entry(everything, monkeypatch, way, side):
    row = good_row(everything, side, way)
    monkeypatch.setattr(everything.enter_confluence, "value", 1)
    assert len(entries(everything, row)) == 1  # the trend
    monkeypatch.setattr(everything.enter_confluence, "value", 2)
    assert entries(everything, row) == []


@sides
@ways
def test_without_columns_there_is_no_entry_and_no_exit(everything, way, side):
    row = {
        name: math.nan if name.startswith("liq_") else value
        for name, value in good_row(everything, side, way).items()
    }
    assert signals(everything, [row] * 3) == []


FILTERED = {
    "hit likely behind": ("liq_hit_below", lambda s: s.enter_hit.value + 0.01),
    "cascade likely behind": ("liq_cascade_below", lambda s: s.enter_cascade.value + 0.01),
    "dense cluster before the stop": ("liq_density_below", lambda s: s.enter_wall.value + 0.01),
    "untrusted": ("liq_quality", lambda s: s.enter_quality.value - 0.01),
    "quality 0": ("liq_quality", lambda s: 0.0),
    "not traded": ("volume", lambda s: 0.0),
    "hardly traded": ("volume", lambda s: s.enter_volume.value - 0.01),
}
BROKEN = {
    "towards": {
        "too near": ("liq_distance_above", lambda s: s.enter_room.value * 0.99),
        "too far": ("liq_distance_above", lambda s: s.enter_distance.value * 1.01),
        "thin": ("liq_density_above", lambda s: s.enter_density.value - 0.001),
        "something in between": ("liq_vacuum_above", lambda s: s.enter_air.value + 0.01),
        "no trend": ("ema_fast", lambda s: 100.0),
        "against the trend": ("ema_fast", lambda s: 99.0),
        "overbought": ("rsi", lambda s: 71.0),
    },
    "reclaimed": {
        "hardly swept": ("liq_cleared_below", lambda s: s.enter_cleared.value - 0.01),
        "not reclaimed": ("liq_pierced_below", lambda s: 100.1),
        "at the edge": ("liq_pierced_below", lambda s: 100.0),
        "fuel left": ("liq_imbalance", lambda s: 1 - 2 * s.enter_remaining.value - 0.01),
    },
    "through": {
        "hardly swept": ("liq_cleared_above", lambda s: s.enter_cleared.value - 0.01),
        "fell back": ("liq_pierced_above", lambda s: 100.1),
        "at the edge": ("liq_pierced_above", lambda s: 100.0),
        "nothing to set off": ("liq_cascade_above", lambda s: s.enter_follow.value - 0.01),
    },
}
FAULTS = [(way, *fault) for way in BROKEN for fault in (BROKEN[way] | FILTERED).values()]


@sides
@pytest.mark.parametrize(("way", "column", "worse"), FAULTS)
def test_breaking_one_condition_removes_the_entry(everything, side, way, column, worse):
    row = good_row(everything, "long", way) | {column: worse(everything)}
    good = good_row(everything, side, way)
    assert entries(everything, good, row if side == "long" else mirror_row(row), good) == [
        (i, f"enter_{side}", TAGS[way, side]) for i in (0, 2)
    ]


NEEDED = [
    (way, column)
    for way in BROKEN
    for column in sorted({column for column, _ in (BROKEN[way] | FILTERED).values()})
    if column not in ("liq_hit_below", "liq_density_below")
]


@sides
@pytest.mark.parametrize(("way", "column"), NEEDED)
def test_a_missing_value_removes_the_entry(everything, side, way, column):
    row = good_row(everything, "long", way) | {column: math.nan}
    assert entries(everything, row if side == "long" else mirror_row(row)) == []


@sides
def test_no_cluster_behind_is_no_reason_to_stay_out(strategy, side):
    row = good_row(strategy, "long") | {"liq_hit_below": math.nan}
    assert len(entries(strategy, row if side == "long" else mirror_row(row))) == 1


@sides
@pytest.mark.parametrize("reach", ["enter_room", "enter_distance"])
def test_a_row_at_every_threshold_is_an_entry(strategy, side, reach):
    row = good_row(strategy, "long") | {
        "liq_distance_above": getattr(strategy, reach).value,
        "liq_density_above": strategy.enter_density.value,
        "liq_vacuum_above": strategy.enter_air.value,
        "volume": strategy.enter_volume.value,
        "liq_hit_below": strategy.enter_hit.value,
        "liq_cascade_below": strategy.enter_cascade.value,
        "liq_quality": strategy.enter_quality.value,
    }
    assert len(entries(strategy, row if side == "long" else mirror_row(row))) == 1


def test_a_position_is_left_when_a_cascade_against_it_is_likely(strategy):
    calm, likely = strategy.exit_cascade.value - 0.01, strategy.exit_cascade.value + 0.01
    idle = QUIET | {"volume": 0.0}
    rows = [
        idle | {"liq_cascade_below": below, "liq_cascade_above": above}
        for below, above in (
            (calm, calm),
            (likely, calm),
            (calm, likely),
            (math.nan, likely),
            (likely, likely),
        )
    ]
    assert signals(strategy, rows) == [
        (1, "exit_long", "cascade_behind"),
        (4, "exit_long", "cascade_behind"),
        (2, "exit_short", "cascade_behind"),
        (3, "exit_short", "cascade_behind"),
        (4, "exit_short", "cascade_behind"),
    ]


@sides
@pytest.mark.parametrize(("cleared", "left", "spent"), [(0, 0, True), (-0.01, 0, False), (0, 0.01, False)])
def test_a_position_is_left_when_the_cluster_ahead_was_swept_and_little_is_left(
    strategy, side, cleared, left, spent
):
    share = strategy.exit_remaining.value + left
    row = QUIET | {
        "volume": 0.0,
        "liq_cascade_above": 0.0,
        "liq_cascade_below": 0.0,
        "liq_cleared_above": strategy.exit_cleared.value + cleared,
        "liq_imbalance": 2 * share - 1,
    }
    found = signals(strategy, [row if side == "long" else mirror_row(row)])
    assert found == ([(0, f"exit_{side}", "fuel_spent")] if spent else [])
