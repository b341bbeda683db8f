"""Liquidation features for Freqtrade: where leveraged positions would be force-closed, as causal columns."""

from liqfeature.calibration.calibrate import calibrate
from liqfeature.chart.figure import heatmap_figure
from liqfeature.config import HeatmapConfig, load_config
from liqfeature.errors import ConfigError, DataError, LiqFeatureError, MissingColumnError, MissingExtraError
from liqfeature.features import COLUMNS, liquidation_features
from liqfeature.history import HeatmapHistory, heatmap_history
from liqfeature.scoring.validate import validate
from liqfeature.snapshot import Heatmap, estimate_heatmap

__all__ = [
    "COLUMNS",
    "ConfigError",
    "DataError",
    "Heatmap",
    "HeatmapConfig",
    "HeatmapHistory",
    "LiqFeatureError",
    "MissingColumnError",
    "MissingExtraError",
    "calibrate",
    "estimate_heatmap",
    "heatmap_figure",
    "heatmap_history",
    "liquidation_features",
    "load_config",
    "validate",
]
