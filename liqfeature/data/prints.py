"""One liquidation as it was received."""

import math
from typing import Any, NamedTuple, Self

from liqfeature.errors import DataError
from liqfeature.sides import SIDES

FIRST_TIME, LAST_TIME = 1_200_000_000_000, 4_100_000_000_000
"""From 2008 to 2099 in milliseconds: a stamp outside is none, or counts something else."""


class Print(NamedTuple):
    """One liquidation; the fields are those of `liqfeature.data.schema.RECORDED`.

    Equal prints are one and the same liquidation, received twice. A price that the exchange does not give is
    None, which unlike NaN equals itself.
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

    def checked(self) -> Self:
        """Return it as it is; a DataError names the field that breaks its rule."""
        prices = [p for p in (self.price, self.bankruptcy_price) if p is not None]
        for name, holds in (
            ("time", isinstance(self.time, int) and FIRST_TIME < self.time < LAST_TIME),
            ("exchange", isinstance(self.exchange, str)),
            ("pair", isinstance(self.pair, str)),
            ("side", self.side in SIDES),
            ("price", bool(prices) and all(_is_positive(price) for price in prices)),
            ("amount", _is_positive(self.amount)),
            ("notional", _is_positive(self.notional)),
            ("copy", isinstance(self.copy, int)),
        ):
            if not holds:
                message = f"{name} of a liquidation is wrong: received {self}"
                raise DataError(message)
        return self


def _is_positive(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value) and value > 0
