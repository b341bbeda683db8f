"""Columns of many pairs, a file each: whole or not there, and left alone where it is up to date."""

import dataclasses
import hashlib
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from liqfeature.cluster.versions import code_digest
from liqfeature.columns.column import SCHEMA, SCHEMA_KEY
from liqfeature.columns.features import liquidation_features
from liqfeature.data.maps import load_maps
from liqfeature.data.pair import PairData
from liqfeature.data.store import file_apart, read_frame, write_frame
from liqfeature.data.venues import VenueSource
from liqfeature.errors import ConfigError, DataError

DIGEST_KEY = "liq_digest"
"""Under which a table says what it was made from, in `DataFrame.attrs`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairTask:
    """One pair: what is read, as for `PairData.load`, and the feather file that is written.

    Maps of a `source` in `recordings` take the place of the estimate's, where one is named.
    """

    datadir: Path
    pair: str
    timeframe: str
    exchange: str | None
    heatmap: Path | None
    out: Path
    venues: VenueSource | None = None
    recordings: Path | None = None
    source: str | None = None
    depth: bool = False

    def load(self) -> PairData:
        """Read everything."""
        market = PairData.load(
            self.datadir,
            self.pair,
            self.timeframe,
            exchange=self.exchange,
            config=self.heatmap,
            venues=self.venues,
        )
        if self.source:
            market = with_maps(market, self.recordings, self.source)
        return with_depth(market, self.datadir) if self.depth else market


def with_maps(market: PairData, recordings: Path | None, source: str) -> PairData:
    """Return a market with the maps of a source in the place of the estimate's."""
    if recordings is None:
        message = "--recordings FILE must be given with --source, received none"
        raise ConfigError(message)
    maps = load_maps(recordings, market.pair, source)
    return dataclasses.replace(market, inputs={**market.inputs, "maps": maps})


def with_depth(market: PairData, datadir: Path) -> PairData:
    """Return a market with the order books of a data directory."""
    path = file_apart(datadir, market.pair, "depth", "5m")
    if not path.exists():
        message = f"--depth needs {path} (liqfeature download --datasets bookDepth), received no such file"
        raise ConfigError(message)
    return dataclasses.replace(market, inputs={**market.inputs, "depth": read_frame(path)})


def write_pair(task: PairTask) -> bool:
    """Write the candles of a pair with their columns; return whether there was anything to do.

    The file is left alone where code, configuration and every value read are those that it was made from.
    """
    market = task.load()
    digest = digest_of(market)
    if task.out.exists() and _digest_in(task.out) == digest:
        return False
    table = with_columns(market)
    table.attrs[DIGEST_KEY] = digest
    beside = task.out.with_name(f".{secrets.token_hex(4)}.{task.out.name}")
    try:
        write_frame(table, beside)
        beside.replace(task.out)
    finally:
        beside.unlink(missing_ok=True)
    for left in task.out.parent.glob(f".*.{task.out.name}*"):  # by a worker that was killed
        left.unlink(missing_ok=True)
    return True


def with_columns(market: PairData) -> pd.DataFrame:
    """Return the candles of a pair with their columns beside them."""
    features = liquidation_features(market.candles, market.config, **market.inputs)
    table = pd.concat([market.candles, features], axis=1)
    table.attrs = {SCHEMA_KEY: SCHEMA}
    return table


def digest_of(market: PairData) -> str:
    """Return a digest of all that the columns of a pair depend on, 16 letters."""
    digest = hashlib.sha256(code_digest().encode())
    for part in _parts({"config": market.config, "candles": market.candles, **market.inputs}):
        digest.update(part)
    return digest.hexdigest()[:16]


def _parts(value: Any) -> Iterator[bytes]:
    """Yield what a value is made of: frames, mappings and dataclasses may hold more of them."""
    if isinstance(value, pd.DataFrame):
        yield repr((list(value.dtypes.items()), value.shape)).encode()
        yield pd.util.hash_pandas_object(value, index=False).to_numpy().tobytes()
    elif isinstance(value, Mapping):
        for name, held in value.items():
            yield repr(name).encode()
            yield from _parts(held)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield field.name.encode()
            yield from _parts(getattr(value, field.name))
    else:
        yield repr(value).encode()


def _digest_in(path: Path) -> str:
    """Return the digest that a table holds; empty where it holds none, or cannot be read."""
    try:
        return str(pd.read_feather(path, columns=["date"]).attrs.get(DIGEST_KEY, ""))
    except (ValueError, OSError, KeyError):
        return ""


def require_there(task: PairTask) -> None:
    """Raise DataError unless a file that a worker has written is seen from here."""
    if not os.access(task.out, os.R_OK):
        message = f"{task.out} must be on storage that all workers share; one wrote it, and it is not here"
        raise DataError(message)
