"""What a strategy author imports: stops beyond clusters, targets at them, conditions of entry.

`signals` and `indicators` are modules; the other names are loaded at their first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from liqfeature.columns.health import HealthRule
    from liqfeature.strategy import indicators, signals
    from liqfeature.strategy.around import around_clusters
    from liqfeature.strategy.drawing import cluster_areas, plan_lines, plot_config
    from liqfeature.strategy.plan import Plan
    from liqfeature.strategy.risk import sigma_notional
    from liqfeature.strategy.rule import PlanRule
    from liqfeature.strategy.trades import ClusterTrades

__all__ = [
    "ClusterTrades",
    "HealthRule",
    "Plan",
    "PlanRule",
    "around_clusters",
    "cluster_areas",
    "indicators",
    "plan_lines",
    "plot_config",
    "sigma_notional",
    "signals",
]

_MODULE_OF = {
    "ClusterTrades": "strategy.trades",
    "HealthRule": "columns.health",
    "Plan": "strategy.plan",
    "PlanRule": "strategy.rule",
    "around_clusters": "strategy.around",
    "cluster_areas": "strategy.drawing",
    "plan_lines": "strategy.drawing",
    "plot_config": "strategy.drawing",
    "sigma_notional": "strategy.risk",
}


def __getattr__(name: str) -> Any:
    if name in ("indicators", "signals"):
        return import_module(f"{__name__}.{name}")
    if name in _MODULE_OF:
        return getattr(import_module(f"liqfeature.{_MODULE_OF[name]}"), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
