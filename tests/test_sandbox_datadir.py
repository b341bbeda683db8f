"""A data directory holds one simulated market, and nothing that is real."""

import pytest
from tapes import walking_tape

from liqfeature.errors import DataError
from liqfeature.sandbox.datadir import MARKER, claim
from liqfeature.sandbox.venue import Venue


def venue(seed=1, oi_days=None):
    return Venue.of([walking_tape(minutes=60, seed=seed)], oi_days=oi_days)


def downloaded(directory):
    data = directory / "futures" / "BTC_USDT_USDT-5m-futures.feather"
    data.parent.mkdir()
    data.write_bytes(b"candles")
    return data


def test_a_new_directory_is_marked_as_invented(tmp_path):
    claim(tmp_path / "sandbox" / "data", venue())
    assert "invented" in (tmp_path / "sandbox" / "data" / MARKER).read_text()


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


def test_data_that_no_sandbox_made_are_refused_and_kept(tmp_path):
    data = downloaded(tmp_path)
    with pytest.raises(DataError, match=f"holds data and no {MARKER} file"):
        claim(tmp_path, venue())
    assert data.exists()
