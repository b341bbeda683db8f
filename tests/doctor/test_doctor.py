"""The doctor: a healthy set-up has nothing to do, and each fault is found, once, with what to do about it."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from builders.frames import random_candles, random_funding, random_open_interest, random_positioning
from liqfeature import HeatmapConfig, liquidation_features
from liqfeature.cli.main import main
from liqfeature.columns.health import Reason, health
from liqfeature.data.store import write_frame
from liqfeature.doctor import data, machine, settings
from liqfeature.doctor.examine import Subject, downloaded_pairs, examine, lies_beside_sandbox, parameter_files
from liqfeature.doctor.finding import Level
from liqfeature.estimate.kernels.scan import scan
from liqfeature.exchange.traits import EXCHANGES

ROOT = Path(__file__).parents[2]
PAIR = "BTC/USDT:USDT"
FIVE = 300_000
WARMUP = HeatmapConfig.for_exchange("binance").warmup
CANDLES = random_candles(WARMUP + 500, 1)
INTEREST = random_open_interest(CANDLES, 1)
FUNDING = random_funding(CANDLES, 1, every=96, size=1e-4)
WANTED = data.Wanted(pair=PAIR, exchange="binance", timeframe="5m")


@pytest.fixture
def place(tmp_path):
    """A user directory as `make backtest` leaves it, and a copy of the configuration that it uses."""
    sandbox = tmp_path / "user data" / "sandbox"
    futures = sandbox / "data" / "futures"
    futures.mkdir(parents=True)
    (sandbox / "data" / "SANDBOX").write_text("simulated")
    write_frame(CANDLES, futures / "BTC_USDT_USDT-5m-futures.feather")
    write_frame(INTEREST, futures / "BTC_USDT_USDT-5m-open_interest.feather")
    hourly = CANDLES.iloc[::12].reset_index(drop=True)
    write_frame(hourly, futures / "BTC_USDT_USDT-1h-mark.feather")
    write_frame(FUNDING, futures / "BTC_USDT_USDT-1h-funding_rate.feather")
    overlay = {
        "db_url": f"sqlite:///{sandbox}/trades.sqlite",
        "exchange": {"pair_whitelist": [PAIR], "ccxt_config": {"urls": {"api": "http://127.0.0.1:1/fapi"}}},
    }
    (sandbox / "exchange.json").write_text(json.dumps(overlay))
    return tmp_path / "user data"


@pytest.fixture
def options(place):
    return [
        *("--config", str(ROOT / "configs" / "backtest.json"), str(place / "sandbox" / "exchange.json")),
        *("--userdir", str(place), "--datadir", str(place / "sandbox" / "data")),
    ]


def levels(findings):
    return {found.check: found.level for found in findings}


# As a whole.


def test_a_healthy_sandbox_has_nothing_to_do(options, capsys):
    assert main(["doctor", *options, "--all"]) == 0
    shown = capsys.readouterr().out
    assert "0 warn, 0 fail" in shown
    for check in ("warm-up", "compiled kernels", "data base", "origin of data", "freqtrade", f"{PAIR} mark"):
        assert check in shown
    assert main(["doctor", *options]) == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_a_fault_is_shown_with_its_command_and_exit_code_one(options, place, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "250")
    (place / "sandbox" / "data" / "futures" / "BTC_USDT_USDT-1h-mark.feather").unlink()
    assert main(["doctor", *options]) == 1
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "0 warn, 1 fail" in shown
    assert "a backtest counts no funding fees" in shown
    assert "--candle-types mark" in shown
    assert "warm-up" not in shown  # what is well is left out


def test_ratios_are_mentioned_where_they_are_there(options, place, capsys):
    assert main(["doctor", *options, "--all"]) == 0
    assert "positioning" not in capsys.readouterr().out
    path = place / "sandbox" / "data" / "positioning" / "BTC_USDT_USDT-5m-positioning.feather"
    path.parent.mkdir()
    write_frame(random_positioning(np.arange(3) * FIVE, 1), path)
    assert main(["doctor", *options, "--all"]) == 0
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "3 rows until 1970-01-01: for" in shown


def test_a_missing_configuration_is_bad_use(capsys, tmp_path):
    assert main(["doctor", "--config", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err


def broken(place, fault):
    """Break one thing, and return the configuration files' values to change."""
    futures = place / "sandbox" / "data" / "futures"
    if fault == "5m mark":
        (futures / "BTC_USDT_USDT-1h-mark.feather").rename(futures / "BTC_USDT_USDT-5m-mark.feather")
    elif fault == "no open interest":
        (futures / "BTC_USDT_USDT-5m-open_interest.feather").unlink()
    elif fault == "no funding":
        (futures / "BTC_USDT_USDT-1h-funding_rate.feather").unlink()
    elif fault == "damaged":
        (futures / "BTC_USDT_USDT-5m-futures.feather").write_bytes(b"nothing")
    elif fault == "old parameters":
        (place / "strategies").mkdir()
        for suffix in (".py", ".json"):
            (place / "strategies" / f"LiquidationClusters{suffix}").write_text("{}")
    elif fault == "real data":
        (place / "sandbox" / "data" / "SANDBOX").rename(place / "SANDBOX")
        (place / "sandbox" / "more").mkdir()
        (place / "sandbox" / "more" / "SANDBOX").touch()


@pytest.mark.parametrize(
    ("fault", "check", "level"),
    [
        ("5m mark", f"{PAIR} mark", Level.FAIL),
        ("no open interest", f"{PAIR} open_interest", Level.WARN),
        ("no funding", f"{PAIR} funding_rate", Level.FAIL),
        ("damaged", f"{PAIR} files", Level.FAIL),
        ("old parameters", "parameter files", Level.WARN),
        ("real data", "origin of data", Level.FAIL),
    ],
)
def test_each_fault_of_the_files_is_found_and_nothing_else(place, fault, check, level):
    broken(place, fault)
    config = json.loads((ROOT / "configs" / "backtest.json").read_text())
    overlay = json.loads((place / "sandbox" / "exchange.json").read_text())
    config = config | overlay | {"exchange": config["exchange"] | overlay["exchange"]}
    found = examine(Subject(config=config, datadir=place / "sandbox" / "data", userdir=place))
    assert {name: one for name, one in levels(found).items() if one is not Level.OK} == {check: level}
    assert all(one.do for one in found if one.level is not Level.OK)
    assert not any(one.do for one in found if one.level is Level.OK)


def test_no_data_at_all_is_worth_one_word(tmp_path):
    config = json.loads((ROOT / "configs" / "backtest.json").read_text())
    found = examine(Subject(config=config, datadir=tmp_path / "none", userdir=tmp_path))
    assert {name for name, one in levels(found).items() if one is not Level.OK} == {"data"}
    candles, interest = found[-1].do.splitlines()
    assert candles.endswith("--days 90 -t 5m --candle-types futures")
    assert interest.endswith("--days 29 -t 5m --candle-types open_interest")  # Binance keeps 30 days


# Settings.


def test_exchanges():
    assert settings.check_exchange("binance").level is Level.OK
    assert settings.check_exchange("gateio").level is Level.OK
    assert settings.check_exchange("hyperliquid").level is Level.WARN
    assert settings.check_exchange("kraken").level is Level.FAIL
    assert settings.check_exchange("").level is Level.FAIL


@pytest.mark.parametrize(
    ("trading", "margin", "level"),
    [
        ("futures", "isolated", "ok"),
        ("futures", "cross", "fail"),
        ("spot", "isolated", "fail"),
        (None, None, "fail"),
    ],
)
def test_margin(trading, margin, level):
    config = {"trading_mode": trading, "margin_mode": margin} if trading else {}
    assert settings.check_futures(config).level == level


def test_pairs_settle_in_the_stake_currency():
    assert settings.check_pairs([PAIR, ".*/USDT:USDT"], "USDT").level is Level.OK
    assert settings.check_pairs([PAIR], "USDC").level is Level.FAIL
    spot = settings.check_pairs([PAIR, "BTC/USDT"], "USDT")
    assert (spot.level, spot.do) == (Level.FAIL, "write pairs as BTC/USDT:USDT")
    assert "received 'BTC/USDT'" in spot.saw
    inverse = settings.check_pairs(["BTC/USD:BTC"], "BTC")
    assert inverse.level is Level.FAIL
    assert "inverse contracts are not supported" in inverse.saw
    assert settings.check_pairs([], "USDT").level is Level.WARN


def test_leverage_limits():
    of = "leverage limits"
    assert levels(settings.check_limits([PAIR, ".*/USDT:USDT"], "binance")) == {of: Level.OK}
    (found,) = settings.check_limits([PAIR, "NOSUCH/USDT:USDT"], "binanceusdm")
    assert found.level is Level.WARN
    assert "not known of NOSUCH/USDT:USDT: 20x is assumed" in found.saw
    assert settings.check_limits(["NOSUCH/USDC:USDC"], "hyperliquid") == []  # its market says it to a bot


def test_export_of_parameters():
    assert settings.check_export({"disableparamexport": True}).level is Level.OK
    assert settings.check_export({"disableparamexport": False}).level is Level.WARN
    assert settings.check_export({}).level is Level.WARN


def test_only_parameter_files_beside_a_strategy_count(tmp_path):
    folder = tmp_path / "strategies" / "deep er"
    folder.mkdir(parents=True)
    for name in ("A.py", "A.json", "B.json", "C.py"):
        (folder / name).touch()
    left = parameter_files(tmp_path / "strategies")
    assert left == [folder / "A.json"]
    found = settings.check_parameter_files(left)
    assert (found.level, found.do) == (Level.WARN, f"rm '{folder / 'A.json'}'")
    assert settings.check_parameter_files(parameter_files(tmp_path / "none")).level is Level.OK


@pytest.mark.parametrize(
    ("sandboxed", "beside", "level"),
    [(True, True, "ok"), (False, False, "ok"), (True, False, "fail"), (False, True, "fail")],
)
def test_data_bases_of_simulated_and_real_trades(sandboxed, beside, level):
    assert settings.check_database("", sandboxed=sandboxed, beside_sandbox=beside).level == level


def test_where_a_data_base_lies(place):
    assert lies_beside_sandbox(f"sqlite:///{place}/sandbox/trades.sqlite", otherwise=False)
    assert lies_beside_sandbox(f"sqlite:///{place}/sandbox/data/trades.sqlite", otherwise=False)
    assert not lies_beside_sandbox(f"sqlite:///{place.parent}/trades.sqlite", otherwise=True)
    assert not lies_beside_sandbox("", otherwise=True)
    assert lies_beside_sandbox("sqlite://", otherwise=True)


@pytest.mark.parametrize(
    ("sandboxed", "marked", "empty", "level"),
    [
        (True, True, False, "ok"),
        (False, False, False, "ok"),
        (True, False, True, "ok"),
        (False, True, False, "fail"),
        (True, False, False, "fail"),
    ],
)
def test_origin_of_data(sandboxed, marked, empty, level):
    found = settings.check_data_are_of(Path("data"), sandboxed=sandboxed, marked=marked, empty=empty)
    assert found.level == level


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_each_exchange_s_own_warm_up_is_within_its_limit(exchange):
    (first, *_) = settings.check_warmup(exchange, "5m", HeatmapConfig.for_exchange(exchange))
    assert first.level is Level.OK


def test_warm_up_beyond_a_limit_is_found():
    config = HeatmapConfig()
    assert levels(settings.check_warmup("okx", "5m", config)) == {"warm-up": Level.FAIL}
    limit = EXCHANGES["binance"].most_candles
    most = replace(config, max_age=config.max_age + (limit - config.warmup) // 8 * 8)
    assert levels(settings.check_warmup("binance", "5m", most)) == {"warm-up": Level.OK}
    more = replace(most, max_age=most.max_age + 8)
    assert levels(settings.check_warmup("binance", "5m", more)) == {"warm-up": Level.FAIL}


def test_binance_s_thirty_days_of_open_interest():
    config = HeatmapConfig.for_exchange("binance")
    of = "warm-up of open interest"
    assert levels(settings.check_warmup("binance", "1h", config))[of] is Level.WARN
    assert of not in levels(settings.check_warmup("binance", "15m", config))
    assert of not in levels(settings.check_warmup("bybit", "1h", config))


# The machine.


def test_versions():
    good = dict(machine.LEAST)
    assert {found.level for found in machine.check_versions(good)} == {Level.OK}
    for package in machine.LEAST:
        assert levels(machine.check_versions(good | {package: "0.1"}))[package] is Level.FAIL
        assert machine.check_version(package, None).level is Level.FAIL
    assert machine.check_version("freqtrade", "2026.10-dev-abc").level is Level.OK
    assert machine.check_version("freqtrade", "2025.12").level is Level.FAIL
    assert machine.check_version("ccxt", "4.5.100").level is Level.OK
    assert machine.check_version("ccxt", "4.5.8").level is Level.FAIL


def test_supported_versions_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [
        *project["dependencies"],
        *(one for extra in project["optional-dependencies"].values() for one in extra),
    ]
    least = {one.split(">=")[0].split("[")[0]: one.split(">=")[1] for one in named if ">=" in one}
    assert {package: least[package] for package in machine.LEAST} == machine.LEAST
    first, after = machine.PYTHONS
    assert project["requires-python"] == f">={first[0]}.{first[1]},<{after[0]}.{after[1]}"


def test_python():
    assert machine.check_python().level is Level.OK
    assert machine.check_python((3, 13)).level is Level.OK
    assert machine.check_python((3, 10)).level is Level.FAIL
    assert machine.check_python((3, 14)).level is Level.FAIL


def test_cache(tmp_path):
    assert machine.check_cache(tmp_path).level is Level.OK
    found = machine.check_cache(None)
    assert found.level is Level.WARN
    assert "NUMBA_CACHE_DIR" in found.do


def test_the_cache_that_is_looked_at_is_the_one_that_the_scan_uses(tmp_path):
    found = examine(Subject(config={}, datadir=tmp_path / "none", userdir=tmp_path))
    (cache,) = [one for one in found if one.check == "compiled kernels"]
    assert cache.saw.removeprefix("kept in ") in scan._cache.cache_path


# Data of a pair.


def test_candle_types_each_in_their_own_timeframe():
    held = {"futures": {"5m", "1h"}, "open_interest": {"5m"}, "mark": {"1h"}, "funding_rate": {"1h"}}
    assert set(levels(data.check_candle_types(WANTED, held)).values()) == {Level.OK}
    slower = replace(WANTED, timeframe="15m")
    assert levels(data.check_candle_types(slower, held)) == {
        f"{PAIR} futures": Level.FAIL,
        f"{PAIR} open_interest": Level.WARN,
        f"{PAIR} mark": Level.OK,
        f"{PAIR} funding_rate": Level.OK,
    }
    rarer = replace(WANTED, funding="8h")
    assert levels(data.check_candle_types(rarer, held))[f"{PAIR} funding_rate"] is Level.FAIL
    faster = replace(WANTED, timeframe="1m")
    assert (
        levels(data.check_candle_types(faster, held | {"futures": {"1m"}}))[f"{PAIR} open_interest"]
        is Level.OK
    )
    silent = replace(WANTED, open_interest=False, mark_type="futures")
    checks = [found.check for found in data.check_candle_types(silent, held)]
    assert checks == [f"{PAIR} futures", f"{PAIR} futures", f"{PAIR} funding_rate"]


def test_candles_with_gaps_or_too_few_or_out_of_order():
    (good,) = data.check_candles(WANTED, CANDLES, FIVE, WARMUP)
    assert good.level is Level.OK
    (gaps,) = data.check_candles(WANTED, CANDLES.drop(index=range(100, 130)), FIVE, WARMUP)
    assert gaps.level is Level.WARN
    assert "up to 30 in a row" in gaps.saw
    (few,) = data.check_candles(WANTED, CANDLES.head(WARMUP), FIVE, WARMUP)
    assert few.level is Level.FAIL
    assert "every column is NaN" in few.saw
    (twice,) = data.check_candles(WANTED, pd.concat([CANDLES, CANDLES.tail(1)]), FIVE, WARMUP)
    assert twice.level is Level.FAIL


def interest(rows):
    return data.check_open_interest(WANTED, rows, CANDLES, FIVE)


def test_open_interest_that_is_late_thin_empty_or_of_other_days():
    n = len(CANDLES)
    assert interest(INTEREST).level is Level.OK
    half = INTEREST[INTEREST["date"] >= CANDLES["date"].iloc[n // 2]]
    late = interest(half.reset_index(drop=True))
    assert late.level is Level.WARN
    assert 0.48 < float(late.saw.split()[2].rstrip("%")) / 100 < 0.52
    assert "1 gaps" in late.saw
    holes = INTEREST.drop(index=[*range(200, 300), *range(400, 500)]).reset_index(drop=True)
    assert interest(holes).level is Level.WARN
    assert "2 gaps" in interest(holes).saw
    away = INTEREST.assign(date=INTEREST["date"] - pd.Timedelta("90D"))
    assert interest(away).level is Level.FAIL
    empty = INTEREST.assign(open_interest_amount=np.nan, open_interest_value=0.0)
    assert interest(empty).level is Level.FAIL
    assert interest(INTEREST.iloc[:0]).level is Level.FAIL
    one_column = INTEREST.assign(open_interest_value=np.nan)
    assert interest(one_column).level is Level.OK
    assert interest(INTEREST.iloc[::-1]).level is Level.FAIL


@pytest.mark.parametrize(
    ("exchange", "changes"),
    [
        ("okx", {"open_interest_value": np.nan}),  # contracts of a size that nothing says
        ("bybit", {"open_interest_value": INTEREST["open_interest_amount"]}),  # amount in both columns
        ("binance", {"open_interest_value": INTEREST["open_interest_value"] * 10}),  # another pair's
        (
            "binance",
            {
                "open_interest_amount": INTEREST["open_interest_amount"] / 1e4,
                "open_interest_value": np.nan,
            },
        ),
    ],
    ids=["contracts without value", "amount twice", "another pair", "another unit"],
)
def test_open_interest_that_the_map_never_uses_is_found_by_doctor_and_health(exchange, changes):
    rows, wanted = INTEREST.assign(**changes), replace(WANTED, exchange=exchange)
    found = data.check_open_interest(wanted, rows, CANDLES, FIVE)
    assert (found.level, found.saw.split()[:2]) == (Level.FAIL, ["no", "row"])
    config = HeatmapConfig.for_exchange(exchange)
    features = liquidation_features(CANDLES, config, open_interest=rows)
    values = health(CANDLES, features, config, open_interest=rows)[config.warmup - 1 :]
    assert (values == int(Reason.NO_OPEN_INTEREST)).all()
    assert (features["liq_quality"][config.warmup - 1 :] <= 0.5).all()


def test_rows_that_are_passed_over_one_by_one_count_as_missing():
    every_second = INTEREST["open_interest_value"].mask(np.arange(len(INTEREST)) % 2 == 0, 1.0)
    assert interest(INTEREST.assign(open_interest_value=every_second)).level is Level.OK  # one candle late
    few = INTEREST["open_interest_value"].mask(np.arange(len(INTEREST)) % 4 > 0, 1.0)
    found = interest(INTEREST.assign(open_interest_value=few))
    assert found.level is Level.WARN


def test_pairs_are_told_from_the_names_of_files(place):
    assert downloaded_pairs(place / "sandbox" / "data") == [PAIR]
    assert downloaded_pairs(place / "none") == []


def test_funding_in_percent_or_too_rare_is_found_and_its_interval_is_said():
    def funding(rows):
        return data.check_funding(WANTED, rows, CANDLES, FIVE)

    assert funding(FUNDING).level is Level.OK
    assert funding(FUNDING).saw == f"{len(FUNDING)} payments, every 8 hours"
    faster = random_funding(CANDLES, 1, every=12, size=1e-4)
    half = FUNDING["date"].iloc[len(FUNDING) // 2]
    both = pd.concat([FUNDING[FUNDING["date"] <= half], faster[faster["date"] > half]])
    assert funding(both.reset_index(drop=True)).saw.endswith("every 8, 1 hours")
    percent = FUNDING.assign(funding_rate=FUNDING["funding_rate"] * 100)
    assert funding(percent).level is Level.FAIL
    assert "not percent" in funding(percent).saw
    assert funding(FUNDING.head(1)).level is Level.WARN
