"""Amounts and clusters in words."""

from liqfeature.heatmap.clusters import Rung
from liqfeature.sides import LONG, SIDES


def amount(notional: float) -> str:
    """Write an amount of money with three digits: 1.23M."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if notional >= size:
            return f"{notional / size:.3g}{letter}"
    return f"{notional:.3g}"


def cluster_words(rung: Rung, side: int) -> str:
    """Say whose a cluster is, what it holds, how far off it is, and how likely it is touched."""
    away = -rung.distance if side == LONG else rung.distance
    return f"{SIDES[side]}s {amount(rung.notional)}, {away:+.1%}, touched {rung.hit:.0%}"
