"""What a data directory holds of one pair, read in one place."""

import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import pandas as pd

from liqfeature.data.schema import SIMULATED, is_simulated
from liqfeature.data.store import candle_files, file_apart, find_pair, load_beside, load_candles, read_frame
from liqfeature.data.venues import VenueSource
from liqfeature.errors import ConfigError
from liqfeature.estimate.config import HeatmapConfig, load_config
from liqfeature.exchange.pairs import linear_pair
from liqfeature.exchange.traits import EXCHANGES, canonical, exchange_traits
from liqfeature.market.market import Inputs

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairData:
    """Candles of one pair, what lies beside them, and the configuration for it.

    Parameters
    ----------
    pair, timeframe : str
        Freqtrade's names.
    candles : DataFrame
    inputs : Inputs
        What the directory holds of it.
    config : HeatmapConfig
        As given, else that of the pair and the exchange.
    exchange : str
        Name to show.
    simulated : bool
        Whether the sandbox made the data.
    """

    pair: str
    timeframe: str
    candles: pd.DataFrame
    inputs: Inputs
    config: HeatmapConfig
    exchange: str
    simulated: bool

    @property
    def title(self) -> str:
        """What it is, for headings."""
        return f"{self.pair} {self.timeframe}, {SIMULATED if self.simulated else self.exchange}"

    @classmethod
    def load(
        cls,
        datadir: Path,
        pair: str,
        timeframe: str,
        *,
        exchange: str | None = None,
        config: Path | None = None,
        venues: VenueSource | None = None,
    ) -> Self:
        """Read the candles of a pair, and what else there is: open interest, funding, mark, positioning.

        Parameters
        ----------
        datadir : Path
            As for freqtrade: `.../data/binance`.
        pair : str
            Freqtrade's name, or as much of it as one pair of the directory has: BTC, ethusdt.
        timeframe : str
            Freqtrade's name.
        exchange : str, optional
            Freqtrade's name; default: the directory's name.
        config : Path, optional
            JSON, as for `load_config`, instead of the exchange's and the pair's.
        venues : VenueSource, optional
            Other exchanges, whose maps are added.

        Raises
        ------
        ConfigError, DataError
            If there are no such candles, the pair is no linear future, the exchange is not known, or the
            configuration breaks a rule.
        """
        pair = find_pair(datadir, pair)
        linear_pair(pair)
        exchange = canonical(exchange) if exchange else _exchange(datadir)
        exchange_traits(exchange)
        candles = load_candles(datadir, pair, timeframe)
        return cls(
            pair=pair,
            timeframe=timeframe,
            candles=candles,
            inputs={
                "open_interest": load_beside(datadir, pair, timeframe, "open_interest"),
                "funding_rate": load_beside(datadir, pair, timeframe, "funding_rate"),
                "mark": _mark(datadir, pair, timeframe),
                "positioning": _positioning(datadir, pair),
                "venues": venues.load(pair, timeframe, exchange) if venues else None,
            },
            config=load_config(config) if config else HeatmapConfig.for_pair(pair, exchange),
            exchange=exchange,
            simulated=is_simulated(datadir),
        )


def _positioning(datadir: Path, pair: str) -> pd.DataFrame | None:
    path = file_apart(datadir, pair, "positioning", "5m")
    return read_frame(path) if path.exists() else None


def _mark(datadir: Path, pair: str, timeframe: str) -> pd.DataFrame | None:
    """Read mark candles of the candles' own timeframe: a coarser one is not closed when a candle is."""
    files = candle_files(datadir, pair, "mark")
    if files and timeframe not in files:
        _log_unused(datadir, timeframe, ", ".join(files))
    return read_frame(files[timeframe]) if timeframe in files else None


@cache
def _log_unused(datadir: Path, timeframe: str, found: str) -> None:
    """Say it once for a directory, however many pairs it holds."""
    _LOG.warning("mark candles in %s are not used: they are of %s, not of %s", datadir, found, timeframe)


def _exchange(datadir: Path) -> str:
    """Read the exchange off the directory's name, a link's or its target's; the sandbox's is Binance."""
    if is_simulated(datadir):
        return "binance"
    names = [path.name for path in (datadir.absolute(), datadir.resolve())]
    known = [canonical(name) for name in names if canonical(name) in EXCHANGES]
    if not known:
        rule = f"given (--exchange NAME) where the data directory is not called {', '.join(EXCHANGES)}"
        message = f"exchange must be {rule}, received the directory {names[0]}"
        raise ConfigError(message)
    return known[0]
