"""Gather what the checks look at, and run them all."""

import importlib.metadata
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liqfeature.compiled import cache_directory
from liqfeature.data.botconfig import ccxt_options, is_sandbox
from liqfeature.data.schema import SANDBOX_MARKER
from liqfeature.data.store import candle_files, downloaded_pairs, file_apart, read_frame
from liqfeature.doctor import data, machine, settings
from liqfeature.doctor.finding import Finding, Level, fail, warn
from liqfeature.doctor.recordings import check_recordings
from liqfeature.doctor.venues import check_venues
from liqfeature.durations import MINUTE, minutes
from liqfeature.errors import DataError
from liqfeature.estimate import kernels
from liqfeature.estimate.config import HeatmapConfig
from liqfeature.exchange.traits import EXCHANGES, canonical

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
        name = canonical(self.exchange)
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
    yield machine.check_cache(cache_directory(Path(kernels.__file__).parent))


def _of_settings(subject: Subject) -> Iterator[Finding]:
    config, datadir = subject.config, subject.datadir
    simulated = is_sandbox(ccxt_options(config))
    yield settings.check_exchange(subject.exchange)
    yield settings.check_futures(config)
    pairs = _whitelist(config)
    found = settings.check_pairs(pairs, str(config.get("stake_currency", "USDT")))
    yield found
    if found.level is Level.OK:
        yield from settings.check_limits(pairs, subject.exchange)
    yield settings.check_export(config)
    yield settings.check_parameter_files(parameter_files(subject.userdir / "strategies"))
    url = str(config.get("db_url", ""))
    yield settings.check_database(
        url, sandboxed=simulated, beside_sandbox=lies_beside_sandbox(url, simulated)
    )
    yield settings.check_data_are_of(
        datadir,
        sandboxed=simulated,
        marked=(datadir / SANDBOX_MARKER).exists(),
        empty=not any(datadir.glob("*")),
    )
    if subject.known:
        heatmap = subject.heatmap or HeatmapConfig.for_exchange(subject.exchange)
        yield from settings.check_warmup(subject.exchange, subject.timeframe, heatmap)


def _of_data(subject: Subject) -> Iterator[Finding]:
    pairs = settings.plain(_whitelist(subject.config)) or downloaded_pairs(subject.datadir)
    yield from check_venues(subject.config, subject.datadir, pairs, subject.timeframe, subject.options)
    if not downloaded_pairs(subject.datadir):
        example = _wanted(subject, pairs[0] if pairs else "BTC/USDT:USDT")
        what = [example.download(subject.timeframe, kind) for kind in ("futures", "open_interest")]
        yield warn("data", f"none in {subject.datadir}: a bot needs none, a backtest does", "\n".join(what))
        return
    for pair in pairs:
        yield from _of_pair(subject, pair)
        if recordings := subject.config.get("recordings"):
            source = str(subject.config.get("map_source") or "")
            yield from check_recordings(Path(recordings), pair, subject.known or subject.exchange, source)


def _of_pair(subject: Subject, pair: str) -> Iterator[Finding]:
    wanted = _wanted(subject, pair)
    files = {kind: candle_files(subject.datadir, pair, kind) for kind in CANDLE_TYPES}
    yield from data.check_candle_types(wanted, {kind: set(paths) for kind, paths in files.items()})
    futures = files["futures"].get(wanted.timeframe)
    interest = files["open_interest"].get(wanted.interest)
    funding = files["funding_rate"].get(wanted.funding)
    if futures is None or subject.known is None:
        return
    interval = minutes(subject.timeframe) * MINUTE
    heatmap = subject.heatmap or HeatmapConfig.for_exchange(subject.exchange)
    try:
        candles = read_frame(futures)
        yield from data.check_candles(wanted, candles, interval, heatmap.warmup)
        if interest is not None and len(candles):
            yield data.check_open_interest(wanted, read_frame(interest), candles, interval, heatmap)
        if funding is not None and len(candles):
            yield data.check_funding(wanted, read_frame(funding), candles, interval)
        positioning = file_apart(subject.datadir, pair, "positioning", "5m")
        if positioning.exists():
            yield data.check_positioning(wanted, read_frame(positioning))
        depth = file_apart(subject.datadir, pair, "depth", "5m")
        if depth.exists():
            yield data.check_depth(wanted, read_frame(depth))
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
