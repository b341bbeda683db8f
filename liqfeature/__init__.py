"""Liquidation features for Freqtrade: where leveraged positions would be force-closed, as causal columns."""

from liqfeature.calibration.calibrate import calibrate
from liqfeature.config import HeatmapConfig, load_config
from liqfeature.errors import ConfigError, DataError, LiqFeatureError, MissingColumnError, MissingExtraError
from liqfeature.features import COLUMNS, liquidation_features
from liqfeature.scoring.validate import validate
from liqfeature.snapshot import Heatmap, estimate_heatmap

__all__ = [
    "COLUMNS",
    "ConfigError",
    "DataError",
    "Heatmap",
    "HeatmapConfig",
    "LiqFeatureError",
    "MissingColumnError",
    "MissingExtraError",
    "calibrate",
    "estimate_heatmap",
    "liquidation_features",
    "load_config",
    "validate",
]
