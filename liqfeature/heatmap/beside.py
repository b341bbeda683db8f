"""A map made elsewhere beside the estimate: what it holds between some prices at a moment."""

import numpy as np
import pandas as pd

from liqfeature.market.maps import BY_PRICE
from liqfeature.market.revisions import AVAILABLE
from liqfeature.sides import LONG, SIDES
from liqfeature.types import FloatArray


def newest_levels(maps: pd.DataFrame, moment: pd.Timestamp, oldest: pd.Timedelta) -> pd.DataFrame:
    """Return the levels of the newest map that could be known at a moment, if it is not too old.

    Parameters
    ----------
    maps : DataFrame
        As `liqfeature.data.maps.load_maps` returns it.
    moment : Timestamp
    oldest : Timedelta
        Age after which a map does not count.
    """
    known = maps[(maps[AVAILABLE] <= moment) & (maps["date"] >= moment - oldest)]
    last = known[known["date"] == known["date"].max()]
    newest: pd.DataFrame = last[last[AVAILABLE] == last[AVAILABLE].max()]
    return newest


def held_between(levels: pd.DataFrame, edge: FloatArray, close: float) -> FloatArray:
    """Return the notional by side between neighbouring prices, as far as each level overlaps them.

    Parameters
    ----------
    levels : DataFrame
        `side, low, high, notional`.
    edge : ndarray of shape (n + 1,)
        Prices, ascending.
    close : float
        Price that tells the side of levels that do not say it.

    Returns
    -------
    ndarray of shape (2, n)
        Longs first; what lies on the wrong side of price is left out.
    """
    low, high, notional = (levels[name].to_numpy(np.float64) for name in ("low", "high", "notional"))
    width, side = high - low, levels["side"].to_numpy()
    held = np.zeros((2, edge.size - 1))
    for one, name in enumerate(SIDES):
        beyond = high <= close if one == LONG else low >= close
        mine = beyond & ((side == name) | (side == BY_PRICE))
        for i in np.flatnonzero(mine):
            if width[i] > 0:
                overlap = np.minimum(high[i], edge[1:]) - np.maximum(low[i], edge[:-1])
                held[one] += notional[i] * np.maximum(overlap, 0.0) / width[i]
            else:
                held[one] += notional[i] * ((edge[:-1] <= low[i]) & (low[i] < edge[1:]))
    return held
