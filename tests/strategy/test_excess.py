"""What a position holds beyond the risk: the defining equation, worked examples, whole steps."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqfeature.errors import ConfigError
from liqfeature.strategy.excess import excess_stake, risk_amount
from liqfeature.strategy.risk import risk_notional

sides = pytest.mark.parametrize("is_short", [False, True], ids=["long", "short"])


@sides
@given(
    equity=st.floats(1, 1e8),
    risk=st.floats(1e-4, 0.5),
    distance=st.floats(-0.3, 0.3).map(lambda x: round(x, 9)),
    fee=st.just(0.0) | st.floats(1e-6, 0.01),
)
def test_a_stop_out_of_that_amount_loses_exactly_the_risk(is_short, equity, risk, distance, fee):
    entry, sign = 100.0, -1 if is_short else 1
    stop = entry * (1 - sign * distance)
    at = {"entry_price": entry, "stop_price": stop, "fee": fee}
    amount = risk_amount(equity, risk, **at, is_short=is_short)
    loss_of_one = sign * (entry - stop) + fee * (entry + stop)
    if loss_of_one <= 0:
        assert amount == math.inf
        return
    assert amount * loss_of_one == pytest.approx(equity * risk)
    if distance > 0 and stop != entry:
        assert amount * entry == pytest.approx(risk_notional(equity, risk, **at))


@sides
@pytest.mark.parametrize("change", [{"equity": math.nan}, {"equity": 0.0}, {"stop_price": math.nan}])
def test_where_nothing_is_known_there_is_no_amount(is_short, change):
    at = {"equity": 1e4, "risk": 0.01, "entry_price": 100.0, "stop_price": 98.0} | change
    assert math.isnan(risk_amount(**at, is_short=is_short))


@pytest.mark.parametrize("change", [{"risk": 1.0}, {"risk": 0.0}, {"fee": -0.1}])
def test_a_wrong_risk_is_refused(change):
    at = {"equity": 1e4, "risk": 0.01, "entry_price": 100.0, "stop_price": 98.0, "fee": 0.0} | change
    with pytest.raises(ConfigError):
        risk_amount(**at, is_short=False)


@pytest.mark.parametrize(
    ("limit", "change", "expected"),
    [
        (10.0, {}, 0.0),
        (9.9, {}, 0.0),  # 1 % is not worth an order
        (8.0, {}, 20.0),
        (8.0, {"step": 0.5}, 20.0),
        (8.0, {"step": 0.3}, 21.0),  # seven steps
        (8.0, {"step": 4.0}, 40.0),
        (8.0, {"step": 50.0}, 100.0),
        (8.0, {"least": 80.1}, 100.0),  # less would be left than can be sold
        (8.0, {"least": 79.9}, 20.0),
        (0.0, {}, 100.0),
        (math.inf, {}, 0.0),
        (math.nan, {}, 0.0),
    ],
)
def test_excesses_doable_in_the_head(limit, change, expected):
    """A position of 10 with a margin of 100."""
    found = excess_stake(100.0, 10.0, limit, **change)
    assert found == pytest.approx(expected, rel=1e-6)
    assert found <= 100.0


@given(
    amount=st.floats(0.01, 1e4),
    limit=st.floats(0.0, 1e4),
    stake=st.floats(1, 1e5),
    step=st.sampled_from([0.001, 0.01, 0.1, 1.0]),
)
def test_what_is_left_after_whole_steps_is_within_the_limit(amount, limit, stake, step):
    """Freqtrade turns a stake into an amount and truncates it to steps."""
    amount = math.floor(amount / step) * step + step
    excess = excess_stake(stake, amount, limit, step=step)
    sold = amount if excess == stake else math.floor(excess * amount / stake / step) * step
    assert sold <= amount * (1 + 1e-9)
    if excess:
        assert amount - sold <= limit + 1e-6 * step
    else:
        assert amount - limit <= 0.02 * amount
