"""The parts of the simulated market: margin, lists of positions, impact, funding."""

import copy
import math

import numpy as np
import pytest

from builders.liquidation import liquidation_price as exchange_liquidation_price
from liqfeature.sandbox.simulation.kernels.ledger import close_part, expiry_head
from liqfeature.sandbox.simulation.kernels.liquidation import liquidate, pay_funding
from liqfeature.sandbox.simulation.kernels.margin import allowed_leverage, bankruptcy_price, liquidation_price
from liqfeature.sandbox.simulation.kernels.price import impact, refresh_last, settle_funding_rate, step_price
from liqfeature.sandbox.simulation.kernels.state import CLOSE, N_CELLS, NOBODY, WHEEL, State
from liqfeature.sandbox.simulation.kernels.traders import long_probability, open_position
from liqfeature.sandbox.simulation.pairs import PAIRS, PairCharacter
from liqfeature.sandbox.simulation.rules import leverage_ladder, tier_table
from liqfeature.sandbox.simulation.scenario import SCENARIOS, Scenario
from liqfeature.sandbox.simulation.simulate import empty_state, run
from liqfeature.sides import LONG, SHORT

SOL = PAIRS["SOL/USDT:USDT"]


def started(config: Scenario = SCENARIOS["reflexive"], *, days: int = 3) -> State:
    state = empty_state(config, SOL, 0, 1440 * days + 10, np.random.default_rng(11))
    return run(state, 1440 * days).state


@pytest.fixture(scope="module")
def _market() -> State:
    return started()


@pytest.fixture
def state(_market: State) -> State:
    """A market in its fourth day, for each test its own."""
    return copy.deepcopy(_market)


def live_slots(state: State) -> np.ndarray:
    return state.ledger.positions.slot[: state.now.n_live]


def live(state: State) -> np.ndarray:
    return state.ledger.positions[live_slots(state)]


def listed(state: State, head: int, following: str) -> list[int]:
    slots, slot = [], state.ledger.heads[head]
    while slot != NOBODY:
        slots.append(int(slot))
        slot = state.ledger.positions[slot][following]
    return slots


def maintenance_margin(notional: float, traits: PairCharacter) -> float:
    tier = next(tier for tier in traits.tiers if tier.min_notional <= notional <= tier.max_notional)
    return notional * tier.maintenance_margin_rate - tier.maintenance_amount


# Margin


def test_at_the_liquidation_price_what_is_left_is_the_maintenance_margin(state: State):
    checked = 0
    for position in live(state):
        sign, price = 1 - 2 * position.side, position.liquidation_price
        notional = position.amount * price
        if math.isnan(price) or notional > SOL.tiers[-1].max_notional:
            continue
        left = position.margin + sign * position.amount * (price - position.entry_price)
        assert left == pytest.approx(maintenance_margin(notional, SOL), abs=1e-9 * notional)
        checked += 1
    assert checked > 500


def test_at_the_bankruptcy_price_nothing_is_left(state: State):
    for position in live(state)[:200]:
        sign = 1 - 2 * position.side
        left = position.margin + sign * position.amount * (bankruptcy_price(position) - position.entry_price)
        assert left == pytest.approx(0.0, abs=1e-9 * position.margin)


@pytest.mark.parametrize("side", [LONG, SHORT], ids=["long", "short"])
@pytest.mark.parametrize("leverage", [2.0, 10.0, 20.0])
@pytest.mark.parametrize("notional", [1e4, 3e5, 2e6, 7e6])
@pytest.mark.parametrize("solve", [liquidation_price, liquidation_price.py_func], ids=["compiled", "python"])
def test_the_level_is_the_one_of_the_package(side: int, leverage: float, notional: float, solve):
    amount = notional / 100.0
    expected = exchange_liquidation_price(
        entry_price=100.0, amount=amount, is_short=side == SHORT, tiers=SOL.tiers, leverage=leverage
    )
    assert solve(side, 100.0, amount, notional / leverage, tier_table(SOL)) == pytest.approx(
        expected, rel=1e-12
    )


def test_a_hundredfold_long_falls_half_a_percent():
    # First tier, rate 0.5 %: 100 * (1 - 0.01) / (1 - 0.005)
    price = liquidation_price(LONG, 100.0, 10.0, 10.0, tier_table(SOL))
    assert price == pytest.approx(99.49748743718592)


def test_a_long_without_leverage_has_no_level():
    assert math.isnan(liquidation_price(LONG, 100.0, 10.0, 1000.0, tier_table(SOL)))


def test_large_positions_get_less_leverage():
    allowed = [allowed_leverage(notional, tier_table(SOL)) for notional in (5e4, 5.1e4, 3e7, 1e12)]
    assert allowed == [100.0, 75.0, 10.0, 1.0]


def test_part_of_a_position_closes_with_its_part_of_the_margin(state: State):
    slot = next(slot for slot in live_slots(state) if state.ledger.positions[slot].side == SHORT)
    position = state.ledger.positions[slot]
    amount, margin, level = position.amount, position.margin, position.liquidation_price
    shorts = state.now.short_amount
    close_part(state, slot, 0.25 * amount, CLOSE)
    assert position.amount == pytest.approx(0.75 * amount)
    assert position.margin == pytest.approx(0.75 * margin)
    assert position.liquidation_price >= level * (1 - 1e-12)
    assert shorts - state.now.short_amount == pytest.approx(0.25 * amount)


# Lists


def test_no_list_holds_a_position_that_is_gone(state: State):
    alive = set(live_slots(state).tolist())
    assert state.now.n_live == len(alive) > 500
    by_price = [slot for head in range(2 * N_CELLS) for slot in listed(state, head, "after")]
    expiring = [slot for m in range(WHEEL) for slot in listed(state, expiry_head(m), "expiry_after")]
    assert sorted(expiring) == sorted(alive)
    assert len(by_price) == len(set(by_price))
    without_trigger = {slot for slot in alive if math.isnan(state.ledger.positions[slot].trigger_price)}
    assert set(by_price) == alive - without_trigger


def test_every_trigger_lies_beyond_the_mark_price(state: State):
    positions = live(state)
    sign = 1 - 2 * positions.side
    triggers = positions.trigger_price
    assert np.all(np.isnan(triggers) | ((state.now.mark - triggers) * sign > 0))
    levels = positions.liquidation_price
    assert np.all(np.isnan(levels) | ((triggers - levels) * sign >= 0))


def test_stops_and_margin_calls_lie_between_entry_and_level(state: State):
    positions = live(state)
    whole = positions.entry_price - positions.liquidation_price
    stop = (positions.entry_price - positions.stop_price) / whole
    call = (positions.entry_price - positions.call_price) / whole
    # Funding moves the levels of isolated positions, but not their stops and calls.
    unmoved = stop[(positions.isolated == 0) & ~np.isnan(stop)]
    assert len(unmoved) > 100
    assert np.all((unmoved > 0.149) & (unmoved < 0.901))
    assert np.nanmedian(call) == pytest.approx(0.8, abs=0.01)


def test_an_order_that_would_be_closed_at_once_is_rejected(state: State):
    now = state.now
    now.mark = 0.8 * now.last
    last = now.next_number
    admitted = sum(open_position(state, LONG, 1.0, 1.0) for _ in range(200))
    assert 0 < admitted < 200
    opened = live(state)
    opened = opened[opened.number >= last]
    assert len(opened) == admitted
    assert np.all(np.isnan(opened.trigger_price) | (opened.trigger_price < now.mark))


# Flow and impact


def test_forced_selling_meets_shorts_in_profit_and_pushes_the_price_down(state: State):
    now = state.now
    slot = next(slot for slot in live_slots(state) if state.ledger.positions[slot].side == LONG)
    amount = state.ledger.positions[slot].amount
    now.last *= 0.95
    shorts_before = {p.number: (p.amount, p.entry_price) for p in live(state) if p.side == SHORT}
    before = (now.flow, now.long_amount, now.short_amount, now.traded, now.bought, now.stress)
    liquidate(state, slot)
    flow, longs, shorts, traded, bought, stress = np.subtract(
        (now.flow, now.long_amount, now.short_amount, now.traded, now.bought, now.stress), before
    )
    absorbed = 0.6 * amount
    assert longs == pytest.approx(-amount)
    assert shorts == pytest.approx(-absorbed)
    assert flow == pytest.approx(-(amount - absorbed))
    assert (traded, bought) == (pytest.approx(amount), 0.0)
    assert stress > 0
    assert state.log.forced[now.n_forced - 1].amount == amount
    shorts_after = {p.number: p.amount for p in live(state)}
    closed = [entry for number, (held, entry) in shorts_before.items() if shorts_after.get(number, 0) < held]
    assert closed
    assert min(closed) > now.last


def test_flow_is_what_market_makers_had_to_take():
    state = empty_state(Scenario(), SOL, 0, 2880, np.random.default_rng(2))
    state.rules.flow_pull = 0.0
    state.rules.depth = 1e30
    run(state, 2880)
    assert state.now.flow == pytest.approx(state.now.long_amount - state.now.short_amount)
    assert state.now.flow != 0


def test_impact_is_odd_and_concave(state: State):
    rules = state.rules
    small, large = impact(0.01 * rules.depth, 0.0, rules), impact(0.04 * rules.depth, 0.0, rules)
    assert small > 0
    assert impact(-0.01 * rules.depth, 0.0, rules) == -small
    assert large / small == pytest.approx(2.0, rel=0.1)
    assert impact(0.01 * rules.depth, 3.0, rules) > small


def test_stress_is_bounded_however_much_is_liquidated(state: State):
    rules = state.rules
    while state.now.n_live:
        liquidate(state, state.ledger.positions.slot[0])
    assert state.now.stress == rules.stress_cap
    assert impact(rules.depth, 1e9, rules) == impact(rules.depth, rules.stress_cap, rules)


def test_no_cascade_is_without_end():
    state = started(SCENARIOS["black_swan"], days=20)
    close = np.log(state.rows.close[: 20 * 1440])
    assert np.max(np.abs(close[3:] - close[:-3])) < 0.4


def test_volatility_that_rises_in_falls_makes_no_drift(state: State):
    now, rules = state.now, state.rules
    rules.down_volatility, rules.jump_rate, rules.anchor_pull, rules.permanent_pull = 0.95, 0.0, 0.0, 0.0
    rules.jump_compensation = 0.0
    steps = np.empty(60_000)
    for step in range(len(steps)):
        before = now.efficient
        step_price(now, rules, state.rng)
        steps[step] = now.efficient - before
    assert abs(steps.mean()) < 4 * steps.std() / math.sqrt(len(steps))


def test_more_jumps_down_than_up_make_no_drift(state: State):
    now, rules = state.now, state.rules
    rules.volatility, rules.anchor_pull, rules.permanent_pull = 0.0, 0.0, 0.0
    rules.jump_compensation /= rules.jump_rate
    rules.jump_rate = 1.0
    steps = np.empty(20_000)
    for step in range(len(steps)):
        before = now.efficient
        step_price(now, rules, state.rng)
        steps[step] = now.efficient - before
    jumps = steps - rules.jump_compensation
    assert np.mean(jumps < 0) == pytest.approx(0.6, abs=0.02)
    assert abs(steps.mean()) < 4 * steps.std() / math.sqrt(len(steps))


def test_the_perpetual_is_dear_where_leverage_is_long(state: State):
    now, rules, row = state.now, state.rules, state.rows[state.now.minute]
    now.premium, now.flow, now.long_amount = 0.0, 0.0, 2 * now.short_amount
    step_price(now, rules, state.rng)
    assert now.premium > 0
    refresh_last(now, rules, row)
    assert now.last == pytest.approx(math.exp(now.efficient + now.premium), rel=1e-12)
    now.long_amount, now.premium = 0.5 * now.short_amount, 0.0
    step_price(now, rules, state.rng)
    assert now.premium < 0


def test_falls_raise_volatility(state: State):
    now, rules = state.now, state.rules
    rules.down_volatility = 0.9
    moves = np.empty((20_000, 2))
    for step in range(len(moves)):
        before = now.efficient, now.fast
        step_price(now, rules, state.rng)
        moves[step] = now.efficient - before[0], now.fast - before[1]
    assert np.corrcoef(moves.T)[0, 1] < -0.4


# Traders and funding


def test_longs_choose_more_leverage():
    ladder = leverage_ladder(Scenario())
    np.testing.assert_allclose(ladder[-1, 1:], 1.0)
    assert np.all(np.diff(ladder[:, 1:], axis=0) > 0)
    assert np.all(ladder[:-1, 1] < ladder[:-1, 2])


def test_traders_follow_the_trend_and_shun_dear_prices(state: State):
    now, rules = state.now, state.rules
    now.momentum = now.premium = now.flow = 0.0
    calm = long_probability(now, rules)
    now.momentum = rules.momentum_scale
    assert long_probability(now, rules) > calm > 0.5
    now.momentum, now.premium = 0.0, 0.002
    assert long_probability(now, rules) < calm
    now.premium, now.flow = 0.0, 0.05 * rules.depth
    assert long_probability(now, rules) < calm


def test_longs_pay_shorts_out_of_isolated_margin(state: State):
    slots = live_slots(state).copy()
    before = state.ledger.positions[slots].copy()
    pay_funding(state, 0.001)
    after = state.ledger.positions[slots]
    due = 0.001 * before.amount * state.now.mark * (1 - 2 * before.side)
    np.testing.assert_allclose(before.margin - after.margin, np.where(before.isolated, due, 0.0), atol=1e-9)
    moved = after.liquidation_price - before.liquidation_price
    has_level = ~np.isnan(moved)
    assert np.all(moved[has_level & (before.isolated == 1)] > 0)
    assert np.all(moved[has_level & (before.isolated == 0)] == 0)


@pytest.mark.parametrize(
    ("premium", "rate"),
    [(0.0, 0.0001), (0.0004, 0.0001), (0.001, 0.0005), (-0.001, -0.0005), (0.05, 0.003), (-0.05, -0.003)],
)
def test_the_funding_rate_follows_the_premium(state: State, premium: float, rate: float):
    state.now.premium_sum, state.now.premium_count = 10 * premium, 10
    assert settle_funding_rate(state.now, state.rules) == pytest.approx(rate)
    assert state.now.premium_count == 0
