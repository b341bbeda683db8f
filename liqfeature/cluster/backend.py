"""The parallel work of Freqtrade's hyperopt on Dask workers.

joblib has a backend for Dask. With it hyperopt hangs, for it ships a queue on a socket of one machine; and
without that queue it returns the losses of other epochs: Dask keeps the class of the strategy, shipped by
value, between tasks, and the copy that is given an epoch's parameters is not the copy that is asked for them.
Here each task travels as bytes and is unpickled where it runs, as in joblib's own processes.
"""

import copyreg
import pickle
from collections.abc import Callable
from multiprocessing import managers
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any

from liqfeature.cluster.versions import require_versions, versions

if TYPE_CHECKING:
    from distributed import Client

NAME = "liqfeature"
"""Under which joblib has the backend."""


class SilentQueue:
    """Stands on a worker for the queue of log records, which listens on a socket of one machine."""

    def put_nowait(self, record: object) -> None:
        """Drop a record."""

    put = put_nowait

    def get(self, block: bool = True, timeout: float | None = None) -> None:
        """Raise Empty: there never is a record."""
        raise Empty


def run_payload(wanted: dict[str, str], payload: bytes) -> Any:
    """Run a task of joblib, on a worker."""
    require_versions(wanted, versions(), "of this epoch")
    return pickle.loads(payload)()


def queue_proxy() -> type:
    """Return the class of what `multiprocessing.Manager().Queue()` returns, made at its first call."""
    made: type = managers.MakeProxyType(  # type: ignore[attr-defined]
        "AutoProxy[Queue]",
        managers.public_methods(Queue()),  # type: ignore[attr-defined]
    )
    return made


def register_backend() -> None:
    """Give joblib the backend, to be chosen with `parallel_config(NAME, client=...)`."""
    import cloudpickle
    from joblib import register_parallel_backend
    from joblib.parallel import AutoBatchingMixin, ParallelBackendBase

    class Cluster(AutoBatchingMixin, ParallelBackendBase):  # type: ignore[misc]
        supports_retrieve_callback = True
        default_n_jobs = -1

        def __init__(self, client: "Client", **options: Any) -> None:
            super().__init__(**options)
            self._client = client
            self._executor = client.get_executor(pure=False)

        def configure(self, n_jobs: int = 1, parallel: Any = None, **_: Any) -> int:
            self.parallel = parallel
            return self.effective_n_jobs(n_jobs)

        def effective_n_jobs(self, n_jobs: int | None) -> int:
            slots = len(self._client.nthreads())
            return slots if n_jobs is None or n_jobs < 0 else n_jobs

        def submit(self, func: Callable[[], Any], callback: Callable[[Any], None] | None = None) -> Any:
            future = self._executor.submit(run_payload, versions(), cloudpickle.dumps(func))
            if callback:
                future.add_done_callback(callback)
            return future

        def retrieve_result_callback(self, out: Any) -> Any:
            return out.result()

        def compute_batch_size(self) -> int:
            return 1

    copyreg.pickle(queue_proxy(), lambda _: (SilentQueue, ()))
    register_parallel_backend(NAME, Cluster)
