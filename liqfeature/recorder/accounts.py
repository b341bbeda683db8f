"""Which accounts are asked for next, within a budget of weight, and what is known of their positions.

Addresses are kept in memory alone: what leaves here are bins, counts and ages.
"""

import heapq
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from liqfeature.data.maps import Level
from liqfeature.durations import HOUR, MINUTE
from liqfeature.sides import LONG, SHORT, SIDES

LEAST_NOTIONAL = 100_000.0
"""Quote currency of an account's positions below which it is asked for when it trades, and seldom else."""

NEAR, NEAR_EVERY = 0.05, 10 * MINUTE
MIDDLE, MIDDLE_EVERY = 0.2, HOUR
FAR_EVERY = 12 * HOUR
"""Distances from liquidation, as fractions of the mark price, and how often such accounts are asked for."""

AHEAD = 2 * MINUTE
"""Milliseconds before an account of the nearest is due that it may be asked for."""

APART = MINUTE
"""Milliseconds from one question about an account to the next, however much it trades."""

AGAIN = MINUTE
"""Milliseconds after which an account that was not answered is asked for again."""

FORGOTTEN = 3 * 24 * HOUR
"""Milliseconds after which what was seen tells nothing any more."""

WIDTH = 0.0005
"""Of the bins of log price that are kept."""


class Position(NamedTuple):
    """One position of an account: amount in base currency above 0."""

    coin: str
    side: int
    amount: float
    liquidation_price: float


class Budget:
    """Weight that may be spent in any minute.

    Parameters
    ----------
    weight : int
        In any 60 seconds.
    """

    def __init__(self, weight: int) -> None:
        self.weight = weight
        self._spent: deque[tuple[int, int]] = deque()

    def spend(self, weight: int, now: int) -> bool:
        """Spend weight if it is there, and say whether it was."""
        if weight > self.left(now):
            return False
        self._spent.append((now, weight))
        return True

    def left(self, now: int) -> int:
        """Return the weight that may be spent now."""
        while self._spent and self._spent[0][0] <= now - MINUTE:
            self._spent.popleft()
        return self.weight - sum(spent for _, spent in self._spent)


@dataclass(slots=True)
class _Account:
    due: int
    seen: int = -1  # never
    positions: list[Position] = field(default_factory=list)


class Accounts:
    """Accounts that were met, when each is due, and the positions that it had."""

    def __init__(self) -> None:
        self._known: dict[str, _Account] = {}
        self._due: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._known)

    def meet(self, addresses: Iterable[str], now: int) -> None:
        """Ask for accounts at once, but not twice within `APART`."""
        for address in addresses:
            account = self._known.get(address)
            self._set_due(
                address,
                now
                if account is None or account.seen < 0
                else min(account.due, max(now, account.seen + APART)),
            )

    def due(self, now: int) -> str | None:
        """Return the account that is due longest, and count it as asked for; None where none is."""
        while self._due and self._due[0][0] <= now:
            due, address = heapq.heappop(self._due)
            account = self._known.get(address)
            if account is not None and account.due == due:
                self._set_due(address, now + AGAIN)
                return address
        return None

    def answered(self, address: str, positions: list[Position], now: int, marks: Mapping[str, float]) -> None:
        """Note what an account has; one that has no position is forgotten."""
        notional = sum(one.amount * marks.get(one.coin, one.liquidation_price) for one in positions)
        if not positions:
            self._known.pop(address, None)
            return
        account = self._known.setdefault(address, _Account(due=now))
        account.seen, account.positions = now, positions
        every = FORGOTTEN
        if notional >= LEAST_NOTIONAL:
            away = min(_distance(one, marks) for one in positions)
            every = NEAR_EVERY - AHEAD if away <= NEAR else MIDDLE_EVERY if away <= MIDDLE else FAR_EVERY
        self._set_due(address, now + every)

    def cross(self, coin: str, low: float, high: float, before: int) -> None:
        """Drop positions seen before a moment that price has passed since."""
        for account in self._known.values():
            if 0 <= account.seen < before and account.positions:
                account.positions = [
                    one for one in account.positions if one.coin != coin or not _passed(one, low, high)
                ]

    def levels(self, coin: str, now: int) -> list[Level]:
        """Return what rests in each bin: notional at the price of liquidation, positions, and mean age."""
        held: dict[tuple[int, int], list[float]] = {}
        for account in self._known.values():
            age = (now - account.seen) / MINUTE
            if account.seen >= 0 and now - account.seen <= FORGOTTEN:
                for one in account.positions:
                    if one.coin == coin:
                        notional = one.amount * one.liquidation_price
                        bin_ = int(np.floor(np.log(one.liquidation_price) / WIDTH))
                        sums = held.setdefault((one.side, bin_), [0.0, 0.0, 0.0])
                        for i, value in enumerate((notional, 1.0, notional * age)):
                            sums[i] += value
        return [
            Level(SIDES[side], *_edges(bin_), notional, positions, aged / notional)
            for (side, bin_), (notional, positions, aged) in sorted(held.items())
        ]

    def ages(self, marks: Mapping[str, float], now: int) -> list[float]:
        """Return how old, in minutes, what is known of each account near liquidation is."""
        return [
            (now - account.seen) / MINUTE
            for account in self._known.values()
            if any(_distance(one, marks) <= NEAR for one in account.positions)
        ]

    def _set_due(self, address: str, due: int) -> None:
        account = self._known.get(address)
        if account is None:
            account = self._known[address] = _Account(due=-1)
        if account.due != due:
            account.due = due
            heapq.heappush(self._due, (due, address))


def positions_of(answer: Mapping[str, object]) -> list[Position]:
    """Read the positions of an account from `clearinghouseState`, those that a price liquidates.

    Raises KeyError, TypeError or ValueError where it has another form.
    """
    found = []
    for entry in answer["assetPositions"]:  # type: ignore[attr-defined]
        one = entry["position"]
        amount, price = float(one["szi"]), float(one["liquidationPx"] or 0.0)
        if amount and 0 < price < np.inf:
            found.append(Position(str(one["coin"]), LONG if amount > 0 else SHORT, abs(amount), price))
    return found


def _distance(one: Position, marks: Mapping[str, float]) -> float:
    mark = marks.get(one.coin)
    return np.inf if mark is None else abs(one.liquidation_price / mark - 1.0)


def _passed(one: Position, low: float, high: float) -> bool:
    return one.liquidation_price >= low if one.side == LONG else one.liquidation_price <= high


def _edges(bin_: int) -> tuple[float, float]:
    return float(np.exp(bin_ * WIDTH)), float(np.exp((bin_ + 1) * WIDTH))
