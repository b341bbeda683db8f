"""Gather what the checks look at, and run them all."""

import importlib.metadata
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import liqfeature
from liqfeature.botconfig import ccxt_options, is_sandbox
from liqfeature.compiled import cache_directory
from liqfeature.config import ALIASES, EXCHANGES, HeatmapConfig
from liqfeature.data.store import SUFFIXES, candle_files, minutes, read_frame
from liqfeature.doctor import data, machine, settings
from liqfeature.doctor.finding import Finding, fail, warn
from liqfeature.errors import DataError
from liqfeature.source import SANDBOX_MARKER

CANDLE_TYPES = ("futures", "open_interest", "mark", "funding_rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is examined.

    Parameters
    ----------
    config : dict
        Freqtrade's configuration, merged.
    datadir, userdir : Path
    heatmap : HeatmapConfig or None
        Parameters of the map, where they are not the exchange's.
    options : str
        Options with which Freqtrade's commands are shown.
    """

    config: dict[str, Any]
    datadir: Path
    userdir: Path
    heatmap: HeatmapConfig | None = None
    options: str = "--config CONFIG"

    @property
    def exchange(self) -> str:
        """Freqtrade's name of the exchange; empty where there is none."""
        return str(self.config.get("exchange", {}).get("name", ""))

    @property
    def timeframe(self) -> str:
        """Of the strategy."""
        return str(self.config.get("timeframe", "5m"))

    @property
    def known(self) -> str | None:
        """The exchange's name in `EXCHANGES`."""
        name = ALIASES.get(self.exchange.lower(), self.exchange.lower())
        return name if name in EXCHANGES else None


def examine(subject: Subject) -> list[Finding]:
    """Run every check."""
    return [*_of_machine(), *_of_settings(subject), *_of_data(subject)]


def _of_machine() -> Iterator[Finding]:
    installed = {
        found.name.lower(): found.version for found in importlib.metadata.distributions() if found.name
    }
    yield machine.check_python()
    yield from machine.check_versions(installed)
    yield machine.check_cache(cache_directory(Path(liqfeature.__file__).parent / "kernels"))


def _of_settings(subject: Subject) -> Iterator[Finding]:
    config, datadir = subject.config, subject.datadir
    invented = is_sandbox(ccxt_options(config))
    yield settings.check_exchange(subject.exchange)
    yield settings.check_futures(config)
    yield settings.check_pairs(_whitelist(config), str(config.get("stake_currency", "USDT")))
    yield settings.check_export(config)
    yield settings.check_parameter_files(parameter_files(subject.userdir / "strategies"))
    url = str(config.get("db_url", ""))
    yield settings.check_database(url, sandboxed=invented, beside_sandbox=lies_beside_sandbox(url, invented))
    yield settings.check_data_are_of(
        datadir,
        sandboxed=invented,
        marked=(datadir / SANDBOX_MARKER).exists(),
        empty=not any(datadir.glob("*")),
    )
    if subject.known:
        heatmap = subject.heatmap or HeatmapConfig.for_exchange(subject.exchange)
        yield from settings.check_warmup(subject.exchange, subject.timeframe, heatmap)


def _of_data(subject: Subject) -> Iterator[Finding]:
    pairs = [pair for pair in _whitelist(subject.config) if re.fullmatch(r"[^.*?\\|()\[\]]+", pair)]
    pairs = pairs or downloaded_pairs(subject.datadir)
    if not downloaded_pairs(subject.datadir):
        example = _wanted(subject, pairs[0] if pairs else "BTC/USDT:USDT")
        what = [example.download(subject.timeframe, kind) for kind in ("futures", "open_interest")]
        yield warn("data", f"none in {subject.datadir}: a bot needs none, a backtest does", "\n".join(what))
        return
    for pair in pairs:
        yield from _of_pair(subject, pair)


def _of_pair(subject: Subject, pair: str) -> Iterator[Finding]:
    wanted = _wanted(subject, pair)
    files = {kind: candle_files(subject.datadir, pair, kind) for kind in CANDLE_TYPES}
    yield from data.check_candle_types(wanted, {kind: set(paths) for kind, paths in files.items()})
    futures = files["futures"].get(wanted.timeframe)
    interest = files["open_interest"].get(wanted.interest)
    if futures is None or subject.known is None:
        return
    interval = minutes(subject.timeframe) * 60_000
    heatmap = subject.heatmap or HeatmapConfig.for_exchange(subject.exchange)
    try:
        candles = read_frame(futures)
        yield from data.check_candles(wanted, candles, interval, heatmap.warmup)
        if interest is not None and len(candles):
            yield data.check_open_interest(wanted, read_frame(interest), candles, interval)
    except DataError as error:
        yield fail(f"{pair} files", str(error), wanted.download(subject.timeframe, "futures") + " --erase")


def _wanted(subject: Subject, pair: str) -> data.Wanted:
    own = subject.config.get("exchange", {}).get("_ft_has_params", {})
    traits = EXCHANGES.get(subject.known or "")
    return data.Wanted(
        pair=pair,
        exchange=subject.exchange,
        timeframe=subject.timeframe,
        open_interest=traits is None or traits.open_interest,
        mark=own.get("mark_ohlcv_timeframe", data.MARK_TIMEFRAME),
        funding=own.get("funding_fee_timeframe", data.MARK_TIMEFRAME),
        mark_type="futures" if subject.known == "hyperliquid" else "mark",
        options=subject.options,
    )


def _whitelist(config: dict[str, Any]) -> list[str]:
    return [str(pair) for pair in config.get("exchange", {}).get("pair_whitelist", [])]


def downloaded_pairs(datadir: Path) -> list[str]:
    """Return pairs of which a data directory has futures candles, by Freqtrade's names."""
    pattern = re.compile(r"(\w+)_(\w+)_(\w+)-\d+[mhdw]-futures")
    paths = [path for path in (datadir / "futures").glob("*") if path.suffix in SUFFIXES]
    found = (pattern.fullmatch(path.stem) for path in paths)
    return sorted({f"{one[1]}/{one[2]}:{one[3]}" for one in found if one})


def parameter_files(strategies: Path) -> list[Path]:
    """Find files of parameters from which Freqtrade takes a strategy's, without a word."""
    return sorted(path for path in strategies.rglob("*.json") if path.with_suffix(".py").exists())


def lies_beside_sandbox(db_url: str, otherwise: bool) -> bool:
    """Whether a data base lies in a directory of the sandbox; `otherwise` for one that is kept in memory."""
    if not db_url:
        return False
    path = re.fullmatch(r"sqlite:///(.+)", db_url)
    if not path:
        return otherwise
    folder = Path(path[1]).parent
    return any((place / SANDBOX_MARKER).exists() for place in (folder, *folder.glob("*/")))
