"""Options of the test run."""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take a folder of real market data, which the repository does not hold."""
    parser.addoption(
        "--datadir", type=Path, help="folder with recorded market data, for tests/test_recorded.py"
    )
