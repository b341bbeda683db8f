"""Faults of an exchange, by a plan: late, refused, cut or damaged answers, and missing data.

Which requests are struck depends on the seed and the number of the request alone: the same requests in the
same order meet the same faults. Defects of files in the archive strike by the seed and the file.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from liqfeature.checks import require, require_types
from liqfeature.sandbox.server.clock import milliseconds
from liqfeature.sandbox.server.watched import Watched

DEFECTS = {
    "missing_file": "files are not there",
    "short_file": "files end at 13:30, or after as large a part of their rows",
    "duplicate_day": "files hold the rows of as long a span before their own",
    "wrong_period": "two of three rows are missing: the period is three times as long",
    "blank_numbers": "numbers of a share `rows` of the rows are blank",
    "other_numbers": "numbers of a share `rows` of the rows are 1 % too high",
    "other_symbol": "a share `rows` of the rows has another symbol",
    "late_stamps": "a share `rows` of the rows is stamped up to `seconds` late",
    "duplicate_rows": "a share `rows` of the rows comes twice",
    "conflicting_rows": "a share `rows` of the rows comes twice, the second time with other numbers",
    "unordered_rows": "rows are in random order",
    "no_header": "files begin with their first row",
    "wrong_checksum": "checksums are those of other files",
    "truncated_zip": "zip files end in the middle; their checksums match",
    "double_zip": "zip files hold two tables",
}
"""Kinds of faults that are defects of files in the archive, and what each does."""

KINDS = DEFECTS | {
    "delay": "answers come `seconds` late",
    "rate_limit": "answers are 429 with a Retry-After of `seconds`",
    "server_error": "answers are 503",
    "drop": "the connection is cut without an answer, that of a stream at once",
    "malformed": "answers end in the middle",
    "stale_open_interest": "open interest of the last `seconds` is missing",
    "missing_open_interest": "all open interest is missing",
    "gap": "candles that open within the span are missing, then and later",
    "start_stamps": "statistics after `since` have the stamp of their period's start, as since 2026-06-25",
    "clock": "the exchange's clock is `seconds` ahead; below 0, behind",
}
"""All kinds of faults, and what each does."""

_MOST_SECONDS = 1e9
"""Thirty years."""

_STAMPS = ("serverTime", "time", "E", "T")
"""Fields that hold the exchange's clock."""

_OF_SPANS = ("gap", "start_stamps")
"""Kinds whose span is one of the data: they strike after it, too."""

_STRIKES = {
    "gap": re.compile(r".*/(klines|markPriceKlines)\b.*"),
    "stale_open_interest": re.compile(r"/futures/data/openInterestHist"),
    "missing_open_interest": re.compile(r"/futures/data/openInterestHist"),
    "start_stamps": re.compile(r"/futures/data/.*|/data/.*/metrics/.*"),
    **dict.fromkeys(DEFECTS, re.compile(r"/data/.*")),
}
"""Paths that faults of data can strike; others can strike all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.
    path : str, default ""
        Prefix of the paths that it strikes; by default all.
    share : float, default 1.0
        Share of requests that it strikes, 0 to 1; of files, where it is a defect of files.
    since, until : int
        Milliseconds since 1970 by the exchange's clock, the first included; by default always. In a file
        also dates in ISO 8601.
    seconds : float, default 5.0
        Delay, length or offset, as in `KINDS`.
    rows : float, default 0.1
        Share of a file's rows, 0 to 1, as in `KINDS`.
    """

    kind: str
    path: str = ""
    share: float = 1.0
    since: int = 0
    until: int = 2**62
    seconds: float = 5.0
    rows: float = 0.1

    def __post_init__(self) -> None:
        require_types(self)
        for name, rule, holds in (
            ("kind", f"one of {', '.join(KINDS)}", self.kind in KINDS),
            ("share", "within 0 and 1", 0 <= self.share <= 1),
            ("rows", "within 0 and 1", 0 <= self.rows <= 1),
            ("until", f"after since, {self.since}", self.until > self.since),
            ("seconds", f"within {_MOST_SECONDS:g} of 0", abs(self.seconds) <= _MOST_SECONDS),
            ("seconds", "at least 0", self.seconds >= 0 or self.kind == "clock"),
        ):
            require(f"{name} of a fault", holds, rule, repr(getattr(self, name)))

    @classmethod
    def of(cls, values: Any) -> "Fault":
        """Return the fault that an object of a file describes; a ValueError names what is wrong with it."""
        known = [item.name for item in fields(cls)]
        named = isinstance(values, dict) and "kind" in values and set(values) <= set(known)
        require("a fault", named, f"an object with kind and any of {', '.join(known)}", repr(values))
        dates = {name: milliseconds(str(values[name])) for name in ("since", "until") if name in values}
        return cls(**(values | dates))

    def is_due(self, path: str, now: int) -> bool:
        """Return whether it strikes requests of this path now."""
        begun = self.since <= now and (self.kind in _OF_SPANS or now < self.until)
        return begun and path.startswith(self.path)


@dataclass(eq=False)
class Faults:
    """A plan of faults, and which of them strike the next request.

    Parameters
    ----------
    plan : sequence of Fault
        Its faults.
    seed : int
        Another number strikes other requests.
    file : Path, optional
        Holds the plan as JSON, a list of faults, and is read at each request. While it is missing or bad,
        the last good plan stays in force.
    struck : Counter
        Requests struck, by kind of fault.
    """

    plan: tuple[Fault, ...] = ()
    seed: int = 0
    file: Path | None = None
    struck: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._requests = 0
        self._file = None if self.file is None else Watched(self.file, _plan, "a list of faults as JSON")
        self._refresh()

    def for_request(self, path: str, now: int) -> tuple[Fault, ...]:
        """Return the faults that strike the next request."""
        self._refresh()
        self._requests += 1
        due = tuple(
            fault
            for number, fault in enumerate(self.plan)
            if fault.is_due(path, now) and self._chance(number, fault, path) < fault.share
        )
        self.struck.update(fault.kind for fault in due if not is_spared(fault, path))
        return due

    def cuts(self, path: str, now: int) -> bool:
        """Return whether to cut open connections on this path; no request is counted."""
        self._refresh()
        return any(fault.kind == "drop" and fault.is_due(path, now) for fault in self.plan)

    def _chance(self, number: int, fault: Fault, path: str) -> float:
        struck = path.removesuffix(".CHECKSUM") if fault.kind in DEFECTS else self._requests
        digest = hashlib.sha256(f"{self.seed} {number} {struck}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / 2**48

    def _refresh(self) -> None:
        if self._file is not None:
            self.plan = self._file.value()


def _plan(text: str) -> tuple[Fault, ...]:
    plan = json.loads(text)
    require("the plan", isinstance(plan, list), "a list", repr(plan))
    return tuple(Fault.of(values) for values in plan)


def is_spared(fault: Fault, path: str) -> bool:
    """Return whether a fault of data leaves the answers of a path alone."""
    return fault.kind in _STRIKES and not _STRIKES[fault.kind].fullmatch(path)


def spoil(body: Any, path: str, faults: tuple[Fault, ...], now: int) -> Any:
    """Apply faults of data to an answer."""
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
