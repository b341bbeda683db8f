"""Contracts and base currency are told apart: the same market counted either way has the same columns."""

import numpy as np
import pandas as pd
import pytest

from builders.frames import random_candles, random_open_interest, small_config
from liqfeature import HeatmapConfig, liquidation_features
from liqfeature.columns.health import Reason, health
from liqfeature.estimate.flow import FlowRule
from liqfeature.market.market import JoinRule, Market

LOOKBACK = 24
CANDLES = random_candles(300, 3)
ROWS = random_open_interest(CANDLES, 3)
SIZES = [1e-4, 0.01, 0.1, 1.0, 10.0, 5e3, 1e7, 2.5, 15.0, 25.0]


def in_contracts(rows, size):
    return rows.assign(open_interest_amount=rows["open_interest_amount"] / size)


def rule(size=0.0, **changes):
    counts = {"open_interest_in_contracts": True, "volume_in_contracts": True} | changes
    return JoinRule(lookback=LOOKBACK, contract_size=size, **counts)


def config_of(size=0.0):
    flow = FlowRule(
        churn=0.5,
        scalp_churn=5.0,
        open_interest_in_contracts=True,
        volume_in_contracts=True,
        contract_size=size,
    )
    return small_config(flow=flow)


@pytest.mark.parametrize("size", SIZES)
def test_a_contract_size_is_known_from_value_amount_and_price(size):
    """Value is at a mark price that is up to one percent away from the close."""
    off = 1 + 0.01 * np.sin(np.arange(len(ROWS)))
    rows = in_contracts(ROWS, size).assign(open_interest_value=ROWS["open_interest_value"] * off)
    got = Market.of(CANDLES.round({"volume": 0}), rule(), open_interest=rows)
    want = Market.of(CANDLES, JoinRule(lookback=LOOKBACK), open_interest=ROWS)
    assert (got.unit[2:] == size).all()
    assert got.sized[2:].all()
    np.testing.assert_allclose(got.open_interest, want.open_interest, rtol=1e-12)


@pytest.mark.parametrize("size", [1.25, 0.125, 12.5])
def test_a_size_of_three_digits_is_known_at_once(size):
    """Rounded to two, it would jump by 8 % from row to row, and open interest with it."""
    off = 1 + 0.003 * np.sin(np.arange(len(ROWS)))
    rows = in_contracts(ROWS, size).assign(open_interest_value=ROWS["open_interest_value"] * off)
    got = Market.of(CANDLES.round({"volume": 0}), rule(), open_interest=rows)
    np.testing.assert_allclose(got.unit[2:], size, rtol=0.008)


@pytest.mark.parametrize("off", [1.6, 1 / 1.6, 2.0, 10.0])
def test_rows_that_contradict_the_size_given_are_not_used(off):
    """Value over amount and price is another size: the market's was changed, or the rows are another's."""
    got = Market.of(CANDLES, rule(0.1 * off), open_interest=in_contracts(ROWS, 0.1))
    assert np.isnan(got.open_interest).all()


@pytest.mark.parametrize("size", [1e-4, 0.1, 10.0])
@pytest.mark.parametrize("given", [True, False], ids=["given", "from the rows"])
def test_columns_are_the_same_in_contracts_as_in_base_currency(size, given):
    """Gate counts both in contracts: ADA of 10, bitcoin of a ten-thousandth."""
    whole = CANDLES.assign(volume=(CANDLES["volume"] / size).round() * size)
    want = liquidation_features(whole, small_config(), open_interest=ROWS)
    contracts = whole.assign(volume=(whole["volume"] / size).round())
    config = config_of(size if given else 0.0)
    got = liquidation_features(contracts, config, open_interest=in_contracts(ROWS, size))
    assert want["liq_total_above"].notna().sum() > 200
    pd.testing.assert_frame_equal(got, want, rtol=1e-7)


def test_volume_that_was_turned_into_base_currency_already_is_taken_for_it():
    """Contracts are whole numbers; this volume is none, and turns open interest over as often as usual."""
    size = 1e-4
    daily = 4.0 * ROWS["open_interest_amount"].mean()
    base = CANDLES.assign(volume=CANDLES["volume"] * daily / (CANDLES["volume"].mean() * 288))
    contracts = base.assign(volume=base["volume"] / size)  # no whole numbers either
    for candles, unit in ((base, 1.0), (contracts, size), (contracts.round({"volume": 0}), size)):
        got = Market.of(candles, rule(), open_interest=in_contracts(ROWS, size))
        assert (got.unit[LOOKBACK:] == unit).all()
        np.testing.assert_allclose(got.volume[LOOKBACK:], base["volume"][LOOKBACK:], rtol=0.01)


def test_whole_numbers_are_contracts_however_rarely_they_turn_over():
    rare = CANDLES.assign(volume=CANDLES["volume"].round() * 2.0)
    got = Market.of(rare, rule(), open_interest=in_contracts(ROWS, 0.01))
    assert (got.unit[2:] == 0.01).all()


def test_a_size_that_nothing_tells_halves_the_quality_and_is_a_reason():
    config = config_of()
    ready = config.warmup - 1
    features = liquidation_features(CANDLES, config)
    known = liquidation_features(CANDLES, config_of(2.0))
    np.testing.assert_array_equal(features["liq_quality"], known["liq_quality"] / 2)
    assert (known["liq_quality"][ready:] > 0).all()
    found = health(CANDLES, features, config, expected=False).astype(int)
    assert (found & int(Reason.UNKNOWN_SIZE) > 0).all()
    assert (found[ready:] & int(Reason.LOW_QUALITY) > 0).all()
    sound = health(CANDLES, known, config_of(2.0), expected=False)
    assert (sound[ready:] == 0).all()


def test_amounts_in_contracts_without_a_value_need_a_size():
    rows = in_contracts(ROWS, 0.01).drop(columns="open_interest_value")
    okx = {"volume_in_contracts": False}
    assert np.isnan(Market.of(CANDLES, rule(**okx), open_interest=rows).open_interest).all()
    got = Market.of(CANDLES, rule(0.01, **okx), open_interest=rows)
    want = Market.of(CANDLES, JoinRule(lookback=LOOKBACK), open_interest=ROWS)
    np.testing.assert_allclose(got.open_interest, want.open_interest, rtol=1e-12)
    assert (got.unit == 1).all()  # OKX's candles come in base currency


def test_a_given_size_that_values_contradict_passes_every_row_over():
    got = Market.of(CANDLES, rule(0.1), open_interest=in_contracts(ROWS, 0.01))
    assert np.isnan(got.open_interest).all()


def test_a_size_is_part_of_the_configuration_only_where_contracts_are_counted():
    for exchange, expected in (("gate", 0.0001), ("okx", 0.0001), ("binance", 0.0), ("bybit", 0.0)):
        config = HeatmapConfig.for_pair("BTC/USDT:USDT", exchange, contract_size=0.0001)
        assert config.flow.contract_size == expected
        assert config.join_rule.contract_size == expected
    assert HeatmapConfig.for_pair("BTC/USDT:USDT", "gate").flow.contract_size == 0.0
