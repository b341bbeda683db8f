"""What stands at the newest closed candle: what rests where, clusters, columns, and how far price may go."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from liqfeature.columns.features import COLUMNS, liquidation_features
from liqfeature.columns.outlook import outlook
from liqfeature.data.pair import PairData
from liqfeature.heatmap.clusters import Rung, cluster_ladder
from liqfeature.heatmap.snapshot import estimate_heatmap
from liqfeature.serve.tiles import SPANS, leverage_classes, plain, tile_number

FAN = (0.5, 0.8, 0.95)
"""Probabilities with which price stays within each band of the fan, at one side."""

HORIZONS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 36, 48)
"""Candles after the newest one at which the fan is computed."""


_REACH = 0.30
"""How far from price what rests now is sent, as a fraction of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One pair, loaded: its data, its columns, and what stands at its newest candle.

    Parameters
    ----------
    version : int
        Of the source.
    data : PairData
    recorded : DataFrame or None
        Single liquidations that were recorded, as `load_recorded` returns them.
    features : DataFrame
        The columns of every candle, and `sigma` at the horizon of the configuration.
    state : dict
        As `state_of`.
    """

    version: int
    data: PairData
    features: pd.DataFrame
    state: dict[str, Any]
    recorded: pd.DataFrame | None = None

    @classmethod
    def of(cls, version: int, data: PairData, name: str = "", recorded: pd.DataFrame | None = None) -> "Pair":
        """Compute everything but tiles; `name` is that of the market, where it is not the pair's."""
        features = liquidation_features(data.candles, data.config, **data.inputs)
        features["sigma"] = outlook(data.candles, data.config).sigma(data.config.horizon)
        state = _state(version, data, features) | {"pair": name or data.pair}
        return cls(version=version, data=data, features=features, state=state, recorded=recorded)


def _state(version: int, data: PairData, features: pd.DataFrame) -> dict[str, Any]:
    """Say what stands at the newest candle, as JSON has it; prices and quote currency, None for NaN."""
    newest = data.candles.iloc[-data.config.warmup :]
    heat = estimate_heatmap(data.candles, data.config, **data.inputs)
    ladder = cluster_ladder(data.candles, data.config, **data.inputs)
    date = data.candles["date"]
    interval = int((date.iloc[-1] - date.iloc[-2]).value // 1_000_000)
    warm = date.iloc[data.config.warmup - 1]
    near = slice(*np.searchsorted(heat.edge, [heat.close * (1 - _REACH), heat.close * (1 + _REACH)]))
    return {
        "version": str(version),
        "date": _milliseconds(heat.date),
        "first": _milliseconds(warm),
        "interval": interval,
        "close": heat.close,
        "edge": heat.edge[near.start : near.stop + 1].tolist(),
        "long": heat.long[near].tolist(),
        "short": heat.short[near].tolist(),
        "horizon": data.config.horizon,
        "above": [_rung(rung) for rung in ladder.above],
        "below": [_rung(rung) for rung in ladder.below],
        "fan": _fan(newest, data),
        "rows": dict(zip(COLUMNS, plain(features[list(COLUMNS)].iloc[-1].to_numpy(np.float64)), strict=True)),
        "tiles": [
            [tile_number(stamp, level, interval) for stamp in (warm, heat.date)]
            for level in range(len(SPANS))
        ],
        "leverage": list(leverage_classes(data.config)),
        "unit": data.pair.partition("/")[2].partition(":")[0],
        "beside": [name for name, table in data.inputs.items() if table is not None],
    }


def _rung(rung: Rung) -> dict[str, float]:
    names = ("near", "peak", "far", "distance", "notional", "share", "age", "hit")
    return {name: float(getattr(rung, name)) for name in names}


def _fan(candles: pd.DataFrame, data: PairData) -> dict[str, Any]:
    """Prices below and above which price stays with each probability, by horizon."""
    ahead, close = outlook(candles, data.config), float(candles["close"].iloc[-1])
    bands = [
        {
            "probability": probability,
            "below": plain(
                np.array([close * (1 - ahead.quantile("below", probability, h)[-1]) for h in HORIZONS])
            ),
            "above": plain(
                np.array([close * (1 + ahead.quantile("above", probability, h)[-1]) for h in HORIZONS])
            ),
        }
        for probability in FAN
    ]
    return {"horizons": list(HORIZONS), "bands": bands}


def _milliseconds(date: pd.Timestamp) -> int:
    return int(date.value // 1_000_000)
