"""Where the live map takes its markets from: a data directory, or an exchange."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from liqfeature.checks import require
from liqfeature.data.pair import PairData
from liqfeature.data.schema import is_simulated
from liqfeature.data.store import candle_files, require_pairs

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Forming:
    """The candle that is not closed.

    Parameters
    ----------
    opened : int
        Its opening, milliseconds since 1970.
    open, high, low, close : float
    """

    opened: int
    open: float
    high: float
    low: float
    close: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a short look at a market shows.

    Parameters
    ----------
    version : int
        Another number where there are other closed candles.
    forming : Forming or None
        None where the source has closed candles only.
    """

    version: int
    forming: Forming | None = None


class Source(Protocol):
    """A source of markets; its methods block, and may be called from any thread."""

    @property
    def pairs(self) -> tuple[str, ...]:
        """Freqtrade's names of all pairs."""

    @property
    def title(self) -> str:
        """What it is, for the page."""

    @property
    def timeframe(self) -> str:
        """Freqtrade's name."""

    @property
    def simulated(self) -> bool:
        """Whether the sandbox makes the prices."""

    def load(self, pair: str) -> PairData:
        """Return all closed candles of a pair and what lies beside them."""

    def look(self, pair: str) -> Look:
        """Return whether there is something new."""


class Several:
    """Data directories of several exchanges; a market is an exchange and a pair: "bybit BTC/USDT:USDT".

    Parameters
    ----------
    sources : sequence of DirectorySource
        Of one timeframe.

    Raises
    ------
    ConfigError
        If two of them are of one exchange.
    """

    def __init__(self, sources: "Sequence[DirectorySource]") -> None:
        names = [source.name for source in sources]
        once = len(set(names)) == len(names)
        require("--datadir", once, "of another exchange each time", ", ".join(names))
        self._markets = {
            f"{source.name} {pair}": (source, pair) for source in sources for pair in source.pairs
        }
        self.pairs = tuple(self._markets)
        self.title = f"files of {', '.join(names)}"
        self.timeframe = sources[0].timeframe
        self.simulated = any(source.simulated for source in sources)

    def load(self, pair: str) -> PairData:
        """Read the files of a market."""
        source, name = self._markets[pair]
        return source.load(name)

    def look(self, pair: str) -> Look:
        """Look at the time at which the file of candles was written."""
        source, name = self._markets[pair]
        return source.look(name)


def market_of(name: str) -> tuple[str, str]:
    """Return exchange and pair of the name of a market; no exchange where there is one only."""
    exchange, _, pair = name.rpartition(" ")
    return exchange, pair


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectorySource:
    """A data directory of Freqtrade; a download into it is seen.

    Parameters
    ----------
    datadir : Path
    timeframe : str
    exchange : str or None
        Default: the directory's name.
    config : Path or None
        Parameters of the estimate, instead of the exchange's.
    """

    datadir: Path
    timeframe: str = "5m"
    exchange: str | None = None
    config: Path | None = None

    @property
    def pairs(self) -> tuple[str, ...]:
        """Pairs with candles of the timeframe."""
        found = require_pairs(self.datadir)
        return tuple(pair for pair in found if self.timeframe in candle_files(self.datadir, pair, "futures"))

    @property
    def name(self) -> str:
        """Name of the exchange."""
        return self.exchange or self.datadir.absolute().name

    @property
    def title(self) -> str:
        """Whose files."""
        return f"files of {self.name}"

    @property
    def simulated(self) -> bool:
        """Whether the sandbox made the directory."""
        return is_simulated(self.datadir)

    def load(self, pair: str) -> PairData:
        """Read the files of a pair."""
        return PairData.load(self.datadir, pair, self.timeframe, exchange=self.exchange, config=self.config)

    def look(self, pair: str) -> Look:
        """Look at the time at which the file of candles was written."""
        files = candle_files(self.datadir, pair, "futures")
        return Look(version=files[self.timeframe].stat().st_mtime_ns)
