"""Columns of many pairs, a file each: whole or not there, and left alone where it is up to date."""

import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from liqfeature.cluster.versions import code_digest
from liqfeature.columns.column import SCHEMA, SCHEMA_KEY
from liqfeature.columns.features import liquidation_features
from liqfeature.data.pair import PairData
from liqfeature.data.store import write_frame
from liqfeature.errors import DataError

DIGEST_KEY = "liq_digest"
"""Under which a table says what it was made from, in `DataFrame.attrs`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairTask:
    """One pair: what is read, as for `PairData.load`, and the feather file that is written."""

    datadir: Path
    pair: str
    timeframe: str
    exchange: str | None
    heatmap: Path | None
    out: Path


def write_pair(task: PairTask) -> bool:
    """Write the candles of a pair with their columns; return whether there was anything to do.

    The file is left alone where code, configuration and every value read are those that it was made from.
    """
    market = PairData.load(
        task.datadir, task.pair, task.timeframe, exchange=task.exchange, config=task.heatmap
    )
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
    digest.update(json.dumps(market.config.to_dict(), sort_keys=True).encode())
    for name, frame in {"candles": market.candles, **market.inputs}.items():
        digest.update(name.encode())
        if isinstance(frame, pd.DataFrame):
            digest.update(repr(list(frame.dtypes.items())).encode())
            digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return digest.hexdigest()[:16]


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
