"""The whole configuration as one frozen value, and its form as JSON."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from liqfeature.cascade import CascadeRule
from liqfeature.checks import require, require_types
from liqfeature.clusters import ClusterRule
from liqfeature.errors import ConfigError
from liqfeature.flow import FlowRule
from liqfeature.grid import PriceGrid
from liqfeature.leverage import LeveragePrior
from liqfeature.tiers import tiers_for

N_GENERATIONS = 8
"""Generations of deposits that are kept, the current one included."""

N_BLOCKS = 12
"""Blocks of candles over which usual distances are averaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeTraits:
    """What differs between exchanges: warm-up that a live bot can load, open interest, and leverage."""

    most_candles: int
    open_interest: bool = True
    open_interest_sides: int = 1
    open_interest_in_contracts: bool = False
    median_leverage: float = 8.0
    leverage_sigma: float = 1.0


EXCHANGES = {
    "binance": ExchangeTraits(most_candles=2494),
    "bybit": ExchangeTraits(most_candles=4999, open_interest_sides=2),
    "okx": ExchangeTraits(most_candles=1499, open_interest_in_contracts=True),
    "gate": ExchangeTraits(most_candles=4994, open_interest_in_contracts=True),
    "bitget": ExchangeTraits(most_candles=999, open_interest=False),
    "hyperliquid": ExchangeTraits(
        most_candles=4999, open_interest=False, median_leverage=3.5, leverage_sigma=0.7
    ),
}
"""Warm-up limits are Freqtrade's for futures: five requests, less one candle."""


ALIASES = {"gateio": "gate", "binanceusdm": "binance"}
"""Other names under which Freqtrade and ccxt know an exchange."""


def exchange_traits(exchange: str) -> ExchangeTraits:
    """Traits of an exchange by Freqtrade's name; a ConfigError lists the known ones."""
    name = ALIASES.get(exchange.lower(), exchange.lower())
    require("exchange", name in EXCHANGES, f"one of {', '.join(EXCHANGES)}", repr(exchange))
    return EXCHANGES[name]


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
    grid, leverage, flow, clusters, cascade
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
    grid: PriceGrid = field(default_factory=PriceGrid)
    leverage: LeveragePrior = field(default_factory=LeveragePrior)
    flow: FlowRule = field(default_factory=FlowRule)
    clusters: ClusterRule = field(default_factory=ClusterRule)
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
        if max(self.cascade.windows) > self.lookback:
            msg = f"windows must be at most lookback ({self.lookback}), received {self.cascade.windows}"
            raise ConfigError(msg)

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

    @classmethod
    def for_pair(cls, pair: str, exchange: str = "binance", **changes: Any) -> Self:
        """Make a configuration with the pair's first leverage tier and the exchange's traits.

        Parameters
        ----------
        pair : str
            Freqtrade's name, such as "BTC/USDT:USDT".
        exchange : str
            One of `EXCHANGES`.
        **changes
            Fields to set instead of the defaults; not `leverage` and `flow`, which the exchange decides.

        Returns
        -------
        HeatmapConfig
            With a `warmup` that a live bot can load from that exchange.
        """
        config = cls.for_exchange(exchange, **changes)
        tier = tiers_for(pair, exchange)[0]
        leverage = dataclasses.replace(
            config.leverage,
            max_leverage=tier.max_leverage,
            maintenance_margin_rate=tier.maintenance_margin_rate,
        )
        return dataclasses.replace(config, leverage=leverage)

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
        )
        config = cls(leverage=leverage, flow=flow, **changes)
        shorter = config.max_age - max(config.warmup - traits.most_candles, 0)
        room = f"at most {traits.most_candles} for {exchange} with any max_age; choose a shorter lookback"
        require("warmup", shorter >= N_GENERATIONS, room, config.warmup)
        return dataclasses.replace(config, max_age=shorter - shorter % N_GENERATIONS)

    def to_dict(self) -> dict[str, Any]:
        """Plain dict of numbers, lists and dicts, from which `from_dict` makes an equal configuration."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Make a configuration from a dict; fields may be left out, unknown names are refused.

        `provenance`, which a calibration writes beside the fields, is left aside.
        """
        if isinstance(values, dict):
            values = {name: value for name, value in values.items() if name != "provenance"}
        config: Self = _build(cls, values, "heatmap")
        return config


def with_odds(config: HeatmapConfig, odds: tuple[float, ...]) -> HeatmapConfig:
    """Replace `cascade.odds`."""
    return dataclasses.replace(config, cascade=dataclasses.replace(config.cascade, odds=odds))


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
    except json.JSONDecodeError as error:
        msg = f"{path} must hold JSON: {error}"
        raise ConfigError(msg) from error
    return HeatmapConfig.from_dict(values)


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
