"""Whether the database that a bot's configuration names holds what the bot reads from it."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from liqfeature.data.database import Database
from liqfeature.data.kinds import MAPS, ORDERS, TOTALS, Series
from liqfeature.data.kinds import OPEN_INTEREST as INTEREST
from liqfeature.doctor.finding import Finding, fail, fine, warn
from liqfeature.errors import DataError

_READ = (ORDERS, TOTALS, INTEREST)
"""Kinds that a strategy reads by its exchange's name."""


def check_recordings(path: Path, pair: str, exchange: str, map_source: str) -> Iterator[Finding]:
    """Say until when there is what of a pair, and fail where the maps that are wanted are missing.

    Parameters
    ----------
    path : Path
        `recordings` of the configuration.
    pair : str
    exchange : str
        By its known name.
    map_source : str
        Of the configuration; empty where the estimate is wanted.
    """
    check = f"{pair} recordings"
    try:
        with Database(path) as database:
            found = {one: _last(database, one) for one in database.series() if one.pair == pair}
    except DataError as error:
        yield fail(check, str(error), 'record with liqfeature record, or leave out "recordings"')
        return
    told = [
        f"{one.kind.name.replace('_', ' ')} of {one.exchange} until {last:%Y-%m-%d %H:%M}"
        for one, last in found.items()
        if last is not None and (one.kind is MAPS or (one.exchange == exchange and one.kind in _READ))
    ]
    start = f"liqfeature record --exchange {exchange} --pairs {pair} --out {path}"
    yield fine(check, ", ".join(told)) if told else warn(check, f"nothing of {exchange} in {path}", start)
    sources = [one.exchange for one in found if one.kind is MAPS]
    if map_source and map_source not in sources:
        saw = f"none by {map_source}, there are those by {', '.join(sources) or 'nobody'}: nothing to read"
        yield fail(f"{pair} maps", saw, 'import or record them, or leave out "map_source"')


def _last(database: Database, series: Series) -> pd.Timestamp | None:
    sql = f"SELECT max(stamp) FROM {series.kind.name} WHERE series = ?"
    ((stamp,),) = database.query(sql, (database.number(series),))
    return None if stamp is None else pd.Timestamp(stamp, unit="ms", tz="UTC")
