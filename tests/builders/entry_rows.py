"""Rows that fulfil the conditions of an entry, and their mirror images."""

import math

import pandas as pd
import pytest

pytest.importorskip("freqtrade")

from builders.driving import NOW, PAIR


def flip(name):
    """Swap above and below in the name of a column."""
    return name.replace("above", "?").replace("below", "above").replace("?", "below")


QUIET = {
    "close": 100.0,
    "high": 100.0,
    "low": 100.0,
    "atr": 0.4,
    "volume": 1.0,
    "volume_usual": 1.0,
    "ema_fast": 101.0,
    "ema_slow": 100.0,
    "rsi": 50.0,
    "prior_high": 120.0,
    "prior_low": 80.0,
    "volume_rises": 0.0,
    "divergence_long": 0.0,
    "divergence_short": 0.0,
    "stop_distance_above": 0.02,
    "stop_distance_below": 0.02,
    "liq_imbalance": 0.0,
    "liq_quality": 1.0,
    "liq_health": 0.0,
    "liq_cleared_above": 0.0,
    "liq_cleared_below": 0.0,
    "liq_pierced_above": math.nan,
    "liq_pierced_below": math.nan,
    "liq_peak_above": 102.5,
    "liq_peak_below": 97.5,
    "liq_distance_above": 1e-4,
    "liq_distance_below": 1e-4,
    "liq_density_above": 0.0,
    "liq_density_below": 0.0,
    "liq_vacuum_above": 9.0,
    "liq_vacuum_below": 9.0,
    "liq_hit_above": 1.0,
    "liq_hit_below": 1.0,
    "liq_cascade_above": 1.0,
    "liq_cascade_below": 1.0,
}
"""An uptrend in which nothing happens; what does not matter to a long is as hostile as can be."""


def safe_row(strategy):
    """Fulfil the filters of a long, each by a margin."""
    return QUIET | {
        "liq_hit_below": strategy.enter_hit.value / 2,
        "liq_cascade_below": strategy.enter_cascade.value / 2,
        "liq_quality": (strategy.enter_quality.value + 1) / 2,
    }


def good_row(strategy, side, way="towards"):
    """All conditions of an entry, each by a margin."""
    row = safe_row(strategy) | {
        "towards": lambda s: {
            "liq_distance_above": (s.enter_room.value + s.enter_distance.value) / 2,
            "liq_density_above": s.enter_density.value + 0.01,
            "liq_vacuum_above": s.enter_air.value / 2,
        },
        "reclaimed": lambda s: {
            "liq_cleared_below": (s.enter_cleared.value + 1) / 2,
            "liq_pierced_below": 99.5,
            "liq_imbalance": 1 - 2 * s.enter_remaining.value + 0.1,
        },
        "through": lambda s: {
            "liq_cleared_above": (s.enter_cleared.value + 1) / 2,
            "liq_pierced_above": 99.5,
            "liq_cascade_above": (s.enter_follow.value + 1) / 2,
        },
    }[way](strategy)
    return row if side == "long" else mirror_row(row)


def mirror_row(row):
    """Reflect a row: what lay above lies below, and up is down."""
    turned = {flip(name): value for name, value in row.items()}
    turned["liq_imbalance"] = -row["liq_imbalance"]
    for name in turned:
        if name.startswith("liq_") and name.split("_")[1] in ("peak", "pierced"):
            turned[name] = 200 - turned[name]
    turned["ema_fast"], turned["ema_slow"] = row["ema_slow"], row["ema_fast"]
    turned["rsi"] = 100 - row["rsi"]
    turned["prior_high"], turned["prior_low"] = 200 - row["prior_low"], 200 - row["prior_high"]
    turned["divergence_long"], turned["divergence_short"] = row["divergence_short"], row["divergence_long"]
    return turned


def signals(strategy, rows):
    """Run Freqtrade's own calls; return entries and exits as `(row, column, tag)`."""
    frame = pd.DataFrame({"date": pd.date_range(NOW, periods=len(rows), freq="5min")})
    frame = frame.join(pd.DataFrame(rows, dtype=float))
    frame = strategy.advise_exit(strategy.advise_entry(frame, {"pair": PAIR}), {"pair": PAIR})
    return [
        (i, f"{action}_{side}", tag)
        for action in ("enter", "exit")
        for side in ("long", "short")
        if f"{action}_{side}" in frame
        for i, tag in frame.loc[frame[f"{action}_{side}"] == 1, f"{action}_tag"].items()
    ]


def entries(strategy, *rows):
    return [signal for signal in signals(strategy, rows) if signal[1].startswith("enter")]


TAGS = {
    ("towards", "long"): "shorts_above",
    ("towards", "short"): "longs_below",
    ("reclaimed", "long"): "longs_swept",
    ("reclaimed", "short"): "shorts_swept",
    ("through", "long"): "through_shorts",
    ("through", "short"): "through_longs",
}
SWITCHES = {
    "towards": ("enter_towards", False),
    "reclaimed": ("enter_reclaim", "off"),
    "through": ("enter_break", False),
}
ways = pytest.mark.parametrize("way", SWITCHES)
