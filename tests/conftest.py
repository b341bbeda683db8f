"""Options of the test run."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take a folder of real market data, which the repository does not hold."""
    parser.addoption(
        "--datadir", type=Path, help="folder with recorded market data, for tests/scoring/test_recorded.py"
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep all slow files that share one market on one worker, where the others keep each file on one."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = Path(super()._split_scope(nodeid))
            return "market" if path.parent.name == "slow" and path.stem not in APART else str(path)

    return Scheduling(config, log) if config.option.dist == "loadfile" else None


APART = ("test_dry_run", "test_parity", "test_recorder_killed", "test_recorder_sandbox")
"""Slow files with a market of their own."""
