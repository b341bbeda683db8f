"""Freqtrade's hyperopt with its epochs on workers."""

import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import Any

from liqfeature.cluster.workers import Workers, connected
from liqfeature.errors import MissingExtraError


def hyperopt(options: Sequence[str], workers: Workers) -> int:
    """Run `freqtrade hyperopt` with some options; return its exit code.

    Parameters
    ----------
    options : sequence of str
        Freqtrade's own. As many epochs are asked for at a time as `--job-workers` says, by default one for
        each worker; the search, and so every loss, depends on that number and on the random state.
    workers : int or str
        1 runs it as Freqtrade does.
    """
    freqtrade = _freqtrade()
    arguments = ["hyperopt", *options]
    if workers == 1:
        return _exit_code(freqtrade, arguments)
    with connected(workers) as client:
        from joblib import parallel_config  # comes with Freqtrade's hyperopt

        from liqfeature.cluster.backend import NAME, register_backend

        register_backend()
        with warnings.catch_warnings(), parallel_config(NAME, client=client):
            # An epoch takes its candles along: Dask finds that much, and proposes what returns wrong losses.
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
            return _exit_code(freqtrade, arguments)


def _freqtrade() -> Callable[[list[str]], Any]:
    found = entry_points(group="console_scripts", name="freqtrade")
    if not found:
        message = "freqtrade is not installed: pip install 'liqfeature[freqtrade]'"
        raise MissingExtraError(message)
    program: Callable[[list[str]], Any] = next(iter(found)).load()
    return program


def _exit_code(program: Callable[[list[str]], Any], arguments: list[str]) -> int:
    try:
        return int(program(arguments) or 0)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
