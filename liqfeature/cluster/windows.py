"""Windows of a walk-forward, each in a directory of its own that appears once it is whole."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liqfeature.cluster.versions import code_digest
from liqfeature.data.store import SUFFIXES
from liqfeature.errors import DataError, parsing
from liqfeature.walkforward.runs import Freqtrade, backtested, tuned
from liqfeature.walkforward.windows import Window

_RESULT = "result.json"
_OWN = ("hyperopt_results", "backtest_results", "logs", "models", "hyperopt.lock")
"""What runs of Freqtrade write below their user directory: two at a time would share it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTask:
    """One window.

    Parameters
    ----------
    freqtrade : Freqtrade
        How to call it, with the directory that all windows share.
    window : Window
    strategies : tuple of str
        The first is tuned, all are tested.
    epochs, jobs : int
        Of hyperopt; 0 epochs tune nothing.
    digest : str
        Of all that the result depends on beside these, from `digest_of`.
    """

    freqtrade: Freqtrade
    window: Window
    strategies: tuple[str, ...]
    epochs: int
    jobs: int
    digest: str

    @property
    def place(self) -> Path:
        """Where the window's files are."""
        return self.freqtrade.directory / f"{self.window.test:%Y%m%d}"

    @property
    def mark(self) -> str:
        """What says in a result which task it is of."""
        told = (self.digest, self.window, self.strategies, self.epochs, self.jobs)
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def run_window(task: WindowTask) -> bool:
    """Tune and test on a window; return whether there was anything to do.

    Whoever is killed leaves nothing but an attempt, which nobody takes for a result.
    """
    if is_done(task):
        return False
    attempt = Path(tempfile.mkdtemp(prefix=f".{task.place.name}-", dir=task.place.parent))
    try:
        _attempt(task, attempt)
        shutil.rmtree(task.place, ignore_errors=True)
        attempt.rename(task.place)
    except DataError as error:
        log, kept = attempt / "freqtrade.log", task.place.with_suffix(".failed.log")
        log.replace(kept)
        raise DataError(str(error).replace(str(log), str(kept))) from error
    finally:
        shutil.rmtree(attempt, ignore_errors=True)
    return True


def results_of(task: WindowTask) -> dict[str, Any]:
    """Return Freqtrade's results by strategy of a window that is done."""
    if not is_done(task):
        message = f"{task.place} must be on storage that all workers share; one wrote it, and it is not here"
        raise DataError(message)
    with parsing(task.place / _RESULT, "results of a window"):
        found: dict[str, Any] = json.loads((task.place / _RESULT).read_text(encoding="utf-8"))["results"]
    return found


def is_done(task: WindowTask) -> bool:
    """Whether there is a whole result of the same task."""
    try:
        found = json.loads((task.place / _RESULT).read_text(encoding="utf-8"))
        return bool(found["mark"] == task.mark)
    except (OSError, ValueError, LookupError, TypeError):
        return False


def remove_attempts(directory: Path) -> None:
    """Remove what killed workers left."""
    for left in directory.glob(".[0-9]*-*"):
        shutil.rmtree(left, ignore_errors=True)


def digest_of(freqtrade: Freqtrade) -> str:
    """Return a digest of what results depend on: options, configurations, code, and which data there are."""
    digest = hashlib.sha256(repr((code_digest(), freqtrade.options)).encode())
    for path in sorted(_read_by(freqtrade)):
        state = path.stat()
        data = path.suffix in SUFFIXES
        told = repr((state.st_size, state.st_mtime_ns)).encode() if data else path.read_bytes()
        digest.update(str(path).encode() + told)
    return digest.hexdigest()[:16]


def _read_by(freqtrade: Freqtrade) -> Iterator[Path]:
    """Files of the options and of the user directory that a run reads."""
    base, userdir = freqtrade.cwd or Path(), freqtrade.userdir
    named = [base / option.rpartition("=")[2] for option in freqtrade.options if option]
    below = [base / userdir / name for name in ("config.json", "strategies", "hyperopts", "data")]
    for place in {*named, *below} - {base / userdir}:
        if place.is_file():
            yield place
        for folder, _, files in os.walk(place, followlinks=True) if place.is_dir() else ():
            yield from (Path(folder, name) for name in files if name.endswith((".py", ".json", *SUFFIXES)))


def _attempt(task: WindowTask, attempt: Path) -> None:
    window, shared = task.window, task.freqtrade
    own = attempt / "user_data"
    _link_userdir((shared.cwd or Path()) / shared.userdir, own, shared.directory)
    freqtrade = Freqtrade(options=shared.with_userdir(own), directory=attempt, cwd=shared.cwd)
    parameters = {}
    if task.epochs:
        parameters = tuned(freqtrade, task.strategies[0], window.begin, window.test, task.epochs, task.jobs)
    results = backtested(freqtrade, task.strategies, window.test, window.end, parameters)
    content = json.dumps({"mark": task.mark, "results": results})
    (attempt / _RESULT).write_text(content, encoding="utf-8")


def _link_userdir(userdir: Path, own: Path, outputs: Path) -> None:
    """Make a user directory that reads what another holds, and writes for itself."""
    own.mkdir()
    for name in _OWN[:3]:
        (own / name).mkdir()
    for entry in userdir.resolve().iterdir() if userdir.is_dir() else ():
        if entry.name not in _OWN and not outputs.resolve().is_relative_to(entry):
            (own / entry.name).symlink_to(entry)
