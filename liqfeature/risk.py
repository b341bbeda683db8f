"""What a trade near clusters needs to know before it is opened: stop, targets, leverage, stake.

A strategy's callbacks only call these, so that its file holds no arithmetic. All functions take and return
plain floats. NaN means that there is none: no stop within reach is no trade, no target is no exit there.
Distances named as fractions are fractions of the entry price.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol, Self

from liqfeature.errors import ConfigError, DataError, MissingColumnError
from liqfeature.margin import LeverageTier, maintenance_margin
from liqfeature.types import Side


def _at_least(minimum: float, **values: float) -> None:
    for name, value in values.items():
        if not value >= minimum:
            msg = f"{name} must be at least {minimum}, got {value}"
            raise ConfigError(msg)


def _share(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value < 1:
            msg = f"{name} must be between 0 and 1, got {value}"
            raise ConfigError(msg)


class Row(Protocol):
    """One candle with its columns: a row of a DataFrame or a dict."""

    def __getitem__(self, column: str, /) -> Any:
        """Return the value of a column."""


def stop_beyond(
    far_edge: float,
    *,
    entry_price: float,
    is_short: bool,
    average_true_range: float,
    buffer: float = 0.35,
    fallback: float = 2.0,
    max_distance: float = 0.04,
) -> float:
    """Return a stop on the far side of the cluster that lies against a position.

    Forced orders drive price through the cluster and are spent at its far edge; a stop before or inside it
    would be part of them.

    Parameters
    ----------
    far_edge : float
        Price of the far edge of the nearest cluster below a long or above a short. NaN, or an edge that the
        entry has already passed, means that no cluster lies against the position.
    entry_price : float
        Quote per base.
    is_short : bool
        Side of the position.
    average_true_range : float
        Quote per base, above 0.
    buffer : float, default 0.35
        Distance from the far edge to the stop, in average true ranges.
    fallback : float, default 2.0
        Distance from the entry to the stop where there is no cluster, in average true ranges.
    max_distance : float, default 0.04
        Farthest stop accepted, as a fraction of the entry price.

    Returns
    -------
    float
        Price of the stop. NaN, which means no trade, where it would be farther than `max_distance`, or
        where entry or average true range are NaN or not above 0.

    Raises
    ------
    ConfigError
        If `buffer` or `fallback` are below 0, or `max_distance` is not between 0 and 1.
    """
    _at_least(0, buffer=buffer, fallback=fallback)
    _share(max_distance=max_distance)
    if not average_true_range > 0:
        return math.nan
    sign = _sign(is_short)
    has_cluster = sign * (entry_price - far_edge) > 0
    start, distance = (far_edge, buffer) if has_cluster else (entry_price, fallback)
    stop = start - sign * distance * average_true_range
    return float(stop) if 0 < sign * (entry_price - stop) <= max_distance * entry_price else math.nan


def targets(
    near: float,
    peak: float,
    *,
    entry_price: float,
    is_short: bool,
    average_true_range: float,
    inset: float = 0.1,
    min_distance: float = 0.0,
) -> tuple[float, float]:
    """Return the prices at which to sell into the forced orders of the cluster ahead.

    Parameters
    ----------
    near, peak : float
        Prices of the near edge and the peak of the nearest cluster above a long or below a short; NaN if
        there is none.
    entry_price : float
        Quote per base.
    is_short : bool
        Side of the position.
    average_true_range : float
        Quote per base.
    inset : float, default 0.1
        How far before the near edge the first target lies, in average true ranges.
    min_distance : float, default 0.0
        Least profit worth a target, as a fraction of the entry price.

    Returns
    -------
    first, second : float
        `inset` before the near edge, and the peak. NaN for one that does not lie beyond the entry by more
        than `min_distance` in the direction of profit.

    Raises
    ------
    ConfigError
        If `inset` or `min_distance` are below 0.
    """
    _at_least(0, inset=inset, min_distance=min_distance)
    sign = _sign(is_short)

    def worthwhile(price: float) -> float:
        return float(price) if sign * (price - entry_price) > min_distance * entry_price else math.nan

    return worthwhile(near - sign * inset * average_true_range), worthwhile(peak)


def risk_notional(
    equity: float, risk: float, *, entry_price: float, stop_price: float, fee: float = 0.0
) -> float:
    """Return the notional at entry with which a stop-out loses a given share of equity.

    Parameters
    ----------
    equity : float
        What the account is worth, in quote.
    risk : float
        Share of equity that a stop-out may lose, between 0 and 1.
    entry_price, stop_price : float
        Quote per base.
    fee : float, default 0.0
        Fee rate of each of the two orders, slippage included, each on what that order turns over.

    Returns
    -------
    float
        `equity * risk / (|entry - stop| + fee * (entry + stop)) * entry`, in quote. NaN where equity or a
        price is NaN or not above 0, or the stop lies at the entry.

    Raises
    ------
    ConfigError
        If `risk` is not between 0 and 1, or `fee` is below 0.
    """
    _share(risk=risk)
    _at_least(0, fee=fee)
    distance = abs(entry_price - stop_price)
    if not (equity > 0 and entry_price > 0 and stop_price > 0 and distance > 0):
        return math.nan
    return float(equity * risk / (distance + fee * (entry_price + stop_price)) * entry_price)


def risk_stake(
    equity: float,
    risk: float,
    *,
    entry_price: float,
    stop_price: float,
    leverage: float,
    fee: float = 0.0,
) -> float:
    """Return the margin to put up so that a stop-out loses a given share of equity.

    Parameters
    ----------
    equity, risk, entry_price, stop_price, fee
        As in `risk_notional`.
    leverage : float
        Of the position, at least 1.

    Returns
    -------
    float
        `risk_notional / leverage`, in quote; NaN as there.

    Raises
    ------
    ConfigError
        As `risk_notional`, or if `leverage` is below 1.
    """
    _at_least(1, leverage=leverage)
    notional = risk_notional(equity, risk, entry_price=entry_price, stop_price=stop_price, fee=fee)
    return float(notional / leverage)


def leverage_for_stop(
    stop_price: float,
    *,
    entry_price: float,
    is_short: bool,
    tiers: tuple[LeverageTier, ...],
    notional: float,
    cap: float = 5.0,
    clearance: float = 0.6,
    liquidation_fee_rate: float = 0.0,
) -> float:
    """Return the highest leverage at which the position's own liquidation lies well beyond its stop.

    Notional, not stake, is what the risk at the stop decides (`risk_notional`); leverage only decides how
    much margin stands behind it.

    Parameters
    ----------
    stop_price, entry_price : float
        Quote per base.
    is_short : bool
        Side of the position.
    tiers : tuple of LeverageTier
        Margin schedule of the pair, ascending.
    notional : float
        Value of the position at entry, in quote.
    cap : float, default 5.0
        Highest leverage wanted, at least 1. The tier of `notional` caps it too.
    clearance : float, default 0.6
        How far beyond the stop liquidation must lie, as a fraction of the distance from entry to stop. Above
        0.053 it also covers Freqtrade's default `liquidation_buffer` of 5 %.
    liquidation_fee_rate : float, default 0.0
        Share of notional that the venue adds to maintenance margin.

    Returns
    -------
    float
        At least 1. NaN, which means no trade, where even 1x would be liquidated too near, the stop does not
        lie on the losing side of the entry, or a price or `notional` is NaN or not above 0.

    Raises
    ------
    ConfigError
        If `cap` is below 1, `clearance` below 0, or tiers or fee break their rule.

    Notes
    -----
    The margin needed at the price `X` where liquidation may at the nearest be is the loss up to there plus
    maintenance margin of the notional there; leverage is notional at entry over that.
    """
    _at_least(1, cap=cap)
    _at_least(0, clearance=clearance)
    distance = _sign(is_short) * (entry_price - stop_price) / entry_price if entry_price > 0 else math.nan
    if not (distance > 0 and stop_price > 0 and notional > 0):
        return math.nan
    reach = (1 + clearance) * distance
    worth = notional * (1 + reach if is_short else max(1 - reach, 0.0))
    needed = notional * reach + maintenance_margin(worth, tiers, liquidation_fee_rate=liquidation_fee_rate)
    allowed = notional / needed
    if allowed < 1:
        # An unlevered long is never liquidated; an unlevered short is, at about twice its entry.
        return math.nan if is_short else 1.0
    return float(min(allowed, cap, _max_leverage(notional, tiers)))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRule:
    """How a plan places its stop and its targets.

    Parameters
    ----------
    buffer, fallback, max_distance
        As in `stop_beyond`.
    inset, min_distance
        As in `targets`.

    Raises
    ------
    ConfigError
        If a parameter breaks its rule.
    """

    buffer: float = 0.35
    fallback: float = 2.0
    max_distance: float = 0.04
    inset: float = 0.1
    min_distance: float = 0.002

    def __post_init__(self) -> None:
        _at_least(
            0, buffer=self.buffer, fallback=self.fallback, inset=self.inset, min_distance=self.min_distance
        )
        _share(max_distance=self.max_distance)


DEFAULT_RULE = PlanRule()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Stop and targets of one trade, fixed when it is opened.

    Parameters
    ----------
    side : {"long", "short"}
        Side of the position.
    entry_price : float
        Quote per base.
    stop : float
        On the losing side of the entry.
    first_target, second_target : float, default NaN
        On the winning side of the entry; NaN if there is none.

    Raises
    ------
    DataError
        If `side` is neither, or a price lies on the wrong side of the entry.
    """

    side: Side
    entry_price: float
    stop: float
    first_target: float = math.nan
    second_target: float = math.nan

    def __post_init__(self) -> None:
        if self.side not in ("long", "short"):
            msg = f"side must be 'long' or 'short', got {self.side!r}"
            raise DataError(msg)
        sign = _sign(self.is_short)
        if not sign * (self.entry_price - self.stop) > 0:
            msg = f"stop of a {self.side} must lie on the losing side of {self.entry_price}, got {self.stop}"
            raise DataError(msg)
        for name in ("first_target", "second_target"):
            if sign * (getattr(self, name) - self.entry_price) <= 0:
                msg = (
                    f"{name} of a {self.side} must lie on the winning side of {self.entry_price}, "
                    f"got {getattr(self, name)}"
                )
                raise DataError(msg)

    @classmethod
    def for_entry(
        cls,
        row: Row,
        *,
        entry_price: float,
        is_short: bool,
        average_true_range: float,
        rule: PlanRule = DEFAULT_RULE,
    ) -> Self | None:
        """Plan an entry from the last closed candle.

        Parameters
        ----------
        row : Row
            Holds `liq_far_*`, `liq_near_*` and `liq_peak_*`.
        entry_price, is_short, average_true_range
            As in `stop_beyond`.
        rule : PlanRule, optional
            Distances.

        Returns
        -------
        Plan or None
            None means no trade: there is no acceptable stop.

        Raises
        ------
        MissingColumnError
            If the row lacks a column.
        """
        against, ahead = ("above", "below") if is_short else ("below", "above")
        stop = stop_beyond(
            _value(row, f"liq_far_{against}"),
            entry_price=entry_price,
            is_short=is_short,
            average_true_range=average_true_range,
            buffer=rule.buffer,
            fallback=rule.fallback,
            max_distance=rule.max_distance,
        )
        first, second = targets(
            _value(row, f"liq_near_{ahead}"),
            _value(row, f"liq_peak_{ahead}"),
            entry_price=entry_price,
            is_short=is_short,
            average_true_range=average_true_range,
            inset=rule.inset,
            min_distance=rule.min_distance,
        )
        if math.isnan(stop):
            return None
        return cls(
            side="short" if is_short else "long",
            entry_price=float(entry_price),
            stop=stop,
            first_target=first,
            second_target=second,
        )

    @property
    def is_short(self) -> bool:
        """Whether this is the plan of a short."""
        return self.side == "short"

    def reached_first(self, price: float) -> bool:
        """Return whether price has reached the first target; False if there is none."""
        return self._reached(self.first_target, price)

    def reached_second(self, price: float) -> bool:
        """Return whether price has reached the second target; False if there is none."""
        return self._reached(self.second_target, price)

    def _reached(self, target: float, price: float) -> bool:
        return bool(_sign(self.is_short) * (price - target) >= 0)

    def to_dict(self) -> dict[str, str | float]:
        """Return the plan as plain strings and floats, leaving out targets that it does not have."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if name == "side" or not math.isnan(value)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild a plan from `to_dict`.

        Parameters
        ----------
        values : mapping
            As `to_dict` returned it, also after a trip through JSON.

        Raises
        ------
        DataError
            If keys are missing or unknown, or a value breaks its rule.
        """
        known = {field.name for field in fields(cls)}
        required = {"side", "entry_price", "stop"}
        if not required <= set(values) <= known:
            msg = (
                f"plan must have {sorted(required)} and nothing beyond {sorted(known)}, got {sorted(values)}"
            )
            raise DataError(msg)
        prices = {name: float(value) for name, value in values.items() if name != "side"}
        return cls(side=values["side"], **prices)


def _value(row: Row, column: str) -> float:
    try:
        return float(row[column])
    except KeyError:
        msg = f"row lacks column {column!r}"
        raise MissingColumnError(msg) from None


def _max_leverage(notional: float, tiers: tuple[LeverageTier, ...]) -> float:
    return min(tier.max_leverage for tier in tiers if tier.min_notional < notional)


def _sign(is_short: bool) -> float:
    return -1.0 if is_short else 1.0
