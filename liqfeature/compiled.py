"""Decorators for numba kernels: compiled lazily, cached safely, or not cached at all.

numba keys its cache by the file of the decorated function, so a kernel that calls a function of another
file goes on running old code after that file changed. The cache directory used here carries a digest of
every source in the kernel's folder, and of what all kernels import: a kernel may call any compiled function
of its own folder, and none of another.
"""

import hashlib
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numba.core.config
from numba.core import event
from numba.core.cpu import CPUTargetOptions

_LOG = logging.getLogger(__name__)

_SETTINGS: Any = numba.core.config

_UNCOUNTED: dict[str, Any] = {"_nrt": False} if hasattr(CPUTargetOptions, "_nrt") else {}

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(kernel: Kernel) -> Kernel:
    """Compile a function of plain arrays at its first call.

    Never with `fastmath`, since the kernels rely on NaN and on a fixed order of additions, and never in
    parallel, since hyperopt already runs one process per core.

    Parameters
    ----------
    kernel : callable
        Function in numba's nopython subset.

    Returns
    -------
    callable
        numba dispatcher; the plain function stays reachable as its `py_func`.

    Notes
    -----
    The cache lies in `__pycache__` beside the kernel, or below `NUMBA_CACHE_DIR` where that is set. Where
    neither can be written, nothing is cached, rather than falling back to a directory in the user's home.
    """
    return _cached(kernel)


def lean(kernel: Kernel) -> Kernel:
    """Compile like `compiled` a kernel that allocates nothing, without counting references to its arrays.

    Counting them takes a third of the scan's time. The option that turns it off is private to numba; where
    numba no longer has it, the kernel counts like any other, and its results are the same.
    """
    return _cached(kernel, **_UNCOUNTED)


def _cached(kernel: Kernel, **options: Any) -> Kernel:
    dispatcher = numba.njit(nogil=True, error_model="numpy", **options)(kernel)
    directory = cache_directory(Path(kernel.__code__.co_filename).parent)
    if directory is not None:
        before = _SETTINGS.CACHE_DIR
        _SETTINGS.CACHE_DIR = str(directory)
        try:
            dispatcher.enable_caching()
        finally:
            _SETTINGS.CACHE_DIR = before
    return cast("Kernel", dispatcher)


def inlined(part: Kernel) -> Kernel:
    """Make a function part of every kernel that calls it, rather than one that is called.

    A call hands over seven numbers for every array, at each candle, which takes a noticeable share of the
    scan.
    """
    return cast("Kernel", numba.njit(nogil=True, error_model="numpy", inline="always")(part))


@contextmanager
def announced(kernel: Kernel, message: str) -> Iterator[None]:
    """Say a message once if what follows compiles a kernel: nothing is said where it comes from the cache.

    It goes to the log, or to stderr where nobody has set up logging.
    """
    if cast("Any", kernel).signatures:
        yield
        return
    with event.install_listener("numba:compile", _Announcement(message)):
        yield


class _Announcement(event.Listener):
    def __init__(self, message: str) -> None:
        self.message = message

    def on_start(self, event: event.Event) -> None:
        if self.message:
            if _LOG.hasHandlers():
                _LOG.info(self.message)
            else:
                sys.stderr.write(f"{self.message}\n")
        self.message = ""

    def on_end(self, event: event.Event) -> None:
        pass


@cache
def cache_directory(folder: Path) -> Path | None:
    """Return where compiled kernels of a folder are kept; None where they cannot be."""
    base = _SETTINGS.CACHE_DIR or folder / "__pycache__"
    directory = Path(base) / f"numba-{_sources_digest(folder)}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    if not os.access(directory, os.W_OK):
        return None
    if not _SETTINGS.CACHE_DIR:
        for stale in set(directory.parent.glob("numba-*")) - {directory}:
            shutil.rmtree(stale, ignore_errors=True)
    return directory


def _sources_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    shared = (Path(__file__).parent / f"{name}.py" for name in ("compiled", "durations", "sides", "types"))
    for source in [*sorted(folder.glob("*.py")), *shared]:
        digest.update(source.name.encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]
