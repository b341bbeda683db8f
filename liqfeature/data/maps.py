"""Maps made elsewhere, in the database: one row for each, its levels packed."""

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from liqfeature.data.database import Database
from liqfeature.data.kinds import MAPS, Series
from liqfeature.errors import DataError
from liqfeature.market.maps import BY_PRICE, LEVEL_SIDES
from liqfeature.market.revisions import AVAILABLE


class Level(NamedTuple):
    """What rests between two prices: quote currency, or the map's own unit; NaN where a map does not say."""

    side: str  # of LEVEL_SIDES
    low: float
    high: float
    notional: float
    positions: float = np.nan
    age: float = np.nan  # minutes since they were seen, weighted by notional


def packed(levels: Sequence[Level]) -> tuple[int, bytes]:
    """Return what stands in the columns of `MAPS`."""
    rows = [(LEVEL_SIDES.index(level.side), *level[1:]) for level in levels]
    table = np.array(rows, dtype="<f8").reshape(-1, len(Level._fields))
    return len(rows), zlib.compress(table.T.tobytes())


def map_sources(path: str | Path, pair: str) -> list[str]:
    """Return whose maps of a pair a database holds."""
    with Database(path) as database:
        return [one.exchange for one in database.series() if (one.pair, one.kind) == (pair, MAPS)]


def load_maps(path: str | Path, pair: str, source: str, *, first: pd.Timestamp | None = None) -> pd.DataFrame:
    """Read the maps of one source: what `liquidation_features` takes as `maps`.

    Parameters
    ----------
    path : path
        Database that `liqfeature import` or `liqfeature record` writes.
    pair : str
        Freqtrade's name, such as "BTC/USDT:USDT".
    source : str
        As `map_sources` has it, such as "coinglass".
    first : Timestamp, optional
        With a time zone. Leave out maps taken before it.

    Returns
    -------
    DataFrame
        `date, available, side, low, high, notional, positions, age`: a row for each level of each map, in
        the order in which they could be known. `age` in minutes. A map that holds nothing has one row of
        notional 0. `attrs["source"]` is the source.

    Raises
    ------
    DataError
        If the file is not such a database, or has no such maps; it lists those that it has.
    """
    since = 0 if first is None else int(first.timestamp() * 1000)
    with Database(path) as database:
        series = Series(source, pair, MAPS)
        if database.number(series) is None:
            held = ", ".join(map_sources(path, pair)) or "none"
            message = f"{path} must hold maps of {pair} by {source}, received those by {held}"
            raise DataError(message)
        rows = database.revisions(series, first=since)
    tables = [_unpacked(n, content) for n, content in zip(rows["levels"], rows["content"], strict=True)]
    table = np.concatenate(tables) if tables else np.empty((0, len(Level._fields)))
    repeated = rows.loc[rows.index.repeat([len(one) for one in tables])]
    dates = {
        name: pd.to_datetime(repeated[column].to_numpy(), unit="ms", utc=True).as_unit("ms")
        for name, column in (("date", "stamp"), (AVAILABLE, "available"))
    }
    side = pd.Categorical.from_codes(
        table[:, 0].astype(np.int8), dtype=pd.CategoricalDtype(list(LEVEL_SIDES))
    )
    values = dict(zip(Level._fields[1:], table.T[1:], strict=True))
    found = pd.DataFrame({**dates, "side": side, **values})
    found.attrs["source"] = source
    return found


def _unpacked(n: int, content: bytes) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    if n == 0:
        return np.array([[LEVEL_SIDES.index(BY_PRICE), 1.0, 1.0, 0.0, 0.0, np.nan]])
    return np.frombuffer(zlib.decompress(content), dtype="<f8").reshape(len(Level._fields), n).T
