"""Where tiers come from: the table of the exchange, the limit of the market itself, a similar market."""

import json
import logging
import math
import re
import subprocess
import sys
from itertools import pairwise

import pytest

from liqfeature import ConfigError, HeatmapConfig
from liqfeature.exchange import binance_tiers as table_module
from liqfeature.exchange.binance_tiers import SHIPPED, binance_table, binance_tiers, compact, freqtrade_table
from liqfeature.exchange.pairs import linear_pair
from liqfeature.exchange.tables import _find_tiers, find_tiers, hyperliquid_tiers, tiers_for
from liqfeature.exchange.tiers import LeverageTier, check_tiers, fallback_tiers, limited_tiers

BTC = "BTC/USDT:USDT"


def forget_all():
    for cached in (_find_tiers, binance_tiers, binance_table):
        cached.cache_clear()


@pytest.fixture
def forget():
    """Let each test see a first call; leave no trace of a patched table."""
    forget_all()
    yield
    forget_all()


# Binance's table.


def test_bitcoin_tiers_are_those_of_binance():
    tiers = binance_tiers(BTC)
    assert len(tiers) == 12
    assert tiers[0] == LeverageTier(0, 300e3, 0.004, 150, 0)
    assert tiers[4] == LeverageTier(12e6, 70e6, 0.02, 25, 132e3)
    assert tiers[11] == LeverageTier(1.2e9, 1.8e9, 0.5, 1, 421.482e6)


def test_the_table_that_ships_is_freqtrades():
    """Every number of every pair; Freqtrade's file has lowest notionals and amounts beside what ships."""
    pytest.importorskip("freqtrade")
    path, version = freqtrade_table()
    shipped, content = json.loads(SHIPPED.read_text()), path.read_bytes()
    assert shipped.pop("taken") >= "2026-11-30"
    assert shipped == json.loads(json.dumps(compact(content, version))), "make tiers"
    theirs = json.loads(content)
    assert len(theirs) > 500
    for pair, rows in theirs.items():
        for row, tier in zip(rows, binance_tiers(pair), strict=True):
            assert tier.min_notional == row["minNotional"]
            assert tier.max_notional == row["maxNotional"]
            assert tier.maintenance_margin_rate == row["maintenanceMarginRate"]
            assert tier.max_leverage == row["maxLeverage"]
            assert tier.maintenance_amount == pytest.approx(row["info"]["cum"], rel=1e-9)


def test_every_pair_of_binance_follows_the_recursion():
    for pair in binance_table()["pairs"]:
        tiers = binance_tiers(pair)
        check_tiers(tiers)
        assert tiers[0].maintenance_amount == 0
        for lower, upper in pairwise(tiers):
            step = upper.min_notional * (upper.maintenance_margin_rate - lower.maintenance_margin_rate)
            assert upper.maintenance_amount - lower.maintenance_amount == pytest.approx(step), pair


@pytest.mark.usefixtures("forget")
def test_without_freqtrade_tiers_are_the_same(monkeypatch):
    pairs = [*list(binance_table()["pairs"])[::50], BTC, "PEPE/USDT:USDT"]
    want = [find_tiers(pair).tiers for pair in pairs]
    forget_all()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert [find_tiers(pair).tiers for pair in pairs] == want
    assert HeatmapConfig.for_pair(BTC).leverage.max_leverage == 150


@pytest.mark.usefixtures("forget")
@pytest.mark.parametrize(
    ("version", "expected"), [("2026.10", 7.0), ("2026.9.1", 7.0), ("2027.1-dev", 7.0), ("2026.8", 150.0)]
)
def test_an_installed_freqtrade_wins_unless_it_is_older(monkeypatch, tmp_path, version, expected):
    own = {BTC: [{"maxNotional": 5e3, "maintenanceMarginRate": 0.05, "maxLeverage": 7.0}]}
    (tmp_path / "tiers.json").write_text(json.dumps(own))
    monkeypatch.setattr(table_module, "freqtrade_table", lambda: (tmp_path / "tiers.json", version))
    assert binance_tiers(BTC)[0].max_leverage == expected


def test_reading_the_table_does_not_import_freqtrade():
    code = (
        "import sys; from liqfeature.exchange.binance_tiers import binance_tiers; "
        f"assert binance_tiers({BTC!r}); assert 'freqtrade' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# Hyperliquid's documentation.


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


def test_an_exchange_that_is_not_known_is_not_taken_for_another():
    with pytest.raises(ConfigError, match=r"exchange must be one of binance, .*, received 'krakken'"):
        tiers_for(BTC, "krakken")


def test_the_fallback_keeps_half_of_the_initial_margin():
    assert fallback_tiers(50.0) == (LeverageTier(0.0, math.inf, 0.01, 50.0, 0.0),)


# Where tiers come from.


@pytest.mark.usefixtures("forget")
@pytest.mark.parametrize(
    ("pair", "exchange", "source", "max_leverage"),
    [
        (BTC, "binance", "Binance's tiers as of Freqtrade 2026.9", 150.0),
        (BTC, "bybit", "Binance's tiers as of Freqtrade 2026.9", 150.0),
        ("BTC/USDC:USDC", "hyperliquid", "Hyperliquid's documentation", 40.0),
    ],
)
def test_listed_pairs_say_which_table_was_used_and_only_once(caplog, pair, exchange, source, max_leverage):
    caplog.set_level(logging.INFO, logger="liqfeature")
    assert tiers_for(pair, exchange)[0].max_leverage == max_leverage
    assert tiers_for(pair, exchange.upper()) == tiers_for(pair, exchange)
    assert caplog.messages == [f"Margin tiers of {pair} on {exchange}: {source}"]


@pytest.mark.parametrize(
    ("pair", "exchange", "stand_in"),
    [
        ("PEPE/USDT:USDT", "okx", "1000PEPE/USDT:USDT"),
        ("SHIB1000/USDT:USDT", "bybit", "1000SHIB/USDT:USDT"),
        ("10000SATS/USDT:USDT", "bybit", "1000SATS/USDT:USDT"),
        ("kPEPE/USDT:USDT", "binance", "1000PEPE/USDT:USDT"),
        ("BABYDOGE/USDT:USDT", "gate", "1MBABYDOGE/USDT:USDT"),
        ("10000000BABYDOGE/USDT:USDT", "bybit", "1MBABYDOGE/USDT:USDT"),
        ("1000BTT/USDC:USDC", "binance", None),
        ("ATOM/USDC:USDC", "bybit", "ATOM/USDT:USDT"),
        ("SOL/USDT:USDT-270326", "binance", "SOL/USDT:USDT"),
        ("1000PEPE/USDC:USDC-270326", "okx", "1000PEPE/USDC:USDC"),
    ],
)
def test_the_same_coin_stands_in(pair, exchange, stand_in):
    found = find_tiers(pair, exchange)
    assert found.tiers == (binance_tiers(stand_in) if stand_in else fallback_tiers(20.0))
    assert found.assumed is (stand_in is None)
    if stand_in:
        assert found.source.endswith(f", of {stand_in}")


def test_a_thousand_is_k_on_hyperliquid_alone():
    want = hyperliquid_tiers("kPEPE/USDC:USDC")
    assert want
    for pair in ("KPEPE/USDC:USDC", "PEPE/USDC:USDC"):
        assert find_tiers(pair, "hyperliquid").tiers == want
    assert find_tiers("KAVAX/USDC:USDC", "bybit").assumed  # a coin of that name is no thousand AVAX
    assert not find_tiers("AVAX/USDC:USDC", "bybit").assumed


@pytest.mark.usefixtures("forget")
def test_a_pair_of_which_nothing_is_known_is_assumed_with_a_warning(caplog):
    config = HeatmapConfig.for_pair("NOSUCH/USDT:USDT")
    assert tiers_for("NOSUCH/USDT:USDT") == fallback_tiers(20.0)
    assert (config.leverage.max_leverage, config.leverage.maintenance_margin_rate) == (20.0, 0.025)
    assert not config.limits_known
    assert HeatmapConfig.for_pair(BTC).limits_known
    (message,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert message == (
        "Margin tiers of NOSUCH/USDT:USDT on binance: not known, assumed: 20x at a maintenance rate of 0.025"
    )


@pytest.mark.usefixtures("forget")
def test_the_markets_own_limit_is_taken_where_no_table_lists_the_pair(caplog):
    caplog.set_level(logging.INFO, logger="liqfeature")
    config = HeatmapConfig.for_pair("PURR/USDC:USDC", "hyperliquid", max_leverage=3)
    assert config.leverage.max_leverage == 3
    assert config.leverage.maintenance_margin_rate == pytest.approx(1 / 6)  # Hyperliquid's own rule
    assert config.leverage.levels().tolist() == [2.0, 3.0]
    assert config.limits_known
    assert caplog.messages == ["Margin tiers of PURR/USDC:USDC on hyperliquid: the market's own limit of 3x"]


@pytest.mark.parametrize("max_leverage", [3.0, 20.0, 50.0, 75.0, 100.0, 125.0, 150.0, 200.0])
def test_a_similar_markets_schedule_is_fitted_to_the_markets_own_limit(max_leverage):
    """Bybit's 100x for bitcoin asks half a percent, as Binance does of its tier of 100x."""
    tiers, binance = tiers_for(BTC, "bybit", max_leverage=max_leverage), binance_tiers(BTC)
    check_tiers(tiers)
    assert tiers[0].max_leverage == max_leverage
    if max_leverage == 150:
        assert tiers == binance
    else:
        assert tiers[0].maintenance_margin_rate == 0.5 / max_leverage
        assert all(one.maintenance_margin_rate > 0.5 / max_leverage for one in tiers[1:])
    ours, theirs = ({one.min_notional: one for one in t[1:]} for t in (tiers, binance))
    assert {n: (t.maintenance_margin_rate, t.max_leverage) for n, t in ours.items()}.items() <= {
        n: (t.maintenance_margin_rate, t.max_leverage) for n, t in theirs.items()
    }.items()


def test_a_schedule_of_a_lower_limit_than_every_step_is_one_tier():
    tiers = (LeverageTier(0, 1e6, 0.01, 50), LeverageTier(1e6, 2e6, 0.02, 25, 1e4))
    assert limited_tiers(tiers, 2.0) == fallback_tiers(2.0)
    assert limited_tiers(tiers, 50.0) is tiers


@pytest.mark.parametrize("max_leverage", [0.5, 0.0, -1.0, math.nan, math.inf])
def test_a_limit_that_is_none_is_refused(max_leverage):
    rule = "max_leverage must be finite and at least 1, received "
    with pytest.raises(ConfigError, match=rf"^{rule}{max_leverage}$"):
        tiers_for("NOSUCH/USDT:USDT", max_leverage=max_leverage)


# Names of pairs.


INVERSE = "pair must settle in its quote currency, such as BTC/USDT:USDT: inverse contracts are not supported"
NO_PAIR = "pair must be a perpetual by Freqtrade's name, such as BTC/USDT:USDT"


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("BTC/USD:BTC", INVERSE),
        ("BTC/USD:BTC-261225", INVERSE),
        ("BTC/USD:USDC", INVERSE),
        ("BTCUSDT", NO_PAIR),
        ("btc/usdt:usdt", NO_PAIR),
        ("BTC/BTC:BTC", NO_PAIR),
        (None, NO_PAIR),
        ("BTC/USDT", NO_PAIR),
        ("BTC-USDT-SWAP", NO_PAIR),
        ("BTC_USDT", NO_PAIR),
        ("BTC/USDT:USDT-261225-100000-C", NO_PAIR),
        ("BTC/USDT:USDT-2612", NO_PAIR),
        ("/USDT:USDT", NO_PAIR),
        (" BTC/USDT:USDT", NO_PAIR),
        (".*/USDT:USDT ", NO_PAIR),
        ("", NO_PAIR),
    ],
)
def test_what_is_no_linear_future_is_refused(pair, message):
    for call in (linear_pair, tiers_for, HeatmapConfig.for_pair, hyperliquid_tiers):
        with pytest.raises(ConfigError, match=f"^{re.escape(f'{message}, received {pair!r}')}$"):
            call(pair)


def test_every_linear_market_that_freqtrade_lists_is_a_pair():
    for pair in binance_table()["pairs"]:
        assert "/".join(linear_pair(pair)) == pair.split(":")[0]
    assert linear_pair("XYZ-TSLA/USDC:USDC") == ("XYZ-TSLA", "USDC")
