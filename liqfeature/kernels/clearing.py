"""What price cleared: how much of the nearest cluster each candle went through.

`nearest` has shape (2, 4, n). At the close of candle t are noted the lowest and highest bin of each side's
nearest cluster and what it held; a candle that sweeps some of the cluster noted before it notes the share.
"""

import math

from liqfeature.compiled import inlined
from liqfeature.types import LONG, FloatArray

FIRST, LAST, RESTED, SHARE = range(4)
"""Order of the notes in the second axis of `nearest`; where there is no cluster, FIRST exceeds LAST."""


@inlined
def cleared_within(side: int, t: int, horizon: int, nearest: FloatArray) -> float:
    """Share of what stood in price's way that candles up to t swept.

    Shares compound: half of a cluster, then half of the rest, is three quarters.
    """
    cleared = 0.0
    for u in range(max(t - horizon + 1, 0), t + 1):
        cleared += (1.0 - cleared) * nearest[side, SHARE, u]
    return min(cleared, 1.0)


@inlined
def first_pierced(side: int, t: int, horizon: int, nearest: FloatArray, near: FloatArray) -> float:
    """Near edge, of the clusters swept by candles up to t, that is closest to where price came from.

    The highest of longs' clusters, the lowest of shorts'; NaN if none was swept. `near`, shape (n,), holds
    the near edges at each close.
    """
    first = math.nan
    for u in range(max(t - horizon + 1, 1), t + 1):
        if nearest[side, SHARE, u] > 0.0:
            edge = near[u - 1]
            if not (edge <= first if side == LONG else edge >= first):
                first = edge
    return first
