"""A small market that is served."""

import pytest

from builders.backtests import write_market
from liqfeature.serve.sources import DirectorySource


@pytest.fixture(scope="session")
def datadir(tmp_path_factory):
    return write_market(tmp_path_factory.mktemp("served"))


@pytest.fixture
def source(datadir):
    return DirectorySource(datadir=datadir)
