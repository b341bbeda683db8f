"""A recorder's database with known content."""

import itertools
import resource
from contextlib import contextmanager
from operator import attrgetter

from liqfeature.data.database import Database, Row
from liqfeature.data.kinds import LAG, LISTENED, ORDERS, Series
from liqfeature.data.recordings import listened


def record(path, prints=(), spans=(), *, exchange="binance", pairs=("BTC/USDT:USDT",), late=300):
    """Write liquidations, each on disk some milliseconds later, and when an exchange was listened to."""
    market = attrgetter("exchange", "pair")
    with Database(path, write=True) as database, database.writing():
        for (name, pair), group in itertools.groupby(sorted(prints, key=market), market):
            rows = [Row(one.time, one.time + late, one[3:]) for one in group]
            database.add(Series(name, pair, ORDERS), "stream", rows)
        for pair, (since, until) in itertools.product(pairs, spans):
            database.extend(Series(exchange, pair, LISTENED), "stream", Row(since, since + LAG, (until,)))
    return path


def spans_in(path, exchange, pair):
    """Return when an exchange was listened to."""
    with Database(path) as database:
        return listened(database, exchange, pair)


@contextmanager
def largest_file(size):
    """Let the system refuse to write beyond a size, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
