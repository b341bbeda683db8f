"""Liquidation features for Freqtrade: where leveraged positions would be force-closed, as causal columns."""

from liqfeature.config import HeatmapConfig, load_config
from liqfeature.errors import ConfigError, DataError, LiqFeatureError, MissingColumnError, MissingExtraError
from liqfeature.features import COLUMNS, liquidation_features

__all__ = [
    "COLUMNS",
    "ConfigError",
    "DataError",
    "HeatmapConfig",
    "LiqFeatureError",
    "MissingColumnError",
    "MissingExtraError",
    "liquidation_features",
    "load_config",
]
