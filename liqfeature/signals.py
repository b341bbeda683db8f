"""What the columns say about an entry: one function per idea, each a Series of True and False.

`is_short` turns every one of them round: what lies ahead of a long lies above, what threatens it below. NaN,
which is how the columns say that there is no cluster or that they know nothing yet, fulfils no condition
unless the docstring says otherwise.
"""

import pandas as pd

from liqfeature.tables import require_column

Rows = pd.DataFrame
"""Candles with their columns, one row per candle."""

Flags = pd.Series
"""bool, with the index of the rows, never NaN."""


def ahead(is_short: bool) -> str:
    """Return where price must go for the position to win: "above" or "below"."""
    return "below" if is_short else "above"


def behind(is_short: bool) -> str:
    """Return where price must go for the position to lose: "below" or "above"."""
    return "above" if is_short else "below"


def swept_and_reclaimed(
    rows: Rows, *, is_short: bool, cleared: float, open_interest_fall: float, remaining: float
) -> Flags:
    """Tell where a cluster behind was swept, its positions are gone, and price is back.

    Parameters
    ----------
    rows : DataFrame
        `close`, `open_interest_change`, `liq_imbalance`, and `liq_cleared_*` and `liq_pierced_*`.
    is_short : bool
        Side of the position: a long buys after longs were swept.
    cleared : float
        Least share of the cluster that was swept.
    open_interest_fall : float
        Least fall of open interest over `open_interest_change`'s span, as a fraction. Without open interest
        nothing shows that positions were closed, so that there is no entry.
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
    closed = _column(rows, "open_interest_change") <= -open_interest_fall
    return swept & closed & reclaimed & (fuel_share(rows, where) <= remaining)


def open_way(
    rows: Rows, *, is_short: bool, room: float, distance: float, density: float, lean: float, air: float
) -> Flags:
    """Tell where a dense cluster lies within reach ahead, and nothing much before it.

    Parameters
    ----------
    rows : DataFrame
        `liq_imbalance`, and `liq_distance_*`, `liq_density_*` and `liq_vacuum_*`.
    is_short : bool
        Side of the position: a long goes towards the liquidations of shorts.
    room, distance : float
        Least and largest distance to the cluster, as fractions of the close.
    density : float
        Least density of the cluster.
    lean : float
        Least imbalance of fuel in favour of what lies ahead, -1 to 1.
    air : float
        Most that may rest before the cluster, over what is usual there.

    Returns
    -------
    Series of bool
    """
    where = ahead(is_short)
    within_reach = _column(rows, f"liq_distance_{where}").between(room, distance)
    dense = _column(rows, f"liq_density_{where}") >= density
    imbalance = _column(rows, "liq_imbalance")
    leans = (-imbalance if is_short else imbalance) >= lean
    return within_reach & dense & leans & (_column(rows, f"liq_vacuum_{where}") <= air)


def broken_through(rows: Rows, *, is_short: bool, cleared: float, cascade: float) -> Flags:
    """Tell where price went through a cluster ahead, stayed beyond it, and more is likely to be set off.

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
    return stayed & swept & (_column(rows, f"liq_cascade_{where}") >= cascade)


def safe_behind(
    rows: Rows, *, is_short: bool, stop_ranges: float, density: float, hit: float, cascade: float
) -> Flags:
    """Tell where little is likely to be set off against a position.

    Parameters
    ----------
    rows : DataFrame
        `close`, `atr`, and `liq_distance_*`, `liq_density_*`, `liq_hit_*` and `liq_cascade_*`.
    is_short : bool
        Side of the position.
    stop_ranges : float
        Distance of a stop where there is no cluster, in average true ranges: a cluster nearer than that
        would be run through before the stop.
    density : float
        Density from which such a cluster is refused.
    hit : float
        Highest probability that the nearest cluster behind is touched. No cluster is no objection.
    cascade : float
        Highest probability of a cascade behind.

    Returns
    -------
    Series of bool
    """
    where = behind(is_short)
    stop_distance = stop_ranges * _column(rows, "atr") / _column(rows, "close")
    near = _column(rows, f"liq_distance_{where}") <= stop_distance
    refused = near & (_column(rows, f"liq_density_{where}") >= density)
    touched = _column(rows, f"liq_hit_{where}") > hit
    return ~refused & ~touched & (_column(rows, f"liq_cascade_{where}") <= cascade)


def trusted(rows: Rows, *, quality: float, volume: float) -> Flags:
    """Tell where the columns are sound and enough is traded.

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
    return lively & (_column(rows, "liq_quality") >= quality)


def fuel_spent(rows: Rows, *, is_short: bool, cleared: float, remaining: float) -> Flags:
    """Tell where what a position waited for has happened: the cluster ahead was swept and little is left.

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
    return swept & (fuel_share(rows, where) <= remaining)


def fuel_share(rows: Rows, where: str) -> pd.Series:
    """Return the share of all fuel that lies "above" or "below", 0 to 1; NaN where there is none.

    It is `(1 + liq_imbalance) / 2` above, and the rest below.
    """
    above = (1 + _column(rows, "liq_imbalance")) / 2
    return above if where == "above" else 1 - above


def _column(rows: Rows, name: str) -> pd.Series:
    require_column(rows, name, "rows")
    return rows[name]
