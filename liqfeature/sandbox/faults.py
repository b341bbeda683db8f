"""Faults of an exchange, given by a plan: answers late, refused, cut off or damaged, and data not there.

Chance comes from the plan's seed and the number of the request alone, so that the same requests in the same
order meet the same faults.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from liqfeature.errors import ConfigError
from liqfeature.sandbox.clock import milliseconds

KINDS = {
    "delay": "answers come `seconds` late",
    "rate_limit": "answers are 429 with a Retry-After of `seconds`",
    "server_error": "answers are 503",
    "drop": "the connection is cut without an answer, a stream's at once",
    "malformed": "the JSON of answers ends in the middle",
    "stale_open_interest": "open interest of the last `seconds` is not told",
    "missing_open_interest": "no open interest is told",
    "gap": "candles that open within the span are never told",
    "clock": "the exchange's clock is `seconds` ahead; below 0, behind",
}
"""What a fault may be, and what it does."""

_STAMPS = ("serverTime", "time", "E", "T")
"""Where answers hold the exchange's clock."""

_CANDLES = ("/fapi/v1/klines", "/fapi/v1/markPriceKlines")
_OPEN_INTEREST = "/futures/data/openInterestHist"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.
    path : str, default ""
        Beginning of the paths that it strikes; all where left out.
    share : float, default 1.0
        Of the requests, 0 to 1, that it strikes.
    since, until : int
        Milliseconds since 1970 of the exchange's clock, the first included; always where left out. In a
        file also dates in ISO 8601.
    seconds : float, default 5.0
        How late, how long, how far, as `KINDS` says.
    """

    kind: str
    path: str = ""
    share: float = 1.0
    since: int = 0
    until: int = 2**62
    seconds: float = 5.0

    def __post_init__(self) -> None:
        for name, rule, holds in (
            ("kind", f"one of {', '.join(KINDS)}", self.kind in KINDS),
            ("share", "within 0 and 1", 0 <= self.share <= 1),
            ("until", f"after since, {self.since}", self.until > self.since),
            ("seconds", "at least 0", self.seconds >= 0 or self.kind == "clock"),
        ):
            if not holds:
                message = f"{name} of a fault must be {rule}, got {getattr(self, name)!r}"
                raise ConfigError(message)

    @classmethod
    def of(cls, values: Any) -> "Fault":
        """Make a fault of what a file holds; a ConfigError names an unknown key."""
        known = [item.name for item in fields(cls)]
        if not isinstance(values, dict) or "kind" not in values or not set(values) <= set(known):
            message = f"a fault must have kind, and of {', '.join(known)} what it needs, got {values!r}"
            raise ConfigError(message)
        try:
            dates = {name: milliseconds(str(values[name])) for name in ("since", "until") if name in values}
        except ValueError as error:
            message = f"since and until of a fault must be milliseconds or dates: {error}"
            raise ConfigError(message) from error
        return cls(**(values | dates))

    def is_due(self, path: str, now: int) -> bool:
        """Return whether it strikes requests of this path now; a gap stays once it has begun."""
        begun = self.since <= now and (self.kind == "gap" or now < self.until)
        return begun and path.startswith(self.path)


@dataclass(eq=False)
class Faults:
    """The faults that a plan deals out to one request after the other.

    Parameters
    ----------
    plan : sequence of Fault
        In force from the start.
    seed : int
        Another number, other requests that are struck.
    file : Path, optional
        Holds the plan as JSON, a list of faults, in place of `plan`; read anew whenever it changes.
    dealt : Counter
        How often each kind of fault struck.
    """

    plan: tuple[Fault, ...] = ()
    seed: int = 0
    file: Path | None = None
    dealt: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._requests = 0
        self._read = (0, 0)

    def for_request(self, path: str, now: int) -> tuple[Fault, ...]:
        """Return the faults that strike the next request."""
        self._refresh()
        self._requests += 1
        due = tuple(
            fault
            for number, fault in enumerate(self.plan)
            if fault.is_due(path, now) and self._chance(number) < fault.share
        )
        self.dealt.update(fault.kind for fault in due if not is_spared(fault, path))
        return due

    def cuts(self, path: str, now: int) -> bool:
        """Return whether connections on this path that are open are to be cut; no request is counted."""
        self._refresh()
        return any(fault.kind == "drop" and fault.is_due(path, now) for fault in self.plan)

    def _chance(self, number: int) -> float:
        text = f"{self.seed} {number} {self._requests}".encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:6], "big") / 2**48

    def _refresh(self) -> None:
        if self.file is None:
            return
        status = self.file.stat()
        if (status.st_mtime_ns, status.st_ino) != self._read:
            self.plan = read_plan(self.file)
            self._read = (status.st_mtime_ns, status.st_ino)


def read_plan(path: Path) -> tuple[Fault, ...]:
    """Read a plan of faults.

    Raises
    ------
    ConfigError
        If the file is not a list of faults as JSON.
    """
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        message = f"faults in {path} must be a list as JSON: {error}"
        raise ConfigError(message) from error
    if not isinstance(plan, list):
        message = f"faults in {path} must be a list, got {plan!r}"
        raise ConfigError(message)
    return tuple(Fault.of(values) for values in plan)


def is_spared(fault: Fault, path: str) -> bool:
    """Return whether a fault of data has nothing to spoil in the answers of a path."""
    if fault.kind == "gap":
        return path not in _CANDLES
    return fault.kind.endswith("open_interest") and path != _OPEN_INTEREST


def spoil(body: Any, path: str, faults: tuple[Fault, ...], now: int) -> Any:
    """Return an answer as the faults of data leave it."""
    for fault in faults:
        if is_spared(fault, path):
            continue
        if fault.kind == "gap":
            body = [row for row in body if not fault.since <= row[0] < fault.until]
        elif fault.kind == "missing_open_interest":
            body = []
        elif fault.kind == "stale_open_interest":
            body = [row for row in body if row["timestamp"] <= now - 1000 * fault.seconds]
        elif fault.kind == "clock":
            body = _shifted(body, round(1000 * fault.seconds))
    return body


def _shifted(body: Any, milliseconds: int) -> Any:
    if isinstance(body, Mapping):
        return {name: value + milliseconds if name in _STAMPS else value for name, value in body.items()}
    return body
