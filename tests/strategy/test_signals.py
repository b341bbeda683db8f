"""Signals: worked rows, mirror images, and that NaN fulfils nothing."""

import math

import pandas as pd
import pytest

from liqfeature.errors import MissingColumnError
from liqfeature.strategy import signals

sides = pytest.mark.parametrize("is_short", [False, True], ids=["long", "short"])


def rows(is_short, **columns):
    """One row as a long sees it, turned round for a short; prices are mirrored at 100."""
    if is_short:
        columns = {mirror_name(name): mirror_value(name, value) for name, value in columns.items()}
    return pd.DataFrame([columns])


def mirror_name(name):
    return name.replace("above", "?").replace("below", "above").replace("?", "below")


def mirror_value(name, value):
    if name == "close" or "pierced" in name:
        return 200 - value
    return -value if name == "liq_imbalance" else value


SWEPT = {
    "close": 100.0,
    "liq_imbalance": 0.2,
    "liq_cleared_below": 0.7,
    "liq_pierced_below": 99.0,
}


@sides
@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, True),
        ({"liq_cleared_below": 0.6, "liq_imbalance": 0.0}, True),
        ({"liq_cleared_below": 0.59}, False),
        ({"liq_pierced_below": 100.0}, False),
        ({"liq_pierced_below": 101.0}, False),
        ({"liq_imbalance": -0.1}, False),
    ],
)
def test_a_sweep_counts_once_price_is_back_and_fuel_is_low(is_short, change, found):
    rule = {"cleared": 0.6, "remaining": 0.5}
    (flag,) = signals.swept_and_reclaimed(rows(is_short, **SWEPT | change), is_short=is_short, **rule)
    assert flag == found


WAY = {"liq_distance_above": 0.02, "liq_density_above": 0.05, "liq_vacuum_above": 0.5}


@sides
@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, True),
        ({"liq_distance_above": 0.01, "liq_density_above": 0.04}, True),
        ({"liq_distance_above": 0.03, "liq_vacuum_above": 0.8}, True),
        ({"liq_distance_above": 0.009}, False),
        ({"liq_distance_above": 0.031}, False),
        ({"liq_density_above": 0.039}, False),
        ({"liq_vacuum_above": 0.81}, False),
    ],
)
def test_a_way_is_open_towards_a_dense_cluster_in_reach_with_air_before_it(is_short, change, found):
    rule = {"room": 0.01, "distance": 0.03, "density": 0.04, "air": 0.8}
    (flag,) = signals.open_way(rows(is_short, **WAY | change), is_short=is_short, **rule)
    assert flag == found


BREAK = {"close": 100.0, "liq_cleared_above": 0.7, "liq_pierced_above": 99.0, "liq_cascade_above": 0.5}


@sides
@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, True),
        ({"liq_cleared_above": 0.6, "liq_cascade_above": 0.4}, True),
        ({"liq_cleared_above": 0.59}, False),
        ({"liq_pierced_above": 100.0}, False),
        ({"liq_pierced_above": 101.0}, False),
        ({"liq_cascade_above": 0.39}, False),
    ],
)
def test_a_break_counts_while_price_stays_beyond_and_more_is_likely(is_short, change, found):
    table = rows(is_short, **BREAK | change)
    (flag,) = signals.broken_through(table, is_short=is_short, cleared=0.6, cascade=0.4)
    assert flag == found


SAFE = {
    "stop_distance_below": 0.02,
    "liq_distance_below": 0.02,
    "liq_density_below": 0.5,
    "liq_hit_below": 0.2,
    "liq_cascade_below": 0.1,
}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, False),
        ({"liq_distance_below": 0.0201}, True),
        ({"stop_distance_below": 0.0199}, True),
        ({"liq_density_below": 0.09}, True),
        ({"liq_density_below": math.nan, "liq_distance_below": math.nan, "liq_hit_below": math.nan}, True),
        ({"liq_density_below": 0.0, "liq_hit_below": 0.31}, False),
        ({"liq_density_below": 0.0, "liq_cascade_below": 0.21}, False),
        ({"liq_density_below": 0.0, "liq_cascade_below": math.nan}, False),
    ],
)
def test_what_could_be_set_off_before_the_stop_is_refused_and_no_cluster_is_not(change, found):
    rule = {"density": 0.1, "hit": 0.3, "cascade": 0.2}
    (flag,) = signals.safe_behind(pd.DataFrame([SAFE | change]), is_short=False, **rule)
    assert flag == found
    turned = {mirror_name(name): value for name, value in (SAFE | change).items()}
    (flag,) = signals.safe_behind(pd.DataFrame([turned]), is_short=True, **rule)
    assert flag == found


@pytest.mark.parametrize(
    ("until", "since", "found"),
    [
        (31.0, 11.0, True),
        (30.0, 11.0, False),
        (31.0, 10.0, False),
        (0.0, 0.0, False),
        (math.nan, math.nan, True),  # nothing is known to be scheduled
    ],
)
def test_a_window_lies_before_and_after_what_is_scheduled(until, since, found):
    calm = {"liq_until_funding": 240.0, "liq_since_funding": 240.0}
    table = pd.DataFrame([{"liq_until_event": until, "liq_since_event": since} | calm])
    windows = {"funding": (15, 5), "event": (30, 10)}
    (flag,) = signals.outside_windows(table, windows)
    assert flag == found
    assert signals.outside_windows(table, {}).all()
    with pytest.raises(MissingColumnError, match="liq_until_weekly_expiry"):
        signals.outside_windows(table, {"weekly_expiry": (30, 10)})


@pytest.mark.parametrize(
    ("volume", "usual", "quality", "found"),
    [
        (5.0, 10.0, 0.4, True),
        (4.9, 10.0, 0.4, False),
        (5.0, 10.0, 0.39, False),
        (0.0, 0.0, 1.0, False),
        (5.0, math.nan, 1.0, False),
        (5.0, 10.0, math.nan, False),
    ],
)
def test_a_row_is_trusted_for_its_quality_and_its_volume(volume, usual, quality, found):
    table = pd.DataFrame([{"volume": volume, "volume_usual": usual, "liq_quality": quality}])
    (flag,) = signals.trusted(table, quality=0.4, volume=0.5)
    assert flag == found


@sides
@pytest.mark.parametrize(
    ("cleared", "imbalance", "found"),
    [(0.8, -0.6, True), (0.79, -0.6, False), (0.8, -0.59, False), (math.nan, -1.0, False)],
)
def test_fuel_is_spent_when_the_cluster_ahead_was_swept_and_little_is_left(
    is_short, cleared, imbalance, found
):
    table = rows(is_short, liq_cleared_above=cleared, liq_imbalance=imbalance)
    (flag,) = signals.fuel_spent(table, is_short=is_short, cleared=0.8, remaining=0.2 + 1e-12)
    assert flag == found


def test_shares_of_fuel_are_those_from_which_imbalance_is_made():
    above, below = 3.0, 1.0
    table = pd.DataFrame({"liq_imbalance": [(above - below) / (above + below), math.nan]})
    assert signals.fuel_share(table, "above")[0] == pytest.approx(above / (above + below))
    assert signals.fuel_share(table, "below")[0] == pytest.approx(below / (above + below))
    assert signals.fuel_share(table, "below").isna()[1]


def test_a_missing_column_is_named():
    table = pd.DataFrame([SWEPT]).drop(columns="liq_cleared_below")
    rule = {"cleared": 0.6, "remaining": 0.5}
    with pytest.raises(MissingColumnError, match="liq_cleared_below"):
        signals.swept_and_reclaimed(table, is_short=False, **rule)


def test_the_first_condition_that_holds_names_a_row_and_any_of_them_marks_it():
    index = pd.Index([7, 3, 5, 1])
    flags = {
        "towards": pd.Series([True, False, True, False], index=index),
        "through": pd.Series([False, True, True, False], index=index),
    }
    pd.testing.assert_series_equal(signals.any_of(*flags.values()), pd.Series([1, 1, 1, 0], index=index))
    named = pd.Series(["towards", "through", "towards", math.nan], index=index, dtype="str")
    pd.testing.assert_series_equal(signals.first_of(flags), named)
    assert flags["towards"].tolist() == [True, False, True, False]  # left as they were
