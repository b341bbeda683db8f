"""Where a command takes its market from: options, and what a data directory holds of a pair."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from liqfeature.config import EXCHANGES, HeatmapConfig, load_config
from liqfeature.data.store import load_beside, load_candles

SANDBOX_MARKER = "SANDBOX"
"""File that the sandbox leaves in its data directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a data directory holds of one pair.

    Parameters
    ----------
    candles : DataFrame
    open_interest, funding_rate : DataFrame or None
    config : HeatmapConfig
        Of the options, else of the pair and the exchange.
    exchange : str
        Name to show.
    invented : bool
        Whether the sandbox made the data.
    """

    candles: pd.DataFrame
    open_interest: pd.DataFrame | None
    funding_rate: pd.DataFrame | None
    config: HeatmapConfig
    exchange: str
    invented: bool

    @property
    def inputs(self) -> dict[str, pd.DataFrame | None]:
        """Open interest and funding, as keywords."""
        return {"open_interest": self.open_interest, "funding_rate": self.funding_rate}


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the options that `load_source` reads."""
    parser.add_argument("--datadir", type=Path, required=True, help="as for freqtrade: .../data/binance")
    parser.add_argument("--pair", required=True, help="such as BTC/USDT:USDT")
    parser.add_argument("--timeframe", default="5m", help="of the candles (default: %(default)s)")
    parameters = parser.add_mutually_exclusive_group()
    parameters.add_argument(
        "--exchange", choices=sorted(EXCHANGES), help="default: the data directory's name, else binance"
    )
    parameters.add_argument(
        "--config", type=Path, metavar="FILE", help="every parameter as JSON, instead of the exchange's"
    )


def load_source(args: argparse.Namespace) -> Source:
    """Read what the options name.

    Parameters
    ----------
    args : Namespace
        With `datadir`, `pair`, `timeframe`, `exchange` and `config`.

    Raises
    ------
    ConfigError, DataError
        If there are no such candles, or the configuration breaks a rule.
    """
    exchange = _exchange(args)
    frames = [
        load_beside(args.datadir, args.pair, args.timeframe, kind)
        for kind in ("open_interest", "funding_rate")
    ]
    return Source(
        candles=load_candles(args.datadir, args.pair, args.timeframe),
        open_interest=frames[0],
        funding_rate=frames[1],
        config=load_config(args.config) if args.config else HeatmapConfig.for_pair(args.pair, exchange),
        exchange=exchange,
        invented=(args.datadir / SANDBOX_MARKER).exists(),
    )


def _exchange(args: argparse.Namespace) -> str:
    if args.exchange:
        return str(args.exchange)
    name = args.datadir.resolve().name
    return name if name in EXCHANGES else "binance"
