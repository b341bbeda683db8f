"""Freqtrade's data directory: where each candle type of a pair lies, read and never changed."""

import importlib.util
import re
from pathlib import Path

import pandas as pd

from liqfeature.errors import ConfigError, DataError, MissingExtraError

SUFFIXES = (".feather", ".parquet")
"""Of Freqtrade's formats, the ones that are read and written here; feather is its default."""

_UNIT = {"m": 1, "h": 60, "d": 1440, "w": 10080}


def load_candles(datadir: str | Path, pair: str, timeframe: str) -> pd.DataFrame:
    """Read the futures candles that `freqtrade download-data` wrote.

    Parameters
    ----------
    datadir : path
        What Freqtrade takes as `--datadir`, such as `user_data/data/binance`.
    pair : str
        Freqtrade's name, such as "BTC/USDT:USDT".
    timeframe : str
        Freqtrade's name, such as "5m".

    Raises
    ------
    DataError
        If there is no such file; it names the files that there are.
    """
    files = candle_files(datadir, pair, "futures")
    if timeframe not in files:
        found = ", ".join(str(path.name) for path in files.values()) or "none of this pair"
        msg = f"no {timeframe} futures candles of {pair} in {datadir}; found {found}"
        raise DataError(msg)
    return read_frame(files[timeframe])


def load_beside(datadir: str | Path, pair: str, timeframe: str, candle_type: str) -> pd.DataFrame | None:
    """Read open interest or funding: of the candles' timeframe, else of the finest there is, else None."""
    files = candle_files(datadir, pair, candle_type)
    if not files:
        return None
    finest = min(files, key=minutes)
    return read_frame(files.get(timeframe, files[finest]))


def read_frame(path: str | Path) -> pd.DataFrame:
    """Read a table that is feather or parquet, by the suffix; a DataError where it is neither."""
    _require_arrow()
    path = Path(path)
    if path.suffix not in SUFFIXES:
        msg = f"file must end in {' or '.join(SUFFIXES)}, received {path.name}"
        raise DataError(msg)
    try:
        return pd.read_feather(path) if path.suffix == ".feather" else pd.read_parquet(path)
    except ValueError as error:  # pyarrow's ArrowInvalid among them
        msg = f"{path} must hold a table as {path.suffix[1:]}: {error}"
        raise DataError(msg) from error


def write_frame(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a frame as feather or parquet, by the suffix; an older file is replaced only at the end."""
    path = Path(path)
    if path.suffix not in SUFFIXES:
        msg = f"file must end in {' or '.join(SUFFIXES)}, received {path.name}"
        raise ConfigError(msg)
    unfinished = path.with_name(f".{path.name}.part")
    try:
        _write(frame, unfinished, path.suffix)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def candle_files(datadir: str | Path, pair: str, candle_type: str) -> dict[str, Path]:
    """Return where the data of a pair lie, by timeframe; `candle_type` by Freqtrade's name."""
    stem = re.sub(r"[/ .@$+:]", "_", pair)
    folder = Path(datadir) / "futures"
    pattern = re.compile(rf"{re.escape(stem)}-(\d+[mhdw])-{candle_type}")
    paths = sorted(p for p in folder.glob(f"{stem}-*") if p.suffix in SUFFIXES)
    return {match[1]: path for path in paths if (match := pattern.fullmatch(path.stem))}


def minutes(timeframe: str) -> int:
    """Return how long a timeframe such as "5m" is."""
    return int(timeframe[:-1]) * _UNIT[timeframe[-1]]


def _write(frame: pd.DataFrame, path: Path, suffix: str) -> None:
    _require_arrow()
    if suffix == ".feather":
        frame.to_feather(path)
    else:
        frame.to_parquet(path, index=False)


def _require_arrow() -> None:
    if importlib.util.find_spec("pyarrow") is None:
        msg = "reading and writing tables needs pyarrow: pip install 'liqfeature[store]'"
        raise MissingExtraError(msg)
