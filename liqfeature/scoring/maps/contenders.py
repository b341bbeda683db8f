"""Every map that a scorecard compares: the estimate, parts of it, and what others do with the same data."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from liqfeature.estimate.config import HeatmapConfig
from liqfeature.market.maps import KnownMaps
from liqfeature.scoring.maps.base import Ground, Prediction
from liqfeature.scoring.maps.baselines import BASELINES
from liqfeature.scoring.maps.distance import distance_only
from liqfeature.scoring.maps.estimate import estimate
from liqfeature.scoring.measures.placement import TRAIN_SHARE
from liqfeature.types import FloatArray

ESTIMATE = "estimate"
FAR = "estimate, below 50x"
ALONE = "estimate, path alone"
DISTANCE = "distance only"
PATH_VOLUME = "path x volume"
TRUTH = "positions really open"

FAR_LEVERAGE = 50.0

UNITLESS = (PATH_VOLUME, ALONE, "relative volume", "volume spikes")
"""Maps whose amounts are no notional: their amplitude means nothing."""


def contenders(
    ground: Ground,
    config: HeatmapConfig,
    truth: FloatArray | None,
    elsewhere: Mapping[str, KnownMaps] | None = None,
) -> dict[str, Prediction]:
    """Predict with every map, by name; the estimate first, then those made elsewhere.

    `truth`, the notional really resting at each origin, gives distance-only its shape where it is known; the
    estimate does where it is not.
    """
    ours = estimate(ground, config)
    alone = estimate(ground, config.changed({"flow.opens": "path"}))
    maps = {ESTIMATE: ours, **_made_elsewhere(ground, config, elsewhere or {})}
    maps |= {FAR: far_part(ground, config), ALONE: alone}
    profile = mean_profile(ground, ours.window if truth is None else truth)
    return {
        **maps,
        DISTANCE: distance_only(ground, profile),
        **{name: f(ground) for name, f in BASELINES.items()},
    }


def _made_elsewhere(
    ground: Ground, config: HeatmapConfig, elsewhere: Mapping[str, KnownMaps]
) -> dict[str, Prediction]:
    """Let maps of others stand where ours would, from one to the next."""
    markets = {name: dataclasses.replace(ground.market, maps=maps) for name, maps in elsewhere.items()}
    return {
        name: estimate(dataclasses.replace(ground, market=market), config) for name, market in markets.items()
    }


def far_part(ground: Ground, config: HeatmapConfig) -> Prediction:
    """Estimate only what is opened at less than `FAR_LEVERAGE`."""
    leverage = config.leverage
    share = np.where(leverage.levels() < FAR_LEVERAGE, leverage.shares(), 0.0)
    part = float(np.sum(share))
    if part == 0.0:
        n = ground.market.close.size
        return Prediction(swept=np.zeros((2, n)), window=np.zeros((len(ground.origins), 2, ground.n_window)))
    whole = estimate(ground, config.changed({"leverage.weight": tuple(float(s) for s in share / part)}))
    return Prediction(swept=part * whole.swept, window=part * whole.window)


def mean_profile(ground: Ground, window: FloatArray) -> FloatArray:
    """Mean share of open interest by distance over the first origins, those that fit; (2, n_window)."""
    if not len(window):
        return np.zeros((2, ground.n_window))
    whole = distance_only(ground, np.ones((2, ground.n_window))).window
    training = slice(0, max(int(TRAIN_SHARE * len(window)), 1))
    profile: FloatArray = np.mean(window[training] / whole[training], axis=0)
    return profile
