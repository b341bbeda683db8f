"""Margin: published vectors, the exchange's own equation, tier tables, agreement with Freqtrade's dry run."""

import logging
import math
import re
import subprocess
import sys
from dataclasses import replace
from functools import partial
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from liqfeature import tiers as tiers_module
from liqfeature.errors import ConfigError
from liqfeature.margin import (
    bankruptcy_price,
    entry_value_liquidation_price,
    liquidation_distance,
    liquidation_price,
    maintenance_margin,
)
from liqfeature.tiers import (
    LeverageTier,
    binance_tiers,
    check_tiers,
    fallback_tiers,
    hyperliquid_tiers,
    tiers_for,
)
from liqfeature.types import LONG, SHORT

BTC = "BTC/USDT:USDT"
sides = pytest.mark.parametrize("is_short", [False, True], ids=["long", "short"])
patient = settings(deadline=None)


def flat(rate, max_leverage=1.0):
    return (LeverageTier(0.0, math.inf, rate, max_leverage),)


def binance_table():
    tiers_for(BTC)
    return tiers_module._binance_table()


@pytest.fixture
def forget():
    """Let each test see a first call; leave no trace of a patched table."""
    caches = (tiers_module._tiers_for, tiers_module._binance_table)
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


# Vectors: each from an exchange's own page, or computed by hand from its published formula.

VECTORS = {
    # support.kraken.com, inverse futures: 1000 USD at 8000 with 0.01 BTC, 1 % -> 7481
    "kraken inverse long": (
        {
            "entry_price": 8000,
            "amount": 1000,
            "is_short": False,
            "wallet_balance": 0.01,
            "contract": "inverse",
        },
        flat(0.01),
        7481.48,
    ),
    # docs.dydx.exchange, liquidations: short 3 ETH at 3000, equity 1000, 5 % -> 3174.60
    "dydx short": (
        {"entry_price": 3000, "amount": 3, "is_short": True, "wallet_balance": 1000},
        flat(0.05),
        3174.60,
    ),
    "gate long": (
        {"entry_price": 100, "amount": 1, "is_short": False, "leverage": 20, "liquidation_fee_rate": 0.0006},
        flat(0.005),
        95.535,
    ),
    "gate short": (
        {"entry_price": 100, "amount": 1, "is_short": True, "leverage": 20, "liquidation_fee_rate": 0.0006},
        flat(0.005),
        104.415,
    ),
    "hyperliquid long": (
        {"entry_price": 100, "amount": 1, "is_short": False, "leverage": 20},
        hyperliquid_tiers("BTC/USDC:USDC"),
        96.2025,
    ),
    "hyperliquid short": (
        {"entry_price": 100, "amount": 1, "is_short": True, "leverage": 20},
        hyperliquid_tiers("BTC/USDC:USDC"),
        103.7037,
    ),
    "inverse long": (
        {"entry_price": 60000, "amount": 1000, "is_short": False, "leverage": 20, "contract": "inverse"},
        flat(0.004),
        57371.43,
    ),
    "inverse short": (
        {"entry_price": 60000, "amount": 1000, "is_short": True, "leverage": 20, "contract": "inverse"},
        flat(0.004),
        62905.26,
    ),
    "15 fundings of 1 bp paid": (
        {"entry_price": 100, "amount": 1, "is_short": False, "wallet_balance": 5 - 15 * 0.01},
        flat(0.004),
        95.532,
    ),
    "no funding paid": (
        {"entry_price": 100, "amount": 1, "is_short": False, "wallet_balance": 5},
        flat(0.004),
        95.382,
    ),
    "doable in the head": (
        {"entry_price": 100, "amount": 10, "is_short": False, "leverage": 10},
        flat(0.0),
        90.0,
    ),
}


@pytest.mark.parametrize(("position", "tiers", "expected"), VECTORS.values(), ids=VECTORS)
def test_published_liquidation_prices(position, tiers, expected):
    decimals = len(str(expected).partition(".")[2])
    assert liquidation_price(**position, tiers=tiers) == pytest.approx(expected, abs=0.51 * 10**-decimals)


@pytest.mark.parametrize(
    ("is_short", "leverage", "notional", "expected"),
    [
        (False, 100, 100e3, 59638.554),
        (True, 100, 100e3, 60358.566),
        (False, 50, 1e6, 59094.112),  # tier 3, cum 1500; tier 1 would say 59036.14
        (True, 20, 50e6, 61920.000),  # tier 5, cum 132000; tier 1 would say 62749.00
    ],
)
def test_binance_bitcoin_takes_the_tier_at_the_liquidation_price(is_short, leverage, notional, expected):
    position = {"entry_price": 60e3, "amount": notional / 60e3, "is_short": is_short, "leverage": leverage}
    assert liquidation_price(**position, tiers=binance_tiers(BTC)) == pytest.approx(expected, abs=5e-4)


def test_kraken_bankruptcy_price():
    position = {"entry_price": 8000, "amount": 1000, "wallet_balance": 0.01, "contract": "inverse"}
    assert bankruptcy_price(**position, is_short=False) == pytest.approx(7407.41, abs=5e-3)


def test_old_bybit_inverse_example():
    """10,000 USD at 8000 with 0.5 BTC: bankrupt at 5714.29, or 5718.57 with a closing fee of 0.075 %."""
    position = {
        "entry_price": 8000,
        "amount": 10e3,
        "is_short": False,
        "wallet_balance": 0.5,
        "contract": "inverse",
    }
    assert bankruptcy_price(**position) == pytest.approx(5714.29, abs=5e-3)
    with_fee = liquidation_price(**position, tiers=flat(0.0), liquidation_fee_rate=0.00075)
    assert with_fee == pytest.approx(5718.57, abs=5e-3)


@pytest.mark.parametrize(("is_short", "expected"), [(False, 95.5), (True, 104.5)], ids=["long", "short"])
def test_bybit_entry_value_example(is_short, expected):
    position = {
        "entry_price": 100.0,
        "amount": 2.0,
        "is_short": is_short,
        "leverage": 20,
        "tiers": flat(0.005),
    }
    assert entry_value_liquidation_price(**position) == pytest.approx(expected, abs=1e-9)


def test_the_two_kinds_of_maintenance_differ_as_published():
    """By 0.25 % of price at 2x, 0.05 % at 10x, 0.02 % at 20x, for a rate of 0.5 %."""
    for leverage, percent in [(2, 0.25), (10, 0.05), (20, 0.02)]:
        position = {
            "entry_price": 100.0,
            "amount": 1.0,
            "is_short": False,
            "leverage": leverage,
            "tiers": flat(0.005),
        }
        difference = entry_value_liquidation_price(**position) - liquidation_price(**position)
        assert difference == pytest.approx(percent, abs=0.006)


@pytest.mark.parametrize(
    ("leverage", "long", "short"),
    [
        (2, 49.7, 49.3),
        (3, 33.0, 32.7),
        (5, 19.6, 19.4),
        (10, 9.55, 9.45),
        (20, 4.52, 4.48),
        (25, 3.52, 3.48),
        (50, 1.51, 1.49),
        (75, 0.84, 0.83),
        (100, 0.50, 0.50),
        (125, 0.30, 0.30),
    ],
)
def test_distances_in_percent_at_half_a_percent_of_maintenance(leverage, long, short):
    distance = np.exp(liquidation_distance(np.array([float(leverage)]), 0.005))
    assert 100 * (1 - distance[LONG, 0]) == pytest.approx(long, abs=0.06)
    assert 100 * (distance[SHORT, 0] - 1) == pytest.approx(short, abs=0.06)


# The equation that defines liquidation, written from the exchange's side.


def levered(highest):
    """Leverage above 1, but not by so little that prices near 0 are all rounding."""
    return st.floats(1.001, highest)


@st.composite
def schedules(draw):
    """Random tiers, one to five, amounts by the recursion that Binance publishes."""
    count = draw(st.integers(1, 5))
    rates = sorted(draw(st.lists(st.integers(1, 99), min_size=count, max_size=count, unique=True)))
    ceilings = sorted(draw(st.lists(st.integers(1, 1000), min_size=count, max_size=count, unique=True)))
    tiers, floor, amount, before = [], 0.0, 0.0, None
    for rate, ceiling in zip(rates, ceilings, strict=True):
        if before is not None:
            amount += floor * (rate / 200 - before)
        before = rate / 200
        tiers.append(LeverageTier(floor, 1000.0 * ceiling, before, 1.0, amount))
        floor = 1000.0 * ceiling
    return tuple(tiers)


@st.composite
def positions(draw):
    contract = draw(st.sampled_from(["linear", "inverse"]))
    entry_price = draw(st.floats(1e-3, 1e5))
    notional = draw(st.floats(1.0, 3e6))
    return {
        "entry_price": entry_price,
        "amount": notional * entry_price if contract == "inverse" else notional / entry_price,
        "is_short": draw(st.booleans()),
        "wallet_balance": notional / draw(st.floats(0.5, 0.999) | levered(200.0)),
        "contract": contract,
    }


def notional_at(price, *, amount, contract, **_):
    return amount / price if contract == "inverse" else amount * price


def margin_left(price, tiers, fee, *, entry_price, amount, is_short, wallet_balance, contract):
    """What the exchange sees at a mark price: margin balance less what it asks, over notional."""
    sign = -1 if is_short else 1
    if contract == "inverse":
        profit = sign * amount * (1 / entry_price - 1 / price)
    else:
        profit = sign * amount * (price - entry_price)
    notional = notional_at(price, amount=amount, contract=contract)
    tier = next((t for t in tiers if t.min_notional <= notional < t.max_notional), tiers[-1])
    required = notional * tier.maintenance_margin_rate - tier.maintenance_amount + notional * fee
    return (wallet_balance + profit - required) / max(notional, wallet_balance)


@patient
@given(positions(), schedules(), st.floats(0.0, 0.01))
def test_margin_just_covers_maintenance_at_the_liquidation_price(position, tiers, fee):
    price = liquidation_price(**position, tiers=tiers, liquidation_fee_rate=fee)
    assume(not math.isnan(price))
    left = partial(margin_left, tiers=tiers, fee=fee, **position)
    assert left(price) == pytest.approx(0.0, abs=1e-9)
    against = 1.01 if position["is_short"] else 0.99
    assert left(price * against) < 0 < left(price / against)


@patient
@given(positions(), schedules(), st.floats(1.001, 3.0))
def test_no_price_liquidates_a_position_whose_value_is_all_covered(position, tiers, cover):
    """A linear long, or an inverse short, with more in the wallet than the position is worth."""
    value = notional_at(position["entry_price"], **position)
    position |= {"is_short": position["contract"] == "inverse", "wallet_balance": cover * value}
    assert math.isnan(liquidation_price(**position, tiers=tiers))
    assert math.isnan(bankruptcy_price(**position))
    for ratio in (1e-6, 1e-3, 0.5, 1.0, 2.0, 1e3, 1e6):
        assert margin_left(position["entry_price"] * ratio, tiers, 0.0, **position) > 0


@patient
@given(positions(), schedules())
def test_the_tier_is_the_first_that_contains_the_notional_at_its_own_price(position, tiers):
    price = liquidation_price(**position, tiers=tiers)
    assume(not math.isnan(price))
    notional = notional_at(price, **position)
    gap = min(abs(notional - tier.max_notional) for tier in tiers[:-1]) if len(tiers) > 1 else 1.0
    assume(gap > 1e-6 * notional)
    tier = next((t for t in tiers if t.min_notional <= notional <= t.max_notional), tiers[-1])
    sign = -1 if position["is_short"] else 1
    entry, amount, wallet = position["entry_price"], position["amount"], position["wallet_balance"]
    budget, rate = wallet + tier.maintenance_amount, tier.maintenance_margin_rate
    if position["contract"] == "inverse":
        expected = amount * (rate + sign) / (budget + sign * amount / entry)
    else:
        expected = (budget - sign * amount * entry) / (amount * (rate - sign))
    assert price == pytest.approx(expected, rel=1e-9)


@patient
@given(positions(), schedules(), st.floats(0.0, 0.01))
def test_bankruptcy_lies_beyond_liquidation(position, tiers, fee):
    liquidation = liquidation_price(**position, tiers=tiers, liquidation_fee_rate=fee)
    bankruptcy = bankruptcy_price(**position)
    if math.isnan(bankruptcy):
        return
    if position["is_short"]:
        assert liquidation < bankruptcy
    else:
        assert liquidation > bankruptcy


@patient
@given(positions())
def test_margin_is_used_up_at_the_bankruptcy_price(position):
    price = bankruptcy_price(**position)
    assume(not math.isnan(price))
    assert margin_left(price, flat(0.0), 0.0, **position) == pytest.approx(0.0, abs=1e-9)


@patient
@given(positions(), schedules())
def test_an_inverse_position_is_the_opposite_linear_one_in_reciprocal_prices(position, tiers):
    mirrored = dict(
        position,
        entry_price=1 / position["entry_price"],
        is_short=not position["is_short"],
        contract="linear" if position["contract"] == "inverse" else "inverse",
    )
    price = liquidation_price(**position, tiers=tiers)
    assert liquidation_price(**mirrored, tiers=tiers) == pytest.approx(1 / price, rel=1e-6, nan_ok=True)


@patient
@given(positions(), schedules(), st.sampled_from(["wallet_balance", "fee", "rate"]))
def test_more_margin_or_lower_rates_never_bring_liquidation_nearer(position, tiers, what):
    fee = 0.0
    price = liquidation_price(**position, tiers=tiers)
    if what == "wallet_balance":
        position = position | {"wallet_balance": position["wallet_balance"] * 0.9}
    elif what == "fee":
        fee = 0.001
    else:
        tiers = flat(tiers[-1].maintenance_margin_rate)
    nearer = liquidation_price(**position, tiers=tiers, liquidation_fee_rate=fee)
    assume(not math.isnan(price))
    assert nearer <= price * (1 + 1e-9) if position["is_short"] else nearer >= price * (1 - 1e-9)


@sides
@pytest.mark.parametrize("contract", ["linear", "inverse"])
def test_leverage_means_value_at_entry_over_wallet(is_short, contract):
    value = 5.0 * 100.0 if contract == "linear" else 5.0 / 100.0
    position = {
        "entry_price": 100.0,
        "amount": 5.0,
        "is_short": is_short,
        "contract": contract,
        "tiers": flat(0.01),
    }
    by_wallet = liquidation_price(**position, wallet_balance=value / 8)
    assert liquidation_price(**position, leverage=8.0) == pytest.approx(by_wallet)


def test_a_position_that_cannot_be_liquidated_is_nan():
    base = {"entry_price": 100.0, "amount": 1.0, "tiers": flat(0.01)}
    assert math.isnan(liquidation_price(**base, is_short=False, leverage=1))
    assert math.isnan(liquidation_price(**base, is_short=True, leverage=1, contract="inverse"))
    assert math.isnan(entry_value_liquidation_price(**base, is_short=False, wallet_balance=102))
    assert math.isnan(bankruptcy_price(entry_price=100, amount=1, is_short=False, leverage=1))
    assert liquidation_price(**base, is_short=True, leverage=1) == pytest.approx(200 / 1.01)


def test_a_position_that_could_not_be_opened_is_liquidated_on_the_wrong_side_of_entry():
    base = {"entry_price": 100.0, "amount": 1.0, "wallet_balance": 0.5, "tiers": flat(0.01)}
    assert liquidation_price(**base, is_short=False) > 100.0
    assert liquidation_price(**base, is_short=True) < 100.0


@pytest.mark.parametrize("name", ["entry_price", "amount", "wallet_balance"])
@pytest.mark.parametrize("price", [liquidation_price, entry_value_liquidation_price])
def test_nan_in_is_nan_out(price, name):
    position = {
        "entry_price": 100.0,
        "amount": 1.0,
        "wallet_balance": 10.0,
        "is_short": False,
        "tiers": flat(0.01),
    }
    assert math.isnan(price(**position | {name: math.nan}))


# The entry-value variant and maintenance margin itself.


@patient
@given(positions(), schedules(), st.floats(0.0, 0.01))
def test_entry_value_margin_just_covers_what_was_required_at_entry(position, tiers, fee):
    position.pop("contract")
    price = entry_value_liquidation_price(**position, tiers=tiers, liquidation_fee_rate=fee)
    assume(not math.isnan(price))
    notional = position["amount"] * position["entry_price"]
    profit = position["amount"] * (price - position["entry_price"]) * (-1 if position["is_short"] else 1)
    required = maintenance_margin(notional, tiers, liquidation_fee_rate=fee)
    assert position["wallet_balance"] + profit == pytest.approx(required, abs=1e-9 * notional)


@pytest.mark.parametrize(
    ("notional", "expected"),
    [(0, 0), (100e3, 400), (300e3, 1200), (500e3, 2200), (50e6, 868e3), (1.8e9, 478.518e6), (2e9, 578.518e6)],
)
def test_maintenance_margin_of_bitcoin_on_binance(notional, expected):
    """Half of 2 bn less 421.482 M beyond the last tier: its rate goes on."""
    assert maintenance_margin(notional, binance_tiers(BTC)) == pytest.approx(expected)


def test_the_liquidation_fee_is_asked_on_the_whole_notional():
    assert maintenance_margin(1000.0, flat(0.01), liquidation_fee_rate=0.002) == pytest.approx(12.0)


@patient
@given(schedules())
def test_maintenance_margin_does_not_jump_between_tiers(tiers):
    for tier in tiers[:-1]:
        edge = tier.max_notional
        below, above = (
            maintenance_margin(edge * (1 - 1e-9), tiers),
            maintenance_margin(edge * (1 + 1e-9), tiers),
        )
        assert above == pytest.approx(below, rel=1e-6)


# Distances for the map.


@patient
@given(st.just(1.0) | levered(300.0), st.floats(0.0, 0.3), st.floats(0.0, 0.01), st.floats(1e-3, 1e5))
def test_a_distance_is_the_log_of_liquidation_over_entry(leverage, rate, fee, entry_price):
    assume(abs(1 / leverage - rate - fee) > 1e-6)
    distance = liquidation_distance(np.array([leverage]), rate, fee)
    for side, is_short in ((LONG, False), (SHORT, True)):
        price = liquidation_price(
            entry_price=entry_price,
            amount=1.0,
            is_short=is_short,
            leverage=leverage,
            tiers=flat(rate),
            liquidation_fee_rate=fee,
        )
        placeable = 1 / leverage > rate + fee
        expected = math.log(price / entry_price) if placeable and not math.isnan(price) else math.nan
        assert distance[side, 0] == pytest.approx(expected, rel=1e-6, abs=1e-9, nan_ok=True)


def test_distances_have_a_row_per_side_and_a_column_per_level():
    distance = liquidation_distance(np.array([2.0, 10.0, 50.0]), np.array([0.05, 0.01, 0.004]))
    assert distance.shape == (2, 3)
    assert (distance[LONG] < 0).all()
    assert (distance[SHORT] > 0).all()
    assert distance[LONG, 1] == liquidation_distance(np.array([10.0]), 0.01)[LONG, 0]
    assert liquidation_distance(np.array([]), 0.01).shape == (2, 0)


def test_levels_that_cannot_exist_are_nan():
    leverage = np.array([0.5, 1.0, 99.0, 100.0, 125.0, np.nan])
    distance = liquidation_distance(leverage, 0.01)
    assert np.isnan(distance[LONG]).tolist() == [True, True, False, True, True, True]
    assert np.isnan(distance[SHORT]).tolist() == [False, False, False, True, True, True]


def test_distances_leave_their_input_alone():
    leverage = np.array([1.0, 200.0])
    liquidation_distance(leverage, 0.01)
    assert leverage.tolist() == [1.0, 200.0]


# Tier tables.


def test_bitcoin_tiers_are_those_of_binance():
    tiers = binance_tiers(BTC)
    assert len(tiers) == 12
    assert tiers[0] == LeverageTier(0, 300e3, 0.004, 150, 0)
    assert tiers[4] == LeverageTier(12e6, 70e6, 0.02, 25, 132e3)
    assert tiers[11] == LeverageTier(1.2e9, 1.8e9, 0.5, 1, 421.482e6)


def test_every_pair_of_binance_follows_the_recursion():
    table = binance_table()
    assert len(table) > 500
    for pair in table:
        tiers = binance_tiers(pair)
        check_tiers(tiers)
        assert tiers[0].maintenance_amount == 0
        for lower, upper in pairwise(tiers):
            step = upper.min_notional * (upper.maintenance_margin_rate - lower.maintenance_margin_rate)
            assert upper.maintenance_amount - lower.maintenance_amount == pytest.approx(step), pair


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        ("BTC/USDC:USDC", [(0, 150e6, 0.0125, 40, 0), (150e6, math.inf, 0.025, 20, 1.875e6)]),
        ("ETH/USDC:USDC", [(0, 100e6, 0.02, 25, 0), (100e6, math.inf, 1 / 30, 15, 4e6 / 3)]),
        ("SOL/USDC:USDC", [(0, 70e6, 0.025, 20, 0), (70e6, math.inf, 0.05, 10, 1.75e6)]),
        ("XRP/USDC:USDC", [(0, 40e6, 0.025, 20, 0), (40e6, math.inf, 0.05, 10, 1e6)]),
        ("kPEPE/USDC:USDC", [(0, 20e6, 0.05, 10, 0), (20e6, math.inf, 0.1, 5, 1e6)]),
        ("ARB/USDC:USDC", [(0, 3e6, 0.05, 10, 0), (3e6, math.inf, 0.1, 5, 150e3)]),
    ],
)
def test_hyperliquid_tiers(pair, expected):
    """hyperliquid.gitbook.io/hyperliquid-docs/trading/margin-tiers, mainnet."""
    tiers = hyperliquid_tiers(pair)
    check_tiers(tiers)
    fields = [
        (t.min_notional, t.max_notional, t.maintenance_margin_rate, t.max_leverage, t.maintenance_amount)
        for t in tiers
    ]
    assert fields == [pytest.approx(tier) for tier in expected]


def test_the_fallback_keeps_half_of_the_initial_margin():
    assert fallback_tiers(50.0) == (LeverageTier(0.0, math.inf, 0.01, 50.0, 0.0),)


@pytest.mark.usefixtures("forget")
def test_unlisted_pairs_fall_back_with_a_warning(caplog):
    assert tiers_for("NOSUCH/USDT:USDT") == fallback_tiers(20.0)
    assert tiers_for("NOSUCH/USDT:USDT", max_leverage=50.0) == fallback_tiers(50.0)
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (
            logging.WARNING,
            f"Margin tiers of NOSUCH/USDT:USDT on binance: not listed, one tier of {leverage}x with a "
            f"maintenance rate of {rate} assumed",
        )
        for leverage, rate in ((20, 0.025), (50, 0.01))
    ]


@pytest.mark.usefixtures("forget")
@pytest.mark.parametrize(
    ("pair", "exchange", "table", "max_leverage"),
    [
        (BTC, "binance", "Freqtrade's table for Binance", 150.0),
        (BTC, "bybit", "Freqtrade's table for Binance", 150.0),
        ("BTC/USDC:USDC", "hyperliquid", "Hyperliquid's documentation", 40.0),
    ],
)
def test_listed_pairs_say_which_table_was_used_and_only_once(caplog, pair, exchange, table, max_leverage):
    caplog.set_level(logging.INFO, logger="liqfeature")
    assert tiers_for(pair, exchange)[0].max_leverage == max_leverage
    assert tiers_for(pair, exchange.upper()) == tiers_for(pair, exchange)
    assert caplog.messages == [f"Margin tiers of {pair} on {exchange}: from {table}"]


@pytest.mark.usefixtures("forget")
def test_without_freqtrade_every_binance_pair_falls_back(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert binance_tiers(BTC) == ()
    assert tiers_for(BTC) == fallback_tiers(20.0)
    assert tiers_for("BTC/USDC:USDC", "hyperliquid")[0].max_leverage == 40.0


def test_reading_the_table_does_not_import_freqtrade():
    code = (
        "import sys; from liqfeature.tiers import binance_tiers; "
        f"assert binance_tiers({BTC!r}); assert 'freqtrade' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# Agreement with the installed Freqtrade: unbound methods on a small stand-in, no exchange, no network.


def dry_run_price(name, position, *, tiers, pair=BTC, stake=None, max_leverage=None):
    from freqtrade import exchange as freqtrade
    from freqtrade.enums import MarginMode, RunMode, TradingMode

    stand_in = SimpleNamespace(
        _config={"runmode": RunMode.BACKTEST},
        _leverage_tiers={
            pair: [
                {
                    "minNotional": tier.min_notional,
                    "maintenanceMarginRate": tier.maintenance_margin_rate,
                    "maintAmt": tier.maintenance_amount,
                }
                for tier in tiers
            ]
        },
        markets={pair: {"inverse": False, "taker": 0.0005, "limits": {"leverage": {"max": max_leverage}}}},
        trading_mode=TradingMode.FUTURES,
        margin_mode=MarginMode.ISOLATED,
    )
    stand_in.get_maintenance_ratio_and_amt = partial(
        freqtrade.Exchange.get_maintenance_ratio_and_amt, stand_in
    )
    return getattr(freqtrade, name).dry_run_liquidation_price(
        stand_in,
        pair=pair,
        open_rate=position["entry_price"],
        is_short=position["is_short"],
        amount=position["amount"],
        stake_amount=stake,
        leverage=position["leverage"],
        wallet_balance=stake,
        open_trades=[],
    )


def tier_number(notional, tiers):
    return sum(notional >= tier.min_notional for tier in tiers)


@st.composite
def binance_positions(draw):
    """A position of any pair, in any of its tiers, levered as that tier allows."""
    tiers = binance_tiers(draw(st.sampled_from(sorted(binance_table()))))
    tier = draw(st.sampled_from(tiers))
    notional = draw(st.floats(0.01, 0.99)) * (tier.max_notional - tier.min_notional) + tier.min_notional
    entry_price = draw(st.floats(1e-3, 1e5))
    leverage = draw(st.just(1.0) | levered(max(tier.max_leverage, 1.001)))
    return tiers, {
        "entry_price": entry_price,
        "amount": notional / entry_price,
        "is_short": draw(st.booleans()),
        "leverage": leverage,
    }


@patient
@given(binance_positions())
def test_binance_agrees_with_freqtrade_where_the_tier_is_the_same_and_is_stricter_elsewhere(case):
    tiers, position = case
    stake = position["amount"] * position["entry_price"] / position["leverage"]
    theirs = dry_run_price("Binance", position, tiers=tiers, stake=stake)
    ours = liquidation_price(**position, tiers=tiers)
    if math.isnan(ours):
        assert theirs <= 0
        return
    if tier_number(stake, tiers) == tier_number(position["amount"] * ours, tiers):
        assert ours == pytest.approx(theirs, rel=1e-9)
    elif position["is_short"]:
        assert ours <= theirs * (1 + 1e-9)
    else:
        assert ours >= theirs * (1 - 1e-9)


@patient
@given(binance_positions())
def test_binance_agrees_with_freqtrade_in_every_tier_once_it_is_told_which(case):
    tiers, position = case
    price = liquidation_price(**position, tiers=tiers)
    assume(not math.isnan(price))
    told = replace(tiers[tier_number(position["amount"] * price, tiers) - 1], min_notional=0.0)
    stake = position["amount"] * position["entry_price"] / position["leverage"]
    assert dry_run_price("Binance", position, tiers=(told,), stake=stake) == pytest.approx(price, rel=1e-9)


@patient
@given(binance_positions())
def test_bybit_agrees_with_freqtrade_but_for_the_amount_that_its_dry_run_leaves_out(case):
    tiers, position = case
    notional = position["amount"] * position["entry_price"]
    stake = notional / position["leverage"]
    tier = tiers[tier_number(notional, tiers) - 1]
    assume(tier_number(stake, tiers) == tier_number(notional, tiers) or tier is tiers[0])
    theirs = dry_run_price("Bybit", position, tiers=tiers, stake=stake)
    left_out = tier.maintenance_amount / position["amount"]
    ours = entry_value_liquidation_price(**position, tiers=tiers)
    expected = theirs + left_out if position["is_short"] else theirs - left_out
    assert ours == pytest.approx(expected if expected > 0 else math.nan, rel=1e-6, nan_ok=True)


@patient
@given(
    positions(), st.just(1.0) | levered(40.0), st.sampled_from(["BTC", "ETH", "SOL", "DOGE", "ARB", "NOSUCH"])
)
def test_hyperliquid_agrees_with_freqtrade_in_the_first_tier(position, leverage, coin):
    tiers = tiers_for(f"{coin}/USDC:USDC", "hyperliquid", max_leverage=5.0)
    for name in ("contract", "wallet_balance"):
        position.pop(name)
    position["leverage"] = min(leverage, tiers[0].max_leverage)
    position["amount"] = 1e5 / position["entry_price"]
    stake = 1e5 / position["leverage"]
    theirs = dry_run_price(
        "Hyperliquid", position, tiers=tiers, stake=stake, max_leverage=tiers[0].max_leverage
    )
    ours = liquidation_price(**position, tiers=tiers)
    if math.isnan(ours):
        assert theirs <= 1e-6 * position["entry_price"]
    else:
        assert ours == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("name", ["Gate", "Okx", "Bitget"])
@sides
def test_venues_that_count_the_taker_fee_agree_with_freqtrade(name, is_short):
    position = {"entry_price": 100.0, "amount": 3.0, "is_short": is_short, "leverage": 20.0}
    tiers = flat(0.005)
    theirs = dry_run_price(name, position, tiers=tiers, stake=300.0 / 20.0)
    ours = liquidation_price(**position, tiers=tiers, liquidation_fee_rate=0.0005)
    assert ours == pytest.approx(theirs, rel=1e-9)


# Messages name the parameter, the rule and the value.

FEE_RULE = (
    "liquidation_fee_rate must be at least 0 and below 0.99, 1 - the highest maintenance_margin_rate, "
    "received "
)
POSITION = {"entry_price": 100.0, "amount": 1.0, "is_short": False, "leverage": 10.0, "tiers": flat(0.01)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"entry_price": 0.0}, "entry_price must be above 0, received 0.0"),
        ({"amount": -1.0}, "amount must be above 0, received -1.0"),
        ({"leverage": 0}, "leverage must be above 0, received 0"),
        ({"leverage": None, "wallet_balance": -2.0}, "wallet_balance must be above 0, received -2.0"),
        ({"leverage": None}, "give either leverage or wallet_balance, received None and None"),
        ({"wallet_balance": 7.0}, "give either leverage or wallet_balance, received 10.0 and 7.0"),
        (
            {"liquidation_fee_rate": 0.99},
            FEE_RULE + "0.99",
        ),
        (
            {"liquidation_fee_rate": -0.1},
            FEE_RULE + "-0.1",
        ),
        (
            {"tiers": ()},
            "tiers must start with one of min_notional 0 and maintenance_amount 0, received None",
        ),
    ],
)
@pytest.mark.parametrize("price", [liquidation_price, entry_value_liquidation_price])
def test_a_wrong_position_is_refused(price, change, message):
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        price(**POSITION | change)


def test_an_unknown_contract_is_refused():
    with pytest.raises(ConfigError, match=r"^contract must be 'linear' or 'inverse', received 'quanto'$"):
        liquidation_price(**POSITION, contract="quanto")


def test_bankruptcy_refuses_what_liquidation_refuses():
    with pytest.raises(ConfigError, match=r"^amount must be above 0, received 0$"):
        bankruptcy_price(entry_price=100.0, amount=0, is_short=False, leverage=10.0)


def test_a_negative_notional_is_refused():
    with pytest.raises(ConfigError, match=r"^notional must be at least 0, received -1.0$"):
        maintenance_margin(-1.0, flat(0.01))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ((-1.0, 5.0, 0.01, 10.0), "min_notional must be finite and at least 0, received -1.0"),
        ((math.inf, math.inf, 0.01, 10.0), "min_notional must be finite and at least 0, received inf"),
        ((5.0, 5.0, 0.01, 10.0), "max_notional must exceed min_notional 5.0, received 5.0"),
        ((0.0, math.nan, 0.01, 10.0), "max_notional must exceed min_notional 0.0, received nan"),
        ((0.0, 5.0, 0.01, 0.5), "max_leverage must be finite and at least 1, received 0.5"),
        ((0.0, 5.0, 0.01, math.inf), "max_leverage must be finite and at least 1, received inf"),
        (
            (0.0, 5.0, 0.1, 10.0),
            "maintenance_margin_rate must be at least 0 and below 1 / max_leverage = 0.1, received 0.1",
        ),
        (
            (0.0, 5.0, -0.1, 10.0),
            "maintenance_margin_rate must be at least 0 and below 1 / max_leverage = 0.1, received -0.1",
        ),
        ((0.0, 5.0, 0.01, 10.0, -1.0), "maintenance_amount must be finite and at least 0, received -1.0"),
        ((0.0, 5.0, 0.01, 10.0, math.inf), "maintenance_amount must be finite and at least 0, received inf"),
        ((0.0, 5.0, 0.01, 10.0, math.nan), "maintenance_amount must be finite and at least 0, received nan"),
    ],
)
def test_a_wrong_tier_is_refused(fields, message):
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        LeverageTier(*fields)


FIRST = LeverageTier(0.0, 1000.0, 0.01, 50.0)


@pytest.mark.parametrize(
    ("tiers", "message"),
    [
        (
            (LeverageTier(5.0, 10.0, 0.01, 10.0),),
            "tiers must start with one of min_notional 0 and maintenance_amount 0, received LeverageTier("
            "min_notional=5.0, max_notional=10.0, maintenance_margin_rate=0.01, max_leverage=10.0, "
            "maintenance_amount=0.0)",
        ),
        (
            (LeverageTier(0.0, 10.0, 0.01, 10.0, 1.0),),
            "tiers must start with one of min_notional 0 and maintenance_amount 0, received LeverageTier("
            "min_notional=0.0, max_notional=10.0, maintenance_margin_rate=0.01, max_leverage=10.0, "
            "maintenance_amount=1.0)",
        ),
        (
            (FIRST, LeverageTier(2000.0, 3000.0, 0.02, 25.0, 10.0)),
            "tier 2 must start at 1000.0, where tier 1 ends, received 2000.0",
        ),
        (
            (FIRST, LeverageTier(1000.0, 3000.0, 0.01, 25.0, 0.0)),
            "tier 2 must have a maintenance_margin_rate above 0.01, received 0.01",
        ),
        (
            (FIRST, LeverageTier(1000.0, 3000.0, 0.02, 25.0)),
            "tier 2 must have a maintenance_amount of 10, or maintenance margin would jump, received 0.0",
        ),
    ],
)
def test_tiers_that_make_no_schedule_are_refused(tiers, message):
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        check_tiers(tiers)


def test_a_fallback_below_one_is_refused():
    with pytest.raises(ConfigError, match=r"^max_leverage must be finite and at least 1, received 0.5$"):
        fallback_tiers(0.5)


@pytest.mark.parametrize("leverage", [0.0, -3.0])
def test_a_distance_at_no_leverage_is_refused(leverage):
    with pytest.raises(ConfigError, match=rf"^leverage must be above 0, received {leverage}$"):
        liquidation_distance(np.array([10.0, leverage]), 0.01)


@pytest.mark.parametrize(("rate", "fee"), [(-0.01, 0.0), (0.01, -0.01), (1.0, 0.0), (0.99, 0.01)])
def test_a_distance_at_an_impossible_rate_is_refused(rate, fee):
    message = (
        "maintenance_margin_rate and liquidation_fee_rate must be at least 0 and sum to less than 1, "
        f"received {rate} and {fee}"
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        liquidation_distance(np.array([10.0]), rate, fee)
