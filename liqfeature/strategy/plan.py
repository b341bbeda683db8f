"""The plan of one trade: stop and targets, made when it is opened."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, Self

from liqfeature.errors import DataError, MissingColumnError
from liqfeature.sides import SIDES, Side, ahead, behind, sign_of
from liqfeature.strategy.risk import stop_beyond, targets
from liqfeature.strategy.rule import PlanRule


class Row(Protocol):
    """One candle with its columns: a row of a DataFrame or a dict."""

    def __getitem__(self, column: str, /) -> Any:
        """Return the value of a column."""


DEFAULT_RULE = PlanRule()

VERSION = 1
"""Of the stored form of a plan. A later version adds fields, which an earlier one leaves out."""

_REQUIRED = ("side", "entry_price", "stop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Stop and targets of one trade.

    Parameters
    ----------
    side : {"long", "short"}
        Side of the position.
    entry_price : float
        Quote per base.
    stop : float
        Where it was placed at the entry, on the losing side of it.
    first_target, second_target : float, default NaN
        On the winning side of the entry; NaN if there is none.
    shield : float, default NaN
        Near edge of the cluster that the stop in force lies behind; NaN if there is none.
    tightened_stop : float, default NaN
        Where the stop was brought since, nearer to price than `stop`; NaN if it was not.

    Raises
    ------
    DataError
        If `side` is neither, a number is not above 0 and finite, or a price lies on the wrong side of the
        entry.
    """

    side: Side
    entry_price: float
    stop: float
    first_target: float = math.nan
    second_target: float = math.nan
    shield: float = math.nan
    tightened_stop: float = math.nan

    def __post_init__(self) -> None:
        if self.side not in SIDES:
            message = f"side must be 'long' or 'short', received {self.side!r}"
            raise DataError(message)
        sign, entry = sign_of(self.is_short), self.entry_price
        losing, winning = f"on the losing side of {entry}", f"on the winning side of {entry}"
        self._require("stop", sign * (entry - self.stop) > 0, losing)
        for name in ("first_target", "second_target"):
            self._require(name, not sign * (getattr(self, name) - entry) <= 0, winning)
        nearer = not sign * (self.tightened_stop - self.stop) <= 0
        self._require("tightened_stop", nearer, f"nearer to price than {self.stop}")
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            known = value == value or field.name in _REQUIRED
            self._require(field.name, not known or 0 < value < math.inf, "between 0 and infinity")

    def _require(self, name: str, holds: bool, where: str) -> None:
        if not holds:
            message = f"{name} of a {self.side} must lie {where}, received {getattr(self, name)}"
            raise DataError(message)

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
            Holds `liq_far_*`, `liq_near_*`, `liq_peak_*` and `stop_distance_*`.
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
        stop = _stop(row, entry_price, is_short, average_true_range, rule)
        if math.isnan(stop):
            return None
        has_cluster = sign_of(is_short) * (entry_price - _value(row, f"liq_far_{behind(is_short)}")) > 0
        if rule.targets == "plain":
            first, second = (entry_price + multiple * (entry_price - stop) for multiple in rule.multiples)
        else:
            first, second = _targets(row, entry_price, is_short, average_true_range, rule)
        return cls(
            side="short" if is_short else "long",
            entry_price=float(entry_price),
            stop=stop,
            first_target=first,
            second_target=second,
            shield=_value(row, f"liq_near_{behind(is_short)}") if has_cluster else math.nan,
        )

    def tightened(
        self, row: Row, *, price: float, average_true_range: float, rule: PlanRule = DEFAULT_RULE
    ) -> Self:
        """Bring the stop to the far side of a newer cluster that lies nearer to price.

        Parameters
        ----------
        row : Row
            Last closed candle; holds `liq_near_*`, `liq_far_*` and `stop_distance_*`.
        price : float
            Of the market: a cluster that it has entered is no shield any more.
        average_true_range : float
            Quote per base.
        rule : PlanRule, optional
            Distances.

        Returns
        -------
        Plan
            With a stop as an entry at this price would have it, where that is nearer than the stop in force
            and does not lie inside the cluster that this one lies behind; else itself. The stop never moves
            away from price.

        Raises
        ------
        MissingColumnError
            If the row lacks a column.
        """
        where, sign = behind(self.is_short), sign_of(self.is_short)
        near = _value(row, f"liq_near_{where}")
        stop = _stop(row, price, self.is_short, average_true_range, rule)
        is_nearer = sign * (stop - self.current_stop) > 0  # False for NaN
        in_old_cluster = sign * (stop - self.shield) <= 0
        if sign * (price - near) > 0 and is_nearer and not in_old_cluster:
            return replace(self, tightened_stop=float(stop), shield=near)
        return self

    def retargeted(
        self, row: Row, *, price: float, average_true_range: float, rule: PlanRule = DEFAULT_RULE
    ) -> Self:
        """Aim anew where the cluster that the second target was set at is gone.

        Parameters
        ----------
        row : Row
            Last closed candle; holds `liq_near_*` and `liq_peak_*`.
        price : float
            Of the market: a target that it has reached stands, though the cluster is swept.
        average_true_range : float
            Quote per base.
        rule : PlanRule, optional
            Distances.

        Returns
        -------
        Plan
            Itself while the cluster may still be there: a nearer one hides those behind it. Else, where the
            nearest cluster begins beyond the second target, where there is none at all, or where there was
            no second target, with the targets of the row. Plain targets stand. The stop stays.

        Raises
        ------
        MissingColumnError
            If the row lacks a column.
        """
        near = _value(row, f"liq_near_{ahead(self.is_short)}")
        stands = rule.targets == "plain" or sign_of(self.is_short) * (self.second_target - near) >= 0
        if stands or self.reached_first(price) or self.reached_second(price):
            return self
        first, second = _targets(row, self.entry_price, self.is_short, average_true_range, rule)
        return replace(self, first_target=first, second_target=second)

    def after_entry(self, entry_price: float, fresh: Self | None) -> Self:
        """Return the plan once another entry has been filled.

        Parameters
        ----------
        entry_price : float
            Mean of all entries, quote per base.
        fresh : Plan or None
            The plan that would be made at that price; None where it has no acceptable stop.

        Returns
        -------
        Plan
            Of that price, with the nearer stop of the two and with the targets of the fresh one; without one,
            with its own targets that still lie on the winning side. Itself where its stop does not lie on the
            losing side of that price: the market has passed it.
        """
        sign = sign_of(self.is_short)
        if fresh is not None:
            return fresh.stopped_at(self.current_stop, self.shield)
        if not sign * (entry_price - self.stop) > 0:
            return self
        targets = (self.first_target, self.second_target)
        first, second = (x if sign * (x - entry_price) > 0 else math.nan for x in targets)
        return replace(self, entry_price=float(entry_price), first_target=first, second_target=second)

    def stopped_at(self, price: float, shield: float = math.nan) -> Self:
        """Return the plan with a stop at a price, where that is nearer than the stop in force."""
        if not sign_of(self.is_short) * (price - self.current_stop) > 0:
            return self
        return replace(self, tightened_stop=float(price), shield=float(shield))

    @property
    def current_stop(self) -> float:
        """Price of the stop in force."""
        return self.stop if math.isnan(self.tightened_stop) else self.tightened_stop

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
        return bool(sign_of(self.is_short) * (price - target) >= 0)

    def to_dict(self) -> dict[str, str | int | float]:
        """Return the plan as plain values with the version of their form, without what it does not have."""
        values = {field.name: float(getattr(self, field.name)) for field in fields(self)[1:]}
        known = {name: value for name, value in values.items() if not math.isnan(value)}
        return {"version": VERSION, "side": self.side, **known}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild a plan from `to_dict`.

        Parameters
        ----------
        values : mapping
            As `to_dict` returned it, also after a trip through JSON. Without a version it is one of the first
            release; fields of a later version are left out.

        Raises
        ------
        DataError
            If it is no mapping, a key is missing, or a value breaks its rule.
        """
        if not isinstance(values, Mapping) or not set(_REQUIRED) <= set(values):
            message = f"a stored plan must have {', '.join(_REQUIRED)}, received {values!r}"
            raise DataError(message)
        names = [field.name for field in fields(cls)[1:] if field.name in values]
        for name in names:
            if isinstance(values[name], bool) or not isinstance(values[name], int | float):
                message = f"{name} of a stored plan must be a number, received {values[name]!r}"
                raise DataError(message)
        return cls(side=values["side"], **{name: float(values[name]) for name in names})


def _stop(row: Row, price: float, is_short: bool, average_true_range: float, rule: PlanRule) -> float:
    return stop_beyond(
        _value(row, f"liq_far_{behind(is_short)}"),
        entry_price=price,
        is_short=is_short,
        average_true_range=average_true_range,
        least_distance=_value(row, f"stop_distance_{behind(is_short)}"),
        buffer=rule.buffer,
        max_distance=rule.max_distance,
    )


def _targets(
    row: Row, entry_price: float, is_short: bool, average_true_range: float, rule: PlanRule
) -> tuple[float, float]:
    return targets(
        _value(row, f"liq_near_{ahead(is_short)}"),
        _value(row, f"liq_peak_{ahead(is_short)}"),
        entry_price=entry_price,
        is_short=is_short,
        average_true_range=average_true_range,
        inset=rule.inset,
        min_distance=rule.min_distance,
    )


def _value(row: Row, column: str) -> float:
    try:
        return float(row[column])
    except KeyError:
        message = f"row lacks column {column!r}"
        raise MissingColumnError(message) from None
