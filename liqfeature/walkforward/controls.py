"""What a control puts in the place of what the columns say."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

_PRICES = ("near", "peak", "far", "strongest", "pierced")


def other_days(rows: pd.DataFrame, warmup: int, *, candles: int) -> pd.DataFrame:
    """Return rows whose `liq_` columns are those of another time.

    Parameters
    ----------
    rows : DataFrame
        `close` and the columns.
    warmup : int
        Rows at the beginning that stay as they are.
    candles : int
        How many candles earlier; the first rows take those of the last ones, so that none is empty. That
        lets a control look ahead, which can only help it.

    Returns
    -------
    DataFrame
        Prices among the columns keep their distance from the close in proportion.
    """
    names = [name for name in rows.columns if name.startswith("liq_")]
    priced = [name for name in names if name.split("_")[1] in _PRICES]
    ready = rows.iloc[max(warmup - 1, 0) :]
    told = ready[names].copy()
    told[priced] = told[priced].div(ready["close"], axis=0)
    moved = pd.DataFrame(np.roll(told.to_numpy(), candles, axis=0), columns=names, index=ready.index)
    moved[priced] = moved[priced].mul(ready["close"], axis=0)
    found = rows.copy()
    found.loc[ready.index, names] = moved
    return found


def permuted(rows: pd.DataFrame, names: Sequence[str], warmup: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return rows in which some columns, taken together, stand in another order after the warm-up."""
    ready = rows.index[max(warmup - 1, 0) :]
    found = rows.copy()
    found.loc[ready, list(names)] = rows.loc[rng.permutation(ready), list(names)].to_numpy()
    return found
