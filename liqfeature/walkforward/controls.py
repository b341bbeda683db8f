"""What a control puts in the place of what the columns say. Row t knows rows up to t only."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from liqfeature.checks import require_at_least
from liqfeature.flow import trailing_sum
from liqfeature.types import FloatArray

_PRICES = ("near", "peak", "far", "strongest", "pierced")
_EDGES = ("near", "peak", "far")
_SIDES = ("above", "below")


def of_earlier(features: pd.DataFrame, close: pd.Series, *, candles: int) -> pd.DataFrame:
    """Return the columns of another time, laid around today's price.

    What the map looks like is kept, and how it changes from candle to candle; that it is the map of this
    price is taken away.

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
    """Return where the nearest clusters would lie if the map were always the same.

    A map that knows only distance from price: near edge, peak and far edge lie where they lay on average,
    whether there is a cluster now or not.

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
    for name in [f"liq_{edge}_{side}" for edge in _EDGES for side in _SIDES]:
        log = np.log(features[name].to_numpy(dtype=np.float64) / price)
        places[name] = price * np.exp(_trailing_mean(log, candles))
    return pd.DataFrame(places, index=features.index)


def path_only(candles: pd.DataFrame) -> pd.DataFrame:
    """Return candles that all trade the same amount: a map made of them knows the path of price alone.

    Candles without any trade stay so, since how far the columns can be trusted depends on them.
    """
    return candles.assign(volume=(candles["volume"] > 0).astype(np.float64))


def permuted(rows: pd.DataFrame, names: Sequence[str], warmup: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return rows in which some columns, taken together, stand in another order after the warm-up.

    Entries by lot: they are as many, on candles of the same span, so that their number alone is known ahead.
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
