"""The plan of one trade: stop and targets, made when it is opened and kept in its custom data."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, Self

from liqfeature.checks import require_at_least, require_share
from liqfeature.errors import DataError, MissingColumnError
from liqfeature.risk import sign_of, stop_beyond, targets
from liqfeature.types import Side


class Row(Protocol):
    """One candle with its columns: a row of a DataFrame or a dict."""

    def __getitem__(self, column: str, /) -> Any:
        """Return the value of a column."""


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
        require_at_least(
            0, buffer=self.buffer, fallback=self.fallback, inset=self.inset, min_distance=self.min_distance
        )
        require_share(max_distance=self.max_distance)


DEFAULT_RULE = PlanRule()


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
        If `side` is neither, or a price lies on the wrong side of the entry.
    """

    side: Side
    entry_price: float
    stop: float
    first_target: float = math.nan
    second_target: float = math.nan
    shield: float = math.nan
    tightened_stop: float = math.nan

    def __post_init__(self) -> None:
        if self.side not in ("long", "short"):
            msg = f"side must be 'long' or 'short', received {self.side!r}"
            raise DataError(msg)
        sign = sign_of(self.is_short)
        if not sign * (self.entry_price - self.stop) > 0:
            rule = f"on the losing side of {self.entry_price}"
            msg = f"stop of a {self.side} must lie {rule}, received {self.stop}"
            raise DataError(msg)
        for name in ("first_target", "second_target"):
            if sign * (getattr(self, name) - self.entry_price) <= 0:
                msg = (
                    f"{name} of a {self.side} must lie on the winning side of {self.entry_price}, "
                    f"received {getattr(self, name)}"
                )
                raise DataError(msg)
        if sign * (self.tightened_stop - self.stop) <= 0:
            rule = f"nearer to price than {self.stop}"
            msg = f"tightened_stop of a {self.side} must lie {rule}, received {self.tightened_stop}"
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
        far = _value(row, f"liq_far_{against}")
        has_cluster = sign_of(is_short) * (entry_price - far) > 0
        stop = stop_beyond(
            far,
            entry_price=entry_price,
            is_short=is_short,
            average_true_range=average_true_range,
            buffer=rule.buffer,
            fallback=rule.fallback,
            max_distance=rule.max_distance,
        )
        first, second = _targets(row, ahead, entry_price, is_short, average_true_range, rule)
        if math.isnan(stop):
            return None
        return cls(
            side="short" if is_short else "long",
            entry_price=float(entry_price),
            stop=stop,
            first_target=first,
            second_target=second,
            shield=_value(row, f"liq_near_{against}") if has_cluster else math.nan,
        )

    def tightened(
        self, row: Row, *, price: float, average_true_range: float, rule: PlanRule = DEFAULT_RULE
    ) -> Self:
        """Bring the stop to the far side of a newer cluster that lies nearer to price.

        Parameters
        ----------
        row : Row
            Last closed candle; holds `liq_near_*` and `liq_far_*`.
        price : float
            Of the market: a cluster that it has entered is no shield any more.
        average_true_range : float
            Quote per base.
        rule : PlanRule, optional
            Distances.

        Returns
        -------
        Plan
            With a stop as far beyond the nearest cluster's far edge as at the entry, where that is nearer
            than the stop in force and does not lie inside the cluster that this one lies behind; else itself.
            The stop never moves away from price.

        Raises
        ------
        MissingColumnError
            If the row lacks a column.
        """
        against, sign = ("above" if self.is_short else "below"), sign_of(self.is_short)
        near, far = _value(row, f"liq_near_{against}"), _value(row, f"liq_far_{against}")
        stop = far - sign * rule.buffer * average_true_range
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
            no second target, with the targets of the row. The stop stays.

        Raises
        ------
        MissingColumnError
            If the row lacks a column.
        """
        ahead = "below" if self.is_short else "above"
        near = _value(row, f"liq_near_{ahead}")
        stands = sign_of(self.is_short) * (self.second_target - near) >= 0
        if stands or self.reached_first(price) or self.reached_second(price):
            return self
        first, second = _targets(row, ahead, self.entry_price, self.is_short, average_true_range, rule)
        return replace(self, first_target=first, second_target=second)

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

    def to_dict(self) -> dict[str, str | float]:
        """Return the plan as plain strings and floats, leaving out prices that it does not have."""
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
            rule = f"{sorted(required)} and nothing beyond {sorted(known)}"
            msg = f"plan must have {rule}, received {sorted(values)}"
            raise DataError(msg)
        prices = {name: float(value) for name, value in values.items() if name != "side"}
        return cls(side=values["side"], **prices)


def _targets(
    row: Row, ahead: str, entry_price: float, is_short: bool, average_true_range: float, rule: PlanRule
) -> tuple[float, float]:
    return targets(
        _value(row, f"liq_near_{ahead}"),
        _value(row, f"liq_peak_{ahead}"),
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
        msg = f"row lacks column {column!r}"
        raise MissingColumnError(msg) from None
