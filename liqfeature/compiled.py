"""Decorators for numba kernels: compiled lazily, cached safely, or not cached at all.

numba keys its cache by the file of the decorated function, so a kernel that calls a function of another
file goes on running old code after that file changed. The cache directory used here carries a digest of
every source in the kernel's folder, and of what all kernels import: a kernel may call any compiled function
of its own folder, and none of another.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numba.core.config

_SETTINGS: Any = numba.core.config

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
    dispatcher = numba.njit(nogil=True, error_model="numpy")(kernel)
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

    A call would count references to every array that it passes, at each candle, which costs a noticeable
    share of the scan.
    """
    return cast("Kernel", numba.njit(nogil=True, error_model="numpy", inline="always")(part))


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
    shared = Path(__file__).parent
    for source in [*sorted(folder.glob("*.py")), shared / "types.py", shared / "compiled.py"]:
        digest.update(source.name.encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]
