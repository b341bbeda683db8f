"""Which processes work: as asked, on this machine alone, of the same versions, and ended afterwards."""

import argparse
import os
import sys
from pathlib import Path

import pytest

from builders.dask import dask_scheduler, dask_worker
from builders.waiting import wait_until
from liqfeature.cluster import versions as told
from liqfeature.cluster.versions import require_versions, versions
from liqfeature.cluster.workers import LOCAL, connected, workers
from liqfeature.errors import ConfigError, DataError, MissingExtraError


@pytest.mark.parametrize("text", ["4", "tcp://10.0.0.5:8786", "tls://10.0.0.5:8786"])
def test_a_number_or_an_address(text):
    assert str(workers(text)) == text


@pytest.mark.parametrize("text", ["0", "-2", "1.5", "two", "10.0.0.5:8786", "http://10.0.0.5", ""])
def test_what_is_neither_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="whole number of at least 1, or tcp://HOST:PORT"):
        workers(text)


def test_what_differs_is_named():
    require_versions(versions(), versions(), "A")
    with pytest.raises(DataError, match=r"worker A must have numpy .*, received 1.0$"):
        require_versions(versions(), versions() | {"numpy": "1.0"}, "A")
    with pytest.raises(DataError, match=r"code of liqfeature .*, received None"):
        require_versions(versions(), {}, "A")


def test_the_code_is_told_by_its_content(tmp_path, monkeypatch):
    before = told.code_digest()
    monkeypatch.setattr(told.liqfeature, "__file__", str(tmp_path / "__init__.py"))
    (tmp_path / "one.py").write_text("a = 1\n")
    told.code_digest.cache_clear()
    changed = told.code_digest()
    told.code_digest.cache_clear()
    monkeypatch.undo()
    assert changed != before == told.code_digest()


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(MissingExtraError, match=r"liqfeature\[cluster\]"), connected(2):
        pass


def listening(processes):
    """Addresses on which processes listen, as the kernel has them: 0100007F is 127.0.0.1."""
    sockets = {
        str(link.readlink())
        for pid in processes
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if link.is_symlink() and os.path.lexists(link)
    }
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == "0A" and f"socket:[{inode}]" in sockets:
                found.add(local.partition(":")[0])
    return found


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="no /proc to look at sockets in")
def test_local_workers_listen_on_this_machine_alone_and_end_with_the_block():
    pytest.importorskip("distributed")
    with connected(2) as client:
        pids = list(client.run(os.getpid).values())
        assert len(set(pids)) == 2
        assert LOCAL == "127.0.0.1"
        assert listening([os.getpid(), *pids]) == {"0100007F"}
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


@pytest.fixture
def scheduler():
    pytest.importorskip("distributed")
    with dask_scheduler() as address:
        yield address


def test_workers_of_a_scheduler_are_compared_before_there_is_work(scheduler, monkeypatch):
    with pytest.raises(
        ConfigError, match=r"must have a worker: dask worker tcp.* --nthreads 1, received none"
    ):
        connected(scheduler).__enter__()
    with dask_worker(scheduler):
        with connected(scheduler) as client:
            assert client.submit(os.getpid).result() != os.getpid()
        monkeypatch.setattr("liqfeature.cluster.versions.metadata.version", lambda _: "0.1")
        versions.cache_clear()
        with pytest.raises(DataError, match=r"worker tcp://.* must have numpy 0.1, received "):
            connected(scheduler).__enter__()
    versions.cache_clear()
    with dask_worker(scheduler, 2), pytest.raises(ConfigError, match="--nthreads 1, received 2 threads"):
        connected(scheduler).__enter__()


def test_no_scheduler_is_said_to_be_none(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("liqfeature.cluster.workers.PATIENCE", "1s")
    with pytest.raises(ConfigError, match=r"a Dask scheduler that runs, received tcp://127\.0\.0\.1:9"):
        connected("tcp://127.0.0.1:9").__enter__()
