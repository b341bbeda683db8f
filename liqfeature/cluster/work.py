"""One function over many tasks, in this process or on workers, with a bar of what is done."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from liqfeature.cluster.versions import require_versions, versions
from liqfeature.cluster.workers import Workers, connected
from liqfeature.errors import DataError, LiqFeatureError
from liqfeature.walkforward.progress import progress

if TYPE_CHECKING:
    from distributed import Future

Task = TypeVar("Task")
Result = TypeVar("Result")


def outcomes(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: Workers, told: str
) -> Iterator[tuple[Task, Result | LiqFeatureError | OSError]]:
    """Yield each task with its result, or with what was wrong with it, as they come.

    Parameters
    ----------
    function : callable
        Of a module, so that workers find it. A task whose worker dies is begun anew on another.
    tasks : sequence
        Small: workers read and write files themselves.
    workers : int or str
        1 runs the tasks here, in their order, without Dask.
    told : str
        What the tasks are, for the bar.
    """
    with progress(len(tasks)) as step:
        done = _here(function, tasks) if workers == 1 else _there(function, tasks, workers)
        for each in done:
            with step(told):
                pass
            yield each


def _here(
    function: Callable[[Task], Result], tasks: Sequence[Task]
) -> Iterator[tuple[Task, Result | LiqFeatureError | OSError]]:
    for task in tasks:
        try:
            yield task, function(task)
        except (LiqFeatureError, OSError) as error:
            yield task, error


def _there(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: Workers
) -> Iterator[tuple[Task, Result | LiqFeatureError | OSError]]:
    with connected(workers) as client:
        from distributed import as_completed

        common = (versions(), Path.cwd(), function)
        futures = {client.submit(_checked, *common, task, pure=False): task for task in tasks}
        for future in as_completed(list(futures)):
            yield futures.pop(future), _outcome(future)
            future.release()


def _checked(wanted: dict[str, str], cwd: Path, function: Callable[[Task], Result], task: Task) -> Result:
    """Run a task if versions are the client's: a worker may have joined since they were compared."""
    require_versions(wanted, versions(), "of this task")
    with chdir(cwd):  # relative paths are the client's
        return function(task)


def _outcome(future: "Future[Result]") -> Result | LiqFeatureError | OSError:
    from distributed import KilledWorker

    try:
        result: Result = future.result()
    except (LiqFeatureError, OSError) as error:
        return error
    except KilledWorker as error:
        return DataError(f"its worker was killed again and again, for lack of memory perhaps: {error}")
    return result
