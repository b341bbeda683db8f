"""One recorded liquidation: as a value, as a line of a journal, and as a row of a table."""

import json
import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import pandas as pd

from liqfeature.data.schema import RECORDED
from liqfeature.errors import DataError

SIDES = ("long", "short")

FIRST_TIME, LAST_TIME = 1_200_000_000_000, 4_100_000_000_000
"""From 2008 to 2099 in milliseconds: a stamp outside is none, or counts something else."""


class Print(NamedTuple):
    """One liquidation; the fields are those of `liqfeature.data.schema.RECORDED`.

    Equal prints are one and the same liquidation, received twice. A price that is not given is None, which
    unlike NaN equals itself.
    """

    time: int
    exchange: str
    pair: str
    side: str
    price: float | None
    bankruptcy_price: float | None
    amount: float
    notional: float
    copy: int = 0

    def to_line(self) -> str:
        """Write as one line of JSON, with its end."""
        return json.dumps(self._asdict(), allow_nan=False) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read what `to_line` wrote; a DataError where the line is damaged."""
        try:
            values = json.loads(line)
        except ValueError as error:
            msg = f"a journal's line must hold JSON, received {line[:200]!r}"
            raise DataError(msg) from error
        if not isinstance(values, dict) or set(values) != set(cls._fields):
            msg = f"a journal's line must hold {', '.join(cls._fields)}, received {line[:200]!r}"
            raise DataError(msg)
        return cls(**values).checked()

    def checked(self) -> Self:
        """Return it as it is; a DataError names the field that breaks its rule."""
        prices = [p for p in (self.price, self.bankruptcy_price) if p is not None]
        for name, holds in (
            ("time", isinstance(self.time, int) and FIRST_TIME < self.time < LAST_TIME),
            ("side", self.side in SIDES),
            ("price", bool(prices) and all(_is_positive(price) for price in prices)),
            ("amount", _is_positive(self.amount)),
            ("notional", _is_positive(self.notional)),
        ):
            if not holds:
                msg = f"{name} of a liquidation is wrong: received {self}"
                raise DataError(msg)
        return self


def _is_positive(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value) and value > 0


def frame_of(prints: Sequence[Print]) -> pd.DataFrame:
    """Gather prints into a table with the columns of `RECORDED`, in the order received."""
    table = pd.DataFrame(list(prints), columns=list(Print._fields)).rename(columns={"time": "date"})
    return _typed(table.assign(date=pd.to_datetime(table["date"].astype("int64"), unit="ms", utc=True)))


def without_repetitions(table: pd.DataFrame) -> pd.DataFrame:
    """Sort a table of `RECORDED` by date, and keep one of each print."""
    order = ["date", *[name for name in RECORDED if name != "date"]]
    return _typed(table).drop_duplicates().sort_values(order, ignore_index=True)


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Give every column the type that `RECORDED` says."""
    types = {name: rule.split(":")[0].split("[")[0] for name, rule in RECORDED.items() if name != "date"}
    typed = table[list(RECORDED)].astype(types)
    return typed.assign(date=typed["date"].dt.as_unit("ms"))
