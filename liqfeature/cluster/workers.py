"""Processes to work on: some of this machine, or those of a scheduler that runs somewhere."""

import argparse
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from liqfeature.errors import ConfigError, DataError, extra

if TYPE_CHECKING:
    from distributed import Client

Workers: TypeAlias = int | str
"""How many processes of this machine, or the address of a scheduler."""

LOCAL = "127.0.0.1"

PATIENCE = "10s"
"""For a scheduler to answer."""

KEPT = 2**28

_SETTINGS = {
    "distributed.worker.profile.enabled": False,  # of its own work: a third of a task's processor time
    "distributed.scheduler.allowed-failures": 3,
    # Bytes. Dask gives all that is freed back at once, and each pair would ask for its pages anew.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": KEPT,
    "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": KEPT,
}


def workers(text: str) -> Workers:
    """Read `--workers`."""
    if text.startswith(("tcp://", "tls://")):
        return text
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    message = f"must be a whole number of at least 1, or tcp://HOST:PORT of a scheduler, received {text!r}"
    raise argparse.ArgumentTypeError(message)


def add_workers(command: argparse.ArgumentParser) -> None:
    """Add `--workers` to a command."""
    told = "processes, or tcp://HOST:PORT of a Dask scheduler (default: %(default)s, no Dask)"
    command.add_argument("--workers", type=workers, default=1, metavar="N", help=told)


@contextmanager
def connected(workers: Workers) -> Iterator["Client"]:
    """Return a client of workers whose versions are ours; local ones end with the block.

    Raises
    ------
    MissingExtraError
        If Dask is not installed.
    ConfigError
        If no scheduler answers, or it has no worker, or one with several threads.
    DataError
        If a worker has other versions.
    """
    with extra("cluster"):
        import dask
        from distributed import Client, LocalCluster
    here = {"distributed.comm.require-encryption": False} if isinstance(workers, int) else {}
    with dask.config.set(_SETTINGS | here):
        if isinstance(workers, int):
            with (
                LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    host=LOCAL,
                    dashboard_address=None,
                    scheduler_kwargs={"dashboard_address": f"{LOCAL}:0"},  # health pages; 8787 is another's
                    memory_limit=None,
                    silence_logs=logging.ERROR,
                ) as cluster,
                Client(cluster) as client,
            ):
                yield client
            return
        try:
            client = Client(workers, timeout=PATIENCE)
        except (OSError, RuntimeError) as error:  # the latter where encryption is asked for, or there is none
            message = (
                f"--workers must be the address of a Dask scheduler that runs, received {workers}: {error}"
            )
            raise ConfigError(message) from error
        with client:
            _require_fit(client, workers)
            yield client


def _require_fit(client: "Client", address: str) -> None:
    """Compare workers with this process, before there is any work on them."""
    from liqfeature.cluster.versions import require_versions, versions

    threads = client.nthreads()
    if not threads:
        message = f"scheduler {address} must have a worker: dask worker {address} --nthreads 1, received none"
        raise ConfigError(message)
    for place, n in threads.items():
        if n != 1:  # Freqtrade keeps the parameters of an epoch in classes, one set per process
            message = f"worker {place} must be started with --nthreads 1, received {n} threads"
            raise ConfigError(message)
    try:
        found = client.run(versions)
    except Exception as error:
        message = f"every worker of {address} must have this version of liqfeature, received {error!r}"
        raise DataError(message) from error
    for place, received in found.items():
        require_versions(versions(), received, place)
