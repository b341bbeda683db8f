"""The whole configuration as one frozen value, and its form as JSON."""

import dataclasses
import json
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pandas as pd

from liqfeature.checks import require, require_types
from liqfeature.errors import ConfigError
from liqfeature.estimate.cascade import CascadeRule
from liqfeature.estimate.clusters import ClusterRule
from liqfeature.estimate.flow import FlowRule
from liqfeature.estimate.grid import PriceGrid
from liqfeature.estimate.leverage import LeveragePrior
from liqfeature.estimate.reach import ReachRule
from liqfeature.exchange.tables import find_tiers
from liqfeature.exchange.traits import exchange_traits
from liqfeature.market.rule import JoinRule

N_GENERATIONS = 8
"""Generations of deposits that are kept, the current one included."""

N_BLOCKS = 12
"""Blocks of candles over which usual distances are averaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatmapConfig:
    """Everything that decides a column's value, given the data.

    Parameters
    ----------
    horizon : int
        Candles ahead to which `liq_hit_*`, `liq_fuel_*` and `liq_cascade_*` refer.
    max_age : int
        Candles after which a deposit is forgotten at the latest; a multiple of 8.
    lookback : int
        Candles over which what is usual is measured (distances, volume, volatility, sweeps), and for which
        a row of open interest is carried; a multiple of 12.
    band : float
        Fraction of price below within which clusters are sought and totals taken, 0.005 to 0.5; above, the
        same distance in logarithm.
    limits_known : bool
        Whether `leverage` has the limits of the pair or of a similar one, and not assumed ones. Without,
        `liq_quality` is half.
    grid, leverage, flow, clusters, reach, cascade
        Parameters of each idea, in the module of that name.

    Raises
    ------
    ConfigError
        Naming the parameter, its rule and the value received.
    """

    horizon: int = 12
    max_age: int = 1728
    lookback: int = 288
    band: float = 0.05
    limits_known: bool = True
    grid: PriceGrid = field(default_factory=PriceGrid)
    leverage: LeveragePrior = field(default_factory=LeveragePrior)
    flow: FlowRule = field(default_factory=FlowRule)
    clusters: ClusterRule = field(default_factory=ClusterRule)
    reach: ReachRule = field(default_factory=ReachRule)
    cascade: CascadeRule = field(default_factory=CascadeRule)

    def __post_init__(self) -> None:
        require_types(self)
        require(
            "horizon", 1 <= self.horizon <= self.lookback, "at least 1 and at most lookback", self.horizon
        )
        require(
            "max_age",
            self.max_age > 0 and self.max_age % N_GENERATIONS == 0,
            "a multiple of 8, above 0",
            self.max_age,
        )
        require(
            "lookback",
            self.lookback > 0 and self.lookback % N_BLOCKS == 0,
            "a multiple of 12, above 0",
            self.lookback,
        )
        require("band", 0.005 <= self.band <= 0.5, "between 0.005 and 0.5", self.band)

    @property
    def warmup(self) -> int:
        """Candles on which a row depends at most, its own included.

        A row depends on what was read off the map within `memory` before it; the map on deposits, which live
        `max_age`; those on open interest or volume, at most a lookback old, and on the candle before.
        """
        return self.max_age + self.lookback + self.memory + 2

    @property
    def memory(self) -> int:
        """Candles before a row whose map the row depends on, beside its own.

        Clusters within the horizon before it, those on distances from price over a lookback and a block; the
        cascade on sweeps over a lookback and a horizon.
        """
        return self.lookback + self.lookback // N_BLOCKS + self.horizon

    @property
    def join_rule(self) -> JoinRule:
        """How the frames of a market are joined for this configuration."""
        flow = self.flow
        since = flow.open_interest_opening_since
        return JoinRule(
            lookback=self.lookback,
            open_interest_in_contracts=flow.open_interest_in_contracts,
            volume_in_contracts=flow.volume_in_contracts,
            contract_size=flow.contract_size,
            opening_since=pd.Timestamp(since, tz="UTC").timestamp() * 1000 if since else math.inf,
        )

    @classmethod
    def for_pair(
        cls,
        pair: str,
        exchange: str = "binance",
        *,
        max_leverage: float | None = None,
        contract_size: float | None = None,
        **changes: Any,
    ) -> Self:
        """Make a configuration with the pair's first leverage tier and the exchange's traits.

        A bot knows the market itself: `HeatmapConfig.for_pair(pair, exchange, **facts_of(market))`.

        Parameters
        ----------
        pair : str
            Freqtrade's name of a linear future, such as "BTC/USDT:USDT".
        exchange : str
            One of `EXCHANGES`.
        max_leverage : float, optional
            Highest leverage of the market itself, where it is known.
        contract_size : float, optional
            Base currency per contract, where it is known: it counts where the exchange counts contracts.
        **changes
            Fields to set instead of the defaults; not `leverage` and `flow`, which the exchange decides.

        Returns
        -------
        HeatmapConfig
            With a `warmup` that a live bot can load from that exchange.

        Raises
        ------
        ConfigError
            If the pair is no linear future, the exchange is not known, or a value breaks its rule.
        """
        config = cls.for_exchange(exchange, **changes)
        found = find_tiers(pair, exchange, max_leverage=max_leverage)
        tier = found.tiers[0]
        leverage = dataclasses.replace(
            config.leverage,
            max_leverage=tier.max_leverage,
            maintenance_margin_rate=tier.maintenance_margin_rate,
        )
        flow = config.flow
        if contract_size is not None and (flow.open_interest_in_contracts or flow.volume_in_contracts):
            flow = dataclasses.replace(flow, contract_size=float(contract_size))
        return dataclasses.replace(config, leverage=leverage, flow=flow, limits_known=not found.assumed)

    @classmethod
    def for_exchange(cls, exchange: str, **changes: Any) -> Self:
        """Make a configuration with an exchange's traits; its `warmup` is the same for every pair of it."""
        traits = exchange_traits(exchange)
        for name in ("leverage", "flow"):
            hint = f"left to the exchange: use dataclasses.replace(config, {name}=...) on the result"
            require(name, name not in changes, hint, changes.get(name))
        leverage = LeveragePrior(median=traits.median_leverage, sigma=traits.leverage_sigma)
        flow = FlowRule(
            open_interest_sides=traits.open_interest_sides,
            open_interest_in_contracts=traits.open_interest_in_contracts,
            volume_in_contracts=traits.volume_in_contracts,
            open_interest_opening_since=traits.open_interest_opening_since,
        )
        cascade = changes.pop("cascade", CascadeRule())
        if cascade.recorded_share == 0:
            cascade = dataclasses.replace(cascade, recorded_share=traits.recorded_share)
        config = cls(leverage=leverage, flow=flow, cascade=cascade, **changes)
        shorter = config.max_age - max(config.warmup - traits.most_candles, 0)
        room = f"at most {traits.most_candles} for {exchange} with any max_age; choose a shorter lookback"
        require("warmup", shorter >= N_GENERATIONS, room, config.warmup)
        return dataclasses.replace(config, max_age=shorter - shorter % N_GENERATIONS)

    def changed(self, values: Mapping[str, Any]) -> Self:
        """Replace parameters by their names, dotted within a part, such as {"flow.churn": 0.3}."""
        config = self
        for name, value in values.items():
            part, _, parameter = name.rpartition(".")
            within = dataclasses.replace(getattr(config, part), **{parameter: value}) if part else value
            config = dataclasses.replace(config, **{part or parameter: within})
        return config

    def to_dict(self) -> dict[str, Any]:
        """Plain dict of numbers, lists and dicts, from which `from_dict` makes an equal configuration."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Make a configuration from a dict; fields may be left out, unknown names are refused.

        `provenance`, which a calibration writes beside the fields, is left aside, and so, with a warning, is
        what version 0.1 knew of reach.
        """
        if isinstance(values, dict):
            values = {name: value for name, value in values.items() if name != "provenance"}
            values = _without_old_reach(values)
        config: Self = _build(cls, values, "heatmap")
        return config


def configuration(config: HeatmapConfig | None) -> HeatmapConfig:
    """Return the default in the place of None; a ConfigError for anything else that is no configuration."""
    config = HeatmapConfig() if config is None else config
    received = type(config).__name__
    require("config", isinstance(config, HeatmapConfig), "a HeatmapConfig; frames go by keyword", received)
    return config


def load_config(path: str | Path) -> HeatmapConfig:
    """Read a configuration from a JSON file.

    Parameters
    ----------
    path : str or Path
        File in the form of `configs/heatmap.json`; what it leaves out keeps its default.

    Raises
    ------
    ConfigError
        If the file holds no JSON, an unknown name, or a value that breaks its rule.
    """
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # of the encoding or of JSON
        msg = f"{path} must hold JSON: {error}"
        raise ConfigError(msg) from error
    return HeatmapConfig.from_dict(values)


_OLD_REACH = ("windows", "weights", "hours", "weekend", "nodes", "node_weights")
"""Parameters of reach in version 0.1, which `cascade` held; they mean something else in `reach`."""


def _without_old_reach(values: dict[str, Any]) -> dict[str, Any]:
    cascade = values.get("cascade")
    if not isinstance(cascade, dict) or not (old := [name for name in _OLD_REACH if name in cascade]):
        return values
    message = f"cascade's {', '.join(old)} are left out: reach was fitted anew; calibrate cascade.odds again"
    warnings.warn(message, UserWarning, stacklevel=3)
    return values | {"cascade": {name: value for name, value in cascade.items() if name not in old}}


def _build(cls: type[Any], values: Any, name: str) -> Any:
    if not isinstance(values, dict):
        msg = f"{name} must be a dict, received {values!r}"
        raise ConfigError(msg)
    known = {f.name: f for f in dataclasses.fields(cls)}
    if unknown := sorted(set(values) - set(known)):
        msg = f"{name} has no {', '.join(unknown)}; it has {', '.join(known)}"
        raise ConfigError(msg)
    return cls(**{key: _value(known[key], value) for key, value in values.items()})


def _value(parameter: "dataclasses.Field[Any]", value: Any) -> Any:
    if isinstance(parameter.type, type) and dataclasses.is_dataclass(parameter.type):
        return _build(parameter.type, value, parameter.name)
    return tuple(value) if isinstance(value, list) else value
