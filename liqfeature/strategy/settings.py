"""What may be set on a strategy that trades around clusters."""

from collections.abc import Mapping
from inspect import getattr_static
from types import MappingProxyType
from typing import Any

from liqfeature.checks import require
from liqfeature.columns.health import HealthRule
from liqfeature.columns.windows import SCHEDULED
from liqfeature.strategy.rule import PlanRule


class ClusterSettings:
    """Settings: class attributes, each with its default. A property may replace one."""

    stoploss = -0.25
    """Of margin, should a plan's stop ever be missing."""

    plan_rule = PlanRule()
    """How stops and targets are placed."""
    health_rule = HealthRule()
    """What makes a row sound enough for an entry."""
    mark_candles = False
    """Whether a wick that the mark price did not follow liquidates nobody. Takes mark candles of the
    strategy's own timeframe: a bot loads them; for a backtest `download-data --candle-types mark` must, since
    Freqtrade's usual ones of an hour have not closed when a candle has, and are never used."""
    risk_per_trade = 0.005
    """Share of equity lost at the stop."""
    sized_by = "stop"
    """What loses `risk_per_trade`: the "stop", or a move against the position of one "sigma" within the map's
    horizon, by default an hour, wherever the stop lies: one of a day lies about four times as far away, and
    costs as many times the risk."""
    order_cost = 0.001
    """Of the notional of either order, slippage included."""
    liquidation_fee_rate = 0.0125
    """Of notional, charged for a liquidation, where the exchange does not say; own liquidation is kept
    farther by it."""
    first_share = 0.5
    """Of the position, sold at the first target."""
    stops_tighten = True
    """Whether the stop follows to the far side of newer clusters that lie nearer to price."""
    targets_move = True
    """Whether targets are set anew once their cluster is gone."""
    longest_hours = 24.0
    """After which a trade is left wherever it stands; within which the stop is hit with the probability that
    `plan_rule` states."""
    funding_hours = 8.0
    """From one funding payment to the next, where the payments themselves do not say."""
    funding_lead = 0.25
    """Hours before a payment from which a trade that would pay dearly is left."""
    dearest_funding = 0.0005
    """Of notional: a payment from which it is dear."""
    quiet_windows: Mapping[str, tuple[float, float]] = MappingProxyType({})
    """Minutes before and after something scheduled in which no trade is entered, by its name in
    `columns.windows`: {"funding": (15, 5), "event": (60, 30)}. Events come from the file that `events` names
    in the configuration."""
    least_event_weight = 0.0
    """Of an event of that file, to count."""


SIZED_BY = ("stop", "sigma")

_RANGES = {
    "risk_per_trade": (0.0, 1.0),
    "order_cost": (0.0, 1.0),
    "liquidation_fee_rate": (0.0, 1.0),
    "first_share": (0.0, 1.0),
    "longest_hours": (0.0, float("inf")),
    "funding_hours": (0.0, 24.0),
    "funding_lead": (0.0, 24.0),
    "dearest_funding": (0.0, float("inf")),
    "least_event_weight": (0.0, float("inf")),
}
_TYPES = {"plan_rule": PlanRule, "health_rule": HealthRule} | dict.fromkeys(
    ("mark_candles", "stops_tighten", "targets_move"), bool
)


def check_settings(strategy: Any) -> None:
    """Check the settings of a strategy; one that a property computes is not looked at.

    Raises
    ------
    ConfigError
        Naming the setting, its rule and the value received.
    """
    sized_by = getattr_static(strategy, "sized_by")
    known = isinstance(sized_by, property) or sized_by in SIZED_BY
    require("sized_by", known, "stop or sigma", repr(sized_by))
    windows = getattr_static(strategy, "quiet_windows")
    known = isinstance(windows, property) or _are_windows(windows)
    rule = f"minutes before and after by name, of {', '.join(SCHEDULED)}"
    require("quiet_windows", known, rule, repr(windows))
    for name in (*_RANGES, *_TYPES):
        value = getattr_static(strategy, name)
        if isinstance(value, property):
            continue
        if name in _TYPES:
            require(name, isinstance(value, _TYPES[name]), f"a {_TYPES[name].__name__}", repr(value))
            continue
        low, high = _RANGES[name]
        require(
            name,
            _is_number(value) and low <= value <= high,
            f"a number from {low:g} to {high:g}",
            repr(value),
        )


def _are_windows(windows: Any) -> bool:
    if not isinstance(windows, Mapping) or not set(windows) <= set(SCHEDULED):
        return False
    pairs = [pair for pair in windows.values() if isinstance(pair, tuple | list) and len(pair) == 2]
    return len(pairs) == len(windows) and all(_is_number(x) and x >= 0 for pair in pairs for x in pair)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
