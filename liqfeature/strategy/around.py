"""Stops beyond clusters and targets at them for any Freqtrade strategy: inherit from `around_clusters`."""

from types import new_class
from typing import Any

from liqfeature.estimate.config import HeatmapConfig
from liqfeature.strategy.settings import ClusterSettings, check_settings
from liqfeature.strategy.trades import ClusterTrades


def around_clusters(strategy: type[Any]) -> type[Any]:
    """Return a base class whose trades are stopped out beyond clusters and sold into them.

    Parameters
    ----------
    strategy : type
        Freqtrade's `IStrategy`, or a strategy of your own that inherits from it.

    Returns
    -------
    type
        `strategy` with the callbacks of `ClusterTrades`, and with the settings that it does not have yet. Add
        `cluster_columns` in `populate_indicators`; keep your own entries and exits. `parameters` in the
        configuration, by space and name, replace the defaults of hyperopt's parameters: copy there by hand
        what a search found.

    Notes
    -----
    Freqtrade's hyperopt ships a strategy's bases to its workers by value, up to `IStrategy`. A mixin beside
    it leads that on to `object` and the whole of Python, which ends in a RecursionError.
    """

    def __init__(self: Any, config: dict[str, Any]) -> None:  # noqa: N807
        strategy.__init__(self, config)
        for space, values in config.get("parameters", {}).items():
            setattr(self, f"{space}_params", values)
        check_settings(self)
        self.startup_candle_count = HeatmapConfig.for_exchange(self.cluster_feed.venue).warmup

    settings = {name: value for name, value in vars(ClusterSettings).items() if not hasattr(strategy, name)}
    callbacks = {name: value for name, value in vars(ClusterTrades).items() if name not in _OF_ITS_OWN}
    members = {**settings, **callbacks, "__init__": __init__}
    return new_class("ClusterTrades", (strategy,), exec_body=lambda body: body.update(members))


_OF_ITS_OWN = ("__dict__", "__weakref__", "__annotations__")
