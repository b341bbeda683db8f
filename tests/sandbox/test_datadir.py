"""A data directory holds one simulated market, and nothing that is real."""

import pytest

from builders.tapes import walking_tape
from liqfeature.cli import sandbox as command
from liqfeature.cli.main import main
from liqfeature.data.schema import SANDBOX_MARKER as MARKER
from liqfeature.errors import DataError
from liqfeature.sandbox.datadir import check_datadir, claim
from liqfeature.sandbox.server.venue import Venue


def venue(seed=1, oi_days=None):
    return Venue.of([walking_tape(minutes=60, seed=seed)], oi_days=oi_days)


def downloaded(directory):
    data = directory / "futures" / "BTC_USDT_USDT-5m-futures.feather"
    data.parent.mkdir()
    data.write_bytes(b"candles")
    return data


def test_a_new_directory_is_marked_as_simulated(tmp_path):
    claim(tmp_path / "sandbox" / "data", venue())
    assert "simulated" in (tmp_path / "sandbox" / "data" / MARKER).read_text()


def test_data_of_the_same_market_stay(tmp_path):
    claim(tmp_path / "data", venue())
    data = downloaded(tmp_path / "data")
    claim(tmp_path / "data", venue())
    assert data.exists()


@pytest.mark.parametrize("other", [{"seed": 2}, {"oi_days": 30}])
def test_data_of_another_market_go(tmp_path, other):
    claim(tmp_path / "data", venue())
    data = downloaded(tmp_path / "data")
    claim(tmp_path / "data", venue(**other))
    assert not data.exists()
    assert (tmp_path / "data" / MARKER).exists()


@pytest.mark.parametrize("marker", [None, "", "mine", "The liquidations in this directory are simulated.\n"])
def test_data_that_no_sandbox_made_are_refused_and_kept(tmp_path, marker):
    data = downloaded(tmp_path)
    if marker is not None:
        (tmp_path / MARKER).write_text(marker)
    before = contents(tmp_path)
    for refuse in (lambda: check_datadir(tmp_path), lambda: claim(tmp_path, venue())):
        with pytest.raises(DataError, match=r"must be empty or a sandbox's data directory, received"):
            refuse()
    assert data.exists()
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["notes.txt", "futures/PEPE.csv", "futures/mine/BTC-5m.feather"])
def test_files_of_somebody_else_are_never_removed(tmp_path, name):
    claim(tmp_path, venue())
    downloaded(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    before = contents(tmp_path)
    claim(tmp_path, venue())
    with pytest.raises(DataError, match=rf"before another market can use it, received {name}"):
        claim(tmp_path, venue(seed=2))
    assert contents(tmp_path) == before


def test_a_link_leads_nowhere(tmp_path):
    """Real data that a folder in the directory links to are not the sandbox's to remove."""
    real = tmp_path / "real"
    real.mkdir()
    data = downloaded(real)
    claim(tmp_path / "data", venue())
    (tmp_path / "data" / "futures").symlink_to(real / "futures")
    with pytest.raises(DataError, match="received futures"):
        claim(tmp_path / "data", venue(seed=2))
    assert data.exists()


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path / "file", tmp_path / "file" / "data"):
        with pytest.raises(DataError, match=r"must be empty or a sandbox's|must be writable, received"):
            check_datadir(path)


def contents(directory):
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize("option", ["--datadir", "--config-out"])
def test_places_are_checked_before_the_work(tmp_path, monkeypatch, capsys, option):
    def never(*_):
        raise AssertionError("simulated")

    monkeypatch.setattr(command, "_simulate", never)
    (tmp_path / "notes.txt").write_text("mine")
    place = tmp_path if option == "--datadir" else tmp_path / "notes.txt"
    assert main(["sandbox", "serve", option, str(place)]) == 2
    assert capsys.readouterr().err.startswith(f"liqfeature: {place} must be ")
    assert (tmp_path / "notes.txt").read_text() == "mine"
