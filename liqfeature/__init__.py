"""Liquidation features for Freqtrade: where leveraged positions would be force-closed, as causal columns."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from liqfeature import moved
from liqfeature.errors import ConfigError, DataError, LiqFeatureError, MissingColumnError, MissingExtraError

if TYPE_CHECKING:
    from liqfeature.calibration.calibrate import calibrate
    from liqfeature.chart.figure import heatmap_figure
    from liqfeature.columns.features import COLUMNS, liquidation_features
    from liqfeature.columns.outlook import outlook
    from liqfeature.estimate.config import HeatmapConfig, load_config
    from liqfeature.estimate.outlook import Outlook
    from liqfeature.heatmap.history import HeatmapHistory, heatmap_history
    from liqfeature.heatmap.snapshot import Heatmap, estimate_heatmap
    from liqfeature.market.venue import Venue
    from liqfeature.scoring.validate import validate

    __version__: str

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
    "Outlook",
    "Venue",
    "calibrate",
    "estimate_heatmap",
    "heatmap_figure",
    "heatmap_history",
    "liquidation_features",
    "load_config",
    "outlook",
    "validate",
]

_AT_FIRST_USE = {
    "COLUMNS": "columns.features",
    "Heatmap": "heatmap.snapshot",
    "HeatmapConfig": "estimate.config",
    "HeatmapHistory": "heatmap.history",
    "Outlook": "estimate.outlook",
    "Venue": "market.venue",
    "calibrate": "calibration.calibrate",
    "estimate_heatmap": "heatmap.snapshot",
    "heatmap_figure": "chart.figure",
    "heatmap_history": "heatmap.history",
    "liquidation_features": "columns.features",
    "load_config": "estimate.config",
    "outlook": "columns.outlook",
    "validate": "scoring.validate",
}
"""Module of each name, loaded at its first use: a bot needs few of them, and `liqfeature --help` none."""


def __getattr__(name: str) -> Any:
    if name in _AT_FIRST_USE:
        return getattr(import_module(f"{__name__}.{_AT_FIRST_USE[name]}"), name)
    if name == "__version__":
        return import_module("importlib.metadata").version(__name__)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return [*globals(), *_AT_FIRST_USE, "__version__"]


moved.keep_old_paths()
