"""Margin: published prices, the exchange's own equation, agreement with Freqtrade's dry run."""

import math
import re
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from builders.liquidation import liquidation_price
from liqfeature.errors import ConfigError
from liqfeature.exchange import margin
from liqfeature.exchange.binance_tiers import binance_table, binance_tiers
from liqfeature.exchange.margin import liquidation_distance, maintenance_margin
from liqfeature.exchange.tables import hyperliquid_tiers, tiers_for
from liqfeature.exchange.tiers import LeverageTier
from liqfeature.sides import LONG, SHORT

BTC = "BTC/USDT:USDT"
sides = pytest.mark.parametrize("is_short", [False, True], ids=["long", "short"])
patient = settings(deadline=None)


def flat(rate):
    return (LeverageTier(0.0, math.inf, rate, 1.0),)


def distance_at(leverage, rate, is_short, fee=0.0):
    """Liquidation price over entry price."""
    return math.exp(
        liquidation_distance(np.array([float(leverage)]), rate, fee)[SHORT if is_short else LONG, 0]
    )


# Prices from an exchange's own page, or computed by hand from its published formula.

TWENTY = {"entry_price": 100, "amount": 1, "leverage": 20}


@pytest.mark.parametrize(
    ("position", "is_short", "tiers", "fee", "expected"),
    [
        # docs.dydx.exchange, liquidations: short 3 ETH at 3000, equity 1000, 5 %
        ({"entry_price": 3000, "amount": 3, "leverage": 9}, True, flat(0.05), 0.0, 3174.60),
        (TWENTY, False, flat(0.005), 0.0006, 95.535),  # Gate
        (TWENTY, True, flat(0.005), 0.0006, 104.415),
        (TWENTY, False, hyperliquid_tiers("BTC/USDC:USDC"), 0.0, 96.2025),
        (TWENTY, True, hyperliquid_tiers("BTC/USDC:USDC"), 0.0, 103.7037),
        ({"entry_price": 100, "amount": 10, "leverage": 10}, False, flat(0.0), 0.0, 90.0),
    ],
)
def test_published_liquidation_prices(position, is_short, tiers, fee, expected):
    close = partial(pytest.approx, expected, abs=0.51 * 10 ** -len(str(expected).partition(".")[2]))
    assert liquidation_price(**position, is_short=is_short, tiers=tiers, fee=fee) == close()
    rate = tiers[0].maintenance_margin_rate
    assert position["entry_price"] * distance_at(position["leverage"], rate, is_short, fee) == close()


@pytest.mark.parametrize(
    ("is_short", "leverage", "notional", "expected"),
    [
        (False, 100, 100e3, 59638.554),
        (True, 100, 100e3, 60358.566),
        (False, 50, 1e6, 59094.112),  # tier 3, amount 1500; tier 1 would say 59036.14
        (True, 20, 50e6, 61920.000),  # tier 5, amount 132000; tier 1 would say 62749.00
    ],
)
def test_binance_bitcoin_takes_the_tier_at_the_liquidation_price(is_short, leverage, notional, expected):
    """What is left at the published price is the maintenance margin there."""
    profit = notional * (expected / 60e3 - 1) * (-1 if is_short else 1)
    left = notional / leverage + profit
    assert left == pytest.approx(maintenance_margin(notional * expected / 60e3, binance_tiers(BTC)), rel=1e-5)


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
    assert 100 * (1 - distance_at(leverage, 0.005, is_short=False)) == pytest.approx(long, abs=0.06)
    assert 100 * (distance_at(leverage, 0.005, is_short=True) - 1) == pytest.approx(short, abs=0.06)


# Maintenance margin.


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


@patient
@given(schedules(), st.floats(0.0, 1.5e6), st.floats(0.0, 0.01))
def test_maintenance_margin_is_that_of_the_tier_of_the_notional(tiers, notional, fee):
    tier = next((one for one in tiers if one.min_notional <= notional < one.max_notional), tiers[-1])
    expected = notional * (tier.maintenance_margin_rate + fee) - tier.maintenance_amount
    received = maintenance_margin(notional, tiers, liquidation_fee_rate=fee)
    assert received == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("notional", "expected"),
    [(0, 0), (100e3, 400), (300e3, 1200), (500e3, 2200), (50e6, 868e3), (1.8e9, 478.518e6), (2e9, 578.518e6)],
)
def test_maintenance_margin_of_bitcoin_on_binance(notional, expected):
    """Half of 2 bn less 421.482 M beyond the last tier: its rate goes on."""
    assert maintenance_margin(notional, binance_tiers(BTC)) == pytest.approx(expected)


# Price of liquidation.


@sides
@patient
@given(
    schedule=schedules(),
    amount=st.floats(0.1, 1e4),
    leverage=st.floats(1.0, 50.0),
    fee=st.floats(0.0, 0.01),
)
def test_the_formula_gives_the_price_that_is_found_by_trying(schedule, amount, leverage, fee, is_short):
    position = {"entry_price": 100.0, "amount": amount, "is_short": is_short, "tiers": schedule}
    expected = liquidation_price(**position, leverage=leverage, fee=fee)
    received = margin.liquidation_price(**position, leverage=leverage, liquidation_fee_rate=fee)
    assert received == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"entry_price": 0.0}, "entry_price must be above 0, received 0.0"),
        ({"leverage": 0.9}, "leverage must be at least 1, received 0.9"),
        ({"leverage": math.nan}, "leverage must be at least 1, received nan"),
        ({"amount": 0.0}, "amount must be above 0, received 0.0"),
    ],
)
def test_a_position_that_is_none_is_refused(change, message):
    position = {"entry_price": 100.0, "amount": 1.0, "leverage": 5.0} | change
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        margin.liquidation_price(**position, is_short=False, tiers=flat(0.01))


# Distances for the map.


@patient
@given(st.floats(1.001, 300.0), st.floats(0.0, 0.3), st.floats(0.0, 0.01), st.booleans())
def test_a_distance_is_the_log_of_liquidation_over_entry(leverage, rate, fee, is_short):
    assume(abs(1 / leverage - rate - fee) > 1e-6)
    ratio = distance_at(leverage, rate, is_short, fee)
    if 1 / leverage < rate + fee:
        assert math.isnan(ratio)
        return
    position = {"entry_price": 50.0, "amount": 1.0, "is_short": is_short, "leverage": leverage}
    assert 50.0 * ratio == pytest.approx(liquidation_price(**position, tiers=flat(rate), fee=fee), rel=1e-9)


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
    assert leverage.tolist()[:5] == [0.5, 1.0, 99.0, 100.0, 125.0]


# Agreement with the installed Freqtrade: unbound methods on a small stand-in, no exchange, no network.


def dry_run_price(name, *, entry_price, amount, is_short, leverage, tiers, max_leverage=None):
    from freqtrade import exchange as freqtrade
    from freqtrade.enums import MarginMode, RunMode, TradingMode

    stand_in = SimpleNamespace(
        _config={"runmode": RunMode.BACKTEST},
        _leverage_tiers={
            BTC: [
                {
                    "minNotional": tier.min_notional,
                    "maintenanceMarginRate": tier.maintenance_margin_rate,
                    "maintAmt": tier.maintenance_amount,
                }
                for tier in tiers
            ]
        },
        markets={BTC: {"inverse": False, "taker": 0.0005, "limits": {"leverage": {"max": max_leverage}}}},
        trading_mode=TradingMode.FUTURES,
        margin_mode=MarginMode.ISOLATED,
    )
    stand_in.get_maintenance_ratio_and_amt = partial(
        freqtrade.Exchange.get_maintenance_ratio_and_amt, stand_in
    )
    stake = amount * entry_price / leverage
    return getattr(freqtrade, name).dry_run_liquidation_price(
        stand_in,
        pair=BTC,
        open_rate=entry_price,
        is_short=is_short,
        amount=amount,
        stake_amount=stake,
        leverage=leverage,
        wallet_balance=stake,
        open_trades=[],
    )


@st.composite
def binance_positions(draw):
    """A position of any pair, in any of its tiers, levered as that tier allows."""
    tiers = binance_tiers(draw(st.sampled_from(sorted(binance_table()["pairs"]))))
    tier = draw(st.sampled_from(tiers))
    notional = draw(st.floats(0.01, 0.99)) * (tier.max_notional - tier.min_notional) + tier.min_notional
    entry_price = draw(st.floats(1e-3, 1e5))
    leverage = draw(st.just(1.0) | st.floats(1.001, max(tier.max_leverage, 1.001)))
    return tiers, {
        "entry_price": entry_price,
        "amount": notional / entry_price,
        "is_short": draw(st.booleans()),
        "leverage": leverage,
    }


@patient
@given(binance_positions())
def test_maintenance_is_freqtrade_s_where_the_tier_is_the_same_and_stricter_elsewhere(case):
    """At Freqtrade's price, which takes the tier of the stake, no more is left than is asked."""
    tiers, position = case
    price = dry_run_price("Binance", **position, tiers=tiers)
    assume(price > 0)
    notional = position["amount"] * position["entry_price"]
    stake, there = notional / position["leverage"], position["amount"] * price
    left = stake + (there - notional) * (-1 if position["is_short"] else 1)
    required = maintenance_margin(there, tiers)
    number = [sum(value >= tier.min_notional for tier in tiers) for value in (stake, there)]
    if number[0] == number[1]:
        assert left == pytest.approx(required, rel=1e-6, abs=1e-9 * notional)
    else:
        assert left <= required + 1e-9 * notional


@patient
@given(st.floats(1.001, 40.0), st.booleans(), st.sampled_from(["BTC", "ETH", "SOL", "DOGE", "ARB", "NOSUCH"]))
def test_a_distance_is_freqtrade_s_on_hyperliquid(leverage, is_short, coin):
    tier = tiers_for(f"{coin}/USDC:USDC", "hyperliquid", max_leverage=5.0)[0]
    leverage = min(leverage, tier.max_leverage)
    position = {"entry_price": 100.0, "amount": 10.0, "is_short": is_short, "leverage": leverage}
    theirs = dry_run_price("Hyperliquid", **position, tiers=(tier,), max_leverage=tier.max_leverage)
    ours = 100.0 * distance_at(leverage, tier.maintenance_margin_rate, is_short)
    assert ours == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("name", ["Binance", "Gate", "Okx", "Bitget"])
@sides
def test_a_distance_is_freqtrade_s_with_the_fee_where_the_exchange_counts_it(name, is_short):
    position = {"entry_price": 100.0, "amount": 3.0, "is_short": is_short, "leverage": 20.0}
    theirs = dry_run_price(name, **position, tiers=flat(0.005))
    fee = 0.0 if name == "Binance" else 0.0005
    assert 100.0 * distance_at(20.0, 0.005, is_short, fee) == pytest.approx(theirs, rel=1e-9)


# Messages name the parameter, the rule and the value.


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"notional": -1.0}, "notional must be at least 0, received -1.0"),
        ({"notional": math.nan}, "notional must be at least 0, received nan"),
        (
            {"tiers": ()},
            "tiers must start with one of min_notional 0 and maintenance_amount 0, received None",
        ),
        *(
            (
                {"liquidation_fee_rate": fee},
                "liquidation_fee_rate must be at least 0 and below 0.99, 1 - the highest "
                f"maintenance_margin_rate, received {fee}",
            )
            for fee in (0.99, -0.1, math.nan)
        ),
    ],
)
def test_a_wrong_maintenance_is_refused(change, message):
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        maintenance_margin(**{"notional": 10.0, "tiers": flat(0.01)} | change)


@pytest.mark.parametrize("leverage", [0.0, -3.0])
def test_a_distance_at_no_leverage_is_refused(leverage):
    with pytest.raises(ConfigError, match=rf"^leverage must be above 0, received {leverage}$"):
        liquidation_distance(np.array([10.0, leverage]), 0.01)


@pytest.mark.parametrize(
    ("rate", "fee"), [(-0.01, 0.0), (0.01, -0.01), (1.0, 0.0), (0.99, 0.01), (math.nan, 0.0)]
)
def test_a_distance_at_an_impossible_rate_is_refused(rate, fee):
    message = (
        "maintenance_margin_rate and liquidation_fee_rate must be at least 0 and sum to less than 1, "
        f"received {rate} and {fee}"
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        liquidation_distance(np.array([10.0]), rate, fee)
