"""What trades lost at equal exposure, and how often stops were hit: worked examples."""

from typing import Any

import numpy as np
import pytest

from liqfeature.scoring.measures.losses import expected_shortfall, shortfall_ratio
from liqfeature.walkforward.trade_risk import hour_of, loss_rows, stop_rows, tag_of


def trade(day: int, hour: int, profit: float, stake: float = 100.0, **changes: Any) -> dict[str, Any]:
    made = {
        "pair": "A",
        "open_date": f"2026-01-{day:02d} {hour:02d}:00:00+00:00",
        "profit_abs": profit,
        "stake_amount": stake,
        "exit_reason": "time",
        "enter_tag": f"decile {1 + hour % 10}",
    }
    return made | changes


def many(seed: int, size: float = 1.0) -> list[dict[str, Any]]:
    profits = np.random.default_rng(seed).normal(0, 2, 240)
    return [trade(1 + i // 12, 2 * (i % 12), size * p, size * 50) for i, p in enumerate(profits)]


def test_losses_are_those_of_a_position_of_the_mean_stake() -> None:
    of = many(1)
    rows = loss_rows({"Judged": of, "Twice": many(1, 2.0), "Other": many(2)})
    assert [row[0] for row in rows] == ["strategy", "Judged", "Twice", "Other"]
    returns = np.array([t["profit_abs"] for t in of]) / 50
    days = np.arange(240) // 12
    found = expected_shortfall(100 * returns, 0.05, days)
    assert rows[1][2] == f"{found.value:.2f} ({found.low:.2f}..{found.high:.2f})"
    assert rows[1][2:5] == rows[2][2:5]  # twice the stake, the same risk of it
    assert rows[2][5:] == ["1.00 (1.00..1.00)"] * 2
    theirs = np.array([t["profit_abs"] for t in many(2)]) / 50
    ratio = shortfall_ratio(returns, theirs, 0.05, days)
    assert rows[3][5] == f"{ratio.value:.2f} ({ratio.low:.2f}..{ratio.high:.2f})"
    assert rows[1][5:] == ["", ""]


def test_a_larger_stake_in_calm_hours_than_in_wild_ones_loses_less() -> None:
    """Every other trade is four times as wild, and one strategy stakes a quarter there.

    Worst 5 %: 2.06 x 0.016 over 1.75 x 0.04.
    """
    rng = np.random.default_rng(5)
    moves = rng.normal(0, 0.01, 240) * np.where(np.arange(240) % 2, 4.0, 1.0)
    stakes = np.where(np.arange(240) % 2, 40.0, 160.0)
    at = [(1 + i // 12, 2 * (i % 12)) for i in range(240)]
    sized = [trade(*when, float(m * s), float(s)) for when, m, s in zip(at, moves, stakes, strict=True)]
    constant = [trade(*when, float(m * 100)) for when, m in zip(at, moves, strict=True)]
    *_, row = loss_rows({"Sized": sized, "Constant": constant})
    assert float(row[5].split()[0]) == pytest.approx(0.47, abs=0.06)


def test_only_trades_that_both_entered_are_compared() -> None:
    of, later = many(1), [*many(1)[120:], trade(28, 1, -1000.0)]
    *_, row = loss_rows({"Judged": of, "Later": later})
    assert row[5:] == ["1.00 (1.00..1.00)"] * 2
    *_, row = loss_rows({"Judged": of, "Never": []})
    assert row == ["Never", "0", "", "", "0.00", "", ""]


def test_stops_are_counted_by_tag_and_hour_in_their_order() -> None:
    of = [
        trade(1, 4, -1.0, exit_reason="stop_loss"),
        trade(2, 4, 1.0),
        trade(3, 13, -1.0, exit_reason="trailing_stop_loss", enter_tag="decile 10"),
        trade(4, 21, 1.0, enter_tag="decile 2"),
    ]
    trades = {"Stopped": of, "Free": [trade(1, 4, 1.0)]}
    head, row = stop_rows(trades, hour_of)
    assert head == ["stops hit, %", "all", "4", "13", "21"]
    assert row == ["Stopped", "50.0", "50.0", "100.0", "0.0"]
    assert stop_rows(trades, tag_of)[0][2:] == ["decile 2", "decile 5", "decile 10"]
    assert stop_rows({"Free": [trade(1, 4, 1.0)]}, tag_of) == []
