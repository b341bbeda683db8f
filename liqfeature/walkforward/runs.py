"""Real runs of Freqtrade, each judged by what it wrote: it exits with 0 whatever happens."""

import json
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from liqfeature.errors import DataError, parsing

_FAILURE = re.compile(r" - ERROR - |: error: |Unexpected error")
SPACES = ("enter", "exit", "heatmap")


@dataclass(frozen=True, slots=True, kw_only=True)
class Freqtrade:
    """How to call it: options that every command takes, and a directory for what it writes."""

    options: tuple[str, ...]
    directory: Path
    cwd: Path | None = None

    @property
    def userdir(self) -> Path:
        """The user directory of its options, else Freqtrade's usual one."""
        return Path((_userdirs(self.options) or ["user_data"])[-1])

    def with_userdir(self, userdir: Path) -> tuple[str, ...]:
        """Return its options with another user directory."""
        return (*self.options, "--userdir", str(userdir))

    def __call__(self, command: str, *arguments: str) -> None:
        """Run one command; DataError with the end of its log if it failed."""
        program = Path(sys.executable).with_name("freqtrade")
        with (self.directory / "freqtrade.log").open("a+", encoding="utf-8") as log:
            begun = log.tell()
            done = subprocess.run(
                [program, command, *self.options, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.cwd,
                check=False,
            )
            log.seek(begun)
            said = log.read()
        if done.returncode or _FAILURE.search(said):
            message = f"freqtrade {command} failed; the end of {log.name}:\n{said[-2000:]}"
            raise DataError(message)


def tuned(
    freqtrade: Freqtrade, strategy: str, begin: date, end: date, epochs: int, jobs: int = -1
) -> dict[str, Any]:
    """Search parameters on a window; return the best by space, as `parameters` of a configuration.

    As many epochs are asked for at a time as there are jobs, -1 for one a core: the search depends on it.
    """
    found = freqtrade.userdir / "hyperopt_results"
    before = set(found.glob("*.fthypt"))
    freqtrade(
        "hyperopt",
        *("--strategy", strategy, "--timerange", _timerange(begin, end), "--epochs", str(epochs)),
        *("--spaces", *SPACES, "--random-state", "1", "--disable-param-export"),
        *("--job-workers", str(jobs)),
    )
    new = sorted(set(found.glob("*.fthypt")) - before)
    if not new:
        message = f"freqtrade hyperopt left nothing new in {found}"
        raise DataError(message)
    with parsing(new[-1], "what freqtrade hyperopt writes"):
        epochs_found = [json.loads(line) for line in new[-1].read_text(encoding="utf-8").splitlines()]
        best = min(epochs_found, key=lambda epoch: float(epoch["loss"]))
        return {space: dict(best["params_details"][space]) for space in SPACES}


def _userdirs(options: Sequence[str]) -> list[str]:
    """Return user directories that options name, in their order: for Freqtrade the last one counts."""
    return [
        option.partition("=")[2] or following
        for option, following in zip(options, [*options[1:], ""], strict=True)
        if option.partition("=")[0] in ("--userdir", "--user-data-dir")
    ]


def backtested(
    freqtrade: Freqtrade, strategies: Sequence[str], begin: date, end: date, parameters: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """Test strategies on one window with the same parameters; return Freqtrade's results by name."""
    directory = freqtrade.directory / f"{begin:%Y%m%d}"
    directory.mkdir(parents=True, exist_ok=True)
    overlay = directory / "parameters.json"
    overlay.write_text(json.dumps({"parameters": parameters}, indent=2), encoding="utf-8")
    freqtrade(
        "backtesting",
        *("--config", str(overlay), "--timerange", _timerange(begin, end), "--cache", "none"),
        *("--backtest-directory", str(directory), "--strategy-list", *strategies),
    )
    latest = directory / ".last_result.json"
    with parsing(latest, "what freqtrade backtesting writes"):
        path = directory / json.loads(latest.read_text(encoding="utf-8"))["latest_backtest"]
    with parsing(path, "what freqtrade backtesting writes", zipfile.BadZipFile, zlib.error):
        with zipfile.ZipFile(path) as archive:
            results = json.loads(archive.read(f"{path.stem}.json"))["strategy"]
        return {name: _checked(results[name]) for name in strategies}


def _checked(results: dict[str, Any]) -> dict[str, Any]:
    """Return results of a strategy as they are; an error for `parsing` where they lack what tables need."""
    float(results["starting_balance"])
    for trade in results["trades"]:
        date.fromisoformat(trade["close_date"][:10])
        date.fromisoformat(trade["open_date"][:10])
        for name in ("profit_abs", "stake_amount", "open_rate", "stop_loss_abs"):
            float(trade[name])
        _ = str(trade["exit_reason"]), str(trade["pair"])
    return results


def _timerange(begin: date, end: date) -> str:
    return f"{begin:%Y%m%d}-{end:%Y%m%d}"
