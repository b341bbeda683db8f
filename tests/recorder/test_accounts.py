"""Who is asked for when: those near liquidation in time, and never more weight than there is."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from builders.tapes import HandClock, walking_tape
from liqfeature.durations import HOUR, MINUTE
from liqfeature.recorder import accounts as module
from liqfeature.recorder.accounts import Accounts, Budget, Position, positions_of
from liqfeature.recorder.positions import AT_ONCE, WEIGHT, WEIGHT_OF_STATE
from liqfeature.sandbox.server.hyperliquid import ALLOWED, Hyperliquid
from liqfeature.sides import LONG, SHORT

MARKS = {"BTC": 100.0}


def near(price=97.0, amount=5000.0, side=LONG):
    return Position("BTC", side, amount, price)


def held_tape(prices, amount=5.0):
    """A tape on which as many positions are held, all opened in its first minute."""
    tape = walking_tape(minutes=2000)
    n = len(prices)
    log = pd.DataFrame(
        {
            "date": pd.to_datetime([tape.start] * n, unit="ms", utc=True),
            "position": np.arange(n),
            "side": np.where(np.asarray(prices) < tape.close[0], "long", "short"),
            "change": amount,
            "liquidation_price": prices,
            "reason": "open",
        }
    )
    return dataclasses.replace(tape, positions=log)


def test_six_hundred_near_liquidation_are_never_older_than_ten_minutes():
    """Beside them are thousands that are far away, and others keep trading; the server counts the weight."""
    price = walking_tape(minutes=2000).close[0]
    rng = np.random.default_rng(1)
    prices = price * np.concatenate([rng.uniform(0.965, 0.985, 600), rng.uniform(0.3, 0.75, 4000)])
    tape = held_tape(prices)
    clock = HandClock(tape.start + MINUTE)
    exchange = Hyperliquid({"BTC": tape}, clock)
    known, budget, marks = Accounts(), Budget(WEIGHT), {"BTC": float(price)}
    users = list(exchange.held())
    known.meet(users, clock.moment)
    oldest, settled = [], tape.start + 40 * MINUTE
    while clock.moment < tape.start + 100 * MINUTE:
        clock.moment += 500
        known.meet([users[i] for i in rng.integers(0, len(users), 2)], clock.moment)
        for _ in range(AT_ONCE):
            if budget.left(clock.moment) < WEIGHT_OF_STATE or (user := known.due(clock.moment)) is None:
                break
            assert budget.spend(WEIGHT_OF_STATE, clock.moment)
            answer = exchange.info({"type": "clearinghouseState", "user": user})
            known.answered(user, positions_of(answer), clock.moment, marks)
        if clock.moment > settled and clock.moment % MINUTE == 0:
            oldest.append(max(known.ages(marks, clock.moment)))
            assert len(known.ages(marks, clock.moment)) == 600
    assert max(oldest) <= 10.0
    assert exchange.most <= WEIGHT < ALLOWED
    assert exchange.asked["clearinghouseState"] > 4600


@pytest.mark.parametrize(
    ("price", "amount", "after"),
    [
        (97.0, 5000.0, module.NEAR_EVERY - module.AHEAD),
        (85.0, 5000.0, module.MIDDLE_EVERY),
        (50.0, 5000.0, module.FAR_EVERY),
        (97.0, 500.0, module.FORGOTTEN),
    ],
)
def test_how_often_depends_on_size_and_distance(price, amount, after):
    known = Accounts()
    known.meet(["a"], 0)
    assert known.due(0) == "a"
    known.answered("a", [near(price, amount)], 1000, MARKS)
    assert known.due(1000 + after - 1) is None
    assert known.due(1000 + after) == "a"


def test_who_trades_is_asked_for_at_once_but_not_twice_in_a_minute():
    known = Accounts()
    known.answered("a", [near(50.0)], 0, MARKS)
    known.meet(["a"], 10_000)
    assert known.due(MINUTE - 1) is None
    assert known.due(MINUTE) == "a"
    assert known.due(MINUTE) is None
    assert known.due(MINUTE + module.AGAIN) == "a"  # was not answered


def test_an_account_without_positions_is_forgotten():
    known = Accounts()
    known.answered("a", [near()], 0, MARKS)
    known.answered("a", [], 10 * MINUTE, MARKS)
    assert len(known) == 0
    assert known.due(HOUR) is None
    assert known.levels("BTC", HOUR) == []


def test_levels_are_sums_with_counts_and_ages():
    known = Accounts()
    known.answered("a", [near(97.0, 10.0), near(120.0, 3.0, SHORT)], 0, MARKS)
    known.answered("b", [near(97.0, 30.0), Position("ETH", LONG, 1.0, 97.0)], 40 * MINUTE, MARKS)
    long, short = known.levels("BTC", 60 * MINUTE)
    assert (long.side, long.notional, long.positions) == ("long", 97.0 * 40, 2)
    assert long.age == pytest.approx((60 * 10 + 20 * 30) / 40)
    assert long.low <= 97.0 < long.high
    assert (short.side, short.notional, short.positions, short.age) == ("short", 360.0, 1, 60)
    assert known.levels("BTC", module.FORGOTTEN + MINUTE)[0].positions == 1


def test_what_price_passed_is_gone_unless_it_was_seen_since():
    known = Accounts()
    known.answered("a", [near(97.0), near(95.0), near(103.0, side=SHORT)], 1, MARKS)
    known.answered("b", [near(97.0)], 100, MARKS)
    known.cross("BTC", 96.0, 103.0, before=50)
    assert [(one.side, one.positions) for one in known.levels("BTC", 200)] == [("long", 1), ("long", 1)]


def test_a_budget_is_that_of_any_minute():
    budget = Budget(10)
    assert [budget.spend(4, t) for t in (0, 1, 2, MINUTE - 1, MINUTE, MINUTE + 1)] == [
        True,
        True,
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(
    "answer", [{}, {"assetPositions": [{}]}, {"assetPositions": [{"position": {"szi": "x"}}]}]
)
def test_an_answer_of_another_form_is_no_positions(answer):
    with pytest.raises((KeyError, TypeError, ValueError)):
        positions_of(answer)
