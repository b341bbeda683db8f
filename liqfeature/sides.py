"""The two sides of a position, and what is turned round between them."""

from typing import Literal

LONG = 0
"""Index of long positions in every array with an axis of sides. They are liquidated below price."""

SHORT = 1
"""Index of short positions in every array with an axis of sides. They are liquidated above price."""

Side = Literal["long", "short"]
"""Side of a *position*, never of an order: liquidating a long sells."""

SIDES: tuple[Side, Side] = ("long", "short")
"""Names of the sides, by index."""

SIDE_AT = {"above": SHORT, "below": LONG}
"""Above price rest liquidations of shorts, below it those of longs."""


def sign_of(is_short: bool) -> float:
    """Return 1 for a long, -1 for a short."""
    return -1.0 if is_short else 1.0


def ahead(is_short: bool) -> str:
    """Return where price must go for the position to win: "above" or "below"."""
    return "below" if is_short else "above"


def behind(is_short: bool) -> str:
    """Return where price must go for the position to lose: "below" or "above"."""
    return "above" if is_short else "below"
