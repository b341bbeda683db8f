"""The data sets of Binance's public archive: where their files are, and what is in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from liqfeature.durations import DAY, MINUTE
from liqfeature.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """One data set.

    Parameters
    ----------
    name : str
        The archive's name.
    columns : dict
        The archive's names of the columns, in its order, and what each number is called here; blank for what
        is no number.
    period : int
        Milliseconds of which stamps are multiples.
    monthly : bool
        Whether a file is of a month rather than a day.
    positive : tuple of str
        Numbers of which 0 means that nothing is known.
    after_midnight : bool
        Whether the row of a midnight is in the file of the day that ends then.
    most_bytes : int
        Of a table; a zip file is smaller.
    reduced_to : tuple of str
        What is kept, where that is not the numbers of each row.
    """

    name: str
    columns: dict[str, str]
    period: int
    monthly: bool = False
    positive: tuple[str, ...] = ()
    after_midnight: bool = False
    most_bytes: int = 4_000_000
    reduced_to: tuple[str, ...] = ()

    @property
    def numbers(self) -> tuple[str, ...]:
        """Numbers of a row, as they are called here."""
        return tuple(name for name in self.columns.values() if name)

    @property
    def kept(self) -> tuple[str, ...]:
        """What is kept of rows."""
        return self.reduced_to or self.numbers

    def files(self, symbol: str, first: int, last: int) -> Iterator["ArchivedFile"]:
        """Name the files of a symbol that hold rows from `first` to before `last`, milliseconds."""
        first -= self.after_midnight
        start = datetime.fromtimestamp(first / 1000, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if self.monthly:
            start = start.replace(day=1)
        while (begin := round(start.timestamp() * 1000)) < last:
            end = (start + timedelta(days=32)).replace(day=1) if self.monthly else start + timedelta(days=1)
            yield ArchivedFile(self, symbol, begin, round(end.timestamp() * 1000))
            start = end


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file: of a symbol, from `first` to before `end`, milliseconds."""

    dataset: DataSet
    symbol: str
    first: int
    end: int

    @property
    def date(self) -> str:
        """Its day or month, as it is called."""
        start = datetime.fromtimestamp(self.first / 1000, UTC)
        return f"{start:%Y-%m}" if self.dataset.monthly else f"{start:%Y-%m-%d}"

    @property
    def name(self) -> str:
        """Without a suffix."""
        return f"{self.symbol}-{self.dataset.name}-{self.date}"

    @property
    def path(self) -> str:
        """From the archive's address to the zip file."""
        every = "monthly" if self.dataset.monthly else "daily"
        return f"/data/futures/um/{every}/{self.dataset.name}/{self.symbol}/{self.name}.zip"


DEPTH_PERCENTS = (-5, -4, -3, -2, -1, 1, 2, 3, 4, 5)
"""Of price: how far below and above it depth is added up."""

METRICS = DataSet(
    name="metrics",
    columns={
        "create_time": "",
        "symbol": "",
        "sum_open_interest": "open_interest_amount",
        "sum_open_interest_value": "open_interest_value",
        "count_toptrader_long_short_ratio": "top_account_ratio",
        "sum_toptrader_long_short_ratio": "top_position_ratio",
        "count_long_short_ratio": "account_ratio",
        "sum_taker_long_short_vol_ratio": "taker_ratio",
    },
    period=5 * MINUTE,
    after_midnight=True,
    positive=("open_interest_amount", "open_interest_value"),
)
"""Every 5 minutes since 2020 to 2021: open interest, and longs over shorts."""

FUNDING = DataSet(
    name="fundingRate",
    columns={"calc_time": "", "funding_interval_hours": "", "last_funding_rate": "funding_rate"},
    period=MINUTE,
    monthly=True,
)

DEPTH = DataSet(
    name="bookDepth",
    columns={"timestamp": "", "percentage": "percentage", "depth": "depth", "notional": "notional"},
    period=1000,
    most_bytes=64_000_000,
    reduced_to=tuple(f"{'below' if percent < 0 else 'above'}_{abs(percent)}" for percent in DEPTH_PERCENTS),
)
"""Every half minute since 2023: what rests in the order book within some percent of price."""

DATASETS = {dataset.name: dataset for dataset in (METRICS, FUNDING, DEPTH)}

FIRST_DAY = 18_506 * DAY
"""2020-09-01, the first of `metrics`, in milliseconds since 1970."""


def symbol_of(pair: str) -> str:
    """Return Binance's name of a linear perpetual such as BTC/USDT:USDT."""
    base, _, rest = pair.partition("/")
    quote, _, settle = rest.partition(":")
    if not (base and quote and quote == settle):
        message = f"pairs must be linear perpetuals such as BTC/USDT:USDT, received {pair!r}"
        raise ConfigError(message)
    return base + quote
