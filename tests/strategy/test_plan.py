"""Plans: worked examples, plain types, and refusals."""

import json
import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from liqfeature.errors import ConfigError, DataError, MissingColumnError
from liqfeature.strategy import Plan, PlanRule
from liqfeature.strategy.risk import targets

sides = pytest.mark.parametrize("is_short", [False, True], ids=["long", "short"])


ROW = {
    "liq_far_below": 98.0,
    "liq_near_below": 99.0,
    "liq_peak_below": 98.5,
    "liq_near_above": 102.0,
    "liq_peak_above": 102.5,
    "liq_far_above": 103.0,
    "stop_distance_below": 0.01,
    "stop_distance_above": 0.01,
}
AT = {"entry_price": 100.0, "average_true_range": 1.0}
RULE = PlanRule(buffer=0.5, max_distance=0.05, inset=0.5, min_distance=0.001)


def as_tuple(plan):
    return (plan.side, plan.entry_price, plan.stop, plan.first_target, plan.second_target)


@pytest.mark.parametrize(
    ("change", "is_short", "expected"),
    [
        ({}, False, ("long", 100.0, 97.5, 101.5, 102.5)),
        ({}, True, ("short", 100.0, 103.5, 99.5, 98.5)),
        ({"liq_far_below": math.nan}, False, ("long", 100.0, 99.0, 101.5, 102.5)),
        ({"stop_distance_below": 0.03}, False, ("long", 100.0, 97.0, 101.5, 102.5)),
        ({"stop_distance_above": 0.04}, True, ("short", 100.0, 104.0, 99.5, 98.5)),
        ({"liq_far_below": 95.6}, False, ("long", 100.0, 95.1, 101.5, 102.5)),
        ({"liq_near_above": math.nan}, False, ("long", 100.0, 97.5, math.nan, 102.5)),
        ({"liq_peak_above": math.nan}, False, ("long", 100.0, 97.5, 101.5, math.nan)),
        ({"liq_near_above": 100.59}, False, ("long", 100.0, 97.5, math.nan, 102.5)),
    ],
)
def test_plans_doable_in_the_head(change, is_short, expected):
    plan = Plan.for_entry(ROW | change, is_short=is_short, rule=RULE, **AT)
    assert as_tuple(plan) == pytest.approx(expected, nan_ok=True)
    assert plan.is_short == is_short


@pytest.mark.parametrize(("column", "is_short"), [("liq_far_below", False), ("liq_far_above", True)])
def test_a_stop_out_of_reach_is_no_plan(column, is_short):
    too_far = {column: 110.0 if is_short else 90.0}
    assert Plan.for_entry(ROW | too_far, is_short=is_short, rule=RULE, **AT) is None
    for distance in (0.051, math.nan):
        unsafe = ROW | {f"stop_distance_{'above' if is_short else 'below'}": distance}
        assert Plan.for_entry(unsafe, is_short=is_short, rule=RULE, **AT) is None
    unknown_range = AT | {"average_true_range": math.nan}
    assert Plan.for_entry(ROW, is_short=is_short, rule=RULE, **unknown_range) is None


@sides
def test_every_distance_of_the_rule_counts(is_short):
    base = as_tuple(Plan.for_entry(ROW, is_short=is_short, rule=RULE, **AT))
    for name in ("buffer", "inset"):
        changed = PlanRule(**{"max_distance": 0.05, "buffer": 0.5, "inset": 0.5} | {name: 0.25})
        assert as_tuple(Plan.for_entry(ROW, is_short=is_short, rule=changed, **AT)) != base
    least = {"inset": 0.1, "min_distance": 0.002, "targets": "clusters", "multiples": (1.0, 2.0)}
    assert PlanRule() == PlanRule(buffer=0.35, stop_probability=0.35, max_distance=0.04, **least)


@sides
@pytest.mark.parametrize(("multiples", "first", "second"), [((1.0, 2.0), 3.0, 6.0), ((0.5, 0.5), 1.5, 1.5)])
def test_plain_targets_lie_at_multiples_of_the_distance_to_the_stop_and_stay(
    is_short, multiples, first, second
):
    rule = PlanRule(buffer=0.5, targets="plain", multiples=multiples)
    row = ROW | {"stop_distance_below": 0.03, "stop_distance_above": 0.03}
    sign = -1 if is_short else 1
    if is_short:
        row |= {"liq_far_above": 101.0}
    plan = Plan.for_entry(row, is_short=is_short, rule=rule, **AT)
    expected = (100 - sign * 3.0, 100 + sign * first, 100 + sign * second)
    assert (plan.stop, plan.first_target, plan.second_target) == pytest.approx(expected)
    gone = dict.fromkeys(ROW, math.nan)
    assert plan.retargeted(gone, price=100.0, average_true_range=1.0, rule=rule) is plan


@sides
def test_a_stop_that_follows_stays_as_far_as_the_probability_asks(is_short):
    plan, where = (
        Plan(side="short" if is_short else "long", entry_price=100.0, stop=110.0 if is_short else 90.0),
        ("above" if is_short else "below"),
    )
    sign = -1 if is_short else 1
    row = {f"liq_near_{where}": 100 - sign * 0.5, f"liq_far_{where}": 100 - sign * 1.0}
    for distance, stop in ((0.005, 1.35), (0.02, 2.0)):
        moved = plan.tightened(
            row | {f"stop_distance_{where}": distance}, price=100.0, average_true_range=1.0
        )
        assert moved.current_stop == pytest.approx(100 - sign * stop)
    assert (
        plan.tightened(row | {f"stop_distance_{where}": math.nan}, price=100.0, average_true_range=1.0)
        is plan
    )


@sides
def test_a_plan_from_a_frame_is_that_from_a_dict(is_short):
    row = pd.DataFrame([ROW]).iloc[-1]
    numpy_at = {name: np.float64(value) for name, value in AT.items()}
    plan = Plan.for_entry(row, is_short=is_short, rule=RULE, **numpy_at)
    assert plan == Plan.for_entry(ROW, is_short=is_short, rule=RULE, **AT)
    assert {type(value) for value in plan.to_dict().values()} == {str, int, float}


def test_a_plan_counts_in_double_precision_where_freqtrade_stored_single():
    row = {name: np.float32(value) for name, value in ROW.items()} | {"liq_far_below": np.float32(98.1)}
    plan = Plan.for_entry(row, is_short=False, **AT)
    assert plan.stop == float(np.float32(98.1)) - 0.35


@pytest.mark.parametrize("missing", [None, "liq_near_above", "liq_peak_above"])
def test_a_plan_survives_the_trip_through_json_as_plain_types(missing):
    row = {name: np.float64(math.nan if name == missing else value) for name, value in ROW.items()}
    plan = Plan.for_entry(row, is_short=False, rule=RULE, **AT)
    stored = plan.to_dict()
    assert all(type(value) in (str, int, float) for value in stored.values())
    assert all(value == value for value in stored.values())
    assert len(stored) == (7 if missing is None else 6)
    rebuilt = Plan.from_dict(json.loads(json.dumps(stored, allow_nan=False)))
    assert rebuilt.to_dict() == stored
    assert as_tuple(rebuilt) == pytest.approx(as_tuple(plan), nan_ok=True)


def test_targets_are_reached_from_the_side_of_the_entry():
    long = Plan(side="long", entry_price=100.0, stop=98.0, first_target=102.0, second_target=103.0)
    assert [long.reached_first(price) for price in (101.9, 102.0, 102.9)] == [False, True, True]
    assert [long.reached_second(price) for price in (102.9, 103.0, 104.0)] == [False, True, True]
    short = Plan(side="short", entry_price=100.0, stop=102.0, first_target=98.0, second_target=97.0)
    assert [short.reached_first(price) for price in (98.1, 98.0, 97.1)] == [False, True, True]
    assert [short.reached_second(price) for price in (97.1, 97.0, 90.0)] == [False, True, True]
    bare = Plan(side="long", entry_price=100.0, stop=98.0)
    assert not bare.reached_first(1e9)
    assert not bare.reached_second(1e9)


# Messages name the parameter, the rule and the value.


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"buffer": -1.0}, "buffer must be at least 0, received -1.0"),
        ({"stop_probability": math.nan}, "stop_probability must be between 0 and 1, received nan"),
        ({"stop_probability": 1.0}, "stop_probability must be between 0 and 1, received 1.0"),
        ({"targets": "none"}, "targets must be clusters or plain, received 'none'"),
        ({"multiples": (2.0, 1.0)}, "multiples must be two numbers above 0, ascending, received (2.0, 1.0)"),
        ({"multiples": (0.0, 1.0)}, "multiples must be two numbers above 0, ascending, received (0.0, 1.0)"),
        ({"max_distance": 1.0}, "max_distance must be between 0 and 1, received 1.0"),
        ({"max_distance": 0.0}, "max_distance must be between 0 and 1, received 0.0"),
    ],
)
def test_a_wrong_stop_rule_is_refused(change, message):
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        PlanRule(**change)


@pytest.mark.parametrize("name", ["inset", "min_distance"])
def test_a_wrong_target_rule_is_refused(name):
    position = {"entry_price": 100.0, "is_short": False, "average_true_range": 1.0}
    for refuse in (lambda: targets(1.0, 1.0, **position, **{name: -0.1}), lambda: PlanRule(**{name: -0.1})):
        with pytest.raises(ConfigError, match=f"^{name} must be at least 0, received -0.1$"):
            refuse()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"side": "buy"}, "side must be 'long' or 'short', received 'buy'"),
        ({"stop": 101.0}, "stop of a long must lie on the losing side of 100.0, received 101.0"),
        ({"stop": 100.0}, "stop of a long must lie on the losing side of 100.0, received 100.0"),
        ({"stop": math.nan}, "stop of a long must lie on the losing side of 100.0, received nan"),
        (
            {"side": "short", "stop": 99.0},
            "stop of a short must lie on the losing side of 100.0, received 99.0",
        ),
        (
            {"first_target": 99.0},
            "first_target of a long must lie on the winning side of 100.0, received 99.0",
        ),
        (
            {"second_target": 100.0},
            "second_target of a long must lie on the winning side of 100.0, received 100.0",
        ),
        (
            {"side": "short", "stop": 101.0, "first_target": 103.0},
            "first_target of a short must lie on the winning side of 100.0, received 103.0",
        ),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(change, message):
    stored = {"side": "long", "entry_price": 100.0, "stop": 98.0} | change
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        Plan.from_dict(stored)


STORED = {"side": "long", "entry_price": 100.0, "stop": 98.0}


@pytest.mark.parametrize(
    "stored",
    [
        {"side": "long", "stop": 98.0},
        {},
        None,
        5,
        "text",
        ["side", "entry_price", "stop"],
    ],
)
def test_a_plan_of_another_shape_is_refused(stored):
    message = f"a stored plan must have side, entry_price, stop, received {stored!r}"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        Plan.from_dict(stored)


@pytest.mark.parametrize("name", ["entry_price", "stop", "first_target", "shield", "tightened_stop"])
@pytest.mark.parametrize("value", [None, "98.0", True, [98.0], {}])
def test_a_stored_value_that_is_no_number_is_refused(name, value):
    message = f"{name} of a stored plan must be a number, received {value!r}"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        Plan.from_dict(STORED | {name: value})


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"stop": -1.0}, "stop"),
        ({"stop": 0.0}, "stop"),
        ({"side": "short", "stop": math.inf}, "stop"),
        ({"entry_price": math.inf}, "entry_price"),
        ({"second_target": math.inf}, "second_target"),
        ({"side": "short", "stop": 101.0, "first_target": -2.0}, "first_target"),
        ({"shield": -1.0}, "shield"),
    ],
)
def test_a_price_that_is_none_is_refused(change, name):
    with pytest.raises(DataError, match=rf"^{name} of a \w+ must lie between 0 and infinity, received "):
        Plan.from_dict(STORED | change)


def test_a_stored_plan_carries_a_version_and_fields_of_a_later_one_are_left_out():
    plan = Plan(**STORED, first_target=101.0)
    assert plan.to_dict()["version"] == 1
    for later in ({}, {"version": 2}, {"version": 7, "trail": 1.0, "notes": ["any"], "nested": {"a": None}}):
        assert Plan.from_dict(plan.to_dict() | later).to_dict() == plan.to_dict()
    before_versions = {name: value for name, value in plan.to_dict().items() if name != "version"}
    assert Plan.from_dict(before_versions).to_dict() == plan.to_dict()


@pytest.mark.parametrize("column", ["liq_far_below", "liq_near_above", "liq_peak_above"])
def test_a_row_without_a_column_names_it(column):
    row = {name: value for name, value in ROW.items() if name != column}
    with pytest.raises(MissingColumnError, match=f"^row lacks column '{column}'$"):
        Plan.for_entry(row, is_short=False, **AT)


@pytest.mark.parametrize(
    ("change", "price", "expected"),
    [
        ({}, 100.0, (101.5, 102.5)),
        ({"liq_near_above": 101.0, "liq_peak_above": 101.2}, 100.0, (101.5, 102.5)),  # hides the old one
        ({"liq_near_above": 102.5, "liq_peak_above": 102.7}, 100.0, (101.5, 102.5)),  # may be its rest
        ({"liq_near_above": 102.6, "liq_peak_above": 104.0}, 100.0, (102.1, 104.0)),
        ({"liq_near_above": 102.6, "liq_peak_above": 104.0}, 101.5, (101.5, 102.5)),  # reached
        ({"liq_near_above": math.nan, "liq_peak_above": math.nan}, 100.0, (math.nan, math.nan)),
        ({"liq_near_above": math.nan, "liq_peak_above": math.nan}, 102.5, (101.5, 102.5)),
    ],
)
@sides
def test_a_plan_aims_anew_only_once_its_cluster_is_gone(change, price, expected, is_short):
    row = {name: value for name, value in (ROW | change).items() if name.endswith("above")}
    if is_short:
        row = {name.replace("above", "below"): 200 - value for name, value in row.items()}
        price, expected = 200 - price, tuple(200 - target for target in expected)
    plan = Plan(
        side="short" if is_short else "long",
        entry_price=100.0,
        stop=103.0 if is_short else 97.0,
        first_target=98.5 if is_short else 101.5,
        second_target=97.5 if is_short else 102.5,
    )
    aimed = plan.retargeted(row, price=price, average_true_range=1.0, rule=RULE)
    assert (aimed.stop, aimed.entry_price, aimed.side) == (plan.stop, 100.0, plan.side)
    assert (aimed.first_target, aimed.second_target) == pytest.approx(expected, nan_ok=True)


def test_a_plan_without_targets_takes_the_first_cluster_that_appears():
    plan = Plan(side="long", entry_price=100.0, stop=97.0)
    aimed = plan.retargeted(ROW, price=100.0, average_true_range=1.0, rule=RULE)
    assert (aimed.first_target, aimed.second_target) == (101.5, 102.5)


ANY_DISTANCE = {"stop_distance_above": 0.0, "stop_distance_below": 0.0}

BEHIND = Plan(side="long", entry_price=100.0, stop=95.5, second_target=104.0, shield=97.0)
"""The cluster that it lies behind goes from 97 to 96."""


def turned(plan):
    prices = {name: 200 - value for name, value in plan.to_dict().items() if type(value) is float}
    return Plan(side="short", **prices)


@pytest.mark.parametrize(
    ("near", "far", "price", "stop"),
    [
        (99.0, 98.0, 101.0, 97.5),
        (103.0, 102.0, 104.0, 101.5),  # beyond the entry: a profit is locked in
        (97.0, 96.0, 101.0, 95.5),  # its own cluster
        (97.0, 96.5, 101.0, 95.5),  # which thins out: 96.0 would lie where it was
        (98.0, 97.4, 101.0, 95.5),  # 96.9 would lie inside it
        (98.0, 97.5, 101.0, 95.5),  # 97.0 is its near edge
        (98.0, 97.6, 101.0, 97.1),
        (96.5, 95.0, 101.0, 95.5),  # farther away
        (99.0, 98.0, 99.0, 95.5),  # price is in it
        (99.0, 98.0, 98.5, 95.5),
        (math.nan, math.nan, 101.0, 95.5),
    ],
)
@sides
def test_a_stop_follows_to_the_far_side_of_a_newer_cluster_only(near, far, price, stop, is_short):
    plan, row = BEHIND, {"liq_near_below": near, "liq_far_below": far}
    if is_short:
        plan, price, stop = turned(plan), 200 - price, 200 - stop
        row = {name.replace("below", "above"): 200 - value for name, value in row.items()}
    moved = plan.tightened(row | ANY_DISTANCE, price=price, average_true_range=1.0, rule=RULE)
    assert moved.current_stop == pytest.approx(stop)
    assert (moved.stop, moved.entry_price, moved.second_target) == (
        plan.stop,
        plan.entry_price,
        plan.second_target,
    )
    assert (moved is plan) == (moved.current_stop == plan.stop)
    assert Plan.from_dict(json.loads(json.dumps(moved.to_dict()))).to_dict() == moved.to_dict()


@sides
def test_a_stop_that_was_tightened_is_not_moved_back_to_one_beyond_where_it_was_placed(is_short):
    """Also where nothing is known of the cluster that it lies behind."""
    plan = Plan(side="long", entry_price=100.0, stop=95.0, tightened_stop=99.0)
    row = {"liq_near_below": 98.5, "liq_far_below": 98.0}  # a stop at 97.5: nearer than 95, not than 99
    if is_short:
        plan, row = turned(plan), {"liq_near_above": 101.5, "liq_far_above": 102.0}
    at = {"average_true_range": 1.0, "rule": RULE}
    assert plan.tightened(row | ANY_DISTANCE, price=98.9 if is_short else 101.1, **at) is plan


# Another entry.

OLD = Plan(side="long", entry_price=100.0, stop=97.0, first_target=102.0, second_target=104.0, shield=98.0)
TIGHT = Plan(side="long", entry_price=100.0, stop=97.0, tightened_stop=99.0, shield=99.5)
FRESH = Plan(side="long", entry_price=101.0, stop=98.0, first_target=103.0, second_target=105.0, shield=98.8)


@pytest.mark.parametrize(
    ("old", "fresh", "stop", "shield", "targets"),
    [
        (OLD, FRESH, 98.0, 98.8, (103.0, 105.0)),  # the fresh one is nearer
        (TIGHT, FRESH, 99.0, 99.5, (103.0, 105.0)),  # its own is nearer
        (replace(OLD, stop=98.0), FRESH, 98.0, 98.8, (103.0, 105.0)),
        (OLD, None, 97.0, 98.0, (102.0, 104.0)),  # no acceptable stop at the new price: its own plan stands
        (TIGHT, None, 99.0, 99.5, (math.nan, math.nan)),
        (replace(OLD, first_target=100.5), None, 97.0, 98.0, (math.nan, 104.0)),  # no profit any more
    ],
)
@sides
def test_after_another_entry_the_nearer_stop_and_the_new_targets_count(
    old, fresh, stop, shield, targets, is_short
):
    price = 101.0
    if is_short:
        old, fresh, price = turned(old), fresh and turned(fresh), 200 - price
        stop, shield, targets = 200 - stop, 200 - shield, tuple(200 - target for target in targets)
    plan = old.after_entry(price, fresh)
    assert (plan.side, plan.entry_price) == (old.side, price)
    assert (plan.current_stop, plan.shield) == (stop, shield)
    assert (plan.first_target, plan.second_target) == pytest.approx(targets, nan_ok=True)
    assert Plan.from_dict(plan.to_dict()).to_dict() == plan.to_dict()


@sides
def test_a_stop_that_the_market_has_passed_stands_after_another_entry(is_short):
    old, price = (turned(OLD), 104.0) if is_short else (OLD, 96.0)
    assert old.after_entry(price, None) is old


@sides
def test_a_stop_in_profit_stays_there_after_another_entry(is_short):
    """Long at 100, the stop followed to 103, the mean of all entries is 102."""
    old = Plan(side="long", entry_price=100.0, stop=97.0, tightened_stop=103.0, shield=103.5)
    fresh = Plan(side="long", entry_price=102.0, stop=99.0)
    if is_short:
        old, fresh = turned(old), turned(fresh)
    for found in (old.after_entry(fresh.entry_price, fresh), old.after_entry(fresh.entry_price, None)):
        assert found.current_stop == old.current_stop
        assert found.entry_price == fresh.entry_price


@pytest.mark.parametrize(("price", "stop"), [(96.0, 99.0), (98.0, 99.0), (99.0, 99.0), (99.2, 99.2)])
@sides
def test_a_stop_is_brought_nearer_to_price_only(price, stop, is_short):
    plan = TIGHT
    if is_short:
        plan, price, stop = turned(plan), 200 - price, 200 - stop
    assert plan.stopped_at(price).current_stop == stop


@sides
def test_no_entries_whatever_they_are_move_a_stop_away(is_short):
    rng, sign = np.random.default_rng(7), -1 if is_short else 1
    side = "short" if is_short else "long"
    for _ in range(500):
        at = {"entry_price": 100.0, "is_short": is_short, "average_true_range": 1.0}
        plan = Plan.for_entry(some_row(rng), rule=RULE, **at)
        for _ in range(5):
            if plan is None:
                break
            price = plan.entry_price * (1 + rng.normal(0, 0.02))
            fresh = Plan.for_entry(some_row(rng), rule=RULE, **at | {"entry_price": price})
            after = plan.after_entry(price, fresh)
            assert after.side == side
            assert sign * (after.current_stop - plan.current_stop) >= 0
            plan = after


def some_row(rng):
    """Clusters anywhere on either side, or none."""
    above, below = 100 + np.cumsum(rng.exponential(1, 3)), 100 - np.cumsum(rng.exponential(1, 3))
    edges = ("near", "peak", "far")
    row = {f"liq_{edge}_above": float(price) for edge, price in zip(edges, above, strict=True)}
    row |= {f"liq_{edge}_below": float(price) for edge, price in zip(edges, below, strict=True)}
    row |= {f"stop_distance_{where}": rng.exponential(0.01) for where in ("above", "below")}
    return {name: math.nan if rng.random() < 0.1 else price for name, price in row.items()}


@sides
def test_a_stop_never_moves_back_and_never_into_a_cluster(is_short):
    """Any clusters behind price, candle by candle."""
    rng = np.random.default_rng(4)
    sign, side, where = (-1, "short", "above") if is_short else (1, "long", "below")
    tightenings = 0
    for _ in range(200):
        plan = Plan(side=side, entry_price=100.0, stop=100 - sign * 5.0)
        price = 100.0
        for _ in range(30):
            price = max(price + rng.normal(), 90.0)
            near = price - sign * rng.exponential(2)
            far = near - sign * rng.exponential(0.5)
            row = {f"liq_near_{where}": near, f"liq_far_{where}": far, f"stop_distance_{where}": 0.005}
            moved = plan.tightened(row, price=price, average_true_range=0.5, rule=RULE)
            if moved is not plan:
                tightenings += 1
                assert sign * (moved.current_stop - plan.current_stop) > 0
                distance = max(sign * (price - far) + RULE.buffer * 0.5, 0.005 * price)
                assert sign * (price - moved.current_stop) == pytest.approx(distance)
                assert not sign * (moved.current_stop - plan.shield) <= 0
                assert moved.shield == near
            plan = moved
    assert tightenings > 200


def test_without_a_known_range_a_stop_stays():
    row = {"liq_near_below": 99.0, "liq_far_below": 98.0, "stop_distance_below": 0.0}
    assert BEHIND.tightened(row, price=101.0, average_true_range=math.nan, rule=RULE) is BEHIND


@pytest.mark.parametrize(("far", "shield"), [(98.0, 99.0), (math.nan, math.nan), (100.5, math.nan)])
def test_a_plan_knows_the_cluster_that_its_stop_lies_behind(far, shield):
    plan = Plan.for_entry(ROW | {"liq_far_below": far}, is_short=False, rule=RULE, **AT)
    assert plan.shield == pytest.approx(shield, nan_ok=True)


def test_a_tightened_stop_that_is_none_is_refused():
    with pytest.raises(
        DataError, match=r"^tightened_stop of a long must lie nearer to price than 95.5, received 95.5$"
    ):
        Plan(side="long", entry_price=100.0, stop=95.5, tightened_stop=95.5)
