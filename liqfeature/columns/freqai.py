"""The columns as features of a model, in the form in which Freqtrade's FreqAI wants them.

Needs no Freqtrade. `user_data/strategies/FreqaiWithClusters.py` shows how a strategy hands them over.
"""

import numpy as np
import pandas as pd

from liqfeature.checks import require_at_least
from liqfeature.columns.features import COLUMNS
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.market.frames import require_column

PREFIX = "%-"
"""By which FreqAI knows a feature."""

LEFT_OUT = ("near", "pierced")
"""The first says what `distance` says; the second is empty in most candles."""

_NOTHING = {
    "notional": 0.0,
    "density": 0.0,
    "hit": 0.0,
    "vacuum": 1.0,
    "first": 0.5,
    "touch": 1.0,
}
"""What stands for NaN where there is no cluster; the places of one are far away instead."""


def freqai_features(rows: pd.DataFrame, config: HeatmapConfig) -> pd.DataFrame:
    """Turn the columns into features that mean the same at any price and for any pair.

    Parameters
    ----------
    rows : DataFrame
        `close` and the columns of `liquidation_features`.
    config : HeatmapConfig
        Of the columns; its `band` says what is far.

    Returns
    -------
    DataFrame
        One float64 feature per column, but those of `LEFT_OUT`, named `%-liq_...`; the index of the rows.
        Prices become distances, fractions of the close; amounts in quote become shares of all that rests
        within `band` on both sides; all else stays. NaN where the columns know nothing, and only there.

    Raises
    ------
    MissingColumnError
        If a column is missing.

    Notes
    -----
    FreqAI drops each row in which any feature is NaN, from training and from prediction. As in half of all
    candles one side has no cluster, its NaN is replaced here: places by twice the `band`, which is farther
    than any cluster, amount, density and probability of reach by 0, first touch by 0.5, and what is
    compared with the usual by 1.
    """
    for name in ("close", *COLUMNS):
        require_column(rows, name, "rows")
    total = (rows["liq_total_above"] + rows["liq_total_below"]).to_numpy(dtype=np.float64)
    known = ~np.isnan(total)
    features = {}
    for name, column in COLUMNS.items():
        what = name.split("_")[1]
        if what in LEFT_OUT:
            continue
        value = rows[name].to_numpy(dtype=np.float64)
        if column.unit == "price":
            value = np.abs(value / rows["close"].to_numpy(dtype=np.float64) - 1)
        elif column.unit == "quote":
            value = np.divide(value, total, out=np.zeros_like(total), where=total > 0)
        nothing = _NOTHING.get(what, 2 * config.band if column.unit in _PLACES else 0.0)
        features[f"{PREFIX}{name}"] = np.where(known, np.where(np.isnan(value), nothing, value), np.nan)
    return pd.DataFrame(features, index=rows.index)


_PLACES = ("price", "fraction of close")


def later_move(close: pd.Series, horizon: int) -> pd.Series:
    """Return how far the mean of the next closes lies from each close: a target to train on.

    Parameters
    ----------
    close : Series
        Quote per base, above 0.
    horizon : int
        Candles that are looked ahead, at least 1.

    Returns
    -------
    Series
        Fraction of the close; NaN for the last `horizon` rows, so that training on rows up to t knows
        nothing after t.
    """
    require_at_least(1, horizon=horizon)
    ahead: pd.Series = close.rolling(horizon).mean().shift(-horizon)
    return ahead / close - 1
