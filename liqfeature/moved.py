"""Import paths of version 0.1, kept for one release: each works, and says where the thing is now."""

import sys
import warnings
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

MOVED = {
    "annotations": ("strategy.drawing",),
    "context": ("strategy.indicators",),
    "freqai": ("columns.freqai",),
    "funding": ("strategy.funding", "market.payments"),
    "health": ("columns.health",),
    "join": ("market.open_interest", "market.mark", "market.funding"),
    "judgement": ("walkforward.loss", "walkforward.overfitting"),
    "margin": ("exchange.margin",),
    "mixin": ("strategy.around", "strategy.trades", "strategy.feed"),
    "plan": ("strategy.plan",),
    "plot": ("strategy.drawing",),
    "risk": ("strategy.risk", "strategy.leverage"),
    "signals": ("strategy.signals",),
    "sizing": ("strategy.risk",),
    "source": ("data.pair",),
    "tiers": ("exchange.tables", "exchange.tiers", "exchange.binance_tiers"),
}
"""Module of version 0.1 that a strategy, a script or the docs imported, and where its names are now."""


class _OldPaths(MetaPathFinder, Loader):
    """Makes a module of an old path that looks its names up in the new ones."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        package, _, name = fullname.rpartition(".")
        return ModuleSpec(fullname, self) if package == __package__ and name in MOVED else None

    def exec_module(self, module: ModuleType) -> None:
        old = module.__name__.rpartition(".")[2]
        new = [f"{__package__}.{name}" for name in MOVED[old]]
        message = f"{module.__name__} is now {' and '.join(new)}; the old path goes with the next release"
        # Python leaves out the frames of the import system: one above this is the line that imports.
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        for name in reversed(new):
            module.__dict__.update({k: v for k, v in vars(import_module(name)).items() if k[:2] != "__"})


def keep_old_paths() -> None:
    """Let the old paths be imported."""
    if not any(isinstance(finder, _OldPaths) for finder in sys.meta_path):
        sys.meta_path.append(_OldPaths())
