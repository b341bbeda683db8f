"""Freqtrade's data directory: where each candle type of a pair lies, read and never changed."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import pandas as pd

from liqfeature.durations import minutes
from liqfeature.errors import ConfigError, DataError, extra

SUFFIXES = (".feather", ".parquet")
"""Of Freqtrade's formats, the ones that are read and written here; feather is its default."""


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
        If the directory, the pair or the timeframe is missing, or the file is empty; it says which, and lists
        what is there.
    """
    files = candle_files(datadir, pair, "futures")
    if not files:
        pairs = require_pairs(Path(datadir))
        message = f"no futures candles of {pair} in {datadir}, which has those of {_few(pairs)}"
        raise DataError(message)
    if timeframe not in files:
        message = f"no {timeframe} candles of {pair} in {datadir}, which has those of {', '.join(files)}"
        raise DataError(message)
    candles = read_frame(files[timeframe])
    if candles.empty:
        message = f"{files[timeframe]} holds no candle"
        raise DataError(message)
    return candles


def load_beside(datadir: str | Path, pair: str, timeframe: str, candle_type: str) -> pd.DataFrame | None:
    """Read open interest or funding: of the candles' timeframe, else of the finest there is, else None."""
    files = candle_files(datadir, pair, candle_type)
    if not files:
        return None
    finest = min(files, key=minutes)
    return read_frame(files.get(timeframe, files[finest]))


def read_frame(path: str | Path) -> pd.DataFrame:
    """Read a table that is feather or parquet, by the suffix; a DataError where it is neither."""
    path = Path(path)
    require_suffix(path)
    with extra("store"):
        import pyarrow as pa
    read = pd.read_feather if path.suffix == ".feather" else pd.read_parquet
    with path.open("rb") as file:  # of a path pyarrow opens the file twice, and may find it replaced
        try:
            return read(file)
        except (pa.ArrowException, OSError) as error:
            message = f"{path} must hold a table as {path.suffix[1:]}: {error}"
            raise DataError(message) from error


def write_frame(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a frame as feather or parquet, by the suffix; an older file is replaced only at the end.

    Where the path is a link, what it leads to is replaced.
    """
    path = Path(path).resolve()
    require_suffix(path)
    unfinished = path.with_name(f".{path.name}.part")
    try:
        _write(frame, unfinished, path.suffix)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def require_suffix(path: Path) -> None:
    """Raise ConfigError unless a file is named like a table."""
    if path.suffix not in SUFFIXES:
        message = f"file must end in {' or '.join(SUFFIXES)}, received {path.name}"
        raise ConfigError(message)


def candle_files(datadir: str | Path, pair: str, candle_type: str) -> dict[str, Path]:
    """Return where the data of a pair lie, by timeframe; `candle_type` by Freqtrade's name."""
    stem = file_stem(pair)
    folder = Path(datadir) / "futures"
    pattern = re.compile(rf"{re.escape(stem)}-(\d+[mhdw])-{candle_type}")
    paths = sorted(p for p in folder.glob(f"{stem}-*") if p.suffix in SUFFIXES)
    return {match[1]: path for path in paths if (match := pattern.fullmatch(path.stem))}


def file_apart(datadir: str | Path, pair: str, what: str, timeframe: str) -> Path:
    """Return where there is what Freqtrade has no candle type for, such as positioning."""
    return Path(datadir) / what / f"{file_stem(pair)}-{timeframe}-{what}.feather"


def file_stem(pair: str) -> str:
    """Return how the files of a pair begin, such as BTC_USDT_USDT."""
    return re.sub(r"[/ .@$+:]", "_", pair)


def downloaded_pairs(datadir: str | Path) -> list[str]:
    """Return pairs of which a data directory has futures candles, by Freqtrade's names."""
    pattern = re.compile(r"(.+)_([^_]+)_([^_]+)-\d+[mhdw]-futures")
    paths = [path for path in (Path(datadir) / "futures").glob("*") if path.suffix in SUFFIXES]
    found = (pattern.fullmatch(path.stem) for path in paths)
    return sorted({f"{one[1]}/{one[2]}:{one[3]}" for one in found if one})


def require_pairs(datadir: Path) -> list[str]:
    """Return the pairs of a data directory; a DataError where there is no directory, or no candles in it."""
    if not datadir.is_dir():
        beside = sorted(path.name for path in datadir.absolute().parent.glob("*/"))
        message = f"no directory {datadir}; beside it there is {_few(beside)}"
        raise DataError(message)
    pairs = downloaded_pairs(datadir)
    if not pairs:
        held = _few(sorted(path.name for path in datadir.iterdir()))
        files = "futures/PAIR-TIMEFRAME-futures.feather or .parquet (freqtrade convert-data makes either)"
        message = f"{datadir} must hold {files}, received {held}"
        raise DataError(message)
    return pairs


def find_pair(datadir: str | Path, name: str) -> str:
    """Return the one pair of a data directory that a name means: BTC, ethusdt or sol/usdt of SOL/USDT:USDT.

    Raises
    ------
    DataError
        If it means none or several; it lists them, or those that are spelled alike.
    """
    pairs = require_pairs(Path(datadir))
    fits = [name] if name in pairs else [pair for pair in pairs if _letters(name) in _spellings(pair)]
    if len(fits) == 1:
        return fits[0]
    if fits:
        message = f"pair must mean one pair of {datadir}, received {name!r}, which may be {', '.join(fits)}"
        raise DataError(message)
    bases = {_letters(pair.partition("/")[0]): pair for pair in pairs}
    near = get_close_matches(_letters(name.partition("/")[0]), bases, n=5, cutoff=0.5)
    listed = [bases[base] for base in near] or pairs
    message = f"no futures candles of {name!r} in {datadir}, which has those of {_few(listed)}"
    raise DataError(message)


def _letters(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", name.upper())


def _spellings(pair: str) -> set[str]:
    """Return the coin, the coin with what it is quoted in, and the whole name, in capital letters."""
    return {_letters(part) for part in (pair.partition("/")[0], pair.partition(":")[0], pair)}


def _few(names: Sequence[str], n: int = 8) -> str:
    further = f" and {len(names) - n} more" if len(names) > n else ""
    return ", ".join(names[:n]) + further if names else "nothing"


def _write(frame: pd.DataFrame, path: Path, suffix: str) -> None:
    with extra("store"):
        import pyarrow as pa  # noqa: F401 - pandas writes with it, and would name no extra
    if suffix == ".feather":
        frame.to_feather(path)
    else:
        frame.to_parquet(path, index=False)
