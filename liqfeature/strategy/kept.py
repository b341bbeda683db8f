"""Plans of trades: in memory while a strategy runs, and in each trade's custom data beyond that."""

import logging
from typing import Any

from liqfeature.columns.column import SCHEMA, SCHEMA_KEY
from liqfeature.errors import DataError
from liqfeature.strategy.plan import Plan

_LOG = logging.getLogger(__name__)

KEY = "plan"
"""Of the custom data."""


class KeptPlans:
    """Plans of one strategy: confirmed for an entry, and of its trades."""

    def __init__(self) -> None:
        self._confirmed: dict[str, Plan] = {}  # by pair, until the entry is filled
        self._plans: dict[int, Plan] = {}  # by trade
        self._unreadable: set[int] = set()  # trades
        self._reported: set[tuple[str, str]] = set()  # errors, by pair

    def confirm(self, pair: str, plan: Plan) -> None:
        """Hold the plan of an entry until it is filled; an error of the pair is news again."""
        self._confirmed[pair] = plan
        self._reported = {(other, error) for other, error in self._reported if other != pair}

    def confirmed(self, pair: str, *, is_short: bool) -> Plan | None:
        """Return the plan confirmed for the pair, once; None after a restart between order and fill."""
        plan = self._confirmed.pop(pair, None)
        return plan if plan is not None and plan.is_short == is_short else None

    def of(self, trade: Any) -> Plan | None:
        """Return the trade's plan; None if it has none, or one that cannot be read.

        Reading custom data is slow: it is done once after a restart. One that cannot be read, for whatever
        reason, is reported once.
        """
        if trade.id not in self._plans and trade.id not in self._unreadable:
            try:
                if (plan := _read(trade)) is not None:
                    self._plans[trade.id] = plan
            except Exception as error:
                self._unreadable.add(trade.id)
                _LOG.error("%s: the plan of trade %s cannot be read: %r", trade.pair, trade.id, error)
        return self._plans.get(trade.id)

    def is_news(self, pair: str, error: str) -> bool:
        """Return whether an error is new for the pair since its last entry, and note it."""
        known = (pair, error) in self._reported
        self._reported.add((pair, error))
        return not known

    def keep(self, trade: Any, plan: Plan) -> None:
        """Make this the plan of the trade."""
        self._plans[trade.id] = plan
        if trade.id in self._unreadable:
            trade.delete_custom_data(KEY)  # Freqtrade reads what is there before it writes
            self._unreadable.discard(trade.id)
        trade.set_custom_data(KEY, {**plan.to_dict(), SCHEMA_KEY: SCHEMA})

    def forget(self, trade: Any) -> None:
        """Drop the trade's plan from memory: it has ended, or an earlier run had a trade of this number."""
        self._plans.pop(trade.id, None)
        self._unreadable.discard(trade.id)


def _read(trade: Any) -> Plan | None:
    stored = trade.get_custom_data(KEY)
    if stored is None:
        return None
    plan = Plan.from_dict(stored)
    if plan.is_short != trade.is_short:
        message = f"side must be that of the trade, received {plan.side!r}"
        raise DataError(message)
    return plan
