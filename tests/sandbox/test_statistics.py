"""Open interest and positioning of a simulated market, counted once more from its log."""

import numpy as np
import pandas as pd
import pytest

from builders.tapes import walking_tape
from liqfeature.durations import MINUTE
from liqfeature.sandbox.simulation.scenario import SCENARIOS
from liqfeature.sandbox.simulation.simulate import simulate
from liqfeature.sandbox.simulation.statistics import statistics_at
from liqfeature.sandbox.simulation.tape import Tape


@pytest.fixture(scope="module")
def tape() -> Tape:
    return simulate(SCENARIOS["reflexive"], "SOL/USDT:USDT", start="2026-01-01T00:03", days=0.5, seed=4)


def naive(tape: Tape, time: int) -> tuple[float, float, float]:
    """Ratios at a time, from the positions that are open then."""
    log = tape.positions[tape.positions["date"] < pd.Timestamp(time, unit="ms", tz="UTC")]
    there = log[(log["date"] == log["date"].iloc[0]) & (log["reason"] == "open")]["change"]
    opened = log[log["reason"] == "open"].set_index("position")["change"]
    held = {}
    for number, side, change in log[["position", "side", "change"]].itertuples(index=False):
        held[number] = (side, held.get(number, (side, 0.0))[1] + change)
    alive = {number: (side, amount) for number, (side, amount) in held.items() if amount > 0}
    top = {number for number in alive if opened[number] >= np.quantile(there, 0.8)}
    longs = [number for number, (side, _) in alive.items() if side == "long"]
    shorts = [number for number, (side, _) in alive.items() if side == "short"]
    amounts = [sum(alive[number][1] for number in side if number in top) for side in (longs, shorts)]
    return (
        len(top & set(longs)) / len(top & set(shorts)),
        amounts[0] / amounts[1],
        len(longs) / len(shorts),
    )


@pytest.mark.parametrize("row", [0, 40, 142])
def test_ratios_count_the_positions_that_are_open(tape: Tape, row: int):
    found = statistics_at(tape, "5m")
    ratios = found.top_account_ratio[row], found.top_position_ratio[row], found.account_ratio[row]
    assert ratios == pytest.approx(naive(tape, found.time[row]), rel=1e-9)


def test_takers_are_those_of_the_interval_before(tape: Tape):
    found = statistics_at(tape, "5m")
    minutes = (found.time - tape.start) // MINUTE
    assert np.isnan(found.taker_ratio[0])  # the tape begins in the middle of that interval
    for row in (1, 40, 142):
        before = slice(minutes[row] - 5, minutes[row])
        bought, volume = tape.taker_buy_volume[before].sum(), tape.volume[before].sum()
        assert found.taker_bought[row] == pytest.approx(bought)
        assert found.taker_ratio[row] == pytest.approx(bought / (volume - bought))


def test_open_interest_is_the_state_at_the_close(tape: Tape):
    found = statistics_at(tape, "1h")
    closing = (found.time - tape.start) // MINUTE - 1
    np.testing.assert_array_equal(found.open_interest, tape.open_interest[closing])
    np.testing.assert_allclose(found.open_interest_value / found.open_interest, tape.mark_close[closing])


def test_a_tape_without_a_log_has_no_ratio_of_positions():
    bare = walking_tape(minutes=60)
    object.__setattr__(bare, "positions", bare.positions.iloc[:0])
    found = statistics_at(bare, "5m")
    assert np.isnan([found.top_account_ratio, found.top_position_ratio, found.account_ratio]).all()
    assert np.isfinite(found.taker_ratio).all()
