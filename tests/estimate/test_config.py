import dataclasses
import json
import math
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from builders.frames import small_config, small_configs
from liqfeature import ConfigError, HeatmapConfig, load_config
from liqfeature.estimate.cascade import CascadeRule
from liqfeature.estimate.flow import FlowRule
from liqfeature.estimate.leverage import LeveragePrior
from liqfeature.estimate.reach import ReachRule
from liqfeature.exchange.traits import EXCHANGES

DEFAULTS = Path(__file__).parents[2] / "configs" / "heatmap.json"


def test_the_file_of_defaults_holds_the_defaults() -> None:
    assert load_config(DEFAULTS) == HeatmapConfig()
    written = json.loads(DEFAULTS.read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(HeatmapConfig().to_dict()))  # none left out


@given(small_configs())
def test_dicts_and_json_carry_every_field(config: HeatmapConfig) -> None:
    changed = dataclasses.replace(
        config,
        leverage=LeveragePrior(max_leverage=3, weight=(0.25, 0.75)),
        reach=dataclasses.replace(config.reach, nodes=(1.0, 2.0), node_weights=(0.5, 0.5)),
    )
    for one in (config, changed):
        assert HeatmapConfig.from_dict(one.to_dict()) == one
        assert HeatmapConfig.from_dict(json.loads(json.dumps(one.to_dict()))) == one


def test_configurations_can_be_keys_and_travel_between_processes() -> None:
    config = small_config()
    assert {config: 1}[small_config()] == 1
    assert pickle.loads(pickle.dumps(config)) == config
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.horizon = 5  # type: ignore[misc]


def test_fields_may_be_left_out() -> None:
    assert HeatmapConfig.from_dict({}) == HeatmapConfig()
    config = HeatmapConfig.from_dict({"horizon": 24, "reach": {"windows": [4, 8, 16, 32]}})
    assert config == HeatmapConfig(horizon=24, reach=ReachRule(windows=(4, 8, 16, 32)))


def test_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"max_age": 800}', encoding="utf-8")
    assert load_config(path) == load_config(str(path)) == HeatmapConfig(max_age=800)
    path.write_text("{max_age: 800}", encoding="utf-8")
    with pytest.raises(
        ConfigError, match=rf"^{re.escape(str(path))} must hold JSON: Expecting property name"
    ):
        load_config(path)
    with pytest.raises(FileNotFoundError):
        load_config(tmp_path / "absent.json")


FIELDS = "horizon, max_age, lookback, band, limits_known, grid, leverage, flow, clusters, reach, cascade"
FROM_DICT = {
    "unknown": ({"max_ages": 1, "bands": 2}, f"heatmap has no bands, max_ages; it has {FIELDS}"),
    "unknown within": ({"grid": {"phase": 0}}, "grid has no phase; it has width, smoothing"),
    "no dict": ({"grid": 3}, "grid must be a dict, received 3"),
    "rule within": ({"grid": {"width": 1.0}}, "width must be between 0.0001 and 0.01, received 1.0"),
    "text": ({"grid": {"width": "a"}}, "width must be a number, received 'a'"),
    "null": ({"horizon": None}, "horizon must be a whole number, received None"),
    "no list": ({"reach": {"windows": 3}}, "windows must be a tuple of "),
}


@pytest.mark.parametrize(("values", "message"), FROM_DICT.values(), ids=FROM_DICT)
def test_dicts_that_do_not_fit_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}"):
        HeatmapConfig.from_dict(values)


def test_what_is_no_dict_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^heatmap must be a dict, received \[\]$"):
        HeatmapConfig.from_dict([])  # type: ignore[arg-type]


BROKEN = {
    "horizon 0": ({"horizon": 0}, "horizon must be at least 1 and at most lookback, received 0"),
    "horizon long": ({"horizon": 289}, "horizon must be at least 1 and at most lookback, received 289"),
    "horizon part": ({"horizon": 12.5}, "horizon must be a whole number, received 12.5"),
    "horizon float": ({"horizon": 12.0}, "horizon must be a whole number, received 12.0"),
    "horizon bool": ({"horizon": True}, "horizon must be a whole number, received True"),
    "max_age 0": ({"max_age": 0}, "max_age must be a multiple of 8, above 0, received 0"),
    "max_age odd": ({"max_age": 1730}, "max_age must be a multiple of 8, above 0, received 1730"),
    "lookback": ({"lookback": 290}, "lookback must be a multiple of 12, above 0, received 290"),
    "lookback 0": (
        {"lookback": 0, "horizon": 1},
        "horizon must be at least 1 and at most lookback, received 1",
    ),
    "band small": ({"band": 0.001}, "band must be between 0.005 and 0.5, received 0.001"),
    "band large": ({"band": 0.6}, "band must be between 0.005 and 0.5, received 0.6"),
    "band nan": ({"band": math.nan}, "band must be between 0.005 and 0.5, received nan"),
    "grid": ({"grid": {}}, "grid must be a PriceGrid, received {}"),
}


@pytest.mark.parametrize(("changes", "message"), BROKEN.values(), ids=BROKEN)
def test_parameters_that_break_their_rule_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        HeatmapConfig(**changes)


def test_the_default_warm_up_can_be_loaded_live() -> None:
    assert HeatmapConfig().warmup <= 2400
    assert HeatmapConfig().horizon == 12


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_every_exchange_can_load_its_warm_up(exchange: str) -> None:
    pair = "BTC/USDC:USDC" if exchange == "hyperliquid" else "BTC/USDT:USDT"
    config = HeatmapConfig.for_pair(pair, exchange)
    most = {"binance": 2494, "bybit": 4999, "okx": 1499, "gate": 4994, "bitget": 999, "hyperliquid": 4999}[
        exchange
    ]
    assert config.warmup <= most
    assert config.max_age >= 300
    longer = dataclasses.replace(config, max_age=config.max_age + 8)
    assert longer.warmup > most or config.max_age == HeatmapConfig().max_age
    assert HeatmapConfig.for_exchange(exchange).warmup == config.warmup


def test_pairs_and_exchanges_bring_their_own_leverage() -> None:
    btc = HeatmapConfig.for_pair("BTC/USDT:USDT")
    assert btc.leverage == LeveragePrior(max_leverage=150, maintenance_margin_rate=0.004)
    assert btc.flow.open_interest_sides == 1
    hyperliquid = HeatmapConfig.for_pair("BTC/USDC:USDC", "hyperliquid")
    assert hyperliquid.leverage == LeveragePrior(
        median=3.5, sigma=0.7, max_leverage=40, maintenance_margin_rate=0.0125
    )
    assert HeatmapConfig.for_pair("BTC/USDT:USDT", "bybit").flow.open_interest_sides == 2


def test_fields_can_be_set_but_for_what_the_exchange_decides() -> None:
    config = HeatmapConfig.for_pair("BTC/USDT:USDT", horizon=24, max_age=800)
    assert (config.horizon, config.max_age) == (24, 800)
    for name, value in (("leverage", LeveragePrior()), ("flow", FlowRule())):
        hint = re.escape(f"use dataclasses.replace(config, {name}=...) on the result, received ")
        with pytest.raises(ConfigError, match=rf"^{name} must be left to the exchange: {hint}"):
            HeatmapConfig.for_pair("BTC/USDT:USDT", **{name: value})


def test_exchanges_go_by_their_other_names() -> None:
    assert HeatmapConfig.for_exchange("gateio") == HeatmapConfig.for_exchange("Gate")
    assert HeatmapConfig.for_exchange("binanceusdm") == HeatmapConfig.for_exchange("binance")


def test_amounts_in_contracts_are_an_exchanges_trait() -> None:
    in_contracts = {e for e in EXCHANGES if HeatmapConfig.for_exchange(e).flow.open_interest_in_contracts}
    assert in_contracts == {"okx", "gate"}


def test_exchanges_without_traits_are_refused() -> None:
    with pytest.raises(
        ConfigError,
        match=r"^exchange must be one of binance, bybit, okx, gate, bitget, hyperliquid, received 'ftx'$",
    ):
        HeatmapConfig.for_pair("BTC/USDT:USDT", "ftx")


def test_a_lookback_that_leaves_no_room_for_a_map_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"^warmup must be at most 999 for bitget .* shorter lookback, received "
    ):
        HeatmapConfig.for_pair("BTC/USDT:USDT", "bitget", lookback=480)


def test_files_of_version_0_1_are_read_without_their_reach() -> None:
    old = {"horizon": 24, "cascade": {"windows": [4, 36, 288], "nodes": [0.48, 1.0, 2.46], "impact": 0.7}}
    with pytest.warns(UserWarning, match=r"^cascade's windows, nodes are left out: reach was fitted anew; "):
        config = HeatmapConfig.from_dict(old)
    assert config == HeatmapConfig(horizon=24, cascade=CascadeRule(impact=0.7))
    assert "windows" in old["cascade"]  # the caller's own
