"""Conditions on the columns: one function per idea, each a Series of True and False.

They are filters and research, not forecasts: beyond the path of price, none was found to tell direction.

`is_short` turns every one of them round: what lies ahead of a long lies above, what threatens it below. NaN,
which is how the columns say that there is no cluster or that they know nothing yet, fulfils no condition
unless the docstring says otherwise.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from liqfeature.market.frames import require_column
from liqfeature.sides import ahead, behind
from liqfeature.types import BoolArray, FloatArray

Rows = pd.DataFrame
"""Candles with their columns, one row per candle."""

Flags = pd.Series
"""bool, with the index of the rows, never NaN."""


def swept_and_reclaimed(rows: Rows, *, is_short: bool, cleared: float, remaining: float) -> Flags:
    """Return True where a cluster behind was swept, little is left there, and price is back.

    Parameters
    ----------
    rows : DataFrame
        `close`, `liq_imbalance`, and `liq_cleared_*` and `liq_pierced_*`.
    is_short : bool
        Side of the position: a long buys after longs were swept.
    cleared : float
        Least share of the cluster that was swept.
    remaining : float
        Largest share of all fuel that is still behind.

    Returns
    -------
    Series of bool
    """
    where = behind(is_short)
    back = _column(rows, "close") - _column(rows, f"liq_pierced_{where}")
    reclaimed = (back < 0) if is_short else (back > 0)
    swept = _column(rows, f"liq_cleared_{where}") >= cleared
    return _flags(rows, swept & reclaimed & (_fuel_share(rows, where) <= remaining))


def open_way(
    rows: Rows, *, is_short: bool, room: float, distance: float, density: float, air: float
) -> Flags:
    """Return True where a dense cluster lies within reach ahead, and nothing much before it.

    Parameters
    ----------
    rows : DataFrame
        `liq_distance_*`, `liq_density_*` and `liq_vacuum_*`.
    is_short : bool
        Side of the position: a long goes towards the liquidations of shorts.
    room, distance : float
        Least and largest distance to the cluster, as fractions of the close.
    density : float
        Least density of the cluster.
    air : float
        Most that may rest before the cluster, over what is usual there.

    Returns
    -------
    Series of bool
    """
    where = ahead(is_short)
    away = _column(rows, f"liq_distance_{where}")
    within_reach = (away >= room) & (away <= distance)
    dense = _column(rows, f"liq_density_{where}") >= density
    return _flags(rows, within_reach & dense & (_column(rows, f"liq_vacuum_{where}") <= air))


def broken_through(rows: Rows, *, is_short: bool, cleared: float, cascade: float) -> Flags:
    """Return True where price broke a cluster ahead, stayed beyond it, and a cascade is stated to be likely.

    Parameters
    ----------
    rows : DataFrame
        `close`, and `liq_cleared_*`, `liq_pierced_*` and `liq_cascade_*`.
    is_short : bool
        Side of the position: a long goes with shorts that are forced to buy.
    cleared : float
        Least share of the cluster that was swept.
    cascade : float
        Least probability of a cascade further on.

    Returns
    -------
    Series of bool
    """
    where = ahead(is_short)
    beyond = _column(rows, "close") - _column(rows, f"liq_pierced_{where}")
    stayed = (beyond < 0) if is_short else (beyond > 0)
    swept = _column(rows, f"liq_cleared_{where}") >= cleared
    return _flags(rows, stayed & swept & (_column(rows, f"liq_cascade_{where}") >= cascade))


def safe_behind(rows: Rows, *, is_short: bool, density: float, hit: float, cascade: float) -> Flags:
    """Return True where little is likely to be set off against a position.

    Parameters
    ----------
    rows : DataFrame
        `stop_distance_*`, `liq_distance_*`, `liq_density_*`, `liq_hit_*` and `liq_cascade_*`.
    is_short : bool
        Side of the position.
    density : float
        Density from which a cluster is refused that begins nearer than the least distance of a stop: it would
        be run through before the stop.
    hit : float
        Highest probability that the nearest cluster behind is touched. No cluster is no objection.
    cascade : float
        Highest probability of a cascade behind.

    Returns
    -------
    Series of bool
    """
    where = behind(is_short)
    near = _column(rows, f"liq_distance_{where}") <= _column(rows, f"stop_distance_{where}")
    refused = near & (_column(rows, f"liq_density_{where}") >= density)
    touched = _column(rows, f"liq_hit_{where}") > hit
    return _flags(rows, ~refused & ~touched & (_column(rows, f"liq_cascade_{where}") <= cascade))


def outside_windows(rows: Rows, windows: Mapping[str, tuple[float, float]]) -> Flags:
    """Return True where nothing scheduled is near.

    Parameters
    ----------
    rows : DataFrame
        `liq_until_*` and `liq_since_*` of the names in `windows`, as `scheduled_windows` makes them.
    windows : mapping
        Minutes before and after by name; a row that many minutes away is inside. Where nothing is known to be
        scheduled, nothing is near.

    Returns
    -------
    Series of bool
    """
    outside = pd.Series(data=True, index=rows.index)
    for name, (before, after) in windows.items():
        outside &= ~(_column(rows, f"liq_until_{name}") <= before)
        outside &= ~(_column(rows, f"liq_since_{name}") <= after)
    return outside


def trusted(rows: Rows, *, quality: float, volume: float) -> Flags:
    """Return True where the columns are sound and enough is traded.

    Parameters
    ----------
    rows : DataFrame
        `liq_quality`, and `volume` and `volume_usual`.
    quality : float
        Least `liq_quality`.
    volume : float
        Least volume of the candle, over the usual one; a candle without any is refused in any case.

    Returns
    -------
    Series of bool
    """
    traded = _column(rows, "volume")
    lively = (traded > 0) & (traded >= volume * _column(rows, "volume_usual"))
    return _flags(rows, lively & (_column(rows, "liq_quality") >= quality))


def agreed(rows: Rows, *, is_short: bool, consensus: float) -> Flags:
    """Return True where enough of the exchanges show the cluster ahead of the position.

    Parameters
    ----------
    rows : DataFrame
        `liq_consensus_above` or `_below`, which are there where a bot has `venues`; not read at 0.
    is_short : bool
    consensus : float
        Least share of the fresh exchanges' open interest; 0 is always met.

    Returns
    -------
    Series of bool
    """
    if consensus <= 0:
        return _flags(rows, np.ones(len(rows), dtype=np.bool_))
    return _flags(rows, _column(rows, f"liq_consensus_{ahead(is_short)}") >= consensus)


def fuel_spent(rows: Rows, *, is_short: bool, cleared: float, remaining: float) -> Flags:
    """Return True where the cluster ahead was swept and little fuel is left.

    Parameters
    ----------
    rows : DataFrame
        `liq_imbalance`, and `liq_cleared_*`.
    is_short : bool
        Side of the position.
    cleared : float
        Least share of the cluster that was swept.
    remaining : float
        Largest share of all fuel that is still ahead.

    Returns
    -------
    Series of bool
    """
    where = ahead(is_short)
    swept = _column(rows, f"liq_cleared_{where}") >= cleared
    return _flags(rows, swept & (_fuel_share(rows, where) <= remaining))


def fuel_share(rows: Rows, where: str) -> pd.Series:
    """Return the share of all fuel that lies "above" or "below", 0 to 1; NaN where there is none.

    It is `(1 + liq_imbalance) / 2` above, and the rest below.
    """
    return pd.Series(_fuel_share(rows, where), index=rows.index)


def any_of(first: Flags, *others: Flags) -> pd.Series:
    """Return 1 where at least one of some conditions holds and 0 elsewhere, as Freqtrade wants signals."""
    holds = first.to_numpy(dtype=np.bool_, copy=True)
    for other in others:
        holds |= other.to_numpy(dtype=np.bool_)
    return pd.Series(holds.astype(np.int64), index=first.index)


def first_of(flags: Mapping[str, Flags]) -> pd.Series:
    """Return the name of the first condition that holds, as Freqtrade wants tags; NaN where none does."""
    first, *_ = flags.values()
    names = np.full(len(first), np.nan, dtype=object)
    for name, holds in reversed(list(flags.items())):
        names[holds.to_numpy(dtype=np.bool_)] = name
    return pd.Series(names, index=first.index, dtype="str")


def _fuel_share(rows: Rows, where: str) -> FloatArray:
    above: FloatArray = (1 + _column(rows, "liq_imbalance")) / 2
    return above if where == "above" else 1 - above


def _column(rows: Rows, name: str) -> FloatArray:
    """Column as an array, with which a condition on a bot's rows takes a tenth of the time of a Series."""
    require_column(rows, name, "rows")
    return rows[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _flags(rows: Rows, holds: BoolArray) -> Flags:
    return pd.Series(holds, index=rows.index)
