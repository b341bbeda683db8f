"""A scheduler and workers, started as a user starts them, and ended with the block."""

import subprocess
import sys
from contextlib import contextmanager

HOST = "127.0.0.1"
_QUIET = ("--host", HOST, "--no-dashboard", "--dashboard-address", f"{HOST}:0")


@contextmanager
def dask_scheduler():
    """Its address."""
    with _started(["dask_scheduler", "--port", "0", *_QUIET], "Scheduler at:") as address:
        yield address


@contextmanager
def dask_worker(address, threads=1):
    """A worker that has registered."""
    with _started(["dask_worker", address, "--nthreads", str(threads), *_QUIET], "Registered to:"):
        yield


@contextmanager
def _started(words, sign):
    program, *options = words
    line = [sys.executable, "-m", f"distributed.cli.{program}", *options]
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield next(said for said in process.stderr if sign in said).split()[-1]
        finally:
            process.terminate()
            process.communicate(timeout=200)
