"""What controls put in the place of the columns. Row t knows rows up to t only."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from liqfeature.checks import require_at_least
from liqfeature.market.rolling import trailing_sum
from liqfeature.sides import SIDE_AT
from liqfeature.types import FloatArray

_PRICES = ("near", "peak", "far", "pierced")
_EDGES = ("near", "peak", "far")


def of_earlier(features: pd.DataFrame, close: pd.Series, *, candles: int) -> pd.DataFrame:
    """Return the columns of another time, laid around today's price.

    The map keeps its look, and how it changes from candle to candle, but is that of another price.

    Parameters
    ----------
    features : DataFrame
        Columns of `liquidation_features`.
    close : Series
        Of the same rows.
    candles : int
        How many rows earlier, at least 1.

    Returns
    -------
    DataFrame
        The first rows are NaN. Prices keep their distance from the close in proportion.
    """
    require_at_least(1, candles=candles)
    moved = features.shift(candles)
    priced = [str(name) for name in features if str(name).split("_")[1] in _PRICES]
    moved[priced] = moved[priced].mul(close / close.shift(candles), axis=0)
    return moved


def usual_edges(features: pd.DataFrame, close: pd.Series, *, candles: int) -> pd.DataFrame:
    """Return edges at their usual distances from price: a map that knows distance alone.

    Near edge, peak and far edge stand where they stood on average, whether there is a cluster now or not.

    Parameters
    ----------
    features : DataFrame
        `liq_near_*`, `liq_peak_*`, `liq_far_*`.
    close : Series
        Of the same rows.
    candles : int
        Rows of which the mean is taken, the row's own included, at least 1.

    Returns
    -------
    DataFrame
        The six columns, price: the close times the geometric mean of `price / close` over those of the last
        `candles` rows that had a cluster there; NaN where none had.
    """
    require_at_least(1, candles=candles)
    price = close.to_numpy(dtype=np.float64)
    places = {}
    for name in [f"liq_{edge}_{where}" for edge in _EDGES for where in SIDE_AT]:
        log = np.log(features[name].to_numpy(dtype=np.float64) / price)
        places[name] = price * np.exp(_trailing_mean(log, candles))
    return pd.DataFrame(places, index=features.index)


def permuted(rows: pd.DataFrame, names: Sequence[str], warmup: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return rows in which some columns, taken together, stand in another order after the warm-up.

    Random entries: as many, on candles of the same span, so that only their number is known ahead.
    """
    ready = rows.index[max(warmup - 1, 0) :]
    found = rows.copy()
    found.loc[ready, list(names)] = rows.loc[rng.permutation(ready), list(names)].to_numpy()
    return found


def _trailing_mean(values: FloatArray, span: int) -> FloatArray:
    known = np.isfinite(values)
    total = trailing_sum(np.where(known, values, 0.0), span)
    rows = trailing_sum(known.astype(np.float64), span)
    mean: FloatArray = np.divide(total, rows, out=np.full(values.size, np.nan), where=rows > 0)
    return mean
