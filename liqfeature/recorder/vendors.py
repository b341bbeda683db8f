"""Answers of vendors' interfaces, as they are documented: read into rows, or refused with what is missing.

Nothing is asked for here: who has a key saves the answers, and when each was requested.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from liqfeature.data.kinds import MAPS, OPEN_INTEREST, TOTALS, VENDORS, Kind
from liqfeature.data.maps import Level, packed
from liqfeature.durations import DAY, HOUR, MINUTE
from liqfeature.errors import DataError
from liqfeature.market.maps import BY_PRICE
from liqfeature.sides import SIDES

_SECONDS = 1e11
"""Moments below it count seconds, those above milliseconds."""

_PRICE, _LEVEL = 0, 1
"""Places in an entry of CoinGlass's liquidation map."""

_BEHIND = 2
"""Columns that CoinGlass's heatmap may end before its last candle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an answer holds.

    Parameters
    ----------
    kind : Kind
    timeframe : str
        Period of the rows; empty where they have none.
    rows : tuple
        Stamp in milliseconds, and the content in the order of the kind's columns.
    """

    kind: Kind
    timeframe: str
    rows: tuple[tuple[int, tuple[Any, ...]], ...]


def read_answer(vendor: str, answer: Any, requested: int, *, in_coin: bool = False) -> Answer:
    """Read an answer of a vendor.

    Parameters
    ----------
    vendor : str
        One of `VENDORS`.
    answer : object
        Parsed JSON.
    requested : int
        Moment of the request in milliseconds. A period that had not ended is left out.
    in_coin : bool
        Whether open interest was asked for in the coin instead of USD.

    Raises
    ------
    DataError
        Naming the key that is missing, or the key, its rule and the value received.
    """
    found = _READERS[vendor](answer, requested, in_coin)
    late = [stamp for stamp, _ in found.rows if stamp > requested]
    if late:
        message = f"answer must be of before its request at {requested}, received a row of {late[0]}"
        raise DataError(message)
    return found


# CoinGlass.


def _coinglass(answer: Any, requested: int, in_coin: bool) -> Answer:
    code = str(_get(answer, "code", "answer"))
    _require("code", code == "0", "0", f"{code} {answer.get('msg', '')}".strip())
    data = _get(answer, "data", "answer")
    if isinstance(data, Sequence) and not isinstance(data, str):
        return _history(data, "time", requested, in_coin, _COINGLASS_SIDES, "open")
    if "data" in _mapping(data, "data"):
        return _map(requested, _coinglass_map(data["data"]))
    return _map(requested, _coinglass_heatmap(data))


_COINGLASS_SIDES = (
    ("long_liquidation_usd", "short_liquidation_usd"),
    ("aggregated_long_liquidation_usd", "aggregated_short_liquidation_usd"),
)


def _coinglass_heatmap(data: Mapping[str, Any]) -> list[Level]:
    """Read the newest column: what is left of it has been there at the request."""
    price = np.array([_number(value, "y_axis") for value in _get(data, "y_axis", "data")])
    ascending = price.size > 1 and bool(np.all(np.diff(price) > 0))
    _require("y_axis", ascending, "at least two prices, ascending", price[:3].tolist())
    cells = _get(data, "liquidation_leverage_data", "data")
    candles = len(_get(data, "price_candlesticks", "data"))
    if not cells:
        return []
    try:
        x, y, value = np.array(cells, dtype=np.float64).T
    except (TypeError, ValueError) as error:
        message = f"liquidation_leverage_data must hold [x, y, value], received {cells[0]!r}"
        raise DataError(message) from error
    newest = float(np.max(x))
    _require(
        "liquidation_leverage_data", newest >= candles - 1 - _BEHIND, f"up to candle {candles - 1}", newest
    )
    inside = bool(np.all((y >= 0) & (y < price.size) & (y % 1 == 0)))
    _require("liquidation_leverage_data", inside, f"of rows 0 to {price.size - 1}", y.max())
    step = np.diff(price)
    half = np.concatenate([step[:1], step, step[-1:]]) / 2
    return [
        Level(BY_PRICE, float(price[i] - half[i]), float(price[i] + half[i + 1]), _number(amount, "value"))
        for i, amount in zip(y[x == newest].astype(int), value[x == newest].tolist(), strict=True)
    ]


def _coinglass_map(data: Any) -> list[Level]:
    entries = [entry for entries in _mapping(data, "data").values() for entry in entries]
    for entry in entries:
        holds = isinstance(entry, Sequence) and len(entry) > _LEVEL
        _require("data", holds, "of entries [price, level, leverage, ...]", entry)
    return [_at(BY_PRICE, entry[_PRICE], entry[_LEVEL]) for entry in entries]


# Coinalyze.


def _coinalyze(answer: Any, requested: int, in_coin: bool) -> Answer:
    holds = isinstance(answer, Sequence) and len(answer) == 1
    received = [one.get("symbol") for one in answer] if isinstance(answer, list) and answer else answer
    _require("answer", holds, "a list of one symbol", received)
    _get(answer[0], "symbol", "answer")
    return _history(_get(answer[0], "history", "answer"), "t", requested, in_coin, (("l", "s"),), "o")


# Hyblock.


def _hyblock(answer: Any, requested: int, _: bool) -> Answer:
    rows = _get(answer, "data", "answer")
    _require("data", isinstance(rows, list), "a list of levels", type(rows).__name__)
    taken = {_moment(_get(row, "timestamp", "level"), "timestamp") for row in rows} or {requested}
    _require("timestamp", len(taken) == 1, "the same in all levels", sorted(taken)[:2])
    return _map(taken.pop(), [_hyblock_level(row) for row in rows])


def _hyblock_level(row: Mapping[str, Any]) -> Level:
    side, size = str(_get(row, "side", "level")).lower(), _get(row, "size", "level")
    _require("side", side in SIDES, " or ".join(SIDES), repr(side))
    if "startingPrice" not in row:
        return _at(side, _get(row, "price", "level (nor startingPrice)"), size)
    ends = [_number(_get(row, key, "level"), key) for key in ("startingPrice", "endingPrice")]
    return Level(side, min(ends), max(ends), _number(size, "size"))


_READERS: dict[str, Callable[[Any, int, bool], Answer]] = dict(
    zip(VENDORS, (_coinglass, _coinalyze, _hyblock), strict=True)
)

# All.


def _map(stamp: int, levels: list[Level]) -> Answer:
    for level in levels:
        _require("price", level.low > 0, "above 0", level.low)
    return Answer(kind=MAPS, timeframe="", rows=((stamp, packed(levels)),))


def _at(side: str, price: Any, amount: Any) -> Level:
    at = _number(price, "price")
    return Level(side, at, at, _number(amount, "level"))


def _history(
    rows: Sequence[Any],
    time: str,
    requested: int,
    in_coin: bool,
    sides: Sequence[tuple[str, str]],
    opening: str,
) -> Answer:
    """Read totals of periods that had ended, or open interest at the opening of each."""
    _require("history", len(rows) > 1, "of two rows at least, which show the period", len(rows))
    stamps = [_moment(_get(row, time, "row"), time) for row in rows]
    period = int(np.min(np.diff(stamps)))
    _require(time, period > 0, "ascending", stamps[:3])
    for keys in sides:
        if all(key in rows[0] for key in keys):
            _require("unit", not in_coin, "usd for liquidations", "coin")
            totals = [tuple(_number(_get(row, key, "row"), key) for key in keys) for row in rows]
            ended = [one for one in zip(stamps, totals, strict=True) if one[0] + period <= requested]
            return Answer(kind=TOTALS, timeframe=_timeframe(period), rows=tuple(ended))
    if opening not in rows[0]:
        wanted = ", ".join([opening, *(key for keys in sides for key in keys)])
        message = f"row lacks key {opening!r}, or another of {wanted}; received {', '.join(rows[0])}"
        raise DataError(message)
    values = [_number(_get(row, opening, "row"), opening) for row in rows]
    states = [(value, None) if in_coin else (None, value) for value in values]
    return Answer(
        kind=OPEN_INTEREST, timeframe=_timeframe(period), rows=tuple(zip(stamps, states, strict=True))
    )


def _timeframe(period: int) -> str:
    for length, letter in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m")):
        if period % length == 0:
            return f"{period // length}{letter}"
    message = f"rows must be minutes apart, received {period} ms"
    raise DataError(message)


def _get(holder: Any, key: str, where: str) -> Any:
    found = _mapping(holder, where)
    if key not in found:
        message = f"{where} lacks key {key!r}; received {', '.join(map(str, found)) or 'nothing'}"[:300]
        raise DataError(message)
    return found[key]


def _mapping(holder: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(holder, Mapping):
        message = f"{where} must be an object with keys, received {holder!r}"[:300]
        raise DataError(message)
    return holder


def _number(value: Any, key: str) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    _require(key, 0 <= number < math.inf, "a number of at least 0", repr(value))
    return number


def _moment(value: Any, key: str) -> int:
    number = _number(value, key)
    return round(number * 1000 if number < _SECONDS else number)


def _require(name: str, holds: bool, rule: str, received: object) -> None:
    if not holds:
        message = f"{name} must be {rule}, received {received}"
        raise DataError(message)
