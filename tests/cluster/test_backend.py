"""Epochs on workers: what is given to one is what it returns, though classes are shipped by value."""

import copyreg
import pickle
import types
from multiprocessing import get_context
from queue import Empty

import pytest

from builders.workers import die_once
from liqfeature.cluster.backend import NAME, SilentQueue, queue_proxy, register_backend
from liqfeature.cluster.workers import connected


@pytest.fixture
def strategy():
    """A strategy as Freqtrade makes one of a file: of a module that cannot be imported.

    Its parameter is an attribute of the class, and the object has a list of them.
    """
    module = types.ModuleType("strategy")
    exec("class Parameter:\n    value = 0\nclass Strategy:\n    buy = Parameter()\n", module.__dict__)
    made = module.Strategy()
    made.parameters = [module.Strategy.buy]
    return made


def epoch(strategy, value, mark):
    """Set a parameter as Freqtrade does, and read it as a strategy does."""
    for parameter in strategy.parameters:
        parameter.value = value
    if value == 3:
        die_once(mark)
    return strategy.buy.value


def test_every_epoch_returns_its_own_parameters_also_when_a_worker_is_killed(strategy, tmp_path):
    pytest.importorskip("distributed")
    joblib = pytest.importorskip("joblib")
    register_backend()
    with connected(2) as client, joblib.parallel_config(NAME, client=client), joblib.Parallel() as parallel:
        assert parallel._effective_n_jobs() == 2
        for first in range(0, 8, 2):
            asked = (joblib.delayed(epoch)(strategy, first + i, tmp_path / "died") for i in range(2))
            assert parallel(asked) == [first, first + 1]
    assert (tmp_path / "died").exists()


def test_the_queue_of_records_stays_at_home():
    """It travels inside a task as a queue that drops what it is given."""
    pytest.importorskip("joblib")
    pytest.importorskip("cloudpickle")
    register_backend()
    with get_context("spawn").Manager() as manager:
        queue = manager.Queue()
        assert type(queue) is queue_proxy()
        assert queue_proxy() in copyreg.dispatch_table
        shipped = pickle.loads(pickle.dumps(queue))
    assert isinstance(shipped, SilentQueue)
    shipped.put("a record")
    shipped.put_nowait("a record")
    with pytest.raises(Empty):
        shipped.get(block=False)
