"""What FreqUI is given to draw lies where the columns and the plan say."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from liqfeature import MissingColumnError
from liqfeature.heatmap.clusters import Ladder, Rung
from liqfeature.strategy.drawing import FAINTEST, STRONGEST, cluster_areas, plan_lines
from liqfeature.strategy.plan import Plan

DATE = pd.date_range("2026-01-01", periods=5, freq="5min", tz="UTC")
DAY = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 6)]


def rows(**changes):
    nothing = [math.nan] * 5
    columns = {
        f"liq_{what}_{where}": nothing
        for what in ("near", "far", "notional", "density")
        for where in ("above", "below")
    }
    above = {
        "liq_near_above": [101.0, 110.0, 102.0, 102.2, 102.5],
        "liq_far_above": [103.0, 111.0, 103.0, 103.0, 103.5],
        "liq_notional_above": [1e6, 1e6, 1e6, 1e6, 2.5e6],
        "liq_density_above": [0.1, 0.1, 0.1, 0.1, 0.05],
    }
    return pd.DataFrame({"date": DATE} | columns | above | changes)


def test_an_area_reaches_from_near_to_far_edge_since_the_cluster_stands_there():
    (area,) = cluster_areas(rows())
    assert (area["type"], area["y_start"], area["y_end"]) == ("area", 102.5, 103.5)
    assert (area["start"], area["end"]) == (DATE[2], DATE[4])
    assert area["label"] == "shorts 2.5M"


def test_a_gap_ends_an_area_and_a_standing_cluster_fills_the_range():
    (area,) = cluster_areas(rows(liq_near_above=[102.0, 102.0, 102.0, math.nan, 102.5]))
    assert area["start"] == DATE[4]
    (area,) = cluster_areas(rows(liq_near_above=[102.0] * 5, liq_far_above=[103.0] * 5))
    assert area["start"] == DATE[0]


def test_longs_rest_below_in_another_colour():
    below = {
        f"liq_{what}_below": [value] * 5
        for what, value in (("near", 98.0), ("far", 97.0), ("notional", 1e6), ("density", 0.05))
    }
    above, longs = cluster_areas(rows(**below))
    assert longs["label"] == "longs 1M"
    assert longs["y_start"] == 98.0
    assert longs["color"].rpartition(",")[2] == above["color"].rpartition(",")[2]
    assert longs["color"] != above["color"]


def test_of_a_ladder_the_strongest_are_drawn_from_their_age_to_beyond_the_last_candle():
    def rung(near, notional, age):
        held = {"notional": notional, "share": 0.0, "density": 0.05, "hit": 0.0}
        return Rung(near=near, peak=near, far=near + 1, distance=near - 100, age=age, **held)

    above = tuple(
        rung(101.0 + i, held, age)
        for i, (held, age) in enumerate([(4e6, 0.2), (1e6, 3), (2e6, 99), (3e6, 2)])
    )
    ladder = Ladder(date=DATE[-1], close=100.0, above=above, below=())
    areas = cluster_areas(rows(), ladder)
    assert [(area["y_start"], area["label"]) for area in areas] == [
        (101.0, "shorts 4M"),
        (103.0, "shorts 2M"),
        (104.0, "shorts 3M"),
    ]
    assert [area["start"] for area in areas] == [DATE[4], DATE[0], DATE[2]]
    assert {area["end"] for area in areas} == {DATE[4] + timedelta(hours=1)}
    assert cluster_areas(rows(), replace(ladder, date=DATE[3])) == cluster_areas(rows())  # of another candle


@pytest.mark.parametrize(("density", "opacity"), [(0.0, FAINTEST), (0.1, FAINTEST + 0.2), (9.0, STRONGEST)])
def test_the_denser_the_less_transparent(density, opacity):
    (area,) = cluster_areas(rows(liq_density_above=[density] * 5))
    assert area["color"] == f"rgba(213, 94, 0, {opacity:.2f})"


def test_without_a_cluster_or_a_row_there_is_no_area():
    assert cluster_areas(rows(liq_near_above=[102.0] * 4 + [math.nan])) == []
    assert cluster_areas(rows().iloc[:0]) == []
    with pytest.raises(MissingColumnError, match="liq_far_above"):
        cluster_areas(rows().drop(columns="liq_far_above"))


def test_lines_lie_at_stop_and_targets_inside_the_range():
    plan = Plan(side="short", entry_price=100.0, stop=103.0, first_target=98.0)
    shown = pd.Series(DAY[1:4])
    lines = plan_lines(plan, DAY[0], shown)
    assert [(line["label"], line["y_start"], line["y_end"]) for line in lines] == [
        ("short stop", 103.0, 103.0),
        ("short first target", 98.0, 98.0),
    ]
    assert all((line["start"], line["end"]) == (DAY[1], DAY[3]) for line in lines)
    assert plan_lines(plan, DAY[1] + timedelta(hours=3), shown)[0]["start"] == DAY[1] + timedelta(hours=3)
    assert plan_lines(plan, DAY[0], shown.iloc[:0]) == []


def test_a_trade_just_opened_has_lines_over_the_last_candle():
    """The candle of the last date has closed; at most one more is under way."""
    plan = Plan(side="long", entry_price=100.0, stop=97.0)
    shown = pd.Series(DAY[:3])
    for late in (timedelta(0), timedelta(hours=23), timedelta(days=2)):
        (line,) = plan_lines(plan, DAY[2] + late, shown)
        assert (line["start"], line["end"]) == (DAY[1], DAY[2])
    assert plan_lines(plan, DAY[4] + timedelta(seconds=1), shown) == []
