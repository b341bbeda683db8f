"""Other exchanges' data of a pair: their Freqtrade directories, and what `liqfeature collect` received."""

import dataclasses
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import pandas as pd

from liqfeature.checks import require
from liqfeature.data.database import Database
from liqfeature.data.kinds import CANDLES, INTEREST_TIMEFRAME, OPEN_INTEREST, Series
from liqfeature.data.store import candle_files, downloaded_pairs, load_beside, read_frame
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.exchange.coins import counterpart
from liqfeature.exchange.traits import EXCHANGES, canonical, exchange_traits
from liqfeature.market.venue import AVAILABLE, Venue

INTEREST = ("open_interest_amount", "open_interest_value")

LOOK = 0.25
"""Seconds from one look into the database to the next, while a bot waits."""

WAIT = 5.0
"""Seconds that a bot waits for other exchanges, unless its configuration says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueSource:
    """Which other exchanges there are, where their data lie, and how long a bot waits for them.

    Parameters
    ----------
    directories : mapping of str to Path or None
        Freqtrade's data directory by name of the exchange; None, or one that does not exist, holds nothing.
    database : Path, optional
        What `liqfeature collect` writes. From its first row of a pair on it alone counts.
    wait : float
        Seconds after a candle's close; see `Venue`.
    """

    directories: Mapping[str, Path | None]
    database: Path | None = None
    wait: float = WAIT

    @classmethod
    def of(cls, config: Mapping[str, Any], datadir: Path) -> Self | None:
        """Read a bot's configuration: `"venues": {"names": ["bybit", "okx"], "wait": 5}`.

        Directories are those beside `datadir`, by name of the exchange; the database is that of `recordings`.

        Returns
        -------
        VenueSource or None
            None where there are no `venues`.

        Raises
        ------
        ConfigError
            Naming the setting, the rule and the value received.
        """
        told = config.get("venues")
        if told is None:
            return None
        shaped = isinstance(told, Mapping) and set(told) <= {"names", "wait"}
        require("venues", shaped, '{"names": [exchanges], "wait": seconds}', repr(told))
        names, wait = told.get("names"), told.get("wait", WAIT)
        listed = isinstance(names, list) and len(names) > 0 and all(isinstance(name, str) for name in names)
        require("names of venues", listed, "a list of exchanges", repr(names))
        known = [canonical(name) for name in names]
        strange = [name for name in known if name not in EXCHANGES]
        require("names of venues", not strange, f"of {', '.join(EXCHANGES)}", ", ".join(strange))
        own = canonical(str(config.get("exchange", {}).get("name", "")))
        require("names of venues", own not in known, "other exchanges than the traded one", own)
        number = isinstance(wait, int | float) and not isinstance(wait, bool) and 0 <= wait <= 60
        require("wait of venues", number, "0 to 60 seconds", repr(wait))
        database = Path(config["recordings"]) if config.get("recordings") else None
        return cls(
            directories={name: datadir.parent / name for name in known}, database=database, wait=float(wait)
        )

    @classmethod
    def beside(cls, directories: Sequence[Path]) -> Self:
        """Take data directories that are called as their exchanges."""
        for path in directories:
            known, rule = canonical(path.name) in EXCHANGES, f"a directory called {', '.join(EXCHANGES)}"
            require("venues", known and path.is_dir(), rule, path)
        return cls(directories={canonical(path.name): path for path in directories})

    def live(self) -> Self:
        """Return the same exchanges as a bot reads them: from the database alone."""
        require("recordings", self.database is not None, "the file of liqfeature collect, for venues", "none")
        return dataclasses.replace(self, directories=dict.fromkeys(self.directories))

    def wait_for(self, candle: pd.Timestamp, pair: str, timeframe: str, exchange: str) -> None:
        """Return once every exchange that lists the coin has given the candle, or when the wait is over."""
        until = candle + pd.Timedelta(timeframe) + pd.Timedelta(seconds=self.wait)
        while pd.Timestamp.now(tz="UTC") < until:
            venues = self.load(pair, timeframe, exchange, first=candle - 2 * pd.Timedelta(timeframe))
            if all((venue.candles["date"] >= candle).any() for venue in venues.values()):
                return
            time.sleep(LOOK)

    def load(
        self, pair: str, timeframe: str, exchange: str, *, first: pd.Timestamp | None = None
    ) -> dict[str, Venue]:
        """Read what there is of a coin on every other exchange; one that has nothing of it is never fresh.

        Parameters
        ----------
        pair, timeframe, exchange : str
            Of the traded market.
        first : Timestamp, optional
            With a time zone. Leave out rows before it.

        Raises
        ------
        DataError, ConfigError
            If a file is damaged, or the pair is no linear future.
        """
        with ExitStack() as stack:
            there = self.database is not None and self.database.exists()
            database = stack.enter_context(Database(self.database)) if self.database and there else None
            sought = _Sought(pair, timeframe, exchange, first)
            return {
                name: self._venue(name, held, database, sought) for name, held in self.directories.items()
            }

    def _venue(
        self, name: str, directory: Path | None, database: Database | None, sought: "_Sought"
    ) -> Venue:
        listed = _collected(database, name) | set(downloaded_pairs(directory) if directory else ())
        found = counterpart(sought.pair, sought.exchange, name, sorted(listed))
        if found is None:
            return Venue(candles=_NOTHING, config=HeatmapConfig.for_exchange(name), wait=self.wait)
        timeframe, first = sought.timeframe, sought.first
        period = exchange_traits(name).interest_timeframe(timeframe) or INTEREST_TIMEFRAME
        held = _downloaded(directory, found.pair, timeframe) if directory else {}
        candles = _rows(database, Series(name, found.pair, CANDLES, timeframe), first)
        interest = _rows(database, Series(name, found.pair, OPEN_INTEREST, period), first)
        return Venue(
            candles=_joined(held.get("futures"), candles, first),
            open_interest=_joined(held.get("open_interest"), interest, first),
            funding_rate=held.get("funding_rate"),
            config=HeatmapConfig.for_pair(found.pair, name),
            multiple=found.multiple,
            wait=self.wait,
        )


class _Sought(NamedTuple):
    """What is sought on every exchange."""

    pair: str
    timeframe: str
    exchange: str
    first: pd.Timestamp | None


_DATE = pd.Series([], dtype="datetime64[ms, UTC]")

_NOTHING = pd.DataFrame({"date": _DATE, **dict.fromkeys(("open", "high", "low", "close", "volume"), 0.0)})

_NAMES = {"amount": INTEREST[0], "value": INTEREST[1]}


def _collected(database: Database | None, exchange: str) -> set[str]:
    """Pairs of an exchange whose candles were collected."""
    rows = [] if database is None else database.series()
    return {one.pair for one in rows if one.exchange == exchange and one.kind is CANDLES}


def _downloaded(directory: Path, pair: str, timeframe: str) -> dict[str, pd.DataFrame | None]:
    """Candles, open interest and funding that Freqtrade downloaded."""
    files = candle_files(directory, pair, "futures")
    beside = {
        what: load_beside(directory, pair, timeframe, what) for what in ("open_interest", "funding_rate")
    }
    return {"futures": read_frame(files[timeframe]) if timeframe in files else None, **beside}


def _rows(database: Database | None, series: Series, first: pd.Timestamp | None) -> pd.DataFrame | None:
    """Read what was collected; None where there is nothing."""
    since = 0 if first is None else int(first.timestamp() * 1000)
    table = pd.DataFrame() if database is None else database.read(series, first=since)
    if table.empty:
        return None
    dates = {"date": table["stamp"], AVAILABLE: table["available"]}
    moments = {
        name: pd.to_datetime(stamp, unit="ms", utc=True).dt.as_unit("ms") for name, stamp in dates.items()
    }
    named = [_NAMES.get(name, name) for name in series.kind.columns]
    return table.assign(**moments).rename(columns=_NAMES)[["date", *named, AVAILABLE]]


def _joined(
    downloaded: pd.DataFrame | None, received: pd.DataFrame | None, first: pd.Timestamp | None
) -> pd.DataFrame:
    """Put rows received between those downloaded that lie before the first of them, and after the last."""
    if downloaded is not None and first is not None:
        downloaded = downloaded[downloaded["date"] >= first]
    if downloaded is None or received is None:
        rows = received if downloaded is None else downloaded
        return _NOTHING if rows is None else rows.reset_index(drop=True)
    begin, end, date = received["date"].iloc[0], received["date"].iloc[-1], downloaded["date"]
    parts = [downloaded[date < begin], received, downloaded[date > end]]
    both: pd.DataFrame = pd.concat(parts, ignore_index=True)
    both[AVAILABLE] = both[AVAILABLE].fillna(both["date"])  # a download came in time
    return both
