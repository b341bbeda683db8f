"""What a download brought and what is wrong with it, in words."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from liqfeature.data.archive.datasets import METRICS
from liqfeature.data.archive.download import Downloaded
from liqfeature.data.archive.files import Written
from liqfeature.data.archive.ledger import MISSING, Entry, Held
from liqfeature.durations import DAY, HOUR, MINUTE
from liqfeature.types import IntArray

_SHOWN = 4
"""Dates, or lengths of holes, that are named one by one."""


def report(
    result: Downloaded, entries: Mapping[int, Entry], held: Held, written: Sequence[Written]
) -> list[str]:
    """Say what became of one data set of a pair, a line each.

    Parameters
    ----------
    result : Downloaded
    entries : mapping
        All files that are here, by first moment.
    held : Held
        Their rows.
    written : sequence of Written
        Where they are now.
    """
    there = [first for first, entry in entries.items() if entry.sha256]
    days = f", {_date(there[0])} to {_date(there[-1])}" if there else ""
    lines = [f"{result.pair} {result.dataset}: {len(there)} files{days}; {result.fetched} fetched now"]
    missing = [_date(first) for first, entry in entries.items() if MISSING in entry.remarks]
    lines += _listed("not in the archive", missing)
    lines += _listed("replaced since they were fetched", result.replaced)
    for words, (rows, dates) in sorted(_remarks(entries).items()):
        lines += _listed(f"{f'{rows} rows ' if rows else ''}{words}", dates)
    if result.dataset == METRICS.name:
        lines += _holes(held.stamp[~np.isnan(held.numbers[:, 0])])
        lines += _meaning(held)
    if held.twice:
        lines.append(
            f"{held.twice} stamps are in two files, with other numbers: those of the later file count"
        )
    for file in written:
        lines.append(f"{file.rows:,} rows in {_short(file.path)}")
        if count := len(file.differ):
            span = f"{file.differ[0]:%Y-%m-%d %H:%M} to {file.differ[-1]:%Y-%m-%d %H:%M}"
            lines.append(
                f"{count:,} of its rows, {span}, said something else before: the archive's count now"
            )
    by_reason: dict[str, list[str]] = defaultdict(list)
    for date, reason in sorted(result.left.items()):
        by_reason[reason].append(date)
    for reason, dates in sorted(by_reason.items()):
        lines += _listed(f"left to the next run, {reason}", dates)
    return [lines[0], *(f"  {line}" for line in lines[1:])]


def _remarks(entries: Mapping[int, Entry]) -> dict[str, tuple[int, list[str]]]:
    """Gather remarks by their words: how many rows, in the files of which dates."""
    rows: Counter[str] = Counter()
    dates: dict[str, list[str]] = defaultdict(list)
    for first, entry in entries.items():
        for remark in entry.remarks:
            counted = re.fullmatch(r"(\d+) rows? (.+)", remark)
            words = counted[2] if counted else remark
            if words != MISSING:
                rows[words] += int(counted[1]) if counted else 0
                dates[words].append(_date(first))
    return {words: (rows[words], dates[words]) for words in dates}


def _listed(words: str, dates: Sequence[str]) -> list[str]:
    if not dates:
        return []
    more = f" and {len(dates) - _SHOWN} more" if len(dates) > _SHOWN else ""
    return [f"{words}: {', '.join(dates[:_SHOWN])}{more}"]


def _holes(stamp: IntArray) -> list[str]:
    """Say how many holes of which length there are between rows, and after which row the first is."""
    lengths = np.diff(stamp) - METRICS.period
    counts = sorted(Counter(lengths[lengths > 0].tolist()).items(), reverse=True)
    if not counts:
        return []
    first = {length: _moment(stamp[np.argmax(lengths == length)]) for length, _ in counts[:_SHOWN]}
    named = [f"{count} of {_length(length)} (after {first[length]})" for length, count in counts[:_SHOWN]]
    rest = sum(count for _, count in counts[_SHOWN:])
    return [f"holes: {', '.join(named)}{f' and {rest} shorter ones' if rest else ''}"]


def _meaning(held: Held) -> list[str]:
    """Say from when on stamps have another meaning."""
    if not held.opens.any():
        return []
    first = _moment(held.stamp[np.argmax(held.opens)])
    return [f"from {first} on, stamps are openings of 5 minutes rather than ends"]


def _length(milliseconds: int) -> str:
    parts = [
        (milliseconds // DAY, "d"),
        (milliseconds % DAY // HOUR, "h"),
        (milliseconds % HOUR // MINUTE, "m"),
    ]
    return " ".join(f"{count}{unit}" for count, unit in parts if count)


def _moment(stamp: int) -> str:
    return f"{datetime.fromtimestamp(stamp / 1000, UTC):%Y-%m-%d %H:%M}"


def _date(first: int) -> str:
    return f"{datetime.fromtimestamp(first / 1000, UTC):%Y-%m-%d}"


def _short(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
