"""Risk: worked examples, and the property that defines each stop, target, leverage and stake."""

import math
import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from builders.liquidation import liquidation_price
from liqfeature.errors import ConfigError
from liqfeature.exchange.binance_tiers import binance_tiers
from liqfeature.exchange.tiers import LeverageTier, fallback_tiers
from liqfeature.strategy.leverage import leverage_for_stop, stop_comes_first
from liqfeature.strategy.risk import risk_notional, risk_stake, sigma_notional, stop_beyond, targets

patient = settings(deadline=None)
sides = pytest.mark.parametrize("is_short", [False, True], ids=["long", "short"])

prices = st.floats(1e-3, 1e5)
TWO_TIERS = (LeverageTier(0.0, 1000.0, 0.01, 50.0), LeverageTier(1000.0, 1e6, 0.05, 10.0, 40.0))
schedules = st.sampled_from(
    [TWO_TIERS, fallback_tiers(20.0), fallback_tiers(125.0), binance_tiers("BTC/USDT:USDT")]
)


def stop(far_edge, **change):
    """A long at 100 with a true range of 2: 0.5 of it beyond a cluster, at least 2 %, at most 4 %."""
    position = {"entry_price": 100.0, "is_short": False, "average_true_range": 2.0}
    rule = {"buffer": 0.5, "least_distance": 0.02, "max_distance": 0.04}
    return stop_beyond(far_edge, **position | rule | change)


# Stops.


@pytest.mark.parametrize(
    ("far_edge", "change", "expected"),
    [
        (98.0, {}, 97.0),
        (97.0, {}, 96.0),
        (96.9, {}, math.nan),  # 4.1 % away
        (99.5, {}, 98.0),  # the cluster is nearer than price goes anyway
        (98.0, {"least_distance": 0.035}, 96.5),
        (math.nan, {}, 98.0),
        (101.0, {}, 98.0),  # price fell through that cluster: it is not below any more
        (100.0, {}, 98.0),
        (math.nan, {"least_distance": 0.041}, math.nan),
        (98.0, {"least_distance": math.nan}, math.nan),
        (102.0, {"is_short": True}, 103.0),
        (103.1, {"is_short": True}, math.nan),
        (99.0, {"is_short": True}, 102.0),
        (math.nan, {"is_short": True}, 102.0),
        (102.0, {"is_short": True, "least_distance": 0.035}, 103.5),
        (98.0, {"average_true_range": math.nan}, math.nan),
        (98.0, {"average_true_range": 0.0}, math.nan),
        (98.0, {"entry_price": math.nan}, math.nan),
        (98.0, {"entry_price": 0.0}, math.nan),
        (math.nan, {"least_distance": 0.0}, math.nan),  # at the entry itself
    ],
)
def test_stops_doable_in_the_head(far_edge, change, expected):
    assert stop(far_edge, **change) == pytest.approx(expected, nan_ok=True)


def test_the_default_stop_is_a_third_of_a_range_beyond_the_cluster():
    position = {"entry_price": 100.0, "is_short": False, "average_true_range": 1.0, "least_distance": 0.01}
    assert stop_beyond(98.0, **position) == pytest.approx(97.65)
    assert math.isnan(stop_beyond(96.3, **position))


@patient
@given(
    prices,
    st.floats(0.9, 1.1),
    st.floats(1e-4, 0.05),
    st.booleans(),
    st.floats(0.0, 2.0),
    st.floats(0.0, 0.06),
)
def test_a_stop_is_never_inside_the_cluster_nor_too_near_nor_too_far(
    entry_price, ratio, spread, is_short, buffer, least
):
    far_edge = entry_price * ratio
    price = stop_beyond(
        far_edge,
        entry_price=entry_price,
        is_short=is_short,
        average_true_range=spread * entry_price,
        least_distance=least,
        buffer=buffer,
        max_distance=0.05,
    )
    assume(not math.isnan(price))
    assert abs(price / entry_price - 1) >= least * (1 - 1e-9) - 1e-15
    assert 0 < abs(price / entry_price - 1) <= 0.05 * (1 + 1e-9)
    if is_short:
        assert price > entry_price
        assert price >= far_edge or far_edge <= entry_price
    else:
        assert price < entry_price
        assert price <= far_edge or far_edge >= entry_price


@patient
@given(prices, st.floats(0.9, 1.1) | st.just(math.nan), st.floats(1e-4, 0.05), st.floats(0.0, 0.1))
def test_a_stop_of_a_short_mirrors_that_of_a_long(entry_price, ratio, spread, least):
    rest = {"entry_price": entry_price, "average_true_range": spread * entry_price, "max_distance": 0.5}
    rest |= {"least_distance": least}
    long = stop_beyond(entry_price * ratio, is_short=False, **rest)
    short = stop_beyond(entry_price * (2 - ratio), is_short=True, **rest)
    assume(abs(ratio - 1) > 1e-9 or math.isnan(ratio))
    assert short == pytest.approx(2 * entry_price - long, rel=1e-9, nan_ok=True)


# Targets.


@pytest.mark.parametrize(
    ("near", "peak", "change", "expected"),
    [
        (105.0, 106.0, {}, (104.0, 106.0)),
        (101.0, 106.0, {}, (math.nan, 106.0)),  # half a range before it is the entry itself
        (105.0, 106.0, {"min_distance": 0.05}, (math.nan, 106.0)),
        (105.0, 106.0, {"min_distance": 0.07}, (math.nan, math.nan)),
        (math.nan, math.nan, {}, (math.nan, math.nan)),
        (99.0, 98.0, {}, (math.nan, math.nan)),
        (105.0, 106.0, {"average_true_range": math.nan}, (math.nan, 106.0)),
        (95.0, 94.0, {"is_short": True}, (96.0, 94.0)),
        (95.0, 94.0, {"is_short": True, "min_distance": 0.05}, (math.nan, 94.0)),
        (105.0, 106.0, {"is_short": True}, (math.nan, math.nan)),
        (105.0, 106.0, {"entry_price": math.nan}, (math.nan, math.nan)),
    ],
)
def test_targets_doable_in_the_head(near, peak, change, expected):
    position = {"entry_price": 100.0, "is_short": False, "average_true_range": 2.0, "inset": 0.5}
    assert targets(near, peak, **position | change) == pytest.approx(expected, nan_ok=True)


@patient
@given(prices, st.floats(0.9, 1.1), st.floats(0.0, 0.1), st.booleans(), st.floats(0.0, 0.02))
def test_targets_lie_in_the_direction_of_profit_and_before_the_cluster(
    entry_price, ratio, depth, is_short, least
):
    sign = -1 if is_short else 1
    near = entry_price * ratio
    peak = near + sign * depth * entry_price
    first, second = targets(
        near,
        peak,
        entry_price=entry_price,
        is_short=is_short,
        average_true_range=0.01 * entry_price,
        min_distance=least,
    )
    for target in (first, second):
        assert math.isnan(target) or sign * (target - entry_price) > least * entry_price
    if not math.isnan(first):
        assert sign * (near - first) > 0
        assert sign * (second - first) > 0


# Stakes.


def test_stakes_doable_in_the_head():
    """One percent of 10,000 over a stop 2 % away is 5,000 of notional: 1,000 at 5x."""
    at = {"entry_price": 100.0, "stop_price": 98.0}
    assert risk_notional(10e3, 0.01, **at) == pytest.approx(5000.0)
    assert risk_stake(10e3, 0.01, **at, leverage=5.0) == pytest.approx(1000.0)
    assert risk_notional(10e3, 0.01, entry_price=100.0, stop_price=102.0) == pytest.approx(5000.0)
    assert risk_notional(10e3, 0.01, **at, fee=0.01 / 1.98) == pytest.approx(100 / 3 * 100)


@patient
@given(
    st.floats(1.0, 1e7),
    st.floats(1e-4, 0.1),
    prices,
    st.floats(0.8, 1.2),
    st.floats(0.0, 0.002),
    st.floats(1.0, 100.0),
)
def test_a_stop_out_loses_exactly_the_risk(equity, risk, entry_price, ratio, fee, leverage):
    assume(abs(ratio - 1) > 1e-6)
    stop_price = entry_price * ratio
    at = {"entry_price": entry_price, "stop_price": stop_price, "leverage": leverage, "fee": fee}
    amount = risk_stake(equity, risk, **at) * leverage / entry_price
    loss = amount * abs(entry_price - stop_price) + fee * amount * entry_price + fee * amount * stop_price
    assert loss == pytest.approx(equity * risk)


@pytest.mark.parametrize(
    ("equity", "entry_price", "stop_price"),
    [
        (0.0, 100.0, 98.0),
        (-1.0, 100.0, 98.0),
        (math.nan, 100.0, 98.0),
        (1.0, math.nan, 98.0),
        (1.0, 0.0, 98.0),
        (1.0, 100.0, math.nan),
        (1.0, 100.0, -98.0),
        (1.0, 100.0, 100.0),
    ],
)
def test_nothing_to_risk_is_no_trade(equity, entry_price, stop_price):
    at = {"entry_price": entry_price, "stop_price": stop_price}
    assert math.isnan(risk_notional(equity, 0.01, **at))
    assert math.isnan(risk_stake(equity, 0.01, **at, leverage=2.0))


# Leverage.


@pytest.mark.parametrize(
    ("leverage", "stop", "first"),
    [
        (10.0, 90.6, True),  # liquidated at 90, left by Freqtrade at 90.5
        (10.0, 90.4, False),
        (10.0, 110.0, True),  # a stop in profit
        (1.0, 0.1, True),  # never liquidated
        (100.0, 98.0, False),
    ],
)
def test_a_stop_comes_first_where_it_lies_nearer_than_freqtrades_buffer(leverage, stop, first):
    at = {"entry_price": 100.0, "tiers": (LeverageTier(0.0, math.inf, 0.0, 200.0),), "notional": 1000.0}
    assert stop_comes_first(stop, is_short=False, **at, leverage=leverage) is first
    if leverage > 1:
        assert stop_comes_first(200 - stop, is_short=True, **at, leverage=leverage) is first


def test_a_short_at_exactly_1x_is_a_trade_and_just_beyond_it_is_none():
    """A stop at twice the entry takes all of an unlevered short's margin, where nothing need be kept."""
    at = {"entry_price": 100.0, "tiers": (LeverageTier(0.0, math.inf, 0.0, 9.0),), "notional": 1000.0}
    assert leverage_for_stop(200.0, is_short=True, **at, clearance=0.0) == 1.0
    assert math.isnan(leverage_for_stop(200.1, is_short=True, **at, clearance=0.0))
    assert leverage_for_stop(0.1, is_short=False, **at, clearance=1.0) == 1.0  # never liquidated


def test_leverage_doable_in_the_head():
    """Stop 5 % away, liquidation twice as far at 90 or 110, 10 % kept of the notional there."""
    tiers = (LeverageTier(0.0, math.inf, 0.1, 9.0),)
    at = {"entry_price": 100.0, "tiers": tiers, "notional": 1000.0, "cap": 50.0, "clearance": 1.0}
    assert leverage_for_stop(95.0, is_short=False, **at) == pytest.approx(1 / 0.19)
    assert leverage_for_stop(105.0, is_short=True, **at) == pytest.approx(1 / 0.21)
    assert leverage_for_stop(105.0, is_short=True, **at, liquidation_fee_rate=0.1) == pytest.approx(1 / 0.32)


def test_leverage_is_capped_by_the_wish_and_by_the_tier():
    at = {"entry_price": 100.0, "is_short": False, "tiers": TWO_TIERS, "clearance": 0.0}
    assert leverage_for_stop(99.9, **at, notional=900.0) == 5.0
    assert leverage_for_stop(99.9, **at, notional=900.0, cap=100.0) == 50.0
    assert leverage_for_stop(99.9, **at, notional=1000.0, cap=100.0) == 50.0
    assert leverage_for_stop(99.9, **at, notional=1001.0, cap=100.0) == 10.0


@patient
@given(
    prices,
    st.floats(1e-4, 0.5),
    st.booleans(),
    schedules,
    st.floats(1.0, 1e8),
    st.floats(0.0, 1.0),
    st.floats(0.0, 0.005),
)
def test_own_liquidation_lies_beyond_the_stop_by_the_clearance_and_at_no_higher_leverage(
    entry_price, distance, is_short, tiers, notional, clearance, fee
):
    sign = -1 if is_short else 1
    stop_price = entry_price * (1 - sign * distance)
    leverage = leverage_for_stop(
        stop_price,
        entry_price=entry_price,
        is_short=is_short,
        tiers=tiers,
        notional=notional,
        cap=1e9,
        clearance=clearance,
        liquidation_fee_rate=fee,
    )

    def liquidated_at_least_so_far(leverage):
        price = liquidation_price(
            entry_price=entry_price,
            amount=notional / entry_price,
            is_short=is_short,
            tiers=tiers,
            leverage=leverage,
            fee=fee,
        )
        wanted = (1 + clearance) * distance * entry_price
        return math.isnan(price) or sign * (entry_price - price) >= wanted - 1e-9 * entry_price

    if math.isnan(leverage):
        assert not liquidated_at_least_so_far(1.0)
        return
    assert leverage >= 1
    assert liquidated_at_least_so_far(leverage)
    highest = min(tier.max_leverage for tier in tiers if tier.min_notional < notional)
    if leverage < highest:
        assert not liquidated_at_least_so_far(leverage * 1.0001)
    else:
        assert leverage == highest


@patient
@given(st.floats(0.001, 0.04), st.floats(1.01, 3.0), st.booleans(), schedules, st.floats(10.0, 1e7))
def test_a_farther_stop_or_more_clearance_or_notional_never_allows_more_leverage(
    distance, more, is_short, tiers, notional
):
    sign = -1 if is_short else 1

    def allowed(distance, notional, clearance):
        return leverage_for_stop(
            100.0 * (1 - sign * distance),
            entry_price=100.0,
            is_short=is_short,
            tiers=tiers,
            notional=notional,
            cap=500.0,
            clearance=clearance,
        )

    base = allowed(distance, notional, 0.5)
    assert allowed(distance * more, notional, 0.5) <= base
    assert allowed(distance, notional * more, 0.5) <= base * (1 + 1e-12)
    assert allowed(distance, notional, 0.5 * more) <= base


@patient
@given(st.floats(0.001, 0.04), st.booleans(), schedules)
def test_the_default_clearance_survives_the_buffer_of_freqtrade(distance, is_short, tiers):
    """Freqtrade stops a trade 5 % of |entry - liquidation| before its liquidation."""
    sign = -1 if is_short else 1
    stop_price = 100.0 * (1 - sign * distance)
    at = {"entry_price": 100.0, "is_short": is_short, "tiers": tiers}
    leverage = leverage_for_stop(stop_price, **at, notional=500.0)
    price = liquidation_price(**at, amount=5.0, leverage=leverage)
    buffered = price + 0.05 * (100.0 - price)
    assert math.isnan(price) or sign * (stop_price - buffered) > 0


def test_an_unlevered_long_is_never_liquidated_but_a_short_is():
    at = {"entry_price": 100.0, "tiers": fallback_tiers(10.0), "notional": 100.0}
    assert leverage_for_stop(30.0, is_short=False, **at) == 1.0
    assert math.isnan(leverage_for_stop(170.0, is_short=True, **at))


@pytest.mark.parametrize(
    ("stop_price", "entry_price", "notional"),
    [
        (math.nan, 100.0, 10.0),
        (95.0, math.nan, 10.0),
        (95.0, 0.0, 10.0),
        (95.0, 100.0, math.nan),
        (95.0, 100.0, 0.0),
        (0.0, 100.0, 10.0),
        (100.0, 100.0, 10.0),
        (105.0, 100.0, 10.0),
    ],
)
def test_no_stop_is_no_leverage(stop_price, entry_price, notional):
    at = {"entry_price": entry_price, "is_short": False, "tiers": fallback_tiers(10.0), "notional": notional}
    assert math.isnan(leverage_for_stop(stop_price, **at))


# Plans.


def test_scalar_results_are_plain_floats_even_from_numpy():
    one = np.float64(1.0)
    at = {"entry_price": 100 * one, "is_short": False}
    results = [
        stop_beyond(98 * one, **at, average_true_range=one, least_distance=0.01 * one),
        *targets(102 * one, 103 * one, **at, average_true_range=one),
        risk_notional(1e4 * one, 0.01, entry_price=100 * one, stop_price=98 * one),
        risk_stake(1e4 * one, 0.01, entry_price=100 * one, stop_price=98 * one, leverage=2 * one),
        leverage_for_stop(98 * one, **at, tiers=fallback_tiers(20.0), notional=1e3 * one),
        sigma_notional(1e4 * one, 0.01, sigma=0.01 * one),
        leverage_for_stop(80 * one, **at, tiers=fallback_tiers(20.0), notional=1e3 * one),
    ]
    assert {type(value) for value in results} == {float}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"risk": 0.0}, "risk must be between 0 and 1, received 0.0"),
        ({"risk": 1.0}, "risk must be between 0 and 1, received 1.0"),
        ({"fee": -0.1}, "fee must be at least 0, received -0.1"),
        ({"leverage": 0.5}, "leverage must be at least 1, received 0.5"),
    ],
)
def test_a_wrong_risk_is_refused(change, message):
    bet = {"equity": 1e3, "risk": 0.01, "entry_price": 100.0, "stop_price": 98.0, "leverage": 2.0}
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        risk_stake(**bet | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cap": 0.5}, "cap must be at least 1, received 0.5"),
        ({"clearance": -0.5}, "clearance must be at least 0, received -0.5"),
        (
            {"tiers": ()},
            "tiers must start with one of min_notional 0 and maintenance_amount 0, received None",
        ),
    ],
)
def test_a_wrong_leverage_rule_is_refused(change, message):
    at = {"entry_price": 100.0, "is_short": False, "tiers": fallback_tiers(10.0), "notional": 10.0}
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        leverage_for_stop(98.0, **at | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"buffer": -1.0}, "buffer must be at least 0, received -1.0"),
        ({"max_distance": 1.0}, "max_distance must be between 0 and 1, received 1.0"),
        ({"max_distance": 0.0}, "max_distance must be between 0 and 1, received 0.0"),
    ],
)
def test_a_wrong_stop_is_refused(change, message):
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        stop(98.0, **change)


# Size by sigma.


def test_a_one_sigma_move_is_worth_the_risk():
    assert sigma_notional(10e3, 0.005, sigma=0.02) == pytest.approx(2500.0)
    assert sigma_notional(10e3, 0.005, sigma=0.04) == pytest.approx(1250.0)


@pytest.mark.parametrize(
    ("equity", "sigma"), [(0.0, 0.01), (math.nan, 0.01), (1e3, 0.0), (1e3, math.nan), (1e3, -1.0)]
)
def test_without_equity_or_sigma_no_size_is_known(equity, sigma):
    assert math.isnan(sigma_notional(equity, 0.01, sigma=sigma))


@pytest.mark.parametrize("risk", [0.0, 1.0, math.nan])
def test_a_wrong_share_for_one_sigma_is_refused(risk):
    with pytest.raises(ConfigError, match=f"^risk must be between 0 and 1, received {risk}$"):
        sigma_notional(1e3, risk, sigma=0.01)
